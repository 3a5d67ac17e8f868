"""Canaries: which records a new version is tried on, what was there before, and how they are let go again."""

import dataclasses
from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import models, transaction
from django.utils import timezone

from crmsync.engine import canary as engine
from crmsync.engine import terms
from crmsync.ledger import inbox, outbox, portals
from crmsync.models import Canary, CanaryRecord, Link, Mapping, Run, choices

State = choices.CanaryState
# What ``Mapping.locked_by`` of a version says while its canary is open: it stays as it was tried.
LOCK = "canary"
# The problem word of what waits because its record is in an open canary.
OPEN = "canary.open"
_FACTS = ("state", "outcome", "reason", "base", "writes", "said")


def free(mapping: Mapping) -> models.QuerySet:
    """The links of a mapping that a canary may take."""
    return Link.objects.filter(
        mapping=mapping, state=choices.LinkState.LINKED, remote_id__isnull=False, in_canary=False
    )


def links_of(version: Mapping) -> models.QuerySet:
    """The links that the open canary of a version holds, if there is one."""
    return Link.objects.filter(pk__in=CanaryRecord.objects.filter(canary__version=version).values("link"))


def find_open(version: Mapping) -> Canary | None:
    """The open canary of a version."""
    return Canary.objects.filter(version=version).select_related("run", "by", "mapping", "version").first()


def lock(version: Mapping) -> Canary | None:
    """The same, held for the caller's transaction."""
    return Canary.objects.select_for_update().filter(version=version).first()


def open_one(version: Mapping, link_ids: Collection[int], by_id: int | None) -> Canary:
    """Take these links for a canary; from now on the live mapping leaves them alone, the version stays as it is."""
    with transaction.atomic():
        live = Mapping.objects.get(pk=version.version_of_id)
        taken = list(free(live).filter(pk__in=link_ids).select_for_update().values_list("pk", flat=True))
        run = Run.objects.create(
            mapping=live,
            kind=choices.RunKind.CANARY,
            requested_by_id=by_id,
            total=len(taken),
            revision=live.revision,
            message=f"“{version}” at revision {version.revision}",
        )
        one = Canary.objects.create(mapping=live, version=version, run=run, by_id=by_id)
        CanaryRecord.objects.bulk_create(CanaryRecord(canary=one, link_id=pk) for pk in taken)
        Link.objects.filter(pk__in=taken).update(in_canary=True)
        Mapping.objects.filter(pk=version.pk).update(locked_by=LOCK)
        version.locked_by = LOCK
    return one


def remember(one: Canary, rows: Iterable[CanaryRecord]) -> bool:
    """Keep what the records had, before anything is written; False where they are being put back by now."""
    with transaction.atomic():
        if not Canary.objects.select_for_update().filter(pk=one.pk, is_dropping=False).exists():
            return False
        save(rows, ["base", "writes"])
    return True


def save(rows: Iterable[CanaryRecord], names: list[str]) -> None:
    """Write named columns of records."""
    CanaryRecord.objects.bulk_update(rows, names)


def reread(rows: Iterable[CanaryRecord]) -> dict[int, CanaryRecord]:
    """These records by their link, brought up to date; without those whose canary has ended. For whoever holds the
    links: another process may have worked on them until then."""
    known = {row.pk: row for row in rows}
    found: dict[int, CanaryRecord] = {}
    for one in CanaryRecord.objects.filter(pk__in=known):
        row = found[one.link_id] = known[one.pk]
        for name in _FACTS:
            setattr(row, name, getattr(one, name))
    return found


def restore(bases: dict[int, dict]) -> None:
    """Give links the base they had. What was sent since is no news to the live mapping, and is forgotten."""
    rows = list(Link.objects.filter(pk__in=bases))
    for row in rows:
        row.base, row.sent, row.remote_modified_at = bases[row.pk], {}, None
    Link.objects.bulk_update(rows, ["base", "sent", "remote_modified_at"])


def begin_drop(one: Canary) -> None:
    """From now on no record is tried any more; those that nothing was done to are as they were."""
    with transaction.atomic():
        Canary.objects.select_for_update().filter(pk=one.pk).update(is_dropping=True)
        one.records.filter(state=State.WAITING, writes=[]).update(state=State.DROPPED)
    one.is_dropping = True


def count(one: Canary, *, is_done: bool = True) -> None:
    """Write the counts of the records into the run."""
    rows = one.records.exclude(outcome="").values_list("outcome", flat=True)
    counts = Counter(rows)
    Run.objects.filter(pk=one.run_id).update(
        counts=counts,
        done=sum(counts.values()),
        state=choices.RunState.FINISHED if is_done else choices.RunState.RUNNING,
        finished_at=timezone.now() if is_done else None,
    )


def end(one: Canary, message: str, now: datetime) -> None:
    """Let the records go, in the caller's transaction: the live mapping looks at each of them again at once. Nothing
    where another process ended it."""
    if not Canary.objects.select_for_update().filter(pk=one.pk).exists():
        return
    rows = Link.objects.filter(pk__in=one.records.values("link"))
    keys = list(rows.values_list("local_pk", "remote_id"))
    rows.update(in_canary=False)
    live = Mapping.objects.get(pk=one.mapping_id)
    if terms.Direction(live.direction).pushes:
        outbox.mark_many([live.pk], [local_pk for local_pk, _ in keys], now)
    else:
        inbox.put([(live.pk, remote_id) for _, remote_id in keys if remote_id], now)
    portals.wake(live, (OPEN,))
    Mapping.objects.filter(pk=one.version_id, locked_by=LOCK).update(locked_by="")
    Run.objects.filter(pk=one.run_id).update(state=choices.RunState.FINISHED, finished_at=now, message=message)
    one.delete()


# --- Values -------------------------------------------------------------------------------------------------------


def written_of(row: CanaryRecord) -> tuple[engine.Written, ...]:
    """What is remembered of a record's values."""
    return tuple(engine.Written(**{**one, "side": terms.SideName(one["side"])}) for one in row.writes)


def to_stored(writes: Iterable[engine.Written]) -> list[dict[str, object]]:
    """The same as the row keeps it."""
    return [dataclasses.asdict(one) for one in writes]


def to_raw(value: object) -> object:
    """A value of a side as JSON says it exactly; None where its canonical text is all there is to it."""
    if isinstance(value, datetime):
        return {"moment": value.isoformat()}
    return value if isinstance(value, str | float) else None


def from_raw(raw: object) -> object:
    """What ``to_raw`` was given; None where it kept nothing."""
    return datetime.fromisoformat(str(raw["moment"])) if isinstance(raw, dict) else raw
