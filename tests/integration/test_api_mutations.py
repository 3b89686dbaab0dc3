"""`once` on a real database: a mutation happens once, whoever repeats it and whoever races it."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from grpc import StatusCode
from grpc.aio import AioRpcError
from pymongo import InsertOne, ReplaceOne
from shilian.registry.v1 import registry_pb2 as pb

from chassis.api.calls import current_call
from chassis.api.mongo import Store
from chassis.api.once import once
from chassis.outgoing import Commit, outgoing
from contracts.trace import EventsRecordedV1
from tests.integration.api_probe import Rpc, details, make_token, serving, settings
from tests.stack import Database

Decided = tuple[pb.RegisterOperatorResponse, Commit]
Decide = Callable[[Store, pb.RegisterOperatorRequest], Awaitable[Decided]]


def mutation(decide: Decide) -> Rpc:
    async def answer(store: Store, request: pb.RegisterOperatorRequest) -> pb.RegisterOperatorResponse:
        async def decided(request: pb.RegisterOperatorRequest) -> Decided:
            return await decide(store, request)

        return await once(store, request, pb.RegisterOperatorResponse, decided)

    return Rpc(answer, request=pb.RegisterOperatorRequest, response=pb.RegisterOperatorResponse)


async def insert(store: Store, request: pb.RegisterOperatorRequest) -> Decided:
    """Adds a thing that any number of requests could add, and announces it."""
    number = await store.db.things.count_documents({})
    announced = outgoing(
        "trace.events_recorded.v1", EventsRecordedV1(events=()), source="probe", parent=current_call().envelope("probe")
    )
    answer = pb.RegisterOperatorResponse(operator=pb.Operator(name=request.name, version=number))
    return answer, Commit({"things": [InsertOne({"name": request.name})]}, [announced])


async def count_up(store: Store, request: pb.RegisterOperatorRequest) -> Decided:
    """Adds one to a document it has read; a stale version meets the duplicate key."""
    seen = await store.db.things.find_one({"_id": "n"}) or {"version": 0}
    version = seen["version"] + 1
    write = ReplaceOne({"_id": "n", "version": seen["version"]}, {"version": version}, upsert=True)
    return pb.RegisterOperatorResponse(operator=pb.Operator(version=version)), Commit({"things": [write]})


def asking(request_id: str, name: str = "a") -> pb.RegisterOperatorRequest:
    return pb.RegisterOperatorRequest(request_id=request_id, name=name)


async def refused(call: Any) -> AioRpcError:
    with pytest.raises(AioRpcError) as error:
        await call
    return error.value


@pytest.mark.asyncio
async def test_a_repeat_answers_the_same_and_does_nothing(mongo: Database, tmp_path: Path) -> None:
    async with serving(settings(mongo.url, tmp_path), Add=mutation(insert)) as probe:
        first, again = [await probe.call("Add", asking("r1")) for _ in range(2)]
        assert first == again
        db = probe.api.store.db
        assert [await db[name].count_documents({}) for name in ("things", "outbox")] == [1, 1]
        (row,) = await db.outbox.find().to_list(None)
        assert row["headers"]["ce-causationid"]


@pytest.mark.asyncio
async def test_repeats_at_the_same_time_happen_once(mongo: Database, tmp_path: Path) -> None:
    async with serving(settings(mongo.url, tmp_path), Add=mutation(insert)) as probe:
        answers = await asyncio.gather(*(probe.call("Add", asking("r1")) for _ in range(8)))
        assert all(answer == answers[0] for answer in answers)
        db = probe.api.store.db
        assert [await db[name].count_documents({}) for name in ("things", "outbox", "inbox")] == [1, 1, 1]


@pytest.mark.asyncio
async def test_a_request_id_belongs_to_its_caller(mongo: Database, tmp_path: Path) -> None:
    async with serving(settings(mongo.url, tmp_path), Add=mutation(insert)) as probe:
        for subject in ("li.na", "wang.wei"):
            await probe.call("Add", asking("r1"), token=make_token(sub=subject))
        assert await probe.api.store.db.things.count_documents({}) == 2


@pytest.mark.asyncio
async def test_a_request_id_with_another_content_is_refused(mongo: Database, tmp_path: Path) -> None:
    async with serving(settings(mongo.url, tmp_path), Add=mutation(insert)) as probe:
        await probe.call("Add", asking("r1"))
        error = await refused(probe.call("Add", asking("r1", name="b")))
        assert (error.code(), details(error)[0].reason) == (StatusCode.INVALID_ARGUMENT, "request_id_reused")


@pytest.mark.asyncio
@pytest.mark.parametrize("request_id", ["", "x" * 129])
async def test_a_mutation_needs_a_request_id(mongo: Database, tmp_path: Path, request_id: str) -> None:
    async with serving(settings(mongo.url, tmp_path), Add=mutation(insert)) as probe:
        error = await refused(probe.call("Add", asking(request_id)))
        assert (error.code(), details(error)[1]) == (
            StatusCode.INVALID_ARGUMENT,
            [("request_id", "request_id_required")],
        )


@pytest.mark.asyncio
async def test_a_stale_version_decides_again(mongo: Database, tmp_path: Path) -> None:
    reads = asyncio.Barrier(2)

    async def racing(store: Store, request: pb.RegisterOperatorRequest) -> Decided:
        decided = await count_up(store, request)
        if decided[0].operator.version == 1:
            await reads.wait()
        return decided

    async with serving(settings(mongo.url, tmp_path), Add=mutation(racing)) as probe:
        answers = await asyncio.gather(*(probe.call("Add", asking(id)) for id in ("r1", "r2")))
        assert sorted(answer.operator.version for answer in answers) == [1, 2]


@pytest.mark.asyncio
async def test_others_who_are_always_faster_abort_it(mongo: Database, tmp_path: Path) -> None:
    async def overtaken(store: Store, request: pb.RegisterOperatorRequest) -> Decided:
        decided = await count_up(store, request)
        await store.db.things.update_one({"_id": "n"}, {"$inc": {"version": 1}}, upsert=True)
        return decided

    async with serving(settings(mongo.url, tmp_path), Add=mutation(overtaken)) as probe:
        error = await refused(probe.call("Add", asking("r1")))
        assert (error.code(), details(error)[0].reason) == (StatusCode.ABORTED, "changed_meanwhile")
        assert await probe.api.store.db.inbox.count_documents({}) == 0


@pytest.mark.asyncio
async def test_a_caller_who_gives_up_does_not_interrupt_a_commit(mongo: Database, tmp_path: Path) -> None:
    store = Store.connect(mongo.url)
    await store.ensure(())
    async with asyncio.timeout(60), store.db.watch() as changes:
        # The stream begins with its first look.
        assert await changes.try_next() is None
        committing = asyncio.ensure_future(store.commit(Commit({"things": [InsertOne({"_id": 1})]})))
        await asyncio.sleep(0)
        committing.cancel()
        change = await changes.next()
    assert change["documentKey"] == {"_id": 1}
    store.close()
