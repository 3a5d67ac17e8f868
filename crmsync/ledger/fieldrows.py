"""Field mappings that are added by the machine on a person's word."""

from collections.abc import Iterable

from crmsync.engine import terms
from crmsync.models import FieldMapping, Mapping


def lock(mapping: Mapping) -> Mapping:
    """The mapping as it is now; nobody else changes its row until the transaction ends."""
    return Mapping.objects.select_for_update().select_related("portal").get(pk=mapping.pk)


def add_pushes(mapping: Mapping, pairs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Join (field, property) pairs of a locked mapping in the direction to HubSpot, behind the rows there are; which
    are new. Its revision is the caller's.

    A pair that was switched off is switched on in that direction; an active one stays as it is.
    """
    rows = {(row.local, row.remote): row for row in FieldMapping.objects.filter(mapping=mapping)}
    new = [pair for pair in dict.fromkeys(pairs) if pair not in rows or not rows[pair].is_active]
    asleep = [rows[pair].pk for pair in new if pair in rows]
    FieldMapping.objects.filter(pk__in=asleep).update(is_active=True, direction=terms.Direction.PUSH)
    start = max((row.position for row in rows.values()), default=-1) + 1
    FieldMapping.objects.bulk_create(
        FieldMapping(mapping=mapping, position=position, local=local, remote=remote, direction=terms.Direction.PUSH)
        for position, (local, remote) in enumerate((pair for pair in new if pair not in rows), start)
    )
    return set(new)
