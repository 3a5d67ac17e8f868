"""What an association is decided from and by: the other records as each side has them, the memory, the steps."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from crmsync.engine import terms

# How often an edge is put back that HubSpot, or somebody in it, took away again.
ASSERTIONS: Final = 3

WAITING: Final = "record.waiting_parent"
REQUIRED: Final = "edge.required"
SEVERAL: Final = "edge.several"
TAKEN_BACK: Final = "edge.taken_back"
NOT_REMOVED: Final = "edge.not_removed"
NOT_OURS: Final = "edge.not_ours"
# A person let HubSpot's side stand: Django follows once, whatever the direction.
THEIRS: Final = "edge.theirs"
# A MADE edge of which only the label is ours: the association was there before.
LABEL_ONLY: Final = "edge.label_only"
# Refused edges that both sides had agreed on before.
_AGREED: Final = frozenset({REQUIRED, SEVERAL, TAKEN_BACK, NOT_REMOVED, THEIRS})


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways this relation may flow now."""

    pushes: bool
    pulls: bool


@dataclass(frozen=True, slots=True)
class Step:
    """What is done about one edge, and what is remembered of it when that was done."""

    move: terms.EdgeMove
    local_pk: str = ""
    remote_id: str = ""
    is_ours: bool = False
    asserted: int = 0
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Other:
    """The other record of an edge; one key is empty while it has no link."""

    local_pk: str = ""
    remote_id: str = ""

    def step(self, move: terms.EdgeMove, *, is_ours: bool = False) -> Step:
        return Step(move, self.local_pk, self.remote_id, is_ours)


@dataclass(frozen=True, slots=True)
class Known:
    """An edge as remembered."""

    local_pk: str
    remote_id: str
    state: terms.EdgeState
    is_ours: bool = False
    asserted: int = 0
    reason: str = ""
    detail: str = ""

    @property
    def is_base(self) -> bool:
        """Whether both sides had agreed on it."""
        is_agreed = self.state is terms.EdgeState.REFUSED and self.reason in _AGREED
        return bool(self.local_pk and self.remote_id) and (self.state is terms.EdgeState.MADE or is_agreed)

    def is_stale(self, local: Iterable[Other]) -> bool:
        """Whether the other record has another partner by now, or none: nothing was agreed on about that."""
        return any(one.local_pk == self.local_pk and one.remote_id != self.remote_id for one in local)

    def step(self, move: terms.EdgeMove, **facts: object) -> Step:
        label_only = LABEL_ONLY if self.reason == LABEL_ONLY else ""
        kept = Step(move, self.local_pk, self.remote_id, self.is_ours, self.asserted, label_only)
        return replace(kept, **facts)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Seen:
    """One record's relation as both sides have it now, with its memory.

    ``remote`` holds the partners that carry the label. ``is_made_by_us``: HubSpot's record was made of this one
    just now. ``automatic`` are HubSpot ids that HubSpot's own automation associated, not a person.
    """

    local: tuple[Other, ...] = ()
    remote: tuple[Other, ...] = ()
    known: tuple[Known, ...] = ()
    is_made_by_us: bool = False
    automatic: frozenset[str] = frozenset()


def keep(other: Other, seen: Seen) -> Step:
    """Both sides have it: what is remembered of it, above all who made it, stays remembered."""
    for known in seen.known:
        if (known.local_pk, known.remote_id) == (other.local_pk, other.remote_id):
            return known.step(terms.EdgeMove.KEEP)
    return other.step(terms.EdgeMove.KEEP)


def wait(other: Other, *, is_ours: bool = False) -> Step:
    """Waits for the other record's link. ``is_ours``: Django's side is the one that will count."""
    detail = waits_for(other.local_pk, other.remote_id)
    return replace(other.step(terms.EdgeMove.WAIT, is_ours=is_ours), reason=WAITING, detail=detail)


def waits_for(local_pk: str, remote_id: str) -> str:
    """The sentence that names the other record."""
    where = f"HubSpot record {remote_id}" if remote_id else f"{local_pk} in Django"
    return f"It is associated as soon as {where} is linked."


def leave(other: Other | Known) -> Step:
    """Stays in HubSpot: somebody there made it."""
    detail = (
        f"It was removed in Django. HubSpot record {other.remote_id} stays associated, because crmsync did not make"
        " the association: remove it in HubSpot if it is wrong."
    )
    return Step(terms.EdgeMove.LEAVE, other.local_pk, other.remote_id, reason=NOT_OURS, detail=detail)


def dropped(known: Known, ways: Ways) -> Step:
    """Django no longer has it, HubSpot still does."""
    if not ways.pushes:
        return known.step(terms.EdgeMove.KEEP)
    return known.step(terms.EdgeMove.CUT_REMOTE) if known.is_ours else leave(known)


def lost(known: Known, ways: Ways) -> Step:
    """HubSpot no longer has it, Django still does."""
    if ways.pulls or known.reason == THEIRS:
        return known.step(terms.EdgeMove.CUT_LOCAL)
    return put_back(known, ways)


def put_back(known: Known, ways: Ways) -> Step:
    """Associated again, but not for ever: whoever takes it away again and again has a reason."""
    if not ways.pushes:
        return known.step(terms.EdgeMove.KEEP)
    if known.asserted < ASSERTIONS:
        return known.step(terms.EdgeMove.ADD_REMOTE, is_ours=True, asserted=known.asserted + 1)
    detail = (
        f"HubSpot took the association with {known.remote_id} away again after it was put back {ASSERTIONS} times."
        " Correct it in HubSpot or in Django, or press “Try again”."
    )
    return known.step(terms.EdgeMove.REFUSE, reason=TAKEN_BACK, detail=detail)
