"""When goods came to the nodes of a walk, and so what they may have gone on by. Pure.

A label is a `Way`'s `when`: forward the day of the earliest arrival, backward less the day of the latest departure, so
that less is better. A way that is too early for its near node is held until a later round finds that a better label.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from services.trace.walks.chain import SIZE_LIMIT, Chain, Direction, Gap
from services.trace.walks.ways import Way

ANY_TIME: Final = -(10**9)
"""Label of a start: the goods were there all along."""

NEVER: Final = 10**9

Label = tuple[int, str]
"""When, and the event that says so."""


class Labels:
    """Grows a chain round by round; `births` are the events that goods begin with rightly."""

    def __init__(self, chain: Chain, max_nodes: int) -> None:
        self.births: set[str] = set()
        self._chain, self._max_nodes = chain, max_nodes
        self._label: dict[str, int] = {}
        self._held: dict[str, list[Way]] = defaultdict(list)

    def begin(self, found: Mapping[str, str]) -> None:
        """Enters the nodes a walk begins at, each with an event that names it, as far as there is room."""
        keys = sorted(found)
        self._chain.gaps += [Gap(key, SIZE_LIMIT) for key in keys[self._max_nodes :][:1]]
        self._chain.starts = self._enter({key: (ANY_TIME, found[key]) for key in keys[: self._max_nodes]}, 0)

    def released(self, keys: Iterable[str]) -> list[Way]:
        """The ways held at nodes."""
        return [way for key in keys if key in self._held for way in self._held.pop(key)]

    def grow(self, found: list[Way], hops: int) -> tuple[list[str], list[str]]:
        """Adds a round; returns the nodes not met before, and those where a way that was held may go on now."""
        before = len(self._chain.edges)
        entering, better = self._follow(found)
        room = max(0, self._max_nodes - len(self._chain.nodes))
        if len(entering) > room:
            self._refuse({far for far in sorted(entering)[room:] if entering.pop(far)}, before)
        self._relabel(better)
        return self._enter(entering, hops), [key for key in sorted(better) if self._reopens(key)]

    def _follow(self, found: list[Way]) -> tuple[dict[str, Label], dict[str, Label]]:
        """Takes edges in, holds those that are too early; returns nodes not met before, and better labels of others."""
        label, held, forward = self._label, self._held, self._chain.direction is Direction.FORWARD
        edges, events = self._chain.edges, self._chain.events
        entering: dict[str, Label] = {}
        better: dict[str, Label] = {}
        for way in found:
            near, far, id, when = way
            if when < label[near]:
                held[near].append(way)
                continue
            events.add(id)
            if not far:
                self._end(near, id)
                continue
            edges.append((near, far, id) if forward else (far, near, id))
            known = label.get(far, NEVER)
            if when < known:
                labels = entering if known == NEVER else better
                best = labels.get(far)
                if best is None or when < best[0] or (when == best[0] and id < best[1]):
                    labels[far] = (when, id)
        return entering, better

    def _end(self, near: str, id: str) -> None:
        if id in self.births:
            self._chain.made.add(near)

    def _refuse(self, beyond: set[str], before: int) -> None:
        """Beyond `max_nodes` the near nodes get gaps instead of edges."""
        added = self._chain.edges[before:]
        refused = [edge for edge in added if self._chain.ends(edge)[1] in beyond]
        self._chain.gaps += [Gap(self._chain.ends(edge)[0], SIZE_LIMIT) for edge in refused]
        self._chain.edges[before:] = [edge for edge in added if self._chain.ends(edge)[1] not in beyond]

    def _enter(self, found: Mapping[str, Label], hops: int) -> list[str]:
        new = sorted(found)
        self._chain.nodes.update(dict.fromkeys(new, hops))
        self._relabel(found)
        return new

    def _relabel(self, found: Mapping[str, Label]) -> None:
        for key, (when, id) in found.items():
            self._label[key] = when
            self._chain.via[key] = id

    def _reopens(self, key: str) -> bool:
        return any(when >= self._label[key] for _, _, _, when in self._held.get(key, ()))
