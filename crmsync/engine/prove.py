"""Round-trip proof: which values of a mapping do not come back as they went, and whether that ever writes.

Values are compared as the planner compares them, by canonical text: a time's microseconds are no difference.
It knows no portal: what HubSpot makes of a value that is sent is a function it is given.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from typing import Final

from crmsync.engine import convert, echo, errors, probes, routes, spec, terms

# Findings of one field that change nothing: more are only counted, a table of them helps nobody. Those that do
# are all listed, since each is to be accepted.
LISTED: Final = 50
_SHOWN: Final = 60  # characters of a value
_BLANK: Final = "␣"
_NAMED: Final = 3  # other values that share one


class Kind(terms.Term):
    """How a value fails to come back, the least expected first."""

    NOT_INJECTIVE = "not_injective", "several values share one"
    LOSSY = "lossy", "comes back changed"
    REFUSED = "refused", "cannot cross"


class Verdict(terms.Term):
    """What a finding means for the value of a record, the worst first."""

    CHANGES = "changes", "comes back different"
    SAME = "same", "stays as it is"
    HELD = "held", "held back, with the reason"


@dataclass(frozen=True, slots=True)
class Finding:
    """A value that does not come back. ``start``, ``becomes`` and ``back`` are for reading: cut, "" for blank;
    None for a step that was not reached. ``code``: the problem where it is refused, else "". ``key`` stands for
    the value and what becomes of it: another result has another key."""

    starts: terms.SideName
    start: str
    becomes: str | None
    back: str | None
    kind: Kind
    code: str
    why: str
    remedy: str
    echo: echo.Echo
    verdict: Verdict
    key: str

    @property
    def chain(self) -> str:
        """The values in one sentence, as "prospect becomes NEW becomes lead"."""
        said = " becomes ".join(one or "blank" for one in (self.start, self.becomes, self.back) if one is not None)
        return f"{said} is refused" if self.kind is Kind.REFUSED else said


@dataclass(frozen=True, slots=True)
class FieldProof:
    """One field: values ``tried``, findings as a ``count``; all that change a value, and the first of the others."""

    field_id: int
    local: str
    remote: str
    direction: terms.Direction
    tried: int
    count: int
    findings: tuple[Finding, ...]

    @property
    def changes(self) -> tuple[Finding, ...]:
        """The findings that a person has to mend or to accept."""
        return tuple(one for one in self.findings if one.verdict is Verdict.CHANGES)


@dataclass(frozen=True, slots=True)
class Proof:
    """The fields of a mapping that flow at all, as of its ``revision``."""

    mapping_id: int
    revision: int
    fields: tuple[FieldProof, ...]

    @property
    def is_fixed(self) -> bool:
        """Whether no value that was tried comes back different. One that is held back has not gone anywhere, and
        one that the base remembers stays what it is."""
        return not any(one.changes for one in self.fields)

    def open_changes(self, accepted: Container[tuple[int, str]]) -> list[tuple[FieldProof, Finding]]:
        """What comes back different and nobody accepted; ``accepted`` are (field id, key) pairs."""
        return [
            (one, each) for one in self.fields for each in one.changes if (one.field_id, each.key) not in accepted
        ]


def prove(mapping: spec.MappingSpec, *, settle: echo.Settle, zones: probes.Zones = ()) -> Proof:
    """Takes the probes of every field across and, where it flows both ways, back again.

    A one-way field is only asked whether its values can cross. ``zones`` are tried beside UTC.
    """
    fields = tuple(_prove_field(echo.Road(mapping, route, settle), zones) for route in routes.make_routes(mapping))
    return Proof(mapping.id, mapping.revision, fields)


@dataclass(slots=True)
class _Trip:
    """One value on its way; texts are canonical, ``value`` is what its own side holds."""

    starts: terms.SideName
    value: object
    start: str | None = None
    becomes: str | None = None
    back: str | None = None
    error: errors.ConvertError | None = None
    crossed: bool = False

    @property
    def is_fixed(self) -> bool:
        return self.error is None and self.back == self.start


def _prove_field(road: echo.Road, zones: probes.Zones) -> FieldProof:
    route = road.route
    trips = list({_mark(trip): trip for trip in _make_trips(road, zones)}.values())
    shared: dict[tuple[terms.SideName, str | None], list[str | None]] = defaultdict(list)
    for trip in trips:
        if trip.crossed:
            shared[trip.starts, trip.becomes].append(trip.start)
    moved = [_judge(road, trip, shared[trip.starts, trip.becomes]) for trip in trips if not trip.is_fixed]
    moved.sort(key=lambda each: (list(Verdict).index(each.verdict), list(Kind).index(each.kind)))
    changing = sum(each.verdict is Verdict.CHANGES for each in moved)
    ways = {(True, True): terms.Direction.BOTH, (True, False): terms.Direction.PUSH}
    return FieldProof(
        field_id=route.one.id,
        local=route.one.local,
        remote=route.one.remote,
        direction=ways.get((route.pushes, route.pulls), terms.Direction.PULL),
        tried=len(trips),
        count=len(moved),
        findings=tuple(_make_finding(road, each) for each in moved[: max(changing, LISTED)]),
    )


def _mark(trip: _Trip) -> tuple[terms.SideName, str | None]:
    """Values that a side says alike are one probe."""
    return trip.starts, trip.start if trip.start is not None or trip.value in (None, "") else str(trip.value)


# --- The trips --------------------------------------------------------------------------------------------------


def _make_trips(road: echo.Road, zones: probes.Zones) -> Iterator[_Trip]:
    if road.route.pushes:
        for value in probes.local_values(road.one, zones):
            yield _travel(_Trip(terms.SideName.LOCAL, value), road, _leave_local)
    if road.route.pulls:
        for text in probes.remote_texts(road.one, zones):
            try:
                kept = road.keep(text)
            except errors.ConvertError:
                continue  # HubSpot never holds it
            yield _travel(_Trip(terms.SideName.REMOTE, kept), road, _leave_remote)


def _travel(trip: _Trip, road: echo.Road, leave: Callable[[_Trip, echo.Road], None]) -> _Trip:
    try:
        leave(trip, road)
    except errors.ConvertError as error:
        trip.error = error
    return trip


def _leave_local(trip: _Trip, road: echo.Road) -> None:
    one = road.one
    trip.start = convert.local_text(trip.value, one)
    kept = road.keep(convert.to_remote(trip.value, one))
    trip.becomes, trip.crossed = convert.remote_text(kept, one), True
    trip.back = convert.local_text(convert.from_remote(kept, one), one) if road.route.pulls else trip.start


def _leave_remote(trip: _Trip, road: echo.Road) -> None:
    one, text = road.one, str(trip.value)
    trip.start = convert.remote_text(text, one)
    value = convert.from_remote(text, one)
    trip.becomes, trip.crossed = convert.local_text(value, one), True
    trip.back = (
        convert.remote_text(road.keep(convert.to_remote(value, one)), one) if road.route.pushes else trip.start
    )


# --- The findings -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Judged:
    """A trip that did not end where it began; ``sharing``: the values of its side that become the same."""

    trip: _Trip
    sharing: list[str | None]
    kind: Kind
    verdict: Verdict
    echo: echo.Echo


def _judge(road: echo.Road, trip: _Trip, sharing: list[str | None]) -> _Judged:
    kind = _classify(road, trip, sharing)
    moves = echo.find(road, trip.starts, trip.value)
    return _Judged(trip, sharing, kind, _decide_verdict(road, kind, moves), moves)


def _classify(road: echo.Road, trip: _Trip, sharing: list[str | None]) -> Kind:
    if trip.error is not None:
        return Kind.REFUSED
    return Kind.NOT_INJECTIVE if road.one.value_map is not None and len(sharing) > 1 else Kind.LOSSY


def _decide_verdict(road: echo.Road, kind: Kind, moves: echo.Echo) -> Verdict:
    """The memory of the base is as good as coming back, where the planner itself never moves the value.

    Not so for one value that a map takes elsewhere: there the two tables contradict each other.
    """
    if kind is Kind.REFUSED:
        return Verdict.HELD
    is_contradiction = kind is Kind.LOSSY and road.one.value_map is not None
    return Verdict.SAME if moves is echo.Echo.NEVER and not is_contradiction else Verdict.CHANGES


def _make_finding(road: echo.Road, judged: _Judged) -> Finding:
    trip, kind = judged.trip, judged.kind
    code = "" if trip.error is None else str(trip.error.code)
    start = str(trip.value) if trip.start is None and trip.value is not None else trip.start
    return Finding(
        starts=trip.starts,
        start=shown(start),
        becomes=shown(trip.becomes) if trip.crossed else None,
        back=shown(trip.back) if trip.error is None else None,
        kind=kind,
        code=code,
        why=_say_why(road, trip, judged.sharing, kind),
        remedy=_REFUSALS.get(code, "") if code else _REMEDIES[kind],
        echo=judged.echo,
        verdict=judged.verdict,
        key=_key(trip.starts, start, trip.becomes, trip.back, code),
    )


def _key(*parts: str | None) -> str:
    """The same for the same value and result, whatever the texts hold and however long they are."""
    return hashlib.sha256(repr(parts).encode("utf-8", "backslashreplace")).hexdigest()


def _say_why(road: echo.Road, trip: _Trip, sharing: list[str | None], kind: Kind) -> str:
    if trip.error is not None:
        return trip.error.message
    if kind is Kind.NOT_INJECTIVE:
        others = [shown(text) or "blank" for text in sharing if text != trip.start]
        verb = "becomes" if len(others) == 1 else "become"
        more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
        return f"{', '.join(others[:_NAMED])}{more} {verb} {shown(trip.becomes) or 'blank'} as well."
    if road.one.value_map is not None:
        return "On the way back the value map names another value."
    there = "HubSpot" if trip.starts is terms.SideName.LOCAL else "Django"
    return f"{there} keeps it in another form."


def shown(text: str | None) -> str:
    """A text for reading: "" for blank, cut with its length, and what cannot be seen as a sign or an escape."""
    if text is None:
        return ""
    if text != text.strip(" "):
        text = text.replace(" ", _BLANK)
    seen = "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text[:_SHOWN])
    return f"{seen}… ({len(text)} characters)" if len(text) > _SHOWN else seen


_REMEDIES: Final = {
    Kind.NOT_INJECTIVE: "Give each value a partner of its own, or let the field flow one way; or leave it: the base"
    " remembers which one it was.",
    Kind.LOSSY: "Save the value as the other side keeps it, or let the field flow one way; or leave it: the base"
    " remembers what each side said.",
}
_ROOM: Final = "Give the other side room for it, or leave it: such a value is held back and listed."
_REFUSALS: Final = {
    terms.Problem.TYPE.value: "Choose a partner of the same type, or a value map.",
    terms.Problem.TOO_LONG.value: _ROOM,
    terms.Problem.LOSSY.value: _ROOM,
    terms.Problem.NUL.value: "Leave it: such a text is held back and listed.",
    terms.Problem.OPTION_UNKNOWN.value: "Add the option, a line to the value map, or a user link.",
    terms.Problem.DATE_NOT_MIDNIGHT.value: "Choose a partner that holds date and time.",
}
