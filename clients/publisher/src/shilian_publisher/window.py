"""Which message each delivery tag stands for: publishing goes on while confirms are under way."""

from collections import OrderedDict

from shilian_publisher.spool import Entry


class Window:
    """Messages published on one channel in confirm mode and not confirmed yet. Tags count from 1."""

    def __init__(self) -> None:
        self._open: OrderedDict[int, Entry] = OrderedDict()
        self._tag = 0

    def __len__(self) -> int:
        return len(self._open)

    def add(self, entry: Entry) -> None:
        """Note that an entry was published next."""
        self._tag += 1
        self._open[self._tag] = entry

    def settle(self, tag: int, multiple: bool) -> list[Entry]:
        """Take out what a confirm speaks of: one tag, or all up to it."""
        if not multiple:
            return [self._open.pop(tag)]
        return [self._open.pop(key) for key in self._up_to(tag)]

    def _up_to(self, tag: int) -> list[int]:
        tags = []
        for key in self._open:
            if key > tag:
                break
            tags.append(key)
        return tags
