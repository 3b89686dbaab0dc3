"""What a person sends: a recall, a statutory order or a notice to the sites it means. No I/O."""

from collections.abc import Mapping
from typing import Any, Final

from services.notify.events.events import Occurrence
from services.notify.events.places import place

PAGE: Final = 500
"""Sites planned in one transaction."""

Row = Mapping[str, Any]


def page(notice: Row, after: str) -> dict[str, Any]:
    """The next sites of a notice, by id; its division is part of the query."""
    listed = {"$in": notice["sites"]} if notice["sites"] else {}
    where: dict[str, Any] = {"_id": {"$gt": after, **listed}, "version": {"$exists": True}}
    if notice["division"]:
        where["division"] = {"$gte": notice["division"], "$lt": notice["division"] + ":"}
    return where | ({"link": notice["link"]} if notice["link"] else {})


def cause(notice: Row) -> str:
    """One cause for all its deliveries."""
    return f"notice:{notice['_id']}"


def occurrence(notice: Row, site: Row) -> Occurrence:
    """The notice as one site meets it."""
    told = {"headline": notice["title"], "body": notice["text"], "issuer": notice["issuer"]}
    return Occurrence(
        cause=cause(notice),
        event=notice["kind"],
        subject=cause(notice),
        version=1,
        facts=place(site["name"], site.get("division")) | told,
        site=site["_id"],
        operator=site["operator"],
        division=site.get("division"),
    )
