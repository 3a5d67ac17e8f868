"""Brings the associations of a batch together: HubSpot first, then Django's relations and the memory of both.

Runs after the records themselves were settled, so that both ends of what they lead to are known.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

from django.utils import timezone

from crmsync.engine import edgeplan, edgeterms, terms
from crmsync.flows import dossier, edgeholds, edgejoin, edgerows, edgewaits, edgewrites, scope
from crmsync.ledger import edges as memory
from crmsync.ledger import links
from crmsync.models import Link
from crmsync.sides import edges as remote_edges
from crmsync.sides import relations

_REMOTE = terms.SideName.REMOTE
_MOVE = terms.EdgeMove
_LEFT_ALONE = (terms.Outcome.EXCLUDED, terms.Outcome.ARCHIVED, terms.Outcome.UNLINKED)
# HubSpot associates a contact with the company of its e-mail's domain within minutes of making it.
_AUTOMATION = timedelta(minutes=10)


def join(one: scope.Scope, works: Sequence, wanted: terms.Direction) -> None:
    """Settle the associations of works that are linked; a work that must be looked at again gets its ``stop``."""
    if not one.spec.associations:
        return
    ended = [work.link.pk for work in works if work.link is not None and work.plan.unlinks and work.stop is None]
    if ended:
        memory.forget(ended)
    joins = _decide(one, [work for work in works if _takes_part(work)], wanted)
    joins = _hold(one, joins)
    edgewrites.write(one, joins)
    edgerows.store(one, edgejoin.going(joins))
    edgeholds.hold(one, [work for work in works if _takes_part(work)], wanted)


def foresee(one: scope.Scope, works: Sequence, wanted: terms.Direction) -> list[edgejoin.Join]:
    """What would be done about the associations of these records, also of those that would be linked; writes
    nothing."""
    if not one.spec.associations:
        return []
    for work in works:
        if work.link is None and work.stop is None and (work.plan.creates is not None or work.plan.adopts):
            work.link = _foreseen(one, work)
    return _decide(one, [work for work in works if _takes_part(work) or _is_foreseen(work)], wanted)


def _foreseen(one: scope.Scope, work) -> Link:
    """Stands for the link that would be made; a key that is not there yet is empty."""
    pair = work.plan.pair
    local_pk, remote_id = (side.key.id if side is not None else "" for side in (pair.local, pair.remote))
    return links.make(one.spec, local_pk, remote_id, "", None)


def _is_foreseen(work) -> bool:
    return work.link is not None and work.link.pk is None and work.plan.outcome not in _LEFT_ALONE


def _takes_part(work) -> bool:
    link = work.link
    is_linked = link is not None and link.pk and link.remote_id and link.state == links.State.LINKED
    return bool(is_linked and work.stop is None and work.plan.outcome not in _LEFT_ALONE and not work.plan.unlinks)


def _decide(one: scope.Scope, works: Sequence, wanted: terms.Direction) -> list[edgejoin.Join]:
    joins = _gather(one, works, wanted)
    _read_remote(one, joins)
    _resolve([join for join in joins if join.work.stop is None])
    _look_for_automation(one, edgejoin.going(joins))
    for join in edgejoin.going(joins):
        join.seen = dataclasses.replace(join.seen, automatic=join.automatic)
        join.steps = tuple(_label_only(join, step) for step in edgeplan.decide(join.one, join.seen, join.ways))
    edgewaits.say(edgejoin.going(joins))
    return joins


def _gather(one: scope.Scope, works: Sequence, wanted: terms.Direction) -> list[edgejoin.Join]:
    going = [relation for relation in one.spec.associations if relation.held is None]
    if not works or not going:
        return []
    local = relations.read(one.local, going, [work.link.local_pk for work in works if work.link.local_pk])
    rows = memory.find([work.link.pk for work in works])
    joins = []
    for relation in going:
        ways = edgejoin.ways_of(one.spec, relation, wanted)
        for work in works:
            targets = local[relation.local].get(work.link.local_pk, ())
            joins.append(edgejoin.Join(work, relation, ways, rows.get((work.link.pk, relation.id), []), targets))
            joins[-1].is_quiet = _is_quiet(joins[-1])
    return joins


def _is_quiet(join: edgejoin.Join) -> bool:
    """A relation that only flows to HubSpot, whose item came from Django, and that is as it was: nothing to ask."""
    items = join.work.case.items
    if join.ways.pulls or any(item.remote_id for item in items) or join.work.plan.creates is not None:
        return False
    made = {row.local_pk for row in join.rows if row.state == terms.EdgeState.MADE}
    settled = all(row.state in (terms.EdgeState.MADE, terms.EdgeState.LEFT) for row in join.rows)
    return not join.ways.pushes or (settled and made == set(join.local))


def _read_remote(one: scope.Scope, joins: list[edgejoin.Join]) -> None:
    """One call an object type and batch; partners read before the record was made are read again."""
    for join in joins:
        if join.work.plan.creates is _REMOTE:
            join.work.case.partners.clear()
    there = [join for join in edgejoin.going(joins) if join.remote_id]
    for to_type in sorted({join.one.to_type for join in there}):
        mine = [join for join in there if join.one.to_type == to_type]
        cases = {id(join.work.case): join.work.case for join in mine}
        edgejoin.read_partners(one, cases.values(), to_type, {id(join.work.case): join.remote_id for join in mine})
        for join in mine:
            join.work.stop = join.work.stop or join.work.case.stop
            join.partners = join.work.case.partners.get(to_type, ())


def _resolve(joins: list[edgejoin.Join]) -> None:
    """Name each other record by both keys, as far as its mapping has linked it."""
    by_mapping: dict[int, list[edgejoin.Join]] = defaultdict(list)
    for join in joins:
        by_mapping[join.one.to_mapping_id].append(join)
    for mapping_id, mine in by_mapping.items():
        pks = {pk for join in mine for pk in join.local}
        found = memory.resolve(mapping_id, pks, {one.remote_id for join in mine for one in join.theirs()})
        for join in mine:
            join.seen = edgeterms.Seen(
                local=tuple(edgeterms.Other(pk, found["local"].get(pk, "")) for pk in join.local),
                remote=tuple(
                    edgeterms.Other(found["remote"].get(one.remote_id, ""), one.remote_id) for one in join.theirs()
                ),
                known=tuple(memory.to_known(row) for row in join.rows),
                is_made_by_us=join.work.plan.creates is _REMOTE,
            )


def _look_for_automation(one: scope.Scope, joins: list[edgejoin.Join]) -> None:
    """Whether another company came from HubSpot's own automation, which a person's choice must not be taken for.

    Asked only for contacts just made, whose company is no longer the one we associated.
    """
    if one.spec.object_type != "contacts":
        return
    since = timezone.now() - _AUTOMATION
    odd = []
    for join in joins:
        ours = {row.remote_id for row in join.rows if row.state == terms.EdgeState.MADE and row.is_ours}
        theirs = {other.remote_id for other in join.seen.remote}
        is_new = join.work.link.created_at is not None and join.work.link.created_at > since
        if join.one.to_type == "companies" and join.ways.pulls and is_new and ours and theirs and not ours & theirs:
            odd.append((join, theirs))
    if not odd:
        return
    pairs = {(join.remote_id, other) for join, others in odd for other in others}
    fitting = remote_edges.same_domain(one.remote, pairs)
    for join, others in odd:
        join.automatic = frozenset(other for other in others if (join.remote_id, other) in fitting)


def _label_only(join: edgejoin.Join, step: edgeplan.Step) -> edgeplan.Step:
    """Of an association that somebody else made before, only the label becomes ours."""
    if step.move is not _MOVE.ADD_REMOTE or not join.one.label:
        return step
    is_there = any(one.remote_id == step.remote_id for one in join.partners)
    ours = {row.remote_id for row in join.rows if row.is_ours and row.reason != edgeterms.LABEL_ONLY}
    if is_there and step.remote_id not in ours:
        return dataclasses.replace(step, reason=edgeterms.LABEL_ONLY)
    return step


def _hold(one: scope.Scope, joins: list[edgejoin.Join]) -> list[edgejoin.Join]:
    """Records whose associations would write a side that is held back wait whole."""
    for join in edgejoin.going(joins):
        if any(edgeplan.changes(join.steps, side) for side in one.held):
            join.work.stop = dossier.HELD
    return joins
