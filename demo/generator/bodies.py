"""Each paper as a message body in documented field names; `styles` writes it down."""

from collections.abc import Callable
from typing import Any, Final

from demo.generator.papers import Certificate, Line, Paper
from demo.generator.styles import Amount, Row
from demo.generator.world import Site


def party(site: Site | None) -> Row | None:
    """A counterparty as papers name it. Its number in its own app stays out: another app could not know it."""
    if site is None:
        return None
    return {
        "name": site.name,
        "uscc": site.uscc,
        "licence": site.licence,
        "id_number": site.id_number,
        "address": site.address,
        "contact": site.contact,
        "phone": site.phone,
        "division": site.division,
        "region": site.region,
    }


def own(site: Site) -> Row:
    """The site that sends the paper; individuals go by their ID number alone."""
    identified = site.uscc or site.licence
    return {**(party(site) or {}), "id": site.own_id if identified else None, "link": site.link}


def body(paper: Paper) -> Row:
    """The body of any paper."""
    return _BODIES[paper.kind](paper)


def goods(line: Line, holder: Site) -> Row:
    """A line. Goods are named by their number where a reader can tell whose it is, else by their trace code."""
    lot = line.lot
    told = lot.gtin is not None or lot.issuer is holder
    return {
        "product": lot.product.name,
        "category": lot.product.category,
        "specification": lot.product.specification,
        "amount": Amount(line.quantity, lot.product.unit),
        "batch_no": lot.number if told else None,
        "trace_code": None if told else lot.code,
        "gtin": lot.gtin,
        "produced_on": lot.produced_on,
        "shelf_life": lot.product.shelf_life,
        "certificates": [certificate(paper) for paper in lot.certificates],
    }


def certificate(paper: Certificate) -> Row:
    """A paper that travels with goods."""
    return {
        "kind": paper.kind,
        "number": paper.number,
        "issuer": paper.issuer,
        "issued_on": paper.issued_on,
        "valid_until": paper.valid_until,
        "amount": Amount(paper.quantity, paper.unit) if paper.quantity else None,
    }


def _received(line: Line, supplier: Site) -> Row:
    return {**goods(line, supplier), "in_batch": line.own.number if line.own else None}


def _head(paper: Paper) -> Row:
    return {"document_no": paper.number, "time": paper.time, **paper.facts}


def _taken(role: str) -> Callable[[Paper], Row]:
    """Papers about goods taken in from `other`; `role` is their word for the site."""

    def taken(paper: Paper) -> Row:
        assert paper.other
        lines = [_received(line, paper.other) for line in paper.lines]
        return {**_head(paper), role: own(paper.site), "supplier": party(paper.other), "lines": lines}

    return taken


def _given(role: str, other: str) -> Callable[[Paper], Row]:
    """Papers about goods handed to `other`."""

    def given(paper: Paper) -> Row:
        lines = [goods(line, paper.site) for line in paper.lines]
        return {**_head(paper), role: own(paper.site), other: party(paper.other), "lines": lines}

    return given


def _used(paper: Paper) -> Row:
    lines = [
        {**goods(line, paper.site), "raws": [goods(raw, paper.site) for raw in line.raws], "meal": paper.facts["meal"]}
        for line in paper.lines
    ]
    return {"document_no": paper.number, "time": paper.time, "site": own(paper.site), "lines": lines}


def _sampled(paper: Paper) -> Row:
    lines = [{**goods(line, paper.site), **paper.facts} for line in paper.lines]
    return {"document_no": paper.number, "time": paper.time, "site": own(paper.site), "lines": lines}


def _tested(paper: Paper) -> Row:
    """Lines name the stall where the sample was taken."""
    results: Any = paper.facts["results"]
    lines = [_sample(line, result) for line, result in zip(paper.lines, results, strict=True)]
    tester = paper.facts["tester"]
    return {
        "document_no": paper.number,
        "time": paper.time,
        "market": own(paper.site),
        "tester": tester,
        "lines": lines,
    }


def _sample(line: Line, result: Row) -> Row:
    assert line.to
    return {**goods(line, line.to), **result, "stall": own(line.to)}


def _distributed(paper: Paper) -> Row:
    lines = [
        {**goods(line, paper.site), "consignee": party(line.to), "diners": str(line.diners) if line.diners else None}
        for line in paper.lines
    ]
    return {**_head(paper), "site": own(paper.site), "lines": lines}


def _witnessed(paper: Paper) -> Row:
    """The quarantine system's records of a step; each is a paper of its own."""
    parts = [_step(paper, line) for line in paper.lines] or [{"site": own(paper.site)}]
    head = {"time": paper.time, **paper.facts}
    lines = [{"document_no": f"{paper.number}-{place}", **head, **part} for place, part in enumerate(parts, 1)]
    return {"lines": lines}


def _step(paper: Paper, line: Line) -> Row:
    """Farms of one message each tell of their own animals; whatever passes a site is told as what came there."""
    site = line.lot.issuer if paper.facts["step"] == "farming" else paper.site
    made = line.raws or paper.facts["step"] == "farming"
    inputs, outputs = (line.raws, (line,)) if made else ((line,), ())
    return {
        "site": own(site),
        "inputs": [_tagged(each, site) for each in inputs],
        "outputs": [_tagged(each, site) for each in outputs],
    }


def _tagged(line: Line, site: Site) -> Row:
    return {**goods(line, site), "ear_tags": list(line.lot.tags)}


_BODIES: Final[dict[str, Callable[[Paper], Row]]] = {
    "entry_ticket": _taken("stall"),
    "sale_ticket": _given("stall", "buyer"),
    "delivery_note": _given("shipper", "consignee"),
    "receipt": _taken("receiver"),
    "purchase_inspection": _taken("site"),
    "kitchen_use": _used,
    "retained_sample": _sampled,
    "meal_distribution": _distributed,
    "residue_test": _tested,
    "capture": _witnessed,
}
