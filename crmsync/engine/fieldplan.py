"""One field of one pair: difference, direction, write mode, blanks and conflict policy as one decision.

Every decision leads to rest: a field is written, or its base is settled, or it waits for a person, a repair
or another run; none of these makes a new difference by itself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from crmsync.engine import (
    changes,
    columns,
    conflict,
    convert,
    diff,
    errors,
    match,
    movement,
    remotevalues,
    routes,
    spec,
    terms,
    writemode,
)

_LOCAL: Final = terms.SideName.LOCAL
_REMOTE: Final = terms.SideName.REMOTE


@dataclass(frozen=True, slots=True)
class Seen:
    """One field as read now: canonical texts and the base."""

    local: str | None
    remote: str | None
    base: changes.BaseValue | None


@dataclass(frozen=True, slots=True)
class Around:
    """What of its record a field must know: the ways this run may write, when each side was modified, and
    whether the HubSpot record is one that we made just now."""

    may_push: bool = True
    may_pull: bool = True
    local_at: datetime | None = None
    remote_at: datetime | None = None
    is_made_by_us: bool = False

    def may_write_from(self, source: terms.SideName) -> bool:
        """Whether this run may write values of this side to the other."""
        return self.may_push if source is _LOCAL else self.may_pull


@dataclass(frozen=True, slots=True)
class FieldPlan:
    """The decision: writes, or ``settles`` the base as seen, or ``waits`` for a run that may write there."""

    push: changes.FieldWrite | None = None
    pull: changes.FieldWrite | None = None
    settles: bool = False
    waits: bool = False
    clash: changes.Clash | None = None
    problem: changes.FieldProblem | None = None
    note: changes.FieldProblem | None = None


NOTHING: Final = FieldPlan()
SETTLED: Final = FieldPlan(settles=True)
WAITS: Final = FieldPlan(waits=True)


@dataclass(frozen=True, slots=True)
class _Case:
    route: routes.Route
    seen: Seen
    around: Around
    outgoing: diff.Said
    incoming: diff.Said

    @property
    def one(self) -> spec.FieldSpec:
        return self.route.one

    def said_by(self, source: terms.SideName) -> diff.Said:
        return self.outgoing if source is _LOCAL else self.incoming

    def target_of(self, source: terms.SideName) -> str | None:
        return self.seen.remote if source is _LOCAL else self.seen.local

    def is_stuck(self, source: terms.SideName) -> bool:
        """Whether this side's value would take back a field that moves forward only."""
        if self.one.movement is not terms.Movement.FORWARD:
            return False
        said = self.outgoing if isinstance(self.outgoing, str) else None
        return movement.goes_back(self.one, source, local=self.seen.local, remote=self.seen.remote, said=said)


def decide(route: routes.Route, seen: Seen, around: Around) -> FieldPlan:
    """The decision for one field of two records that both exist."""
    outgoing = make_outgoing(seen.local, route.one) if route.pushes else diff.ONE_WAY
    incoming = make_incoming(seen.remote, route.one) if route.pulls else diff.ONE_WAY
    kind = diff.classify(seen.local, seen.remote, seen.base, outgoing=outgoing, incoming=incoming)
    if kind is terms.Difference.SETTLED:
        return SETTLED
    return _DECIDERS[kind](_Case(route, seen, around, outgoing, incoming))


def make_outgoing(text: str | None, one: spec.FieldSpec) -> diff.Said:
    """What a canonical local text becomes in HubSpot, as canonical text."""
    if text is None:
        return None
    try:
        return convert.remote_text(convert.outgoing(text, one), one)
    except errors.ConvertError as error:
        return error


def make_incoming(text: str | None, one: spec.FieldSpec) -> diff.Said:
    """What a canonical HubSpot text becomes locally, as canonical text."""
    if text is None:
        return None
    try:
        return convert.local_text(convert.incoming(text, one), one)
    except errors.ConvertError as error:
        return error


def make_problem(one: spec.FieldSpec, error: errors.ConvertError) -> changes.FieldProblem:
    """The field held back for what could not be converted; the message names it, since a record has many."""
    return changes.FieldProblem(one.id, str(error.code), f"{one.local} ↔ {one.remote}: {error.message}")


def _decide_nothing(case: _Case) -> FieldPlan:
    return NOTHING


def _decide_local_changed(case: _Case) -> FieldPlan:
    return _follow(case, _LOCAL, terms.Cause.LOCAL_CHANGED)


def _decide_remote_changed(case: _Case) -> FieldPlan:
    return _follow(case, _REMOTE, terms.Cause.REMOTE_CHANGED)


def _decide_unknown(case: _Case) -> FieldPlan:
    """First contact: a blank side is filled; two values are a contest, unless they found each other."""
    seen = case.seen
    if seen.local is None or seen.remote is None:
        source = _LOCAL if seen.remote is None else _REMOTE
        return _carry(case, source, terms.Cause.FILL_BLANK) if case.route.flows_from(source) else SETTLED
    if case.route.matches is not None and match.is_same(seen.local, seen.remote, case.route.matches):
        return SETTLED
    return _decide_contest(case)


def _decide_contest(case: _Case) -> FieldPlan:
    """Both sides have something new to say."""
    if not (case.route.pushes and case.route.pulls):
        source = _LOCAL if case.route.pushes else _REMOTE
        return _carry(case, source, terms.Cause.ONE_WAY, is_contest=True)
    if _is_blank_beaten(case):
        source = _LOCAL if case.seen.remote is None else _REMOTE
        return _carry(case, source, terms.Cause.NOT_BLANK, is_contest=True)
    if writemode.is_appending(case.one):
        return _merge(case)
    if case.one.write_mode is not terms.WriteMode.OVERWRITE:
        return SETTLED
    verdict = _find_verdict(case)
    if verdict.winner is None:
        return FieldPlan(clash=_make_clash(case, verdict.winner, verdict.rule))
    if case.is_stuck(verdict.winner):  # then the other one's value is further on
        return _carry(case, _other(verdict.winner), terms.Cause.FORWARD, is_contest=True)
    return _carry(case, verdict.winner, verdict.rule, is_contest=True)


def _other(side: terms.SideName) -> terms.SideName:
    return _REMOTE if side is _LOCAL else _LOCAL


_DECIDERS: Final[dict[terms.Difference, Callable[[_Case], FieldPlan]]] = {
    terms.Difference.UNCHANGED: _decide_nothing,
    terms.Difference.PUSH: _decide_local_changed,
    terms.Difference.PULL: _decide_remote_changed,
    terms.Difference.BOTH_CHANGED: _decide_contest,
    terms.Difference.UNKNOWN_BASE: _decide_unknown,
}


def _is_blank_beaten(case: _Case) -> bool:
    is_blank = case.seen.local is None or case.seen.remote is None
    clears = case.one.write_mode is terms.WriteMode.OVERWRITE and case.one.blanks is terms.BlankPolicy.CLEAR
    return is_blank and not clears


def _find_verdict(case: _Case) -> conflict.Verdict:
    if case.around.is_made_by_us:
        return conflict.Verdict(_LOCAL, terms.Cause.MADE_BY_US)
    return conflict.decide(case.one.conflict, local_at=case.around.local_at, remote_at=case.around.remote_at)


def _follow(case: _Case, source: terms.SideName, cause: terms.Cause) -> FieldPlan:
    """One side alone changed: the other follows, if the field flows that way; else it stays and is noted."""
    if case.route.flows_from(source):
        return _carry(case, source, cause)
    way = terms.Direction.PUSH if case.route.pushes else terms.Direction.PULL
    message = f"Changed in {source.label}, but the field flows {way.label} only: left as it is."
    return FieldPlan(settles=True, note=changes.FieldProblem(case.one.id, terms.Problem.DIRECTION.value, message))


def _carry(case: _Case, source: terms.SideName, cause: terms.Cause, *, is_contest: bool = False) -> FieldPlan:
    """Takes one side's value to the other, as far as write mode, blanks, this run and the value allow."""
    said, target = case.said_by(source), case.target_of(source)
    if writemode.is_kept_out(case.one, target=target, said=said):
        return SETTLED
    if case.is_stuck(source):
        message = f"Stays at “{target}” in {_other(source).label}: the field moves forward only."
        return FieldPlan(settles=True, note=changes.FieldProblem(case.one.id, terms.Problem.MOVEMENT.value, message))
    if not case.around.may_write_from(source):
        return WAITS
    try:
        if writemode.is_appending(case.one):
            said = _join(case.one, target, said)
        write = _make_write(case, source, said, cause)
    except errors.ConvertError as error:
        return FieldPlan(problem=make_problem(case.one, error))
    if write is None:
        return SETTLED
    clash = _make_clash(case, source, cause) if is_contest else None
    if source is _LOCAL:
        return FieldPlan(push=write, clash=clash)
    return FieldPlan(pull=write, clash=clash)


def _merge(case: _Case) -> FieldPlan:
    """Each value is appended to the other, so nothing is lost; both writes or none: they share one base.

    HubSpot's lines come first on both sides, so that both read the same.
    """
    try:
        remote = _join(case.one, case.seen.remote, case.outgoing)
        local = _join(case.one, case.incoming, case.seen.local)
        push = _make_write(case, _LOCAL, remote, terms.Cause.BOTH_KEPT)
        pull = _make_write(case, _REMOTE, local, terms.Cause.BOTH_KEPT)
    except errors.ConvertError as error:
        return FieldPlan(problem=make_problem(case.one, error))
    if push is None and pull is None:
        return SETTLED
    if (push and not case.around.may_push) or (pull and not case.around.may_pull):
        return WAITS
    return FieldPlan(push=push, pull=pull)


def _join(one: spec.FieldSpec, first: diff.Said, second: diff.Said) -> diff.Said:
    for said in (first, second):
        if isinstance(said, errors.ConvertError):
            raise said
    if isinstance(first, str) and isinstance(second, str):
        return writemode.make_joined(one, first=first, second=second)
    return first or second


def _make_write(
    case: _Case, source: terms.SideName, said: diff.Said, cause: terms.Cause
) -> changes.FieldWrite | None:
    """The write after which the other side holds ``said``; None if it does already."""
    if isinstance(said, errors.ConvertError):
        raise said
    target = case.target_of(source)
    if said == target:
        return None
    if source is _LOCAL:
        return _make_push(case.one, said, target, cause)
    value = None if said is None else columns.value_of(said, case.one)
    return changes.FieldWrite(case.one.id, case.one.local, value, target, cause.value)


def _make_push(one: spec.FieldSpec, said: str | None, target: str | None, cause: terms.Cause) -> changes.FieldWrite:
    value = "" if said is None else remotevalues.value_of(said, one)
    if value and writemode.is_appending(one):
        value = writemode.make_addition(one, target=target, joined=value)
    clears = one.movement is terms.Movement.CLEAR_FIRST and movement.is_back(one, present=target, wanted=said)
    return changes.FieldWrite(one.id, one.remote, value, target, cause.value, clears_first=clears)


def _make_clash(case: _Case, winner: terms.SideName | None, rule: terms.Cause) -> changes.Clash:
    seen = case.seen
    return changes.Clash(case.one.id, seen.base, seen.local, seen.remote, winner, rule.value)
