"""Places as people read them. No I/O."""

from contracts import divisions


def place(name: str, division: str | None) -> dict[str, str]:
    """The fields that say where."""
    return {"site_name": name, "division_name": division_name(division)}


def division_name(division: str | None) -> str:
    """The whole path of a division; its code when nobody knows it."""
    return (division and (divisions.path(division) or division)) or "—"
