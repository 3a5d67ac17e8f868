"""Runs, log entries and conflicts: what happened, kept for whoever asks why."""

import contextlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from django.db import models, transaction
from django.db.models.functions import Coalesce

from crmsync.engine import terms
from crmsync.ledger import bulk, queue
from crmsync.models import Conflict, Link, LogEntry, Mapping, Run, choices

State = choices.RunState
Kind = choices.RunKind
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def open_run(mapping: Mapping, kind: str, *, user_id: int | None = None, total: int | None = None) -> Run:
    """Start a run, or take up the unfinished one of the same kind and revision."""
    unfinished = Run.objects.filter(mapping=mapping, kind=kind, state__in=[State.RUNNING, State.STOPPED])
    run = unfinished.filter(revision=mapping.revision).first()
    if run is None:
        unfinished.update(
            state=State.FAILED, message="The mapping was edited; a new run began from the first record."
        )
        return Run.objects.create(
            mapping=mapping, kind=kind, requested_by_id=user_id, total=total, revision=mapping.revision
        )
    run.state, run.total = State.RUNNING, total if total is not None else run.total
    run.save(update_fields=["state", "total"])
    return run


def lease_run(run: Run, now: datetime, seconds: int) -> str | None:
    """Hold a run, so that one process at a time works on it; None if another does."""
    token = queue.make_lease()
    until = now + timedelta(seconds=seconds)
    taken = Run.objects.filter(queue.free(now), pk=run.pk, state=State.RUNNING).update(
        lease=token, leased_until=until
    )
    return token if taken else None


def running(now: datetime) -> list[int]:
    """Runs that nobody works on now."""
    pulls = models.Q(kind=Kind.BACKFILL_PULL)
    may_go = (pulls & queue.open_mappings(now, terms.Direction.PULL)) | (
        ~pulls & queue.open_mappings(now, terms.Direction.PUSH)
    )
    rows = Run.objects.filter(queue.free(now), may_go, state=State.RUNNING).exclude(kind=Kind.CANARY)
    return list(rows.order_by("id").values_list("pk", flat=True))


def may_go_on(run: Run) -> str:
    """Why a run must not work now: one sentence, or "". Asked again before every page."""
    found = Mapping.objects.values_list("state", "revision").filter(pk=run.mapping_id).first()
    if found is None:
        return "The mapping was deleted, and its runs with it. Start another one."
    state, revision = found
    if state != terms.MappingState.LIVE:
        return "The mapping is not live. Set it live, then run the backfill."
    if revision != run.revision:
        return (
            "The mapping was edited since this run began. Start the backfill again: it begins from the first record."
        )
    return ""


def advance(run: Run, token: str, *, cursor: str, counts: dict[str, int], until: datetime) -> bool:
    """Commit a page: the cursor moves, the counts grow; False when the run was taken or stopped."""
    with transaction.atomic():
        row = Run.objects.select_for_update().filter(pk=run.pk, lease=token, state=State.RUNNING).first()
        if row is None:
            return False
        for outcome, count in counts.items():
            row.counts[outcome] = row.counts.get(outcome, 0) + count
        row.done += sum(counts.values())
        row.cursor, row.leased_until = cursor, until
        row.save(update_fields=["counts", "done", "cursor", "leased_until"])
    run.counts, run.done, run.cursor = row.counts, row.done, row.cursor
    return True


def close_run(run: Run, token: str, state: str, now: datetime) -> None:
    """End a run that we hold, or let go of it; one that was stopped meanwhile stays stopped, with its message."""
    ended = now if state == State.FINISHED else None
    Run.objects.filter(pk=run.pk, lease=token, state=State.RUNNING).update(state=state, finished_at=ended)
    Run.objects.filter(pk=run.pk, lease=token).update(lease="", leased_until=None)
    _reread(run, ["state", "message", "finished_at"])


def set_back(run: Run, message: str, now: datetime, seconds: float | None) -> None:
    """Wait so long and go on, or stop where None; a run that has ended is left as it is."""
    state = State.STOPPED if seconds is None else State.RUNNING
    until = None if seconds is None else now + timedelta(seconds=seconds)
    unfinished = Run.objects.filter(pk=run.pk, state__in=[State.RUNNING, State.STOPPED])
    unfinished.update(message=message, state=state, leased_until=until)
    _reread(run, ["state", "message", "leased_until"])


def _reread(run: Run, names: list[str]) -> None:
    """A run goes with its mapping, whenever that is deleted."""
    with contextlib.suppress(Run.DoesNotExist):
        run.refresh_from_db(fields=names)


def log(entries: Iterable[LogEntry]) -> None:
    """Store log entries."""
    bulk.insert(LogEntry, entries)


def record_conflicts(rows: list[Conflict]) -> list[Conflict]:
    """Store conflicts, each once; those that are new.

    One that waits for a person stays open over many looks, and one noted before a write that a kill cut off is
    met again when the write is planned again.
    """
    fresh = [row for row in rows if not _is_known(row)]
    Conflict.objects.bulk_create(fresh, batch_size=500)
    return fresh


def _is_known(row: Conflict) -> bool:
    """The same values met again: open, or noted since the record was last settled."""
    same = Conflict.objects.filter(
        mapping_id=row.mapping_id,
        local_pk=row.local_pk,
        field=row.field,
        winner=row.winner,
        local_value=row.local_value,
        remote_value=row.remote_value,
    )
    if not row.winner:
        return same.exists()
    settled = Link.objects.filter(mapping_id=row.mapping_id, local_pk=row.local_pk).values("synced_at")[:1]
    return same.exclude(at__lt=Coalesce(models.Subquery(settled), _NEVER)).exists()


def forget_conflicts(mapping_id: int, local_pk: str, fields: list[str], since: datetime | None) -> None:
    """Take back what was noted before a write that HubSpot refused."""
    Conflict.objects.filter(
        mapping_id=mapping_id,
        local_pk=local_pk,
        field__in=fields,
        winner=terms.SideName.LOCAL,
        at__gte=since or _NEVER,
    ).delete()


def prune(rows: models.QuerySet, field: str, before: datetime, limit: int = 5000) -> int:
    """Delete up to ``limit`` of these rows that are older than ``before``; how many."""
    pks = list(rows.filter(**{f"{field}__lt": before}).order_by("pk").values_list("pk", flat=True)[:limit])
    rows.model._default_manager.filter(pk__in=pks).delete()
    return len(pks)
