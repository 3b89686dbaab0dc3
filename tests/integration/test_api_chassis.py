"""The api chassis against a real database and real gRPC clients: who gets in, deadlines, audit, errors, drain."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from grpc import StatusCode
from grpc.aio import AioRpcError
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from shilian.registry.v1 import registry_pb2 as pb

from chassis.api.auth import UndeclaredAccess
from chassis.api.calls import current_call, current_caller
from chassis.api.errors import FailedPrecondition, InvalidArgument, NotFound
from chassis.api.mongo import Store
from chassis.api.server import Misconfigured
from chassis.settings import Settings
from contracts.egress import FieldError
from tests.integration.api_probe import Answer, Probe, Rpc, details, make_token, serving, settings
from tests.stack import Database

Make = Callable[..., Settings]

SLOW = {"$where": "sleep(30000) || true"}
UNREACHABLE = "mongodb://127.0.0.1:1/nowhere"


@pytest.fixture
def options(mongo: Database, tmp_path: Path) -> Make:
    """Makes settings of an api on this test's database."""
    return lambda **more: settings(mongo.url, tmp_path, **more)


async def who(store: Store, request: Any) -> pb.GetOperatorResponse:
    caller = current_caller()
    return pb.GetOperatorResponse(operator=pb.Operator(operator_id=caller.subject, name=caller.division or ""))


def failing(error: Exception) -> Answer:
    async def fail(store: Store, request: Any) -> Any:
        raise error

    return fail


def health_stub(probe: Probe) -> Any:
    return health_pb2_grpc.HealthStub(probe.channel)


def reflection_stub(probe: Probe) -> Any:
    stub: Any = reflection_pb2_grpc.ServerReflectionStub
    return stub(probe.channel)


async def refusal(call: Any) -> AioRpcError:
    with pytest.raises(AioRpcError) as refused:
        await call
    return refused.value


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("token", "code", "reason"),
    [
        (None, StatusCode.UNAUTHENTICATED, "token_missing"),
        ("rubbish", StatusCode.UNAUTHENTICATED, "token_invalid"),
        (make_token(exp=time.time() - 60), StatusCode.UNAUTHENTICATED, "token_expired"),
        (make_token(aud="another"), StatusCode.UNAUTHENTICATED, "token_invalid"),
        (make_token(Ed25519PrivateKey.generate()), StatusCode.UNAUTHENTICATED, "token_invalid"),
        (make_token(role="vendor"), StatusCode.PERMISSION_DENIED, "role"),
    ],
    ids=["none", "rubbish", "expired", "audience", "key", "role"],
)
async def test_a_caller_who_may_not_is_refused_before_the_handler(
    options: Make, token: str | None, code: StatusCode, reason: str
) -> None:
    reached: list[Any] = []

    async def reach(store: Store, request: Any) -> Any:
        reached.append(request)

    async with serving(options(), Look=Rpc(reach, audited=True)) as probe:
        error = await refusal(probe.call("Look", token=token))
        assert (error.code(), details(error)[0].reason) == (code, reason)
        assert not reached
        assert await probe.api.store.db.audit.count_documents({}) == 0


@pytest.mark.asyncio
async def test_the_handler_learns_who_calls(options: Make) -> None:
    async with serving(options(), Look=Rpc(who)) as probe:
        answer = await probe.call("Look")
        assert (answer.operator.operator_id, answer.operator.name) == ("li.na", "37")


@pytest.mark.asyncio
async def test_a_public_rpc_needs_no_token_but_refuses_a_bad_one(options: Make) -> None:
    async with serving(options(), Look=Rpc(who, roles=("PUBLIC",))) as probe:
        assert (await probe.call("Look", token=None)).operator.operator_id == ""
        assert (await refusal(probe.call("Look", token="bad"))).code() is StatusCode.UNAUTHENTICATED


@pytest.mark.asyncio
@pytest.mark.parametrize("roles", [(), ("UNSPECIFIED",)])
async def test_an_rpc_without_roles_keeps_the_server_from_starting(options: Make, roles: tuple[str, ...]) -> None:
    with pytest.raises(UndeclaredAccess, match=r"ProbeService\.Look"):
        async with serving(options(), Fine=Rpc(who), Look=Rpc(who, roles=roles)):
            pass


@pytest.mark.asyncio
async def test_a_server_without_a_public_key_does_not_start(options: Make) -> None:
    with pytest.raises(Misconfigured, match="SHILIAN_JWT_PUBLIC_KEY_FILE"):
        async with serving(options().model_copy(update={"jwt_public_key_file": None}), Look=Rpc(who)):
            pass


@pytest.mark.asyncio
async def test_the_callers_deadline_reaches_the_database(options: Make) -> None:
    async def read(store: Store, request: Any) -> Any:
        return await store.db.things.find_one(SLOW)

    async with serving(options(), Look=Rpc(read)) as probe:
        await probe.api.store.db.things.insert_one({})
        started = time.monotonic()
        error = await refusal(probe.call("Look", timeout=5))
        assert (error.code(), details(error)[0].reason) == (StatusCode.DEADLINE_EXCEEDED, "deadline_exceeded")
        assert time.monotonic() - started < 20


@pytest.mark.asyncio
@pytest.mark.parametrize("bounds", [{"deadline_s": 0.5}, {"max_deadline_s": 0.5}])
async def test_a_call_without_or_with_a_far_deadline_is_bounded_by_ours(
    options: Make, bounds: dict[str, float]
) -> None:
    async def read(store: Store, request: Any) -> Any:
        return await store.db.things.find_one(SLOW)

    async with serving(options(**bounds), Look=Rpc(read)) as probe:
        await probe.api.store.db.things.insert_one({})
        error = await refusal(probe.call("Look", timeout=None if "deadline_s" in bounds else 60))
        assert (error.code(), details(error)[0].reason) == (StatusCode.DEADLINE_EXCEEDED, "deadline_exceeded")


@pytest.mark.asyncio
async def test_a_store_that_is_away_is_unavailable(options: Make) -> None:
    away = Store.connect(UNREACHABLE)

    async def read(store: Store, request: Any) -> Any:
        return await away.db.things.find_one()

    async with serving(options(), Look=Rpc(read)) as probe:
        error = await refusal(probe.call("Look", timeout=6))
        assert (error.code(), details(error)[0].reason) == (StatusCode.UNAVAILABLE, "store_away")
        assert "127.0.0.1" not in (error.details() or "")
    assert await away.problems()
    away.close()


@pytest.mark.asyncio
async def test_an_audited_call_is_written_before_it_is_answered(options: Make) -> None:
    async with serving(options(), Look=Rpc(who, audited=True)) as probe:
        await probe.call("Look", pb.GetOperatorRequest(operator_id="济南"), x_correlation_id="c-1")
        (row,) = await probe.api.store.db.audit.find().to_list(None)
        assert (row["caller"], row["division"], row["correlation_id"]) == ("li.na", "37", "c-1")
        assert (row["method"], row["request"]) == (f"/{probe.service}/Look", '{"operator_id": "济南"}')
        assert row["peer"].startswith("ipv4:127.0.0.1:")


@pytest.mark.asyncio
async def test_audited_failures_and_concurrent_calls_are_each_written(options: Make) -> None:
    async with serving(options(), Look=Rpc(failing(NotFound("operator", "x")), audited=True)) as probe:
        codes = [error.code() for error in await asyncio.gather(*(refusal(probe.call("Look")) for _ in range(30)))]
        assert codes == [StatusCode.NOT_FOUND] * 30
        assert await probe.api.store.db.audit.count_documents({}) == 30


@pytest.mark.asyncio
@pytest.mark.parametrize("streams", [False, True])
async def test_an_audited_call_that_cannot_be_written_is_not_answered(options: Make, streams: bool) -> None:
    async def stream(store: Store, request: Any) -> AsyncIterator[Any]:
        yield await who(store, request)

    async with serving(options(), Look=Rpc(stream if streams else who, audited=True, streams=streams)) as probe:
        await probe.api.store.db.command("collMod", "audit", validator={"nothing": "fits"})
        call = probe.call("Look")
        with pytest.raises(AioRpcError) as refused:
            await (call.read() if streams else call)
        assert refused.value.code() is StatusCode.INTERNAL


@pytest.mark.asyncio
async def test_a_stream_is_guarded_audited_and_ends_with_its_error(options: Make) -> None:
    async def stream(store: Store, request: Any) -> AsyncIterator[Any]:
        assert await store.db.audit.count_documents({}) == 1
        yield await who(store, request)
        raise FailedPrecondition("frozen", "it is frozen", {"since": "2026-11"})

    async with serving(options(), Watch=Rpc(stream, audited=True, streams=True)) as probe:
        refused = await refusal(probe.call("Watch", token=None).read())
        assert refused.code() is StatusCode.UNAUTHENTICATED
        call = probe.call("Watch")
        assert (await call.read()).operator.operator_id == "li.na"
        error = await refusal(call.read())
        assert (error.code(), details(error)[0].metadata["since"]) == (StatusCode.FAILED_PRECONDITION, "2026-11")


@pytest.mark.asyncio
async def test_wrong_fields_are_named_with_their_rules(options: Make) -> None:
    named = [("uscc", "check_digit"), ("name", "required")]
    wrong = [FieldError(field=field, value="1", rule=rule, message="is wrong") for field, rule in named]
    async with serving(options(), Look=Rpc(failing(InvalidArgument(wrong)))) as probe:
        error = await refusal(probe.call("Look"))
        assert error.code() is StatusCode.INVALID_ARGUMENT
        assert details(error)[1] == named
        assert (details(error)[0].domain, details(error)[0].reason) == ("shilian", "check_digit")


@pytest.mark.asyncio
async def test_an_unforeseen_error_tells_only_its_correlation_id(
    options: Make, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(options(), Look=Rpc(failing(RuntimeError("the secret")))) as probe:
        with caplog.at_level(logging.ERROR):
            error = await refusal(probe.call("Look", x_correlation_id="c-7"))
        assert (error.code(), error.details()) == (StatusCode.INTERNAL, "internal error")
        assert details(error)[0].metadata["correlation_id"] == "c-7"
        assert "the secret" not in str(error)
        assert "the secret" in caplog.text


@pytest.mark.asyncio
async def test_trace_context_and_correlation_join_the_messages_a_call_causes(options: Make) -> None:
    async def cause(store: Store, request: Any) -> pb.GetOperatorResponse:
        parent = current_call().envelope("probe")
        return pb.GetOperatorResponse(operator=pb.Operator(name=f"{parent.correlation_id} {parent.traceparent}"))

    traceparent = f"00-{'a' * 32}-{'b' * 16}-01"
    async with serving(options(), Look=Rpc(cause)) as probe:
        told = await probe.call("Look", x_correlation_id="c-9", traceparent=traceparent)
        assert told.operator.name == f"c-9 {traceparent}"
        odd = await probe.call("Look", x_correlation_id="a b", traceparent="nonsense")
        assert odd.operator.name.endswith(" None")
        assert "a b" not in odd.operator.name


@pytest.mark.asyncio
async def test_a_drain_takes_no_new_call_and_lets_one_in_flight_finish(options: Make) -> None:
    entered, release = asyncio.Event(), asyncio.Event()

    async def wait(store: Store, request: Any) -> pb.GetOperatorResponse:
        entered.set()
        await release.wait()
        await store.db.things.insert_one({})
        return await who(store, request)

    serving_probe = serving(options(drain_s=60), Look=Rpc(wait))
    probe = await serving_probe.__aenter__()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{probe.api.http_port}", timeout=60) as http:
        watch = health_stub(probe).Watch(health_pb2.HealthCheckRequest(service=probe.service))
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
        in_flight = asyncio.ensure_future(probe.call("Look"))
        await entered.wait()
        drained = asyncio.ensure_future(serving_probe.__aexit__(None, None, None))
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
        watch.cancel()
        assert (await http.get("/ready")).status_code == 503
        assert (await refusal(probe.call("Look"))).code() is StatusCode.UNAVAILABLE
        assert not drained.done()
        release.set()
        assert (await in_flight).operator.operator_id == "li.na"
        await drained


@pytest.mark.asyncio
async def test_health_and_reflection_answer_without_a_token(options: Make) -> None:
    async with serving(options(), Look=Rpc(who)) as probe:
        health = health_stub(probe)
        for name in ("", probe.service):
            answer = await health.Check(health_pb2.HealthCheckRequest(service=name))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        asked = iter([reflection_pb2.ServerReflectionRequest(list_services="")])
        told = reflection_stub(probe).ServerReflectionInfo(asked)
        services = {service.name for service in (await told.read()).list_services_response.service}
        assert {probe.service, "grpc.health.v1.Health"} <= services


@pytest.mark.asyncio
async def test_metrics_liveness_and_readiness_answer_over_http(options: Make) -> None:
    async with serving(options(), Look=Rpc(who)) as probe:
        await probe.call("Look")
        await refusal(probe.call("Look", token=None))
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{probe.api.http_port}", timeout=60) as http:
            assert (await http.get("/live")).status_code == 200
            assert (await http.get("/ready")).json() == {"ok": True, "problems": []}
            assert (await http.get("/other")).status_code == 404
            assert (await http.post("/live")).status_code == 405
            lines = (await http.get("/metrics")).text.splitlines()
        method = f'method="/{probe.service}/Look"'
        assert f'shilian_grpc_calls_total{{code="OK",{method}}} 1.0' in lines
        assert f'shilian_grpc_calls_total{{code="UNAUTHENTICATED",{method}}} 1.0' in lines
        assert f"shilian_grpc_call_seconds_count{{{method}}} 2.0" in lines
        assert f"shilian_grpc_calls_open{{{method}}} 0.0" in lines
