"""Everything on the bus: name (`ce-type`), routing key, exchange, model, who publishes it, and its Chinese title."""

from typing import Final, NamedTuple

from contracts import (
    catering,
    corrections,
    docking,
    egress,
    findings,
    inspection,
    market,
    notices,
    one_network,
    recalls,
    registry,
    trace,
)
from contracts.model import Contract
from contracts.topology import COMMANDS, EGRESS, EVENTS, INGEST


class MessageType(NamedTuple):
    """One type of message, by its `ce-type`; the routing key may have a parameter in braces."""

    name: str
    routing_key: str
    exchange: str
    model: type[Contract]
    publisher: str
    title: str


def _ingest(name: str, model: type[Contract], title: str) -> MessageType:
    system, _, rest = name.partition(".")
    key = f"docking.{{system}}.{rest}" if system == "docking" else name
    return MessageType(name, key, INGEST, model, system, title)


def _event(type: str, model: type[Contract], title: str) -> MessageType:
    return MessageType(type, type, EVENTS, model, type.partition(".")[0], title)


CATALOGUE: Final = (
    _ingest("market.operator_sync.v1", market.OperatorSyncV1, "经营者同步"),
    _ingest("market.stall_sync.v1", market.StallSyncV1, "摊位同步"),
    _ingest("market.entry_ticket.v1", market.EntryTicketV1, "进场登记"),
    _ingest("market.sale_ticket.v1", market.SaleTicketV1, "销售票(一票通)"),
    _ingest("market.residue_test.v1", market.ResidueTestV1, "农残快检"),
    _ingest("one_network.operator_sync.v1", one_network.OperatorSyncV1, "主体同步"),
    _ingest("one_network.delivery_note.v1", one_network.DeliveryNoteV1, "送货单"),
    _ingest("one_network.receipt.v1", one_network.ReceiptV1, "收货单"),
    _ingest("one_network.return_note.v1", one_network.ReturnNoteV1, "退货单"),
    _ingest("catering.unit_sync.v1", catering.UnitSyncV1, "餐饮单位同步"),
    _ingest("catering.purchase_inspection.v1", catering.PurchaseInspectionV1, "进货查验"),
    _ingest("catering.kitchen_use.v1", catering.KitchenUseV1, "加工制作"),
    _ingest("catering.retained_sample.v1", catering.RetainedSampleV1, "食品留样"),
    _ingest("catering.meal_distribution.v1", catering.MealDistributionV1, "餐食配送"),
    _ingest("docking.operator_sync.v1", docking.OperatorSyncV1, "自建系统主体同步"),
    _ingest("docking.capture.v1", docking.CaptureV1, "自建系统追溯记录"),
    _ingest("docking.declare_errors.v1", docking.DeclareErrorsV1, "自建系统更正声明"),
    MessageType("registry.observe.v1", "registry.observe.v1", COMMANDS, registry.ObserveV1, "adapters", "主体采集"),
    MessageType("trace.capture.v1", "trace.capture.v1", COMMANDS, trace.CaptureV1, "adapters", "追溯记录采集"),
    MessageType(
        "trace.declare_errors.v1",
        "trace.declare_errors.v1",
        COMMANDS,
        corrections.DeclareErrorsV1,
        "adapters",
        "更正声明采集",
    ),
    MessageType(
        "inspection.record_tests.v1",
        "inspection.record_tests.v1",
        COMMANDS,
        inspection.RecordTestsV1,
        "adapters",
        "检测结果采集",
    ),
    _event("registry.sites_changed.v1", registry.SitesChangedV1, "主体变更"),
    _event("registry.sites_aliased.v1", registry.SitesAliasedV1, "主体归并"),
    _event("registry.grid_changed.v1", registry.GridChangedV1, "网格变更"),
    _event("trace.events_recorded.v1", trace.EventsRecordedV1, "追溯事件已入链"),
    _event("trace.errors_declared.v1", corrections.ErrorsDeclaredV1, "更正声明已生效"),
    _event("trace.findings_changed.v1", findings.FindingsChangedV1, "断链与静默发现"),
    _event("trace.recalls_opened.v1", recalls.RecallsOpenedV1, "召回已启动"),
    _event("trace.recalls_changed.v1", recalls.RecallsChangedV1, "召回数量变更"),
    _event("trace.recalls_closed.v1", recalls.RecallsClosedV1, "召回已结束"),
    _event("inspection.tests_recorded.v1", inspection.TestsRecordedV1, "检测结果已登记"),
    _event("inspection.tasks_changed.v1", inspection.TasksChangedV1, "检查任务变更"),
    _event("inspection.cases_changed.v1", inspection.CasesChangedV1, "案件变更"),
    _event("inspection.recalls_proposed.v1", inspection.RecallsProposedV1, "召回建议"),
    _event("notify.deliveries_changed.v1", notices.DeliveriesChangedV1, "消息送达变更"),
    _event("reporting.bulletin_published.v1", notices.BulletinPublishedV1, "通报已发布"),
    MessageType("egress.verdicts.v1", "{source}", EGRESS, egress.VerdictsV1, "adapters, trace, registry", "逐条回执"),
    MessageType("egress.receipt_proposed.v1", "{source}", EGRESS, egress.ReceiptProposedV1, "trace", "待确认收货单"),
    MessageType("egress.recalls.v1", "{source}", EGRESS, egress.RecallsV1, "trace", "召回通知"),
    MessageType("egress.recalls_changed.v1", "{source}", EGRESS, egress.RecallsChangedV1, "trace", "召回数量变更通知"),
    MessageType("egress.recalls_closed.v1", "{source}", EGRESS, egress.RecallsClosedV1, "trace", "召回结束通知"),
)

MESSAGE_TYPES: Final = {entry.name: entry for entry in CATALOGUE}
