"""A stack's directory, and what it remembers there from one start to the next: ports, passwords, keys."""

import fcntl
import json
import os
import random
import secrets
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from deploy.local.errors import StackError

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[2]
LOCAL = ROOT / ".local"

# Below the kernel's ephemeral range (32768 up): while a server is down, a client that keeps reconnecting to
# an ephemeral port on loopback may be given that very port as its own and connect to itself.
PORTS = range(20_000, 32_000)

CLAIMS = Path(tempfile.gettempdir()) / "shilian-ports"
"""A link for each port that a stack of this machine has chosen, to that stack: it need not listen there yet."""


def default_directory() -> Path:
    """SHILIAN_STACK_DIR, else `.local/stack` of this checkout."""
    return Path(os.environ.get("SHILIAN_STACK_DIR") or LOCAL / "stack")


@dataclass(frozen=True)
class Home:
    """The directory of one stack. Owner-only: it holds passwords."""

    path: Path

    @classmethod
    def at(cls, path: Path) -> "Home":
        """The home at a directory, made when it does not exist.

        Raises:
            StackError: It, or this checkout, has a space in its path: RabbitMQ's scripts do not survive it.
        """
        path = path.resolve()
        for used in (ROOT, path):
            if " " in str(used):
                raise StackError(f"RabbitMQ cannot run under a path with a space in it ({used}).")
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        return cls(path)

    def folder(self, name: str) -> Path:
        """A folder of the stack, made when absent."""
        folder = self.path / name
        folder.mkdir(exist_ok=True, mode=0o700)
        return folder

    def log(self, program: str) -> Path:
        """Where a program's output goes."""
        return self.folder("logs") / f"{program}.log"

    def port(self, name: str) -> int:
        """The loopback port of that name, chosen free the first time it is asked for."""
        return self._remembered("ports.json", name, self._free_port)

    def secret(self, name: str) -> str:
        """The password of that name, random the first time it is asked for."""
        return self._remembered("secrets.json", name, lambda _: secrets.token_hex(16))

    @property
    def private_key(self) -> Path:
        """The Ed25519 key that signs this stack's JWTs (PEM); its public half lies beside it."""
        private = self.folder("keys") / "private.pem"
        if not private.exists():
            key = Ed25519PrivateKey.generate()
            public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            write_private(self.public_key, public)
            write_private(private, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return private

    @property
    def public_key(self) -> Path:
        """The key that checks this stack's JWTs (PEM)."""
        return self.path / "keys" / "public.pem"

    @contextmanager
    def lock(self) -> Iterator[None]:
        """One `up` or `down` of this stack at a time."""
        with locked(self.path / "lock"):
            yield

    def remove(self) -> None:
        """Delete the directory and all data in it."""
        shutil.rmtree(self.path, ignore_errors=True)

    def _free_port(self, taken: set[int]) -> int:
        candidates = random.sample(PORTS, len(PORTS))
        return next(p for p in candidates if p not in taken and _bindable(p) and _claimed(p, self.path))

    def _remembered(self, file: str, name: str, make: Callable[[set[T]], T]) -> T:
        path = self.path / file
        known: dict[str, T] = json.loads(path.read_text()) if path.exists() else {}
        if name not in known:
            known[name] = make(set(known.values()))
            write_private(path, json.dumps(known, indent=2).encode())
        return known[name]


def write_private(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, readable by its owner only."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    part.replace(path)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on a file; the kernel drops it when the process dies."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def wait_for(what: str, done: Callable[[], bool], deadline: float) -> None:
    """Ask until `done`, at most `deadline` seconds.

    Raises:
        StackError: It did not come true in time.
    """
    end = time.monotonic() + deadline
    while not done():
        if time.monotonic() > end:
            raise StackError(f"{what} did not happen within {deadline:.0f} s.")
        time.sleep(0.05)


def listens(port: int) -> bool:
    """Whether something accepts connections on that loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _bindable(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _claimed(port: int, home: Path) -> bool:
    """Claims a port for the stack at `home`; False when another has it. A stack that no longer lists it lost it."""
    if not CLAIMS.exists():
        CLAIMS.mkdir(exist_ok=True)
        CLAIMS.chmod(0o1777)
    claim = CLAIMS / str(port)
    try:
        if not _lists(claim, port):
            claim.unlink(missing_ok=True)
        claim.symlink_to(home)
    except OSError:  # it is there, or another user's
        return False
    return True


def _lists(home: Path, port: int) -> bool:
    try:
        return port in json.loads((home / "ports.json").read_text()).values()
    except FileNotFoundError:
        return False
