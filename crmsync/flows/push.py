"""Due outbox entries go to HubSpot."""

from django.utils import timezone

from crmsync.engine import terms
from crmsync.flows import dossier, drain
from crmsync.ledger import edges, queue
from crmsync.models import OutboxEntry


def push_due() -> int:
    """One batch of every mapping that has due entries; how many entries were worked on."""
    due = edges.parents_first(queue.due_mappings(OutboxEntry, timezone.now()))
    return sum(push(mapping_id) for mapping_id in due)


def push(mapping_id: int) -> int:
    """One batch of a mapping's due entries."""
    return drain.drain(OutboxEntry, mapping_id, to_item, terms.Direction.BOTH)


def to_item(entry: OutboxEntry) -> dossier.Item:
    return dossier.Item(local_pk=entry.local_pk, is_asked=entry.is_asked)
