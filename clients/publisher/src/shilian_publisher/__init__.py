"""Publishes to the Shilian platform. Depends on pika and the standard library only."""

from shilian_publisher.message import Event
from shilian_publisher.publisher import Publisher
from shilian_publisher.spool import SpoolInUseError, Unroutable

__all__ = ["Event", "Publisher", "SpoolInUseError", "Unroutable"]
