"""A label that HubSpot deletes and that comes back: what was agreed on under it no longer counts, then is asked anew.

The new label has another number, and no record carries it: taken for a change in HubSpot, that would clear every
relation in Django.
"""

from collections.abc import Collection
from datetime import datetime

from crmsync.engine import edgeterms, terms
from crmsync.ledger import edges
from crmsync.models import Association, Edge, RemoteLabel

_DETAIL = "HubSpot deleted the label “{label}”. It is associated again once a label of that name is there."
# Of an edge of which only the label was ours that stays remembered.
_REASONS = (terms.EdgeProblem.LABEL_GONE.value, edgeterms.LABEL_ONLY)


def named(portal_id: int, object_type: str, to_type: str) -> dict[str, str]:
    """The labels by key, as known so far."""
    rows = RemoteLabel.objects.filter(portal_id=portal_id, object_type=object_type, to_type=to_type)
    return dict(rows.exclude(label="").values_list("key", "label"))


def lose(portal_id: int, object_type: str, to_type: str, labels: Collection[str]) -> None:
    """Edges under labels whose type is gone wait: nothing is agreed on about them any more."""
    for one in _associations(portal_id, object_type, to_type, labels):
        facts = {"state": terms.EdgeState.WAITING, "detail": _DETAIL.format(label=one.label)}
        made = Edge.objects.filter(association=one, state=terms.EdgeState.MADE)
        made.filter(reason=edgeterms.LABEL_ONLY).update(**facts)
        made.update(**facts, reason=terms.EdgeProblem.LABEL_GONE)


def wake(portal_id: int, object_type: str, to_type: str, now: datetime) -> int:
    """Records whose edges wait for a label that is there again are due; how many."""
    labels = named(portal_id, object_type, to_type).values()
    found = _associations(portal_id, object_type, to_type, labels)
    waiting = Edge.objects.filter(association__in=found, state=terms.EdgeState.WAITING, reason__in=_REASONS)
    return edges.mark(waiting, now) if found else 0


def _associations(portal_id: int, object_type: str, to_type: str, labels: Collection[str]) -> list[Association]:
    wanted = {label.lower() for label in labels}
    rows = Association.objects.filter(
        mapping__portal_id=portal_id,
        mapping__object_type=object_type,
        to_mapping__object_type=to_type,
        is_active=True,
    )
    return [one for one in rows.exclude(label="") if one.label.lower() in wanted] if wanted else []
