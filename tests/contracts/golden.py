"""The golden messages: what senders wrote in each version, and what the platform made of it then.

`golden/<type>/<name>.json` is a message as it stood on the wire (`.gb18030.json` in that encoding), and
`golden/expected/<type>/<name>.json` what adapting it gives. A new message gets its expectation by
`python -m tests.contracts.golden`, which never changes one that exists: read it before you commit it.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from contracts.envelope import Envelope
from services.adapters.adapt import adapt
from services.adapters.check import FORMATS

FOLDER = Path(__file__).parent / "golden"
AT = datetime(2024, 3, 15, 4, 0, tzinfo=UTC)
"""When every golden message was sent and received: noon in Shanghai."""


class Golden(NamedTuple):
    """One message of a type."""

    type: str
    name: str

    @property
    def body(self) -> bytes:
        """As on the wire."""
        return (FOLDER / self.type / f"{self.name}.json").read_bytes()

    @property
    def expectation(self) -> Path:
        """Where its output stands."""
        return FOLDER / "expected" / self.type / f"{self.name}.json"

    @property
    def expected(self) -> Any:
        """Its output as it was."""
        return {"tests": [], "declarations": [], **json.loads(self.expectation.read_text())}


GOLDEN = tuple(Golden(path.parent.name, path.stem) for path in sorted(FOLDER.glob("*/*.json")))


def adapted(golden: Golden, body: bytes | None = None) -> Any:
    """What today's code makes of it, or of another body in its place, as JSON."""
    system = golden.type.partition(".")[0]
    source = "docking.formula" if system == "docking" else system
    envelope = Envelope("golden", "somebody else", golden.type, AT)
    output = adapt(FORMATS[system], envelope, golden.body if body is None else body, source, AT)
    return {
        kind: [part.model_dump(mode="json", exclude_defaults=True) for part in getattr(output, kind)]
        for kind in ("records", "observations", "tests", "declarations", "refusals")
    }


if __name__ == "__main__":
    for one in GOLDEN:
        if not one.expectation.exists():
            one.expectation.parent.mkdir(parents=True, exist_ok=True)
            one.expectation.write_text(json.dumps(adapted(one), ensure_ascii=False, indent=2) + "\n")
