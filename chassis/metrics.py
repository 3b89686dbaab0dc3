"""Prometheus metrics shared by all processes; names say the unit."""

from prometheus_client import Counter, Gauge, Histogram

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

CONSUMED = Counter("shilian_consumed_messages_total", "Messages taken from a queue", ["queue", "outcome"])
BATCH_SECONDS = Histogram("shilian_batch_seconds", "Time to handle one batch", ["queue"], buckets=SECONDS)
BATCH_MESSAGES = Histogram(
    "shilian_batch_messages", "Messages in one batch", ["queue"], buckets=(1, 10, 50, 100, 250, 500, 1000)
)
HOLDING = Gauge("shilian_holding", "1 while a batch is held because the store or the broker is away", ["queue"])
PUBLISHED = Counter("shilian_published_messages_total", "Messages sent to the broker, confirmed or not", ["exchange"])
PUBLISH_BLOCKED = Gauge("shilian_publish_blocked", "1 while the broker blocks publishers (connection.blocked)")
OUTBOX_PENDING = Gauge("shilian_outbox_pending", "Outbox rows seen waiting at the last scan")
TIMERS = Counter(
    "shilian_timers_total", "Due rows fired: in_time, late, failed, or waiting for the store", ["kind", "outcome"]
)
CALLS = Counter("shilian_grpc_calls_total", "gRPC calls answered", ["method", "code"])
CALL_SECONDS = Histogram("shilian_grpc_call_seconds", "Time to answer a gRPC call", ["method"], buckets=SECONDS)
CALLS_OPEN = Gauge("shilian_grpc_calls_open", "gRPC calls being answered", ["method"])
