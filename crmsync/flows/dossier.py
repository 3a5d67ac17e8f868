"""What is known of one record under work: the keys that named it, both sides, its link, and why it stops."""

from dataclasses import dataclass, field
from datetime import datetime

from crmsync.engine import changes, record, terms
from crmsync.flows import failures
from crmsync.models import Link
from crmsync.sides import edges


@dataclass(frozen=True, slots=True)
class Item:
    """A key to look at, from either side; ``remote`` is a record just read directly (a backfill page).

    ``is_asked``: another record, or a person, needs it, so it may be made whatever the rules say.
    """

    local_pk: str = ""
    remote_id: str = ""
    local: record.Record | None = None
    remote: record.Record | None = None
    read_at: datetime | None = None
    is_asked: bool = False


@dataclass(slots=True)
class Case:
    """One record under work: the items that named it, its link, both sides, and a verdict if it stops here.

    ``candidates`` counts the partners that matched where none was chosen; ``matched`` are (side, key) of what
    matched, for a person to choose from. ``partners`` are HubSpot's associated records by object type, as far as they
    were read; ``relations`` the foreign keys that a new row gets: name -> primary key. ``merged`` are the HubSpot ids
    that its link follows from.
    """

    items: list[Item]
    local_pk: str = ""
    remote_id: str = ""
    link: Link | None = None
    local: record.Record | None = None
    remote: record.Record | None = None
    candidates: int = 0
    matched: list[tuple[terms.SideName, str]] = field(default_factory=list)
    pair: changes.Pair | None = None
    stop: "Stop | None" = None
    partners: dict[str, tuple[edges.Partner, ...]] = field(default_factory=dict)
    relations: dict[str, str] = field(default_factory=dict)
    merged: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Stop:
    """A record that goes no further now: wait (``seconds``), park, or be done with an outcome."""

    code: str
    message: str
    outcome: terms.Outcome = terms.Outcome.WAITING
    seconds: float | None = None
    counts: bool = False
    park: bool = False
    verdict: failures.Verdict | None = None


# Another worker holds the record: look again soon.
BUSY = Stop("record.lease", "Another worker is syncing this record.", seconds=1.0)


# A person holds one direction back: released rows are woken, so looking seldom is enough.
HELD = Stop(
    "portal.held", "A person or CRMSYNC['READ_ONLY'] holds this direction back; nothing is lost.", seconds=60.0
)


# The record waits for a person to promote or drop a version, and is woken then.
IN_CANARY = Stop(
    "canary.open",
    "A new version of the mapping is being tried on this record. Promote or drop it on the mapping's page; the"
    " record is looked at again then.",
    seconds=300.0,
)


# Whatever was planned, was planned for another mapping than there is now: plan it anew at once.
EDITED = Stop(
    "mapping.edited", "The mapping was edited while the record was looked at; it is planned again.", seconds=0.0
)


def stop_for(error: Exception) -> Stop:
    """How a record stops because of an exception."""
    verdict = failures.classify(error)
    kind = failures.Kind
    return Stop(
        verdict.code,
        verdict.message,
        outcome=terms.Outcome.FAILED if verdict.kind is kind.PARK else terms.Outcome.WAITING,
        seconds=verdict.retry_after,
        counts=verdict.kind is kind.RETRY,
        park=verdict.kind is kind.PARK,
        verdict=verdict,
    )
