"""The lock's part for some extras: `python locked.py worker > requirements.txt`.

Run while an image is built, where only the standard library is there. It follows the `# via` notes of the lock
from what `pyproject.toml` asks for, so that an image carries one runtime, at the versions and hashes that the
tests ran with. `pip install --require-hashes` refuses the result should a package be missing from it.
"""

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path


def locked(lock: str, pyproject: str, extras: Iterable[str]) -> str:
    """Entries of the lock that the project needs with these extras, hashes and all."""
    entries = dict(_entries(lock))
    wanted = _asked_for(pyproject, extras)
    while more := {name for name, entry in entries.items() if name not in wanted and _via(entry) & wanted}:
        wanted |= more
    return "".join(entry for name, entry in entries.items() if name in wanted)


def _entries(lock: str) -> Iterator[tuple[str, str]]:
    """Name and text of each entry; lines that follow one are indented."""
    for entry in re.split(r"^(?=\S)", lock, flags=re.MULTILINE):
        if entry.strip():
            yield _name(entry), entry


def _via(entry: str) -> set[str]:
    """Packages an entry is there for."""
    return {_name(note) for note in re.findall(r"^ +#(?: +via)? +([\w.-]+)", entry, re.MULTILINE)}


def _asked_for(pyproject: str, extras: Iterable[str]) -> set[str]:
    project = tomllib.loads(pyproject)["project"]
    optional = project["optional-dependencies"]
    return {_name(r) for r in (*project["dependencies"], *(r for extra in extras for r in optional[extra]))}


def _name(requirement: str) -> str:
    """Normalised as PyPA does (PEP 503)."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement, maxsplit=1)[0]).lower()


if __name__ == "__main__":
    sys.stdout.write(locked(Path("requirements.lock").read_text(), Path("pyproject.toml").read_text(), sys.argv[1:]))
