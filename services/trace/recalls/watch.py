"""Late records of an open recall: whether there are any, what they add, whom to tell. For a worker."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from chassis import clock
from chassis.asking import answered
from chassis.outgoing import Commit
from chassis.timers import Due, done
from services.trace import replica
from services.trace.lineage import split
from services.trace.reading import Reader
from services.trace.recalls import recalls
from services.trace.recalls import told as recall_told
from services.trace.recalls.changes import Difference, difference
from services.trace.recalls.rows import RECALLS, VERSIONS, thaw, touched, version_id
from services.trace.recalls.simulation import Simulation, beginning, simulate
from services.trace.recalls.told_changes import changes_told
from services.trace.store import EVENTS, SITES
from services.trace.told import Stored


def look(reader: Reader, row: Due, now: datetime) -> Commit:
    """Simulates an open recall again when its chain was touched since the last look; says what that changes."""
    found = reader.find(RECALLS, {"_id": row.data["recall"], "state": recalls.OPEN})
    if not found:
        return Commit(done(row.id))
    (recall,) = found
    again = Commit(recalls.look_again(recall, now))
    if not _touched(reader, recall, row.data["since"] - recalls.OVERLAP):
        return again
    simulation = reader.driven(simulate(beginning(recall["batches"], clock.recorded()), now))
    further = recalls.further(recall, simulation)
    sites = reader.sites(*{split(key)[1] for key in recall["nodes"]})
    changed = difference(recall["nodes"], _frozen(reader, recall), simulation, sites.now)
    return _told(reader, recall, simulation, further, changed, now) if further or changed else again


def _frozen(reader: Reader, recall: Stored) -> Simulation:
    """What the recall's last version says."""
    (version,) = reader.find(VERSIONS, {"_id": version_id(recall["_id"], recall["version"])})
    return thaw(version["simulation"])


def _touched(reader: Reader, recall: Stored, since: datetime) -> bool:
    """Whether its goods had anything recorded or declared wrong since then, or its sites were found to be others."""
    late = reader.any(EVENTS, touched(recalls.chain_of(recall), since))
    return late or reader.any(SITES, replica.aliased_since(recall["sites"], since))


def _told(
    reader: Reader, recall: Stored, simulation: Simulation, further: Sequence[str], found: Difference, now: datetime
) -> Commit:
    after = recalls.grown(recall, simulation, now, found)
    asking = recall_told.asked_sources([*further, *found.nodes])
    sources: Any = answered(asking, lambda asked: reader.find(*asked))
    told = recall_told.announcements(after, simulation, further, sources, None) if further else []
    told += changes_told(after, simulation, found, sources)
    return recalls.commit(recall, after, simulation, told)
