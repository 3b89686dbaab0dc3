"""Writes what the models say into `docs/`: an AsyncAPI 3 document, one JSON Schema per type, tables of the guide.

`python -m contracts.generate` writes, `--check` fails when a file is not what the models say.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from contracts.catalogue import CATALOGUE, MessageType
from contracts.tables import filled
from contracts.topology import COMMANDS, EGRESS, EVENTS, INGEST

DOCS = Path(__file__).parent.parent / "docs"
GUIDE = DOCS / "integrate.zh-CN.md"

EXCHANGES = {
    INGEST: "Legacy and self-built systems publish here, each under its own prefix; adapters consume",
    COMMANDS: "Canonical commands from the adapters",
    EVENTS: "What happened, one announcement per committed batch",
    EGRESS: "Answers to a source, on its own queue egress.<source>",
}
HEADERS = {
    "ce-id": "Unique per source; a repeated id is a duplicate",
    "ce-source": "Who says so; on ingest the routing key decides, not this header",
    "ce-type": "Type with its major version",
    "ce-time": "When it was sent, RFC 3339",
    "ce-specversion": "1.0",
    "ce-subject": "What it is about",
    "ce-correlationid": "The same for everything one message set in motion",
    "ce-causationid": "Id of the message this one answers",
    "traceparent": "W3C trace context",
}


def _schema(entry: MessageType) -> dict[str, Any]:
    schema = entry.model.model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:shilian:{entry.name}",
        **schema,
        "title": entry.title,
    }


def _channel(entry: MessageType) -> dict[str, Any]:
    parameters = [word[1:-1] for word in entry.routing_key.replace(".", " ").split() if word.startswith("{")]
    return {
        "address": entry.routing_key,
        "title": entry.title,
        "messages": {entry.name: {"$ref": f"#/components/messages/{entry.name}"}},
        **(
            {"parameters": {name: {"description": f"The {name} concerned"} for name in parameters}}
            if parameters
            else {}
        ),
        "bindings": {
            "amqp": {
                "is": "routingKey",
                "exchange": {"name": entry.exchange, "type": "topic", "durable": True, "vhost": "shilian"},
            }
        },
    }


def _message(entry: MessageType) -> dict[str, Any]:
    return {
        "name": entry.name,
        "title": entry.title,
        "summary": (entry.model.__doc__ or "").strip().splitlines()[0],
        "contentType": "application/json",
        "headers": {"$ref": "#/components/schemas/headers"},
        "payload": {"$ref": f"./schemas/{entry.name}.json"},
        "x-exchange": EXCHANGES[entry.exchange],
    }


def _operation(entry: MessageType) -> dict[str, Any]:
    return {
        "action": "receive" if entry.exchange == INGEST else "send",
        "channel": {"$ref": f"#/channels/{entry.name}"},
        "summary": f"Published by {entry.publisher}",
    }


def _headers() -> dict[str, Any]:
    properties = {name: {"type": "string", "description": text} for name, text in HEADERS.items()}
    return {"type": "object", "properties": properties}


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI 3.0 document."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Shilian 食链",
            "version": "1",
            "description": "Messages on the bus: CloudEvents 1.0 in binary mode over AMQP 0-9-1, JSON bodies.",
        },
        "defaultContentType": "application/json",
        "channels": {entry.name: _channel(entry) for entry in CATALOGUE},
        "operations": {entry.name: _operation(entry) for entry in CATALOGUE},
        "components": {
            "schemas": {"headers": _headers()},
            "messages": {entry.name: _message(entry) for entry in CATALOGUE},
        },
    }


def files() -> Iterator[tuple[Path, str]]:
    """Every generated file and its text."""
    yield DOCS / "asyncapi.yaml", yaml.safe_dump(asyncapi(), allow_unicode=True, sort_keys=False, width=110)
    yield GUIDE, filled(GUIDE.read_text())
    for entry in CATALOGUE:
        text = json.dumps(_schema(entry), ensure_ascii=False, indent=2)
        yield DOCS / "schemas" / f"{entry.name}.json", f"{text}\n"


def drift() -> list[Path]:
    """Generated files that are not what the models say, and schemas of no type."""
    wanted = dict(files())
    stale = set((DOCS / "schemas").glob("*.json")) - set(wanted)
    return sorted({path for path, text in wanted.items() if not path.exists() or path.read_text() != text} | stale)


def main(arguments: list[str]) -> int:
    """Writes, or with `--check` compares; returns the exit status."""
    if "--check" in arguments:
        drifted = drift()
        for path in drifted:
            sys.stderr.write(f"{path} is not what the models say; run python -m contracts.generate\n")
        return bool(drifted)
    for path, text in files():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
