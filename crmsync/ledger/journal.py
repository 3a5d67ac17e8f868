"""Runs, log entries and conflicts: what happened, kept for whoever asks why."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import models, transaction

from crmsync.engine import terms
from crmsync.ledger import queue
from crmsync.models import Conflict, LogEntry, Mapping, Run, choices

State = choices.RunState


def open_run(mapping: Mapping, kind: str, *, user_id: int | None = None, total: int | None = None) -> Run:
    """Start a run, or take up the unfinished one of the same kind."""
    run = Run.objects.filter(mapping=mapping, kind=kind, state__in=[State.RUNNING, State.STOPPED]).first()
    if run is None:
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
    rows = Run.objects.filter(queue.free(now), state=State.RUNNING, mapping__state=terms.MappingState.LIVE)
    return list(rows.order_by("id").values_list("pk", flat=True))


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


def close_run(run: Run, token: str, state: str, now: datetime, message: str = "") -> None:
    """End or stop a run that we hold."""
    Run.objects.filter(pk=run.pk, lease=token).update(
        state=state,
        message=message,
        lease="",
        leased_until=None,
        finished_at=now if state in (State.FINISHED, State.FAILED) else None,
    )
    run.state, run.message = state, message


def set_back(run: Run, message: str, now: datetime, seconds: float | None) -> None:
    """After an exception: wait so long and go on, or stop where None."""
    run.message = message
    run.state = State.STOPPED if seconds is None else State.RUNNING
    run.leased_until = None if seconds is None else now + timedelta(seconds=seconds)
    run.save(update_fields=["message", "state", "leased_until"])


def log(entries: Iterable[LogEntry]) -> None:
    """Store log entries."""
    LogEntry.objects.bulk_create(entries, batch_size=500)


def record_conflicts(rows: list[Conflict]) -> list[Conflict]:
    """Store conflicts; one that waits for a person is stored once. Those that are new."""
    fresh = [row for row in rows if row.winner or not _is_open(row)]
    Conflict.objects.bulk_create(fresh, batch_size=500)
    return fresh


def _is_open(row: Conflict) -> bool:
    return Conflict.objects.filter(
        mapping_id=row.mapping_id,
        local_pk=row.local_pk,
        field=row.field,
        winner="",
        local_value=row.local_value,
        remote_value=row.remote_value,
    ).exists()


def prune(model: type[models.Model], field: str, before: datetime, limit: int = 5000) -> int:
    """Delete up to ``limit`` rows older than ``before``; how many."""
    pks = list(
        model._default_manager.filter(**{f"{field}__lt": before}).order_by("pk").values_list("pk", flat=True)[:limit]
    )
    model._default_manager.filter(pk__in=pks).delete()
    return len(pks)
