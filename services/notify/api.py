"""The gRPC side of notify: translate, delegate."""

# ruff: noqa: N802 - gRPC's names

from typing import Any, Final
from uuid import uuid4

from pymongo import DeleteOne, InsertOne, ReplaceOne, UpdateOne
from shilian.notify.v1 import notify_pb2 as pb
from shilian.notify.v1 import notify_pb2_grpc

from chassis import clock, timers
from chassis.api.calls import current_call, current_caller
from chassis.api.errors import FailedPrecondition, InvalidArgument, NotFound
from chassis.api.mongo import Store
from chassis.api.once import once
from chassis.api.pages import page_size, page_token, position
from chassis.api.server import Service
from chassis.outgoing import Commit
from contracts import rules
from services.notify import announce, queries, requests, store, writes
from services.notify.deliveries import outcomes
from services.notify.deliveries.quotas import quota
from services.notify.domain import Channel, NotAllowed, State
from services.notify.events import notices
from services.notify.events.events import EVENTS
from services.notify.settings import NotifySettings
from services.notify.subscriptions import DEFAULTS, in_force
from services.notify.translate import delivery_message, subscription_message, word


class NotifyServicer(notify_pb2_grpc.NotifyServiceServicer):
    """Subscriptions, deliveries, inboxes, and what providers call back. What the caller may not see is not found."""

    def __init__(self, own: Store) -> None:
        self._store = own
        self._deliveries = own.db[store.DELIVERIES]
        self._settings = NotifySettings()

    async def CreateSubscription(
        self, request: pb.CreateSubscriptionRequest, context: Any
    ) -> pb.CreateSubscriptionResponse:
        return await once(self._store, request, pb.CreateSubscriptionResponse, self._subscribe)

    async def DeleteSubscription(
        self, request: pb.DeleteSubscriptionRequest, context: Any
    ) -> pb.DeleteSubscriptionResponse:
        return await once(self._store, request, pb.DeleteSubscriptionResponse, self._unsubscribe)

    async def ListSubscriptions(
        self, request: pb.ListSubscriptionsRequest, context: Any
    ) -> pb.ListSubscriptionsResponse:
        size, (after,) = page_size(request), position(request, str) or [""]
        ids = [row["_id"] for row in DEFAULTS]
        seen = {"$or": [queries.subscriptions_seen(current_caller()), {"_id": {"$in": ids}}]}
        rows = await self._store.db[store.SUBSCRIPTIONS].find(seen).to_list(None)
        listed = sorted((row for row in in_force(rows) if row["_id"] > after), key=lambda row: str(row["_id"]))
        found = [row for row in listed if not request.event or request.event in row["events"]]
        return pb.ListSubscriptionsResponse(
            subscriptions=map(subscription_message, found[:size]),
            next_page_token=page_token(request, [found[size - 1]["_id"]]) if len(found) > size else "",
        )

    async def SendNotice(self, request: pb.SendNoticeRequest, context: Any) -> pb.SendNoticeResponse:
        return await once(self._store, request, pb.SendNoticeResponse, self._send)

    async def ListDeliveries(self, request: pb.ListDeliveriesRequest, context: Any) -> pb.ListDeliveriesResponse:
        size, (after,) = page_size(request), position(request, str) or [""]
        asked = {
            "event": request.event,
            "recipient": request.recipient,
            "state": word(pb.DeliveryState, request.state, "DELIVERY_STATE"),
            "channel": word(pb.Channel, request.channel, "CHANNEL"),
        }
        where = queries.deliveries_like(current_caller(), asked, request.cause, request.division, after)
        found = await self._deliveries.find(where, queries.HIDDEN).sort("_id", 1).to_list(size + 1)
        return pb.ListDeliveriesResponse(
            deliveries=map(delivery_message, found[:size]),
            next_page_token=page_token(request, [found[size - 1]["_id"]]) if len(found) > size else "",
        )

    async def GetInbox(self, request: pb.GetInboxRequest, context: Any) -> pb.GetInboxResponse:
        size, (skipped,) = page_size(request), position(request, int) or [0]
        unread = {"state": State.DELIVERED.value} if request.unread else {}
        where = {"$and": [queries.inbox(current_caller()), unread]}
        newest = [("created_at", -1), ("_id", -1)]
        found = await self._deliveries.find(where, queries.HIDDEN).sort(newest).skip(skipped).to_list(size + 1)
        return pb.GetInboxResponse(
            messages=map(delivery_message, found[:size]),
            next_page_token=page_token(request, [skipped + size]) if len(found) > size else "",
        )

    async def MarkRead(self, request: pb.MarkReadRequest, context: Any) -> pb.MarkReadResponse:
        return await once(self._store, request, pb.MarkReadResponse, self._read)

    async def RecordReceipts(self, request: pb.RecordReceiptsRequest, context: Any) -> pb.RecordReceiptsResponse:
        return await once(self._store, request, pb.RecordReceiptsResponse, self._receive)

    async def RecordGrant(self, request: pb.RecordGrantRequest, context: Any) -> pb.RecordGrantResponse:
        return await once(self._store, request, pb.RecordGrantResponse, self._grant)

    async def RecordStop(self, request: pb.RecordStopRequest, context: Any) -> pb.RecordStopResponse:
        return await once(self._store, request, pb.RecordStopResponse, self._stop)

    async def GetQuota(self, request: pb.GetQuotaRequest, context: Any) -> pb.GetQuotaResponse:
        channel = requests.channel(request.channel)
        if request.event not in EVENTS:
            raise InvalidArgument([rules.error("event", request.event, "invalid_value")])
        stopped = await self._store.db[store.STOPS].find_one({"_id": writes.stop_key(channel, request.address)})
        found = quota(self._settings, channel, request.event, request.address)
        if found is None:
            return pb.GetQuotaResponse(left=-1, limit=-1, stopped=stopped is not None)
        row = await self._store.db[store.QUOTAS].find_one({"_id": found.key})
        left = found.left(row, clock.now())
        return pb.GetQuotaResponse(left=left, limit=found.limit or 1, stopped=stopped is not None)

    async def _subscribe(self, request: pb.CreateSubscriptionRequest) -> tuple[pb.CreateSubscriptionResponse, Commit]:
        row = requests.subscription(request, current_caller(), f"S{uuid4().hex}", clock.now())
        writes = {store.SUBSCRIPTIONS: [InsertOne(row)]}
        return pb.CreateSubscriptionResponse(subscription=subscription_message(row)), Commit(writes)

    async def _unsubscribe(self, request: pb.DeleteSubscriptionRequest) -> tuple[pb.DeleteSubscriptionResponse, Commit]:
        caller, id = current_caller(), request.subscription_id
        default = next((row for row in DEFAULTS if row["_id"] == id), None)
        if default and caller.role == "regulator" and len(caller.division or "") == 2:
            ended = ReplaceOne({"_id": id}, {**default, "deleted": True, "by": caller.subject}, upsert=True)
            return pb.DeleteSubscriptionResponse(), Commit({store.SUBSCRIPTIONS: [ended]})
        mine = {"$and": [{"_id": id}, queries.subscriptions_seen(caller)]}
        if default or await self._store.db[store.SUBSCRIPTIONS].find_one(mine) is None:
            raise NotFound("subscription", id)
        return pb.DeleteSubscriptionResponse(), Commit({store.SUBSCRIPTIONS: [DeleteOne({"_id": id})]})

    async def _send(self, request: pb.SendNoticeRequest) -> tuple[pb.SendNoticeResponse, Commit]:
        row = requests.notice(request, current_caller(), f"N{uuid4().hex}", clock.now())
        due = timers.due(f"notice:{row['_id']}", "notice", clock.now(), {"notice": row["_id"], "after": ""})
        return pb.SendNoticeResponse(cause=notices.cause(row)), Commit({store.NOTICES: [InsertOne(row)], **due})

    async def _read(self, request: pb.MarkReadRequest) -> tuple[pb.MarkReadResponse, Commit]:
        where = {"$and": [{"_id": request.delivery_id}, queries.inbox(current_caller())]}
        row = await self._deliveries.find_one(where)
        if row is None:
            raise NotFound("message", request.delivery_id)
        if row["state"] == State.READ:
            return pb.MarkReadResponse(message=delivery_message(row)), Commit()
        try:
            read = outcomes.read(row, clock.now())
        except NotAllowed as error:
            raise FailedPrecondition(f"delivery_{error.state}", str(error), {"state": error.state}) from error
        announced = announce.changed([read], current_call().envelope(announce.SELF))
        answer = pb.MarkReadResponse(message=delivery_message(read))
        return answer, Commit({store.DELIVERIES: [writes.moved(row, read)]}, announced)

    async def _receive(self, request: pb.RecordReceiptsRequest) -> tuple[pb.RecordReceiptsResponse, Commit]:
        now = clock.now()
        told = [writes.received(requests.receipt(receipt, now)) for receipt in requests.receipts(request)]
        return pb.RecordReceiptsResponse(), Commit({store.RECEIPTS: told})

    async def _grant(self, request: pb.RecordGrantRequest) -> tuple[pb.RecordGrantResponse, Commit]:
        key = writes.quota_key(Channel.WECHAT, request.template_id, request.openid)
        return pb.RecordGrantResponse(), Commit({store.QUOTAS: [writes.granted_once(key, clock.now())]})

    async def _stop(self, request: pb.RecordStopRequest) -> tuple[pb.RecordStopResponse, Commit]:
        channel = requests.channel(request.channel)
        if not request.address:
            raise InvalidArgument([rules.error("address", None, "required")])
        key = {"_id": writes.stop_key(channel, request.address)}
        told = {"channel": channel, "address": request.address, "at": clock.now()}
        write = DeleteOne(key) if request.resume else UpdateOne(key, {"$setOnInsert": told}, upsert=True)
        return pb.RecordStopResponse(), Commit({store.STOPS: [write]})


SERVICE: Final = Service(
    pb.DESCRIPTOR.services_by_name["NotifyService"],
    notify_pb2_grpc.add_NotifyServiceServicer_to_server,
    NotifyServicer,
)
