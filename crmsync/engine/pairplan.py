"""The one PairPlan of a pair: linked, adopted, made, gone or left alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from crmsync.engine import (
    changes,
    compare,
    creation,
    errors,
    fieldplan,
    members,
    record,
    routes,
    rules,
    spec,
    terms,
    twins,
)

_T = TypeVar("_T")

_LOCAL = terms.SideName.LOCAL
_REMOTE = terms.SideName.REMOTE


@dataclass(frozen=True, slots=True)
class Scheme:
    """A mapping prepared for many pairs: the fields that flow, and whether rules gate updates or end links."""

    mapping: spec.MappingSpec
    fields: tuple[routes.Route, ...]
    now: datetime
    gates_updates: bool = False
    unlinks: bool = False
    has_members: bool = False
    paired: tuple[twins.Twin, ...] = ()


@dataclass(slots=True)
class _Draft:
    local_writes: list[changes.FieldWrite] = field(default_factory=list)
    remote_writes: list[changes.FieldWrite] = field(default_factory=list)
    settles: dict[int, changes.BaseValue] = field(default_factory=dict)
    clashes: list[changes.Clash] = field(default_factory=list)
    problems: list[changes.FieldProblem] = field(default_factory=list)
    notes: list[changes.FieldProblem] = field(default_factory=list)
    waits: bool = False

    def add(self, one: spec.FieldSpec, seen: fieldplan.Seen, plan: fieldplan.FieldPlan) -> None:
        if plan.settles:
            self.settles[one.id] = changes.BaseValue(seen.local, seen.remote)
            if plan is fieldplan.SETTLED:
                return
        self.waits = self.waits or plan.waits
        _keep(self.local_writes, plan.pull)
        _keep(self.remote_writes, plan.push)
        _keep(self.clashes, plan.clash)
        _keep(self.problems, plan.problem)
        _keep(self.notes, plan.note)


@dataclass(frozen=True, slots=True)
class _Ways:
    """The ways values may go in this run; ``kept_out`` says which rules took one away."""

    pushes: bool
    pulls: bool
    kept_out: str = ""


def _keep(kept: list[_T], found: _T | None) -> None:
    if found is not None:
        kept.append(found)


def make_scheme(mapping: spec.MappingSpec, now: datetime) -> Scheme:
    """Prepares a mapping; cheap next to a batch, so once a plan."""
    fields = routes.make_routes(mapping)
    return Scheme(
        mapping,
        fields,
        now,
        gates_updates=any(rule.gates_updates and not rule.is_membership for rule in mapping.rules),
        unlinks=any(rule.unlinks for rule in mapping.rules),
        has_members=any(rule.is_membership for rule in mapping.rules),
        paired=twins.find(fields),
    )


def decide(scheme: Scheme, pair: changes.Pair) -> changes.PairPlan:
    """Everything intended for one pair. None or archived in a linked pair was read directly: it is gone."""
    if pair.link is not None:
        return _decide_linked(scheme, pair, pair.link)
    outsider = _find_outsider(scheme, pair, pair.local, pair.remote)
    if outsider is not None:
        return outsider
    if pair.candidates > 1:
        detail = f"{pair.candidates} partners match"
        return _leave(pair, terms.Outcome.EXCLUDED, terms.Reason.TOO_MANY_CANDIDATES, detail)
    if _is_archived(pair.local) or _is_archived(pair.remote):
        return _leave(pair, terms.Outcome.EXCLUDED, terms.Reason.ARCHIVED)
    if pair.local is not None and pair.remote is not None:
        return _decide_found(scheme, pair, pair.local, pair.remote)
    return _decide_single(scheme, pair)


def _decide_linked(scheme: Scheme, pair: changes.Pair, link: changes.LinkState) -> changes.PairPlan:
    local = None if _is_archived(pair.local) else pair.local
    remote = None if _is_archived(pair.remote) else pair.remote
    if local is not None and remote is not None:
        return _decide_both(scheme, pair, local, remote, link)
    if local is not None and link.creating and pair.remote is None:
        outsider = _find_outsider(scheme, pair, local, None)
        return outsider or creation.decide_remote(scheme.mapping, scheme.fields, pair, local, now=scheme.now)
    if local is not None:
        return _decide_gone(scheme, pair, local, _LOCAL, link)
    if remote is not None:
        return _decide_gone(scheme, pair, remote, _REMOTE, link)
    return changes.PairPlan(
        pair, terms.Outcome.UNLINKED, terms.Reason.GONE.value, terms.Reason.GONE.label, unlinks=True
    )


def _decide_single(scheme: Scheme, pair: changes.Pair) -> changes.PairPlan:
    if pair.local is None and pair.remote is None:
        return _leave(pair, terms.Outcome.UNCHANGED, terms.Reason.GONE)
    if pair.candidates:
        return _leave(pair, terms.Outcome.EXCLUDED, terms.Reason.PARTNER_TAKEN)
    if pair.local is not None:
        return creation.decide_remote(scheme.mapping, scheme.fields, pair, pair.local, now=scheme.now)
    assert pair.remote is not None
    return creation.decide_local(scheme.mapping, scheme.fields, pair, pair.remote, now=scheme.now)


def _decide_found(
    scheme: Scheme, pair: changes.Pair, local: record.Record, remote: record.Record
) -> changes.PairPlan:
    """Two records that match are linked, unless rules keep them out of every way the mapping flows."""
    results = [
        rules.decide_all(scheme.mapping, way, local, remote, now=scheme.now)
        for way in (terms.Direction.PUSH, terms.Direction.PULL)
        if _flows(scheme.mapping, way)
    ]
    if not any(result.passed for result in results):
        return _leave(pair, terms.Outcome.EXCLUDED, terms.Reason.FILTER, results[0].detail)
    return _decide_both(scheme, pair, local, remote, None)


def _decide_both(
    scheme: Scheme,
    pair: changes.Pair,
    local: record.Record,
    remote: record.Record,
    link: changes.LinkState | None,
) -> changes.PairPlan:
    outsider = _find_outsider(scheme, pair, local, remote)
    if outsider is None and scheme.unlinks:
        outsider = members.find_unlinking(scheme.mapping, pair, local, remote, now=scheme.now)
    if outsider is not None:
        return outsider
    base: Mapping[int, changes.BaseValue] = {} if link is None else link.base
    adopts = link is None or link.creating or link.ended
    ways = _find_ways(scheme, pair, local, remote)
    if not ways.pushes and not ways.pulls and ways.kept_out:
        return _leave(pair, terms.Outcome.EXCLUDED, terms.Reason.FILTER, ways.kept_out)
    changed = compare.find_changed(scheme.fields, local, remote, base)
    if not changed and not adopts:
        return changes.PairPlan(pair, terms.Outcome.UNCHANGED)
    around = fieldplan.Around(
        may_push=ways.pushes,
        may_pull=ways.pulls,
        local_at=local.modified_at,
        remote_at=remote.modified_at,
        is_made_by_us=link is not None and link.creating,
    )
    draft = _draft(scheme.paired, changed, around, (local, remote))
    return _make_plan(pair, draft, adopts=adopts, kept_out=ways.kept_out)


def _draft(
    pairs: tuple[twins.Twin, ...],
    changed: list[compare.Changed],
    around: fieldplan.Around,
    records: tuple[record.Record, record.Record],
) -> _Draft:
    draft, found = _Draft(), []
    for route, seen in changed:
        if isinstance(seen, errors.ConvertError):
            draft.problems.append(fieldplan.make_problem(route.one, seen))
        else:
            found.append((route, seen, fieldplan.decide(route, seen, around)))
    for route, seen, plan in twins.decide(pairs, found, around, records):
        draft.add(route.one, seen, plan)
    return draft


def _make_plan(pair: changes.Pair, draft: _Draft, *, adopts: bool, kept_out: str) -> changes.PairPlan:
    outcome, reason, detail = _find_outcome(draft, adopts=adopts, kept_out=kept_out)
    return changes.PairPlan(
        pair,
        outcome,
        reason,
        detail,
        adopts=adopts,
        local_writes=tuple(draft.local_writes),
        remote_writes=tuple(draft.remote_writes),
        settles=draft.settles,
        clashes=tuple(draft.clashes),
        problems=tuple(draft.problems),
        notes=tuple(draft.notes),
    )


def _find_outcome(draft: _Draft, *, adopts: bool, kept_out: str) -> tuple[terms.Outcome, str, str]:
    if any(clash.winner is None for clash in draft.clashes):
        return terms.Outcome.CONFLICT, terms.Reason.ASK.value, terms.Reason.ASK.label
    if adopts:
        return terms.Outcome.ADOPTED, "", ""
    if draft.local_writes or draft.remote_writes:
        return terms.Outcome.UPDATED, "", ""
    if draft.problems:
        return terms.Outcome.FAILED, draft.problems[0].code, draft.problems[0].message
    if draft.waits and kept_out:
        return terms.Outcome.EXCLUDED, terms.Reason.FILTER.value, kept_out
    if draft.waits:
        return terms.Outcome.WAITING, terms.Reason.NOT_WANTED.value, terms.Reason.NOT_WANTED.label
    if draft.notes:
        return terms.Outcome.UNCHANGED, draft.notes[0].code, draft.notes[0].message
    return terms.Outcome.UNCHANGED, "", ""


def _find_ways(scheme: Scheme, pair: changes.Pair, local: record.Record, remote: record.Record) -> _Ways:
    mapping = scheme.mapping
    pushes = mapping.direction.pushes and pair.wanted.pushes
    pulls = mapping.direction.pulls and pair.wanted.pulls
    if not scheme.gates_updates:
        return _Ways(pushes, pulls)
    push = rules.decide_all(mapping, terms.Direction.PUSH, local, remote, is_update=True, now=scheme.now)
    pull = rules.decide_all(mapping, terms.Direction.PULL, local, remote, is_update=True, now=scheme.now)
    kept_out = [
        result.detail
        for way, result in ((terms.Direction.PUSH, push), (terms.Direction.PULL, pull))
        if _flows(mapping, way) and not result.passed
    ]
    return _Ways(pushes and push.passed, pulls and pull.passed, kept_out[0] if kept_out else "")


def _find_outsider(
    scheme: Scheme, pair: changes.Pair, local: record.Record | None, remote: record.Record | None
) -> changes.PairPlan | None:
    if not scheme.has_members:
        return None
    return members.find_outsider(scheme.mapping, pair, local, remote, now=scheme.now)


def _decide_gone(
    scheme: Scheme,
    pair: changes.Pair,
    survivor: record.Record,
    side: terms.SideName,
    link: changes.LinkState,
) -> changes.PairPlan:
    """The partner of ``survivor``, which is on ``side``, is gone; an edit under way beats the deletion."""
    way = terms.Direction.PULL if side is _LOCAL else terms.Direction.PUSH
    reason = terms.Reason.REMOTE_GONE if side is _LOCAL else terms.Reason.LOCAL_GONE
    here, there = (survivor, None) if side is _LOCAL else (None, survivor)
    is_member = _find_outsider(scheme, pair, here, there) is None
    policy = scheme.mapping.deletes_local if side is _LOCAL else scheme.mapping.deletes_remote
    if policy is terms.DeletePolicy.ARCHIVE and _flows(scheme.mapping, way) and is_member:
        if not _wants(pair, way):
            return _leave(pair, terms.Outcome.WAITING, terms.Reason.NOT_WANTED)
        if not compare.is_edited(scheme.fields, survivor, side, link.base):
            return changes.PairPlan(
                pair, terms.Outcome.ARCHIVED, reason.value, reason.label, archives=side, unlinks=True
            )
        reason = terms.Reason.EDITED
    return changes.PairPlan(pair, terms.Outcome.UNLINKED, reason.value, reason.label, unlinks=True)


def _flows(mapping: spec.MappingSpec, way: terms.Direction) -> bool:
    return mapping.direction.pushes if way is terms.Direction.PUSH else mapping.direction.pulls


def _wants(pair: changes.Pair, way: terms.Direction) -> bool:
    return pair.wanted.pushes if way is terms.Direction.PUSH else pair.wanted.pulls


def _is_archived(one: record.Record | None) -> bool:
    return one is not None and one.archived


def _leave(pair: changes.Pair, outcome: terms.Outcome, reason: terms.Reason, detail: str = "") -> changes.PairPlan:
    return changes.PairPlan(pair, outcome, reason.value, detail or reason.label)
