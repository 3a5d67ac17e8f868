"""Stops two that undo each other without end: a host whose save() rewrites what is pulled, and a workflow in HubSpot
that rewrites what is sent back."""

from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta

from crmsync.engine import terms
from crmsync.flows import dossier
from crmsync.models import LogEntry

# People do not change one record in HubSpot ten times in ten minutes; a workflow answers within seconds.
_MOST = 10
_WINDOW = timedelta(minutes=10)


def find_flipping(mapping_id: int, pks: Collection[str], now: datetime) -> dict[str, dossier.Stop]:
    """Of rows whose save() just rewrote what was pulled: those that were pulled again and again, and why they stop.

    One query, of rows that are rare.
    """
    recent = LogEntry.objects.filter(mapping_id=mapping_id, local_pk__in=pks, at__gte=now - _WINDOW)
    names: dict[str, list[str]] = {}
    for pk, changes in recent.filter(outcome=terms.Outcome.UPDATED).order_by().values_list("local_pk", "changes"):
        names.setdefault(pk, []).extend(one["field"] for one in changes if one["side"] == terms.SideName.LOCAL)
    found = {pk: [name for name, count in Counter(held).items() if count >= _MOST] for pk, held in names.items()}
    return {pk: _stop(fields) for pk, fields in found.items() if fields}


def _stop(fields: list[str]) -> dossier.Stop:
    text = (
        f"{', '.join(sorted(fields))}: Django's save() rewrites what HubSpot says, and something in HubSpot rewrites"
        " what is sent back, again and again. Both sides are left as they are. Let one of them keep the value: set"
        " the field's direction to one way, or change the code or the workflow; then retry."
    )
    return dossier.Stop("record.flipping", text, outcome=terms.Outcome.FAILED, park=True)
