"""Django's half of a batch in one transaction: local writes, links with their new base, conflicts and log.

HubSpot has answered before this begins. A record that fails here rolls back alone (a savepoint each), and
what HubSpot accepted is still remembered on its link.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import OperationalError, transaction
from django.utils import timezone

from crmsync import signals
from crmsync.engine import changes, convert, errors, record, spec, terms
from crmsync.engine import plan as plans
from crmsync.flows import gather, scope
from crmsync.ledger import journal, links, outbox
from crmsync.models import Conflict, Link, LogEntry
from crmsync.sides import guard

_LINK_FIELDS = ["remote_id", "state", "base", "sent", "outcome", "reason", "remote_modified_at", "synced_at"]


def settle(one: scope.Scope, works: list) -> None:
    """Settle works that HubSpot has answered; a work that cannot be settled gets its ``stop``."""
    now = timezone.now()
    with transaction.atomic():
        _fence(one, works)
        works = [work for work in works if work.stop is None]
        refreshed = _write_local(one, works)
        _store_links(one, works, refreshed, now)
        conflicts = journal.record_conflicts([row for work in works for row in _conflicts(one, work, now)])
        journal.log([entry for work in works if (entry := _entry(one, work, now)) is not None])
    _send(one, works, conflicts)


def _fence(one: scope.Scope, works: list) -> None:
    """A worker stopped past its lease must not write: its links are somebody else's now."""
    linked = [work for work in works if work.link is not None]
    ours = links.still_ours([work.link for work in linked], one.lease) if linked else set()
    for work in linked:
        if work.link.pk not in ours:
            work.stop = gather.Stop("record.lease", "The lease ran out while working.", seconds=0.0)


def _write_local(one: scope.Scope, works: list) -> dict[str, record.Record]:
    """Write, create and delete rows; what the database has of them afterwards, by primary key."""
    pks = {w.plan.pair.local.key.id for w in works if w.plan.pair.local and (w.plan.local_writes or _deletes(w))}
    rows = one.local.instances(pks, lock=True) if pks else {}
    fields = {f.id: f for f in one.spec.fields}
    written = set()
    creating = [w for w in works if w.plan.creates is terms.SideName.LOCAL]
    if creating and not one.mapping.uses_save:
        written |= _create_in_bulk(one, creating)
        creating = [w for w in creating if w.link is None and w.stop is None]
    for work in [*creating, *[w for w in works if w.plan.pair.local and (w.plan.local_writes or _deletes(w))]]:
        pk = _write_one(one, work, rows, fields)
        written |= {pk} if pk else set()
    return one.local.read(written) if written else {}


def _deletes(work) -> bool:
    return work.plan.archives is terms.SideName.LOCAL


def _values(work) -> dict[str, object]:
    return {write.name: write.value for write in work.plan.local_writes}


def _create_in_bulk(one: scope.Scope, works: list) -> set[str]:
    """Rows and links in two statements; anything odd leaves all of them to the careful way."""
    try:
        with transaction.atomic():
            rows = [one.local.build(_values(work)) for work in works]
            one.local.adapter.model._default_manager.bulk_create(rows)
            made = [_link_for(one, work, str(row.pk)) for work, row in zip(works, rows, strict=True)]
            Link.objects.bulk_create(made)
    except OperationalError:
        raise
    except Exception:
        return set()
    for work, link in zip(works, made, strict=True):
        work.link = link
    return {link.local_pk for link in made}


def _link_for(one: scope.Scope, work, local_pk: str) -> Link:
    return links.make(one.spec, local_pk, work.plan.pair.remote.key.id, one.lease, timezone.now())


def _write_one(
    one: scope.Scope, work, rows: Mapping[str, object], fields: Mapping[int, spec.FieldSpec]
) -> str | None:
    """One record inside a savepoint; its primary key when the row exists afterwards."""
    try:
        with transaction.atomic():
            if work.plan.creates is terms.SideName.LOCAL:
                return _create_one(one, work)
            row = rows.get(work.plan.pair.local.key.id)
            if row is None or _has_moved(one, work, row, fields):
                work.stop = gather.Stop("record.moved", "The row changed while it was planned.", seconds=0.0)
                return None
            return _change_one(one, work, row)
    except OperationalError:
        raise
    except Exception as error:
        work.stop = gather.stop_for(error)
        return None


def _create_one(one: scope.Scope, work) -> str:
    row = one.local.build(_values(work))
    with guard.writing([(one.spec.local_model, "")]):
        one.local.adapter.save(row, None)
    work.link = _link_for(one, work, str(row.pk))
    work.link.save(force_insert=True)
    return str(row.pk)


def _change_one(one: scope.Scope, work, row) -> str | None:
    pk = str(row.pk)
    with guard.writing([(one.spec.local_model, pk)]):
        if _deletes(work):
            one.local.adapter.archive(row)
            work.is_archived = True
            return None
        one.local.adapter.save(row, one.local.assign(row, _values(work)))
    return pk


def _has_moved(one: scope.Scope, work, row, fields: Mapping[int, spec.FieldSpec]) -> bool:
    """Whether a field we are about to write holds something else than the plan was made with."""
    now = one.local.to_record(row)
    return any(text_of(now, fields[write.field_id]) != write.old for write in work.plan.local_writes)


def _store_links(one: scope.Scope, works: list, refreshed: Mapping[str, record.Record], now: datetime) -> None:
    changed, dirty = [], []
    for work in works:
        if work.link is None:
            continue
        after = refreshed.get(work.link.local_pk)
        values, is_dirty = base_after(one.spec, work, after)
        base = links.to_stored(one.spec, values)
        if is_dirty:
            dirty.append(work.link.local_pk)
        if _is_news(work, base):
            _stamp(work, base, now)
            changed.append(work.link)
    links.save_many(changed, _LINK_FIELDS)
    if dirty and one.spec.direction.pushes:
        outbox.mark_many([one.spec.id], dirty, now)


def _is_news(work, base: dict) -> bool:
    """An echo changes nothing, and so writes nothing."""
    link, plan = work.link, work.plan
    return bool(
        plan.is_write
        or plan.adopts
        or plan.unlinks
        or base != link.base
        or link.sent
        or link.state != links.State.LINKED
        or (link.outcome, link.reason) != _outcome(work)
        or (plan.pair.remote and plan.pair.remote.modified_at != link.remote_modified_at)
    )


def _outcome(work) -> tuple[str, str]:
    """What the link shows: a problem of the last look, else in sync."""
    if work.stop is not None:
        return str(work.stop.outcome), work.stop.code
    if work.plan.problems and work.plan.outcome is not terms.Outcome.CONFLICT:
        return str(terms.Outcome.FAILED), work.plan.problems[0].code
    settled = (terms.Outcome.CONFLICT, terms.Outcome.EXCLUDED, terms.Outcome.ARCHIVED, terms.Outcome.UNLINKED)
    return str(work.plan.outcome if work.plan.outcome in settled else terms.Outcome.UNCHANGED), work.plan.reason


def _stamp(work, base: dict, now: datetime) -> None:
    link = work.link
    link.base, link.sent = base, {}
    link.outcome, link.reason = _outcome(work)
    link.synced_at = now
    link.state = links.State.ENDED if work.plan.unlinks and work.stop is None else links.State.LINKED
    if not work.answered and work.plan.pair.remote:
        link.remote_modified_at = work.plan.pair.remote.modified_at


def base_after(one: spec.MappingSpec, work, after: record.Record | None) -> tuple[dict[int, changes.BaseValue], bool]:
    """The base once everything is written, and whether Django has something still to be pushed.

    ``after`` is the local row as the database has it now; None where it was not written.
    """
    pair = work.plan.pair
    base = dict(pair.link.base) if pair.link else {}
    base |= plans.make_bases(one, work.plan, local=after, remote=_as_answered(work))
    pulled = {write.field_id: write for write in work.plan.local_writes} if after is not None else {}
    is_dirty = False
    for field in one.fields:
        if field.id in pulled:
            is_dirty |= _keep_ours(one, field, pulled[field.id], after, base)
        elif work.plan.creates is not None and field.id not in base:
            is_dirty |= _blank_on_both(field, work, after, base)
        elif after is not None and pair.local is not None and one.pushes(field):
            is_dirty |= text_of(after, field) != text_of(pair.local, field)
    return base, is_dirty


def _as_answered(work) -> record.Record | None:
    """What HubSpot answered is what it has: it trims, lower-cases and renumbers."""
    if not work.answered:
        return None
    sent = {write.name: write.value for write in work.plan.remote_writes}
    return record.Record(record.RecordKey("", ""), {**sent, **work.answered})


def text_of(one: record.Record, field: spec.FieldSpec) -> str | None:
    """The canonical text of a field of a local record; None where it cannot be said at all."""
    try:
        return convert.local_text(one.values.get(field.local), field)
    except errors.ConvertError:
        return None


def _keep_ours(one: spec.MappingSpec, field: spec.FieldSpec, write, after: record.Record, base) -> bool:
    """A host whose save() changed our value is the newer writer: the base keeps what we wrote, and the
    difference is pushed like any local change. Where nothing can be pushed, what it has is agreed on."""
    wrote = text_of(record.Record(after.key, {field.local: write.value}), field)
    if wrote == text_of(after, field) or not one.pushes(field) or field.id not in base:
        return False
    base[field.id] = changes.BaseValue(wrote, base[field.id].remote)
    return True


def _blank_on_both(field: spec.FieldSpec, work, after: record.Record | None, base) -> bool:
    """A new partner's other fields: blank on both sides is agreed; a default on our side is still to push."""
    pair = work.plan.pair
    ours = after or pair.local
    mine = text_of(ours, field) if ours else None
    remote = work.answered if work.plan.creates is terms.SideName.REMOTE else pair.remote.values
    theirs = convert.remote_text(remote.get(field.remote), field)
    if mine is None and theirs is None:
        base[field.id] = changes.BaseValue(None, None)
    return work.plan.creates is terms.SideName.LOCAL and mine is not None and theirs is None


def _conflicts(one: scope.Scope, work, now: datetime) -> Iterable[Conflict]:
    if work.stop is not None and not work.answered:
        return []
    names = {f.id: links.key_of(f) for f in one.spec.fields}
    return [
        Conflict(
            at=now,
            mapping_id=one.spec.id,
            local_pk=_local_pk(work),
            remote_id=_remote_id(work),
            field=names[clash.field_id],
            base_local=clash.base.local if clash.base else None,
            base_remote=clash.base.remote if clash.base else None,
            local_value=clash.local,
            remote_value=clash.remote,
            winner=clash.winner or "",
            rule=clash.rule,
        )
        for clash in [*work.plan.clashes, *work.raced]
    ]


def _local_pk(work) -> str:
    return work.link.local_pk if work.link else work.case.local_pk


def _remote_id(work) -> str:
    return (work.link.remote_id if work.link else work.case.remote_id) or ""


def _entry(one: scope.Scope, work, now: datetime) -> LogEntry | None:
    """A log entry for all but "in sync"; a run keeps only the count of what it left or excluded."""
    plan = work.plan
    counted = (terms.Outcome.EXCLUDED, terms.Outcome.WAITING)
    quiet = plan.outcome is terms.Outcome.UNCHANGED or (one.run_id and plan.outcome in counted and not plan.is_write)
    if (quiet and not plan.problems and not work.raced) or work.stop is not None:
        return None
    return LogEntry(
        at=now,
        mapping_id=one.spec.id,
        run_id=one.run_id,
        revision=one.spec.revision,
        local_pk=_local_pk(work),
        remote_id=_remote_id(work),
        outcome=plan.outcome,
        reason=plan.reason,
        detail=" ".join(dict.fromkeys([plan.detail, *[p.message for p in plan.problems]])).strip(),
        changes=_changes(plan),
    )


def _changes(plan: changes.PairPlan) -> list[dict[str, object]]:
    rows = []
    for side, writes in ((terms.SideName.LOCAL, plan.local_writes), (terms.SideName.REMOTE, plan.remote_writes)):
        rows += [
            {
                "side": side,
                "field": w.name,
                "old": w.old,
                "new": None if w.value is None else str(w.value),
                "rule": w.rule,
            }
            for w in writes
        ]
    return rows


def _send(one: scope.Scope, works: list, conflicts: list[Conflict]) -> None:
    """Tell the host what happened, after the commit."""
    sender = one.local.adapter.model
    for work in works:
        if work.link is None or work.stop is not None:
            continue
        facts = {"mapping_id": one.spec.id, "local_pk": work.link.local_pk, "remote_id": work.link.remote_id}
        if work.plan.local_writes:
            signals.post_pull.send_robust(sender, **facts, fields=[w.name for w in work.plan.local_writes])
        if work.plan.remote_writes:
            signals.post_push.send_robust(sender, **facts, fields=[w.name for w in work.plan.remote_writes])
    for row in conflicts:
        signals.conflict_detected.send_robust(
            sender,
            mapping_id=row.mapping_id,
            local_pk=row.local_pk,
            remote_id=row.remote_id,
            field=row.field,
            winner=row.winner,
            rule=row.rule,
        )
