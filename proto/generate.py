"""Python stubs of `proto/shilian/**` under `proto/gen`: `python -m proto.generate [--check]`.

Types come from mypy-protobuf, since protoc's own `--pyi_out` writes invalid code for custom options.
"""

import argparse
import os
import shutil
import sys
import sysconfig
import tempfile
from importlib import resources
from pathlib import Path
from typing import Final

from grpc_tools import protoc

SOURCES: Final = Path(__file__).parent
STUBS: Final = SOURCES / "gen"
OUTPUTS: Final = ("--python_out=", "--grpc_python_out=", "--mypy_out=quiet:", "--mypy_grpc_out=quiet:")


def generate(target: Path) -> None:
    """Writes the stubs of every `.proto` file under `target`, which must exist and be empty."""
    well_known = resources.files("grpc_tools") / "_proto"
    files = sorted(str(path.relative_to(SOURCES)) for path in (SOURCES / "shilian").rglob("*.proto"))
    includes = [f"-I{SOURCES}", f"-I{well_known}"]
    outputs = [f"{option}{target}" for option in OUTPUTS]
    os.environ["PATH"] = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])
    if protoc.main(["protoc", *includes, *outputs, *files]) != 0:
        raise SystemExit("protoc failed")


def contents(folder: Path) -> dict[str, bytes]:
    """Every stub below `folder` by relative path."""
    found = (path for path in folder.rglob("*") if path.suffix in {".py", ".pyi"})
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def drift(fresh: dict[str, bytes], committed: dict[str, bytes]) -> list[str]:
    """Paths that differ, are missing, or should not be there."""
    return sorted(path for path in fresh.keys() | committed.keys() if fresh.get(path) != committed.get(path))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m proto.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when proto/gen is stale")
    check = parser.parse_args(arguments).check
    with tempfile.TemporaryDirectory() as scratch:
        fresh = Path(scratch)
        generate(fresh)
        stale = drift(contents(fresh), contents(STUBS))
        if check:
            sys.stderr.writelines(f"stale: proto/gen/{path} (run: make proto)\n" for path in stale)
            return 1 if stale else 0
        shutil.rmtree(STUBS, ignore_errors=True)
        shutil.copytree(fresh, STUBS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
