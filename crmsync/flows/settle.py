"""Django's half of a batch in one transaction: local writes, links with their new base, conflicts and log.

HubSpot has answered before this begins. A record that fails here rolls back alone (a savepoint each), and
what HubSpot accepted is still remembered on its link. Rows in another database are committed just before ours: a
crash between the two leaves an update that both sides agree on, or a new row with the slip that says whose it is.
"""

from collections.abc import Mapping
from datetime import datetime

from django.db import models
from django.utils import timezone

from crmsync import signals
from crmsync.engine import changes, record, terms
from crmsync.flows import bases, damper, dossier, rows, scope
from crmsync.ledger import edges, journal, links, outbox
from crmsync.models import Conflict, LogEntry

_LINK_FIELDS = ["remote_id", "state", "base", "sent", "outcome", "reason", "remote_modified_at", "synced_at"]


def settle(one: scope.Scope, works: list) -> None:
    """Settle works that HubSpot has answered; a work that cannot be settled gets its ``stop``."""
    now = timezone.now()
    with rows.transaction(one):
        _fence(one, works)
        works = [work for work in works if work.stop is None]
        refreshed = rows.write(one, works)
        fresh = [work for work in works if _is_fresh(work)]
        entries = [entry for work in works if (entry := _entry(one, work, now)) is not None]
        _store_links(one, works, refreshed, now)
        if one.keeper is not None:
            one.keeper.after(one, works, refreshed)
        _wake(one, fresh, now)
        conflicts = journal.record_conflicts([row for work in works for row in _conflicts(one, work)])
        journal.log(entries)
    rows.confirm(one, fresh)
    _send(one, works, conflicts)


def _fence(one: scope.Scope, works: list) -> None:
    """A worker stopped past its lease must not write: its links are somebody else's now."""
    linked = [work for work in works if work.link is not None]
    ours = links.still_ours([work.link for work in linked], one.lease) if linked else set()
    for work in linked:
        if work.link.pk not in ours:
            work.stop = dossier.Stop("record.lease", "The lease ran out while working.", seconds=0.0)


def _store_links(one: scope.Scope, works: list, refreshed: Mapping[str, record.Record], now: datetime) -> None:
    changed = []
    for work in works:
        if work.link is None or work.is_stored:
            continue
        values, work.is_dirty = bases.base_after(one.spec, one.paired, work, refreshed.get(work.link.local_pk))
        base = bases.stored(one.spec, work, values)
        if _is_news(work, base):
            bases.stamp(work.link, work, base, now)
            changed.append(work.link)
    links.save_many(changed, _LINK_FIELDS)
    _mark_dirty(one, [work for work in works if work.is_dirty], now)
    _tell_others(one, works, now)


def _mark_dirty(one: scope.Scope, works: list, now: datetime) -> None:
    """What the host's save() made of a pulled value goes out, unless HubSpot takes it back again and again."""
    if not works or not one.spec.direction.pushes:
        return
    pks = [work.link.local_pk for work in works]
    flipping = damper.find_flipping(one.spec.id, pks, now)
    for work in works:
        work.damped = flipping.get(work.link.local_pk)
    outbox.mark_many([one.spec.id], [pk for pk in pks if pk not in flipping], now)


def _tell_others(one: scope.Scope, works: list, now: datetime) -> None:
    """A row may have a partner in each of several mappings: what one wrote is a change to the others (A11)."""
    written = {work.link.local_pk for work in works if work.link is not None and work.plan.local_writes}
    readers = outbox.find_readers(one.spec.local_model) if written else []
    others = {reader.mapping_id for reader in readers if not reader.via} - {one.spec.id}
    if others:
        outbox.mark_many(others, sorted(written), now)


def _is_fresh(work) -> bool:
    """Whether this work makes a link that others may wait for."""
    is_new = work.is_stored or (work.link is not None and work.link.synced_at is None)
    return work.stop is None and (is_new or (work.link is not None and work.link.state != links.State.LINKED))


def _wake(one: scope.Scope, fresh: list, now: datetime) -> None:
    linked = [(w.link.local_pk, w.link.remote_id) for w in fresh if w.stop is None and w.link.remote_id]
    if linked:
        edges.wake(one.spec.id, linked, now)


def _is_news(work, base: dict) -> bool:
    """An echo changes nothing, and so writes nothing; nor does a look at records that are kept apart."""
    link, plan = work.link, work.plan
    return not plan.is_at_rest and bool(
        plan.is_write
        or plan.adopts
        or plan.unlinks
        or base != link.base
        or link.sent
        or link.state != links.State.LINKED
        or (link.outcome, link.reason) != bases.outcome_of(work)
        or (plan.pair.remote and plan.pair.remote.modified_at != link.remote_modified_at)
    )


def _conflicts(one: scope.Scope, work) -> list[Conflict]:
    """What is not in the conflict log yet; nothing of a work that wrote nothing."""
    if work.stop is not None and not work.answered:
        return []
    fresh = [clash for clash in work.plan.clashes if clash.field_id not in work.logged]
    return bases.conflicts_of(one.spec, work, [*fresh, *work.raced])


def _entry(one: scope.Scope, work, now: datetime) -> LogEntry | None:
    """A log entry for all but "in sync"; a run keeps only the count of what it left, excluded or ignored.

    Where several partners match, a run names them too: a person has to choose.
    """
    plan = work.plan
    counted = (terms.Outcome.EXCLUDED, terms.Outcome.WAITING, terms.Outcome.UNCHANGED)
    is_in_sync = plan.outcome is terms.Outcome.UNCHANGED and not plan.notes
    quiet = is_in_sync or (one.run_id and plan.outcome in counted and not plan.is_write)
    if (quiet and not plan.problems and not work.raced and not work.case.matched) or work.stop is not None:
        return None
    if plan.is_at_rest or _is_told(work):
        return None
    return LogEntry(
        at=now,
        mapping_id=one.spec.id,
        run_id=one.run_id,
        revision=one.spec.revision,
        local_pk=bases.local_pk_of(work),
        remote_id=bases.remote_id_of(work),
        outcome=plan.outcome,
        reason=f"field.{plan.problems[0].code}" if plan.problems else plan.reason,
        detail=_detail(one, plan),
        changes=_changes(plan),
        candidates=work.case.matched,
    )


def _is_told(work) -> bool:
    """Whether nobody needs to hear of a record that another mapping's fixed values keep out: it was never ours, or
    its link says so already."""
    if work.plan.reason != terms.Reason.OTHER_MAPPING:
        return False
    return work.link is None or (work.link.outcome, work.link.reason) == (work.plan.outcome, work.plan.reason)


def _detail(one: scope.Scope, plan: changes.PairPlan) -> str:
    """Why, with what was held back; what was ignored because of its direction is named, field by field (A6)."""
    said = [problem.message for problem in plan.problems]
    if plan.notes:
        names = {field.id: f"{field.local} ↔ {field.remote}" for field in one.spec.fields}
        said += [f"{names[note.field_id]}: {note.message}" for note in plan.notes]
    is_note = any(plan.detail == note.message for note in plan.notes)
    return " ".join(dict.fromkeys(said if is_note else [plan.detail, *said])).strip()


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
    tell_conflicts(sender, conflicts)


def tell_conflicts(sender: type[models.Model], conflicts: list[Conflict]) -> None:
    """Tell the host of the conflicts that were stored."""
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
