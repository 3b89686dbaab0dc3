"""Timeouts of reading from green sockets, which let go of what they interrupted.

eventlet hands the error to be raised through two of the frames that it then passes: they refer to it and it to them,
and to all that the handler above has in hand, 10 MB of a batch, until garbage is searched for. pymongo meets one each
half second that a server is silent, so that a worker held ever more of them just when the machine was slow. Writing,
connecting and TLS go other ways, and keep theirs until then.
"""

import traceback
from typing import Any, Final

from eventlet.greenio.base import GreenSocket

_trampoline: Final = GreenSocket._trampoline


def _cut(self: GreenSocket, *args: Any, **kwargs: Any) -> Any:
    """As eventlet's own: waits until the socket can be read or written."""
    try:
        return _trampoline(self, *args, **kwargs)
    except TimeoutError as error:
        kwargs.clear()
        traceback.clear_frames(error.__traceback__)
        raise


def cut_circles() -> None:
    """Makes the green sockets of this process wait this way."""
    GreenSocket._trampoline = _cut
