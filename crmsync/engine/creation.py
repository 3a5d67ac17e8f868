"""A record that is on one side only: may it be made on the other, and of which values?"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from crmsync.engine import (
    changes,
    convert,
    errors,
    fieldplan,
    localvalues,
    record,
    remotevalues,
    routes,
    rules,
    spec,
    terms,
)

_NO_VALUES = changes.BaseValue(None, None)
_CREATED = terms.Cause.CREATED.value


@dataclass(slots=True)
class _Draft:
    writes: list[changes.FieldWrite] = field(default_factory=list)
    settles: dict[int, changes.BaseValue] = field(default_factory=dict)
    problems: list[changes.FieldProblem] = field(default_factory=list)
    is_match_lost: bool = False

    def hold(self, route: routes.Route, error: errors.ConvertError) -> None:
        self.problems.append(fieldplan.make_problem(route.one, error))
        self.is_match_lost = self.is_match_lost or route.matches is not None

    def wait(self, route: routes.Route, value: object) -> None:
        """A field that is held: its value, if there is one, follows when it can."""
        held = route.one.held
        if held is not None and held.side is terms.SideName.REMOTE and value not in (None, ""):
            self.problems.append(fieldplan.make_problem(route.one, errors.ConvertError(held.code, held.message)))


def decide_remote(
    mapping: spec.MappingSpec,
    fields: tuple[routes.Route, ...],
    pair: changes.Pair,
    local: record.Record,
    *,
    now: datetime,
) -> changes.PairPlan:
    """Make a local record in HubSpot, of every non-blank field that flows there, whatever its write mode, and of the
    mapping's fixed values.

    Fields that only pull get no base: what HubSpot fills in by itself is then a first contact, not a change.
    """
    is_allowed = mapping.direction.pushes and pair.wanted.pushes
    refusal = _find_refusal(mapping, pair, terms.Direction.PUSH, is_allowed, mapping.creates_remote, now)
    if refusal is not None:
        return refusal
    draft = _draft_pushes(fields, local.values.get)
    if not draft.writes or draft.is_match_lost:
        return _refuse_draft(pair, draft)
    return changes.PairPlan(
        pair,
        terms.Outcome.CREATED,
        creates=terms.SideName.REMOTE,
        fixed=_find_fixed(mapping, terms.SideName.REMOTE, draft),
        remote_writes=tuple(draft.writes),
        settles=draft.settles,
        problems=tuple(draft.problems),
    )


def decide_local(
    mapping: spec.MappingSpec,
    fields: tuple[routes.Route, ...],
    pair: changes.Pair,
    remote: record.Record,
    *,
    now: datetime,
) -> changes.PairPlan:
    """Make the local record of a HubSpot one; the mirror image of ``decide_remote``."""
    is_allowed = mapping.direction.pulls and pair.wanted.pulls
    refusal = _find_refusal(mapping, pair, terms.Direction.PULL, is_allowed, mapping.creates_local, now)
    if refusal is not None:
        return refusal
    draft = _draft_pulls(fields, remote.values.get)
    if not draft.writes or draft.is_match_lost:
        return _refuse_draft(pair, draft)
    return changes.PairPlan(
        pair,
        terms.Outcome.CREATED,
        creates=terms.SideName.LOCAL,
        fixed=_find_fixed(mapping, terms.SideName.LOCAL, draft),
        local_writes=tuple(draft.writes),
        settles=draft.settles,
        problems=tuple(draft.problems),
    )


def _find_refusal(
    mapping: spec.MappingSpec,
    pair: changes.Pair,
    way: terms.Direction,
    is_allowed: bool,
    creates: bool,
    now: datetime,
) -> changes.PairPlan | None:
    if not is_allowed:
        return _exclude(pair, terms.Reason.DIRECTION)
    if pair.is_asked:  # fixed values were looked at before: a record of another mapping is not made here at all
        return None
    if not creates:
        return _exclude(pair, terms.Reason.LINK_ONLY)
    result = rules.decide_all(mapping, way, pair.local, pair.remote, now=now)
    return None if result.passed else _exclude(pair, result.reason, result.detail)


def _find_fixed(mapping: spec.MappingSpec, side: terms.SideName, draft: "_Draft") -> tuple[spec.FixedSpec, ...]:
    """The fixed values of a new record; a field's own value goes before one that is only given at first."""
    written = {write.name for write in draft.writes}
    return tuple(one for one in mapping.fixed if one.side is side and one.field not in written)


def _draft_pushes(fields: Iterable[routes.Route], find_value: Callable[[str], object]) -> _Draft:
    draft = _Draft()
    for route in fields:
        one = route.one
        if not route.pushes:
            continue
        if one.held is not None:
            draft.wait(route, find_value(one.local))
            continue
        try:
            text = localvalues.text_of(find_value(one.local), one)
            said = "" if text is None else convert.outgoing(text, one)
        except errors.ConvertError as error:
            draft.hold(route, error)
            continue
        if said:
            draft.writes.append(changes.FieldWrite(one.id, one.remote, said, None, _CREATED))
        else:
            draft.settles[one.id] = _NO_VALUES if text is None else changes.BaseValue(text, None)
    return draft


def _draft_pulls(fields: Iterable[routes.Route], find_value: Callable[[str], object]) -> _Draft:
    draft = _Draft()
    for route in fields:
        one = route.one
        if not route.pulls or one.held is not None:
            continue
        text = remotevalues.text_of(find_value(one.remote), one)
        try:
            said = None if text is None else convert.incoming(text, one)
        except errors.ConvertError as error:
            draft.hold(route, error)
            continue
        if said is not None:
            draft.writes.append(changes.FieldWrite(one.id, one.local, said, None, _CREATED))
        else:
            draft.settles[one.id] = _NO_VALUES if text is None else changes.BaseValue(None, text)
    return draft


def _refuse_draft(pair: changes.Pair, draft: _Draft) -> changes.PairPlan:
    """No record is made of nothing, nor one that its partner could not be found by."""
    if not draft.problems:
        return _exclude(pair, terms.Reason.BLANK)
    first = draft.problems[0]
    return changes.PairPlan(pair, terms.Outcome.FAILED, first.code, first.message, problems=tuple(draft.problems))


def _exclude(pair: changes.Pair, reason: terms.Reason, detail: str = "") -> changes.PairPlan:
    return changes.PairPlan(pair, terms.Outcome.EXCLUDED, reason.value, detail or reason.label)
