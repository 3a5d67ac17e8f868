"""Drains one queue of one mapping: claim rows, reconcile their records, settle each row by its result."""

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta

from django.utils import timezone

from crmsync import conf
from crmsync.engine import backoff, terms
from crmsync.flows import access, dossier, failures, keyproperty, reconcile, scope
from crmsync.ledger import portals, queue
from crmsync.models.portal import Portal
from crmsync.models.queue_item import QueueItem

logger = logging.getLogger(__name__)

# One batch call of HubSpot's; a row that failed this often is tried alone, so that it cannot hold others.
BATCH = 100
_ALONE_AFTER = 2
# Faults of the network or a service, not of the record: these wait ever longer but are never parked.
_PATIENT = {"remote.unreachable", "remote.server", "remote.unknown_outcome", "local.db_error"}
# Limits of the whole portal: every worker holds back, not only the one that met them.
_SHARED_LIMITS = {"portal.quota_burst", "portal.quota_day"}
_POISON = "Syncing this record ended the worker several times. See the server log, then retry."


def drain(
    rows_of: type[QueueItem], mapping_id: int, to_item: Callable[[QueueItem], dossier.Item], wanted: terms.Direction
) -> int:
    """Work on one batch of a mapping's due rows; how many were claimed."""
    now = timezone.now()
    lease, rows = queue.claim(rows_of, mapping_id, now, limit=BATCH, seconds=conf.current().LEASE_SECONDS)
    if not rows:
        return 0
    claimed, rows = len(rows), set_aside(rows_of, rows, lease)
    together = [row for row in rows if row.attempts <= _ALONE_AFTER]
    groups = [together] if together else []
    groups += [[row] for row in rows if row.attempts > _ALONE_AFTER]
    for group in groups:
        _work(rows_of, lease, mapping_id, group, to_item, wanted)
    return claimed


def set_aside(rows_of: type[QueueItem], rows: list[QueueItem], lease: str) -> list[QueueItem]:
    """The rows to work on, when those that ended their worker again and again without a word were parked."""
    most = conf.current().MAX_ATTEMPTS
    poison = [row.pk for row in rows if row.attempts > most and row.last_code not in _PATIENT]
    queue.park(rows_of, poison, lease, code="record.poison", message=_POISON)
    return [row for row in rows if row.pk not in poison]


def _work(
    rows_of: type[QueueItem],
    lease: str,
    mapping_id: int,
    rows: Sequence[QueueItem],
    to_item: Callable[[QueueItem], dossier.Item],
    wanted: terms.Direction,
) -> None:
    items = {to_item(row): row for row in rows}
    try:
        one = scope.open_scope(mapping_id)
        keyproperty.ensure(one, is_asked=any(item.is_asked for item in items))
        results = reconcile.reconcile(one, list(items), wanted)
    except Exception as error:  # the drain loop's net: whatever it was, no row is lost and others go on
        stop = dossier.stop_for(error)
        if stop.code == "system.unexpected":
            logger.exception("batch failed", extra={"mapping": mapping_id, "rows": len(rows)})
        if stop.park and len(rows) > 1:  # some record of the batch is to blame: find out which
            for row in rows:
                _work(rows_of, lease, mapping_id, [row], to_item, wanted)
            return
        results = [reconcile.Result(item, stop.outcome, stop) for item in items]
    queue.finish(rows_of, [items[r.item].pk for r in results if _is_done(r)], lease)
    for result in results:
        if not _is_done(result):
            keep(rows_of, lease, items[result.item], result.stop, mapping_id)


def _is_done(result: reconcile.Result) -> bool:
    """Settled, or excluded for a reason that only a change or a person can remove."""
    return result.stop is None or (result.stop.outcome is terms.Outcome.EXCLUDED)


def keep(rows_of: type[QueueItem], lease: str, row: QueueItem, stop: dossier.Stop, mapping_id: int) -> None:
    """What becomes of a row whose work stopped: it is parked, or due again later."""
    if stop.verdict is not None:
        answer(stop.verdict, mapping_id)
    is_worn = stop.counts and row.attempts >= conf.current().MAX_ATTEMPTS and stop.code not in _PATIENT
    if stop.park or is_worn:
        queue.park(rows_of, [row.pk], lease, code=stop.code, message=stop.message)
        return
    queue.postpone(
        rows_of, [row.pk], lease, due_at(row, stop), code=stop.code, message=stop.message, counts=stop.counts
    )


def due_at(row: QueueItem, stop: dossier.Stop):
    """When to look again: as the stop says, else by back-off; the row's id spreads the herd."""
    now = timezone.now()
    if stop.seconds is not None and not stop.counts:
        return now + timedelta(seconds=stop.seconds)
    return backoff.next_attempt_at(row.attempts, now, retry_after=stop.seconds, jitter=(row.pk % 10) / 10)


def answer(verdict: failures.Verdict, mapping_id: int) -> None:
    """What a verdict means for the mapping or portal: hold back, stop the mapping, or ask for a reconnect."""
    portal = Portal.objects.filter(mappings=mapping_id).first()
    if portal is None:
        return
    failures.note(portal, verdict)
    if verdict.kind is failures.Kind.CONFIG:
        portals.stop_mapping(mapping_id, verdict.message, verdict.code)
    elif verdict.kind is failures.Kind.LIMITED and verdict.code in _SHARED_LIMITS and verdict.retry_after:
        access.hold_back(portal.pk, min(verdict.retry_after, 60.0))
