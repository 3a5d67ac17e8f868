"""A record that is on one side only: may it be made on the other, and of which values?"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

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


def decide_remote(
    mapping: spec.MappingSpec, fields: tuple[routes.Route, ...], pair: changes.Pair, local: record.Record
) -> changes.PairPlan:
    """Make a local record in HubSpot, of every non-blank field that flows there, whatever its write mode.

    Fields that only pull get no base: what HubSpot fills in by itself is then a first contact, not a change.
    """
    is_allowed = mapping.direction.pushes and pair.wanted.pushes
    refusal = _find_refusal(mapping, pair, terms.Direction.PUSH, is_allowed, mapping.creates_remote)
    if refusal is not None:
        return refusal
    draft = _draft_pushes(fields, local.values.get)
    if not draft.writes or draft.is_match_lost:
        return _refuse_draft(pair, draft)
    return changes.PairPlan(
        pair,
        terms.Outcome.CREATED,
        creates=terms.SideName.REMOTE,
        remote_writes=tuple(draft.writes),
        settles=draft.settles,
        problems=tuple(draft.problems),
    )


def decide_local(
    mapping: spec.MappingSpec, fields: tuple[routes.Route, ...], pair: changes.Pair, remote: record.Record
) -> changes.PairPlan:
    """Make the local record of a HubSpot one; the mirror image of ``decide_remote``."""
    is_allowed = mapping.direction.pulls and pair.wanted.pulls
    refusal = _find_refusal(mapping, pair, terms.Direction.PULL, is_allowed, mapping.creates_local)
    if refusal is not None:
        return refusal
    draft = _draft_pulls(fields, remote.values.get)
    if not draft.writes or draft.is_match_lost:
        return _refuse_draft(pair, draft)
    return changes.PairPlan(
        pair,
        terms.Outcome.CREATED,
        creates=terms.SideName.LOCAL,
        local_writes=tuple(draft.writes),
        settles=draft.settles,
        problems=tuple(draft.problems),
    )


def _find_refusal(
    mapping: spec.MappingSpec, pair: changes.Pair, way: terms.Direction, is_allowed: bool, creates: bool
) -> changes.PairPlan | None:
    if not is_allowed:
        return _exclude(pair, terms.Reason.DIRECTION)
    if not creates:
        return _exclude(pair, terms.Reason.LINK_ONLY)
    if mapping.rules:
        result = rules.decide_all(mapping, way, pair.local, pair.remote)
        if not result.passed:
            return _exclude(pair, terms.Reason.FILTER, result.detail)
    return None


def _draft_pushes(fields: Iterable[routes.Route], find_value: Callable[[str], object]) -> _Draft:
    draft = _Draft()
    for route in fields:
        one = route.one
        if not route.pushes:
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
        if not route.pulls:
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
