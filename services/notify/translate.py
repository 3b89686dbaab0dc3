"""Between protobuf messages and the domain's words."""

from collections.abc import Mapping
from typing import Any

from shilian.notify.v1 import notify_pb2 as pb

from chassis.api.errors import InvalidArgument
from chassis.api.times import timestamp
from contracts import rules


def delivery_message(row: Mapping[str, Any]) -> pb.Delivery:
    """A delivery's row as its message."""
    return pb.Delivery(
        delivery_id=row["_id"],
        cause=row["cause"],
        event=row["event"],
        recipient=row["recipient"],
        name=row["name"],
        channel=pb.Channel.Value(f"CHANNEL_{row['channel'].upper()}"),
        state=pb.DeliveryState.Value(f"DELIVERY_STATE_{row['state'].upper()}"),
        attempts=row["attempts"],
        title=row["title"],
        text=row["text"],
        error=row.get("error") or "",
        provider_id=row.get("provider_id") or "",
        division=row["division"],
        create_time=timestamp(row["created_at"]),
        update_time=timestamp(row["updated_at"]),
        due_time=timestamp(row.get("due_at")),
        read_time=timestamp(row.get("read_at")),
        version=row["version"],
    )


def subscription_message(row: Mapping[str, Any]) -> pb.Subscription:
    """A subscription's row as its message, without its secret."""
    address = {name: value for name, value in row["address"].items() if name != "webhook_secret"}
    quiet = row["quiet"]
    return pb.Subscription(
        subscription_id=row["_id"],
        name=row["name"],
        events=row["events"],
        divisions=row["divisions"],
        operators=row["operators"],
        categories=row["categories"],
        severity=row["severity"],
        audience=pb.Audience.Value(f"AUDIENCE_{row['audience'].upper()}"),
        address=pb.Address(**address),
        channels=[pb.Channel.Value(f"CHANNEL_{channel.upper()}") for channel in row["channels"]],
        quiet=pb.QuietHours(start=quiet["start"], until=quiet["until"]) if quiet else None,
        digest=row["digest"],
        is_default=row["_id"].startswith("default:"),
    )


def word(names: Any, number: int, prefix: str) -> str:
    """`in_app`; empty when not specified. Raises InvalidArgument for a number that names none."""
    if number not in names.values():
        raise InvalidArgument([rules.error(prefix.lower(), number, "invalid_value")])
    return str(names.Name(number)).removeprefix(f"{prefix}_").lower() if number else ""
