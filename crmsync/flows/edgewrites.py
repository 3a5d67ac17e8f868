"""Writes the associations of a batch in HubSpot: what is new before what is old goes, and only what is ours goes."""

import dataclasses
from collections import defaultdict
from datetime import timedelta

from django.utils import timezone

from crmsync import conf
from crmsync.engine import edgeplan, edgeterms, terms
from crmsync.flows import dossier, edgejoin, relearn, scope
from crmsync.ledger import edges as memory
from crmsync.ledger import links
from crmsync.sides import edges as remote_edges

_MOVE = terms.EdgeMove
_REMOTE = terms.SideName.REMOTE
_AGAIN = dossier.Stop("record.moved", "The other record's association is written first.", seconds=0.0)


def write(one: scope.Scope, joins: list[edgejoin.Join]) -> None:
    """Make what is new before what is old goes; each edge that HubSpot refuses is remembered with the reason."""
    _part_opposites(one, joins)
    going = [join for join in edgejoin.going(joins) if edgeplan.changes(join.steps, _REMOTE)]
    if not going:
        return
    links.renew(one.lease, timezone.now() + timedelta(seconds=conf.current().LEASE_SECONDS))
    for join in going:
        join.is_intended = bool(_adds(join))
    memory.intend([join.row_of(step, terms.EdgeState.WAITING) for join in going for step in _adds(join)])
    for to_type in sorted({join.one.to_type for join in going}):
        mine = [join for join in going if join.one.to_type == to_type]
        wanted = {_pair(join, step): _labels(join, step) for join in mine for step in _adds(join)}
        _answer(one, mine, _MOVE.ADD_REMOTE, remote_edges.add(one.remote, to_type, _merged(mine, wanted)))
        _cut(one, to_type, [join for join in mine if join.work.stop is None])


def _part_opposites(one: scope.Scope, joins: list[edgejoin.Join]) -> None:
    """Two records that lead to each other share one edge, and each writing of its labels replaces them: one record
    comes after the other, and then sends both labels."""
    seen: set[remote_edges.Pair] = set()
    for join in edgejoin.going(joins):
        if join.one.to_type != one.spec.object_type or not join.one.label:
            continue
        pairs = {_pair(join, step) for step in edgeplan.changes(join.steps, _REMOTE)}
        if any((there, here) in seen for here, there in pairs):
            join.work.stop = _AGAIN
        else:
            seen |= pairs


def _adds(join: edgejoin.Join) -> list[edgeplan.Step]:
    return [step for step in join.steps if step.move is _MOVE.ADD_REMOTE]


def _pair(join: edgejoin.Join, step: edgeplan.Step) -> remote_edges.Pair:
    return join.remote_id, step.remote_id


def _labels(join: edgejoin.Join, step: edgeplan.Step) -> frozenset[str]:
    """Labels replace those there were, so all that shall stay are sent."""
    if not join.one.label:
        return frozenset()
    present = next((one.labels for one in join.partners if one.remote_id == step.remote_id), frozenset())
    return present | {join.one.label}


def _merged(joins: list[edgejoin.Join], wanted: dict[remote_edges.Pair, frozenset[str]]) -> dict:
    """Two relations of a record may want the same edge under two labels: it gets both at once."""
    merged = dict(wanted)
    for join in joins:
        for step in _adds(join):
            merged[_pair(join, step)] = merged[_pair(join, step)] | _labels(join, step)
    return merged


def _cut(one: scope.Scope, to_type: str, joins: list[edgejoin.Join]) -> None:
    """Only what is ours goes: a label where the association was there before, or where people label it, too."""
    whole, labels, kept = [], defaultdict(list), []
    for join in joins:
        for step in join.steps:
            if step.move is not _MOVE.CUT_REMOTE:
                continue
            is_shared = _has_other_label(join, step) or _is_wanted(joins, join, step)
            if join.one.label and (is_shared or step.reason == edgeterms.LABEL_ONLY):
                labels[join.one.label].append(_pair(join, step))
            elif is_shared:
                kept.append((join, step))
            else:
                whole.append(_pair(join, step))
    for join, step in kept:
        leave = edgeterms.leave(edgeterms.Other(step.local_pk, step.remote_id))
        join.steps = tuple(leave if each is step else each for each in join.steps)
    failed = remote_edges.cut(one.remote, to_type, whole) if whole else {}
    for label, pairs in labels.items():
        failed |= remote_edges.cut_label(one.remote, to_type, pairs, label)
    _answer(one, joins, _MOVE.CUT_REMOTE, failed)


def _has_other_label(join: edgejoin.Join, step: edgeplan.Step) -> bool:
    """Whether people of the account gave the edge a label of their own."""
    found = (one.own_labels for one in join.partners if one.remote_id == step.remote_id)
    return any(labels - {join.one.label} for labels in found)


def _is_wanted(joins: list[edgejoin.Join], join: edgejoin.Join, step: edgeplan.Step) -> bool:
    """Whether another relation of the same record still has this partner."""
    stays = (_MOVE.KEEP, _MOVE.ADD_REMOTE)
    return any(
        each.remote_id == step.remote_id and each.move in stays
        for other in joins
        if other is not join and other.work is join.work
        for each in other.steps
    )


def _answer(one: scope.Scope, joins: list[edgejoin.Join], move: terms.EdgeMove, failed: remote_edges.Failed) -> None:
    """A refusal is remembered on its edge; anything that waiting can mend stops the record, to be looked at again."""
    for join in joins:
        join.steps = tuple(_answered(one, join, step, move, failed) for step in join.steps)


def _answered(
    one: scope.Scope, join: edgejoin.Join, step: edgeplan.Step, move: terms.EdgeMove, failed: remote_edges.Failed
) -> edgeplan.Step:
    error = failed.get(_pair(join, step)) if step.move is move else None
    if error is None:
        return step
    is_labelled = bool(join.one.label)
    stop = relearn.stop_for_edge(one, join.one.to_type, error) if is_labelled else dossier.stop_for(error)
    if not stop.park:
        join.work.stop = stop
        return step
    reason = edgeterms.NOT_REMOVED if move is _MOVE.CUT_REMOTE else stop.code
    return dataclasses.replace(step, move=_MOVE.REFUSE, reason=reason, detail=stop.message)
