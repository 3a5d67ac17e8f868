"""Writes Django's relations of a batch and remembers its associations, in one transaction; asks for who is
missing."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import OperationalError, models
from django.utils import timezone

from crmsync import signals
from crmsync.engine import edgeplan, edgeterms, record, terms
from crmsync.flows import dossier, edgejoin, rows, scope, settle
from crmsync.ledger import edges as memory
from crmsync.ledger import journal, links, outbox
from crmsync.models import Conflict, Edge, LogEntry
from crmsync.sides import guard, relations

_LOCAL, _REMOTE = terms.SideName.LOCAL, terms.SideName.REMOTE
_MOVE, _STATE = terms.EdgeMove, terms.EdgeState
# What a step leaves in the memory; steps that are not here leave nothing.
_STATES = {
    _MOVE.KEEP: _STATE.MADE,
    _MOVE.ADD_REMOTE: _STATE.MADE,
    _MOVE.ADD_LOCAL: _STATE.MADE,
    _MOVE.WAIT: _STATE.WAITING,
    _MOVE.LEAVE: _STATE.LEFT,
    _MOVE.REFUSE: _STATE.REFUSED,
}
_OUTCOMES = {
    _STATE.WAITING: terms.Outcome.WAITING,
    _STATE.REFUSED: terms.Outcome.FAILED,
    _STATE.LEFT: terms.Outcome.UNCHANGED,
}


def store(one: scope.Scope, joins: list[edgejoin.Join]) -> None:
    """Settle joins that HubSpot has answered. A relation that cannot be written is remembered with the reason."""
    if not joins:
        return
    now = timezone.now()
    with rows.transaction(one):
        _fence(one, joins)
        _write(one, edgejoin.going(joins), now)
        joins = edgejoin.going(joins)
        news = memory.replace(_before(joins), [*_rows(joins)], now)
        conflicts = journal.record_conflicts(_conflicts(one, joins, news))
        journal.log(_entries(one, joins, news, now))
    _ask(joins, now)
    _send(one, joins, conflicts)


def is_news(join: edgejoin.Join) -> bool:
    """Whether a decided join would write a side, or remember other edges than it does."""
    if any(edgeplan.changes(join.steps, side) for side in (_LOCAL, _REMOTE)):
        return True
    known = {(row.local_pk, row.remote_id, row.state) for row in join.rows}
    return known != {(row.local_pk, row.remote_id, row.state) for row in _rows([join])}


def _fence(one: scope.Scope, joins: list[edgejoin.Join]) -> None:
    ours = links.still_ours({join.work.link.pk: join.work.link for join in joins}.values(), one.lease)
    for join in joins:
        if join.work.link.pk not in ours:
            join.work.stop = dossier.Stop("record.lease", "The lease ran out while working.", seconds=0.0)


def _before(joins: list[edgejoin.Join]) -> list[Edge]:
    """What is stored; where HubSpot was asked to make edges, also what was written down before that."""
    if not any(join.is_intended for join in joins):
        return [row for join in joins for row in join.rows]
    found = memory.find({join.work.link.pk for join in joins})
    return [row for join in joins for row in found.get((join.work.link.pk, join.one.id), ())]


def _rows(joins: Iterable[edgejoin.Join]) -> Iterable[Edge]:
    for join in joins:
        for step in join.steps:
            if step.move in _STATES:
                yield join.row_of(step, _STATES[step.move])


# --- Django -------------------------------------------------------------------------------------------------------


def _write(one: scope.Scope, joins: list[edgejoin.Join], now: datetime) -> None:
    """Relations of each record inside a savepoint; what else of it changed by that is pushed like any change."""
    going = [join for join in joins if edgeplan.changes(join.steps, _LOCAL)]
    if not going:
        return
    by_pk: dict[str, list[edgejoin.Join]] = defaultdict(list)
    for join in going:
        by_pk[join.work.link.local_pk].append(join)
    rows = one.local.instances(set(by_pk), lock=True)
    before = one.local.read(set(by_pk))
    for pk, mine in by_pk.items():
        _write_one(one, rows.get(pk), mine)
    after = one.local.read(set(by_pk))
    dirty = [pk for pk in by_pk if _has_news(one, before.get(pk), after.get(pk))]
    if dirty and one.spec.direction.pushes:
        outbox.mark_many([one.spec.id], dirty, now)


def _write_one(one: scope.Scope, row: models.Model | None, joins: list[edgejoin.Join]) -> None:
    if row is None or any(_has_moved(one, row, join) for join in joins):
        for join in joins:
            join.work.stop = dossier.Stop("record.moved", "The row changed while it was planned.", seconds=0.0)
        return
    try:
        with one.local.atomic(), guard.writing(keys=[(one.spec.local_model, str(row.pk))]):
            _change(one, row, joins)
    except OperationalError:
        raise
    except Exception as error:
        _refuse(joins, dossier.stop_for(error))


def _has_moved(one: scope.Scope, row: models.Model, join: edgejoin.Join) -> bool:
    """Whether the foreign key leads elsewhere by now than when it was decided."""
    return not join.one.is_several and relations.present(one.local, row, join.one.local) != "".join(join.local)


def _change(one: scope.Scope, row: models.Model, joins: list[edgejoin.Join]) -> None:
    keys: dict[str, str] = {}
    for join in joins:
        added = [step.local_pk for step in join.steps if step.move is _MOVE.ADD_LOCAL]
        removed = [step.local_pk for step in join.steps if step.move is _MOVE.CUT_LOCAL]
        if join.one.is_several:
            relations.change(row, join.one.local, added, removed)
        else:
            keys[join.one.local] = "".join(added)
    if keys:
        one.local.adapter.save(row, relations.assign(one.local, row, keys))


def _refuse(joins: list[edgejoin.Join], stop: dossier.Stop) -> None:
    """Django does not take it: the record goes on, the edges say why they do not."""
    for join in joins:
        join.steps = tuple(_refused(step, stop) for step in join.steps)


def _refused(step: edgeplan.Step, stop: dossier.Stop) -> edgeplan.Step:
    if step.move not in (_MOVE.ADD_LOCAL, _MOVE.CUT_LOCAL):
        return step
    reason = edgeterms.NOT_REMOVED if step.move is _MOVE.CUT_LOCAL else stop.code
    facts = (step.local_pk, step.remote_id, step.is_ours, step.asserted)
    return edgeplan.Step(_MOVE.REFUSE, *facts, reason=reason, detail=stop.message)


def _has_news(one: scope.Scope, before: record.Record | None, after: record.Record | None) -> bool:
    """Values of fields that push and changed with the relation: along it, or by the host's own save()."""
    names = {field.local for field in one.spec.fields if one.spec.pushes(field)}
    here, now = (side.values if side else {} for side in (before, after))
    return any(here.get(name) != now.get(name) for name in names)


# --- Who is waited for --------------------------------------------------------------------------------------------


def _ask(joins: list[edgejoin.Join], now: datetime) -> None:
    """Ask for records that are needed on the other side; and look again at what was linked meanwhile."""
    waits: dict[int, list[tuple[edgejoin.Join, edgeplan.Step]]] = defaultdict(list)
    for join in joins:
        for step in join.steps:
            if step.move is _MOVE.WAIT:
                waits[join.one.to_mapping_id].append((join, step))
    for mapping_id, mine in waits.items():
        asked = [(step.local_pk, step.remote_id) for join, step in mine if join.one.brings]
        memory.bring(mapping_id, {pk for pk, _ in asked if pk}, {key for _, key in asked if key}, now)
        if new := {(step.local_pk, step.remote_id) for join, step in mine if _is_new(join, step)}:
            memory.make_due(mapping_id, new, now)
        found = memory.resolve(mapping_id, [s.local_pk for _, s in mine], [s.remote_id for _, s in mine])
        late = [j for j, s in mine if s.local_pk in found["local"] or s.remote_id in found["remote"]]
        keys = {(join.work.link.local_pk, join.work.link.remote_id) for join in late}
        for child in {join.work.link.mapping_id for join in late}:
            memory.make_due(child, keys, now)


def _is_new(join: edgejoin.Join, step: edgeplan.Step) -> bool:
    """Whether the other record's mapping, which does not bring it, is to look at it once, so that it says why."""
    known = {(row.local_pk, row.remote_id) for row in join.rows if row.state == _STATE.WAITING}
    is_plain = step.reason == edgeterms.WAITING and not join.one.brings
    return is_plain and (step.local_pk, step.remote_id) not in known


# --- What is told -------------------------------------------------------------------------------------------------


def _name(join: edgejoin.Join) -> str:
    return f"{join.one.local}|{join.one.to_type}"


def _entries(one: scope.Scope, joins: list[edgejoin.Join], news: list[Edge], now: datetime) -> Iterable[LogEntry]:
    """One entry a record and outcome: what was written, and what newly waits, is left or needs a person."""
    by_link: dict[int, list[edgejoin.Join]] = defaultdict(list)
    for join in joins:
        by_link[join.work.link.pk].append(join)
    told: dict[int, list[Edge]] = defaultdict(list)
    for row in news:
        if row.state in _OUTCOMES:
            told[row.link_id].append(row)
    for key, mine in by_link.items():
        rows, changes = told[key], _changes(mine)
        if changes:
            yield _entry(one, mine[0], terms.Outcome.UPDATED, now, changes=changes)
        for row in rows:
            yield _entry(one, mine[0], _OUTCOMES[row.state], now, reason=row.reason, detail=row.detail)


def _entry(one: scope.Scope, join: edgejoin.Join, outcome: terms.Outcome, now: datetime, **facts: object) -> LogEntry:
    link = join.work.link
    return LogEntry(
        at=now,
        mapping_id=one.spec.id,
        run_id=one.run_id,
        revision=one.spec.revision,
        local_pk=link.local_pk,
        remote_id=link.remote_id,
        outcome=outcome,
        **facts,
    )


def _changes(joins: list[edgejoin.Join]) -> list[dict[str, object]]:
    rows = []
    for join in joins:
        for side in (_LOCAL, _REMOTE):
            for step in edgeplan.changes(join.steps, side):
                key = step.local_pk if side is _LOCAL else step.remote_id
                is_added = step.move in (_MOVE.ADD_LOCAL, _MOVE.ADD_REMOTE)
                old, new = (None, key) if is_added else (key, None)
                rows.append({"side": side, "field": _name(join), "old": old, "new": new, "rule": step.move.value})
    return rows


def _conflicts(one: scope.Scope, joins: list[edgejoin.Join], news: list[Edge]) -> list[Conflict]:
    """An edge that HubSpot took back too often waits for a person."""
    by_key = {(join.work.link.pk, join.one.id): join for join in joins}
    rows = []
    for row in news:
        if row.state != _STATE.REFUSED or row.reason != edgeterms.TAKEN_BACK:
            continue
        join = by_key[row.link_id, row.association_id]
        rows.append(
            Conflict(
                mapping_id=one.spec.id,
                local_pk=join.work.link.local_pk,
                remote_id=join.remote_id,
                field=_name(join),
                base_local=row.local_pk,
                base_remote=row.remote_id,
                local_value=row.local_pk,
                remote_value=", ".join(sorted(other.remote_id for other in join.seen.remote)) or None,
                winner="",
                rule=terms.Cause.ASK.value,
            )
        )
    return rows


def _send(one: scope.Scope, joins: list[edgejoin.Join], conflicts: list[Conflict]) -> None:
    """Tell the host what happened, after the commit."""
    sender = one.local.adapter.model
    for signal, side in ((signals.post_pull, _LOCAL), (signals.post_push, _REMOTE)):
        for join in joins:
            if edgeplan.changes(join.steps, side):
                signal.send_robust(sender, **_facts(one, join), fields=[join.one.local])
    settle.tell_conflicts(sender, conflicts)


def _facts(one: scope.Scope, join: edgejoin.Join) -> Mapping[str, object]:
    link = join.work.link
    return {"mapping_id": one.spec.id, "local_pk": link.local_pk, "remote_id": link.remote_id}
