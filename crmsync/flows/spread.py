"""A due entry of a related row becomes due entries of the rows that read it, outside the host's transaction."""

import itertools
import logging
from collections.abc import Sequence
from datetime import timedelta
from operator import attrgetter

from django.core.exceptions import FieldError
from django.db import router
from django.utils import timezone

from crmsync import conf
from crmsync.engine import terms
from crmsync.flows import dossier, drain, related
from crmsync.ledger import outbox, queue, specs
from crmsync.models import Mapping, OutboxEntry

logger = logging.getLogger(__name__)

_GONE = (
    "The foreign keys {} no longer lead anywhere: the model was changed. Run a backfill to HubSpot if its rows are"
    " read along another path now, then skip this entry."
)


def spread_due() -> int:
    """One batch of every mapping that has due entries of related rows; how many entries were worked on."""
    due = queue.due_mappings(OutboxEntry, timezone.now(), related=True)
    return sum(spread(mapping_id) for mapping_id in due)


def spread(mapping_id: int) -> int:
    """One batch of a mapping's entries of related rows; how many were claimed."""
    now, seconds = timezone.now(), conf.current().LEASE_SECONDS
    lease, rows = queue.claim(OutboxEntry, mapping_id, now, limit=drain.BATCH, seconds=seconds, related=True)
    count, rows = len(rows), drain.set_aside(OutboxEntry, rows, lease)
    path = attrgetter("via")
    for via, group in itertools.groupby(sorted(rows, key=path), key=path):
        _work(mapping_id, via, list(group), lease)
    return count


def _work(mapping_id: int, via: str, rows: Sequence[OutboxEntry], lease: str) -> None:
    try:
        _mark(mapping_id, via, rows, lease)
    except Exception as error:  # the drain loop's net: the entries stay, and marking again does no harm
        stop = _stop_for(error, via)
        if stop.code == "system.unexpected":
            logger.exception("spreading failed", extra={"mapping": mapping_id, "rows": len(rows)})
        for row in rows:
            drain.keep(OutboxEntry, lease, row, stop, mapping_id)


def _mark(mapping_id: int, via: str, rows: Sequence[OutboxEntry], lease: str) -> None:
    """Mark chunk by chunk, each in a transaction of its own, to the last row even if an entry is dirtied meanwhile.

    Who begins again at every change of the related row would never reach the last ones.
    """
    model = specs.adapter_of(Mapping.objects.get(pk=mapping_id)).model
    entries, keys = [row.pk for row in rows], [row.local_pk for row in rows]
    for pks in related.iter_reading(model, via, keys, router.db_for_write(model)):
        with queue.brief():
            outbox.mark_many([mapping_id], pks, timezone.now())
        until = timezone.now() + timedelta(seconds=conf.current().LEASE_SECONDS)
        queue.renew(OutboxEntry, entries, lease, until)
    queue.finish(OutboxEntry, entries, lease)


def _stop_for(error: Exception, via: str) -> dossier.Stop:
    if isinstance(error, FieldError):
        return dossier.Stop("mapping.invalid", _GONE.format(via), outcome=terms.Outcome.FAILED, park=True)
    return dossier.stop_for(error)
