"""What went wrong, in one sentence that names the way out."""

from pathlib import Path

WAY_OUT = "run `docker compose up` instead, or set SHILIAN_AMQP_URL and SHILIAN_MONGO_URL to servers of your own"


class StackError(Exception):
    """The stack cannot go on; the message is what the operator reads."""


class MissingError(StackError):
    """Something this machine does not have."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}: {WAY_OUT}.")


def last_lines(log: Path, count: int = 20) -> str:
    """The end of a log, as found; empty when there is no log yet."""
    if not log.exists():
        return ""
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:])
