"""Due inbox events are read from HubSpot and brought into Django."""

from django.utils import timezone

from crmsync.engine import terms
from crmsync.flows import dossier, drain
from crmsync.ledger import edges, queue
from crmsync.models import InboxEvent


def pull_due() -> int:
    """One batch of every mapping that has due events; how many events were worked on."""
    due = edges.parents_first(queue.due_mappings(InboxEvent, timezone.now()))
    return sum(pull(mapping_id) for mapping_id in due)


def pull(mapping_id: int) -> int:
    """One batch of a mapping's due events."""
    return drain.drain(InboxEvent, mapping_id, to_item, terms.Direction.BOTH)


def to_item(event: InboxEvent) -> dossier.Item:
    return dossier.Item(remote_id=event.remote_id, is_asked=event.is_asked)
