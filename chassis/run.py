"""`python -m services.<name> worker|api`: picks the runtime before anything of it is imported."""

import sys
from collections.abc import Callable


def main(**kinds: Callable[[], None]) -> None:
    """Runs the kind of process named by the first argument; exits 2 with the choices when it is none of them."""
    chosen = sys.argv[1:]
    if len(chosen) != 1 or chosen[0] not in kinds:
        sys.exit(f"usage: python -m {_package()} {'|'.join(kinds)}")
    kinds[chosen[0]]()


def _package() -> str:
    spec = sys.modules["__main__"].__spec__
    return (spec.parent or "services.NAME") if spec else "services.NAME"
