"""`python -m shilian_publisher`: send the events of a file, or what an earlier run left in the spool."""

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

from shilian_publisher.publisher import Publisher
from shilian_publisher.rows import read_events
from shilian_publisher.spool import SpoolInUseError


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Returns 0 when the broker has confirmed everything, 1 when something remains, 2 for bad input."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    # pika tells every failed attempt at length; our own line says it.
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    try:
        return _send(options)
    except (ValueError, OSError, SpoolInUseError) as error:
        print(error, file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="shilian_publisher", description=__doc__)
    parser.add_argument("--source", required=True, help="the name the platform gave your system: market, …")
    parser.add_argument("--url", default=os.environ.get("SHILIAN_AMQP_URL"), help="amqp://user:password@host/vhost")
    parser.add_argument("--type", help="type of all events in FILE: market.sale_ticket.v1, …")
    parser.add_argument("--spool", type=Path, help="default: SOURCE.spool in the current directory")
    parser.add_argument("--timeout", type=float, default=60, help="seconds to wait for the last confirm (60)")
    parser.add_argument("file", type=Path, nargs="?", metavar="FILE", help="JSON lines or .csv; none: the spool only")
    return parser


def _send(options: argparse.Namespace) -> int:
    if not options.url:
        raise ValueError("--url is missing, and SHILIAN_AMQP_URL is not set")
    spool = options.spool or Path(f"{options.source}.spool")
    publisher = Publisher(options.url, options.source, spool)
    try:
        taken = publisher.send_all(read_events(options.file, options.type)) if options.file else 0
    finally:
        remaining, unroutable = publisher.flush(options.timeout), publisher.unroutable()
        publisher.close(timeout=0)
    print(f"taken {taken}, not sent yet {remaining}, unroutable {len(unroutable)}")
    for message in unroutable:
        print(f"unroutable: {message.id} {message.routing_key} ({message.reason})", file=sys.stderr)
    if remaining:
        print(f"{publisher.trouble or 'no confirm in time'}; {remaining} wait in {spool}", file=sys.stderr)
    return 1 if remaining or unroutable else 0


if __name__ == "__main__":
    sys.exit(main())
