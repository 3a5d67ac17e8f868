"""What a plan is made of: field writes, clashes, and the one PairPlan a record gets."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from crmsync.engine import record, spec, terms


@dataclass(frozen=True, slots=True)
class BaseValue:
    """What each side answered for a field when they last agreed: canonical texts, None for blank."""

    local: str | None
    remote: str | None


@dataclass(frozen=True, slots=True)
class FieldWrite:
    """One value to be written: a Python value locally, HubSpot's string remotely ("" clears).

    ``clears_first``: HubSpot takes the value only after the property was cleared.
    """

    field_id: int
    name: str
    value: object
    old: str | None
    rule: str
    clears_first: bool = False


@dataclass(frozen=True, slots=True)
class Clash:
    """A field both sides changed, or a user value about to be replaced; ``winner`` None asks a person."""

    field_id: int
    base: BaseValue | None
    local: str | None
    remote: str | None
    winner: terms.SideName | None
    rule: str


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """A field that was held back: code and sentence; the record's other fields go on."""

    field_id: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class LinkState:
    """What the planner must know of a link. ``creating``: a remote create with this key may have happened.
    ``ended``: its records were kept apart since, and are linked again when nothing keeps them so."""

    id: int
    base: Mapping[int, BaseValue] = field(default_factory=dict)
    creating: bool = False
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Pair:
    """One record to be decided: both sides as read now, and the link if there is one.

    ``local``/``remote`` None means "not there": with a link the partner is gone, without one it was not
    found by match. ``candidates`` counts the partners the match found (2 or more: ambiguous).
    ``wanted`` limits the work to a direction: a push-only run must not create local rows. ``is_asked``: another
    record, or a person, needs this one, so "create missing records" and rules do not keep it from being made.
    """

    local: record.Record | None
    remote: record.Record | None
    link: LinkState | None = None
    candidates: int = 0
    wanted: terms.Direction = terms.Direction.BOTH
    is_asked: bool = False


@dataclass(frozen=True, slots=True)
class PairPlan:
    """Everything intended for one pair.

    Writes: ``creates`` names the side on which a record is made of its writes and of ``fixed`` values; ``archives``
    the side whose record goes; ``adopts`` that an unlinked pair becomes linked; ``unlinks`` that the link ends.
    ``settles`` are base values to store although nothing is written (fields that agree already).
    ``notes`` are changes left alone on purpose (direction); unlike ``problems`` nobody has to act on them.
    ``reason``/``detail`` say why, for "why, or why not?".
    """

    pair: Pair
    outcome: terms.Outcome
    reason: str = ""
    detail: str = ""
    creates: terms.SideName | None = None
    archives: terms.SideName | None = None
    adopts: bool = False
    unlinks: bool = False
    fixed: tuple[spec.FixedSpec, ...] = ()
    local_writes: tuple[FieldWrite, ...] = ()
    remote_writes: tuple[FieldWrite, ...] = ()
    settles: Mapping[int, BaseValue] = field(default_factory=dict)
    clashes: tuple[Clash, ...] = ()
    problems: tuple[FieldProblem, ...] = ()
    notes: tuple[FieldProblem, ...] = ()

    @property
    def is_at_rest(self) -> bool:
        """Whether the records of a link that ended are still kept apart: nothing is stored or told again."""
        is_ended = self.pair.link is not None and self.pair.link.ended
        return is_ended and self.outcome is terms.Outcome.EXCLUDED

    @property
    def is_write(self) -> bool:
        return bool(self.local_writes or self.remote_writes or self.creates or self.archives)

    def touches(self, side: terms.SideName) -> bool:
        """Whether carrying it out would write this side."""
        writes = self.local_writes if side is terms.SideName.LOCAL else self.remote_writes
        return bool(writes) or side in (self.creates, self.archives)
