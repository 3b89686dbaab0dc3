"""A frozen bulletin as a file: which format, its name, its type."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from shilian.reporting.v1 import reporting_pb2 as pb

from services.reporting.store import Document

CONTENT_TYPES: Final[Mapping[int, tuple[str, str]]] = {
    pb.FORMAT_HTML: ("html", "text/html; charset=utf-8"),
    pb.FORMAT_PDF: ("pdf", "application/pdf"),
    pb.FORMAT_XLSX: ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    pb.FORMAT_JSON: ("json", "application/json"),
}


class Paper(NamedTuple):
    """A file."""

    name: str
    content_type: str
    data: bytes


def paper(stored: Document, division: str, format: int) -> Paper:
    """The file of a stored version. Takes a second or two for a province; not for two threads at once, since
    matplotlib's settings are of the process."""
    suffix, content_type = CONTENT_TYPES[format]
    name = f"bulletin-{division}-{stored['month']}-v{stored['version']}.{suffix}"
    return Paper(name, content_type, _render(stored, division, suffix))


def _render(stored: Document, division: str, suffix: str) -> bytes:
    # What draws takes over a second to import: the first paper waits for it, not every start of an api.
    from services.reporting.bulletin import as_html, as_json, as_pdf, as_xlsx, views

    if suffix == "json":
        return as_json.render(stored, division)
    view = views.view(stored, division)
    match suffix:
        case "pdf":
            return as_pdf.render(view, int(stored["frozen_at"].timestamp()))
        case "xlsx":
            return as_xlsx.render(view)
        case _:
            return as_html.render(view)
