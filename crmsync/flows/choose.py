"""A conflict that waits for a person: the side that was chosen counts from the next look on.

Nothing is written to either record here: what both sides last agreed on is set so that the chosen side is the one
that changed. Whatever changed since it was looked at is a conflict anew, never overwritten.
"""

from django.db import models, transaction
from django.utils import timezone

from crmsync.engine import terms
from crmsync.ledger import edges, journal, links, outbox
from crmsync.models import Conflict, Edge, LogEntry

BY_HAND = "by_hand"
OVERTAKEN = "overtaken"
_LOCAL = terms.SideName.LOCAL


class ChoiceError(Exception):
    """Why no side can be chosen: one sentence with the remedy."""


def waiting() -> models.QuerySet[Conflict]:
    """Conflicts that wait for a person."""
    return Conflict.objects.filter(winner="")


def choose(conflict: Conflict, winner: terms.SideName, user: str) -> None:
    """Let one side's value, or partner, stand; the record is due at once.

    ChoiceError where the conflict is settled already, or the record is being synced now.
    """
    with transaction.atomic():
        row = waiting().select_for_update().filter(pk=conflict.pk).first()
        if row is None:
            raise ChoiceError(f"“{conflict}” was decided meanwhile. Nothing is left to choose.")
        found = find_edges(row)
        is_open = _choose_edge(row, found, winner, user) if found else _choose_value(row, winner)
        rule = f"{BY_HAND}: {user}"[:200] if is_open else OVERTAKEN
        _same(row).update(winner=winner, rule=rule)
        if is_open:
            journal.log([_entry(row, winner, user)])
    if not is_open:
        raise ChoiceError(f"“{conflict}” is no conflict any more: both sides came together meanwhile.")


def find_edges(conflict: Conflict) -> list[Edge]:
    """The associations that a conflict is about; none for a field."""
    local, _sign, to_type = conflict.field.partition("|")
    rows = Edge.objects.filter(
        link__mapping_id=conflict.mapping_id,
        link__local_pk=conflict.local_pk,
        association__local=local,
        association__to_mapping__object_type=to_type,
        local_pk=conflict.base_local or "",
        remote_id=conflict.base_remote or "",
    )
    return list(rows.select_related("association__to_mapping"))


def _choose_value(row: Conflict, winner: terms.SideName) -> bool:
    """Whether both sides still stand as the conflict has it; then only the chosen one counts as changed."""
    seen = (row.base_local, row.base_remote)
    agreed = (seen[0], row.remote_value) if winner is _LOCAL else (row.local_value, seen[1])
    moved = links.rebase(row.mapping_id, row.local_pk, row.field, seen=seen, agreed=agreed, now=timezone.now())
    if moved is None:
        raise ChoiceError(_busy(row))
    if moved:
        outbox.mark_many([row.mapping_id], [row.local_pk], timezone.now())
    return moved


def _busy(row: Conflict) -> str:
    """What holds the record of a conflict, and until when."""
    if links.is_in_canary(row.mapping_id, row.local_pk):
        return (
            f"“{row}” cannot be decided yet: a new version of the mapping is being tried on its record. Promote or"
            " drop that on the mapping's page, then choose."
        )
    return f"“{row}” is being synced right now. Try again in a moment."


def _choose_edge(row: Conflict, found: list[Edge], winner: terms.SideName, user: str) -> bool:
    """Django's partner is put back, with counts that begin anew; or HubSpot's is taken, whatever the direction."""
    rows = Edge.objects.filter(pk__in=[one.pk for one in found], state=terms.EdgeState.REFUSED)
    if not rows.exists():
        return False
    if winner is _LOCAL:
        edges.retry(rows, timezone.now())
    else:
        edges.give_way(rows, f"{user} chose HubSpot's side: Django follows at the next look.", timezone.now())
    return True


def _same(row: Conflict) -> models.QuerySet[Conflict]:
    """This conflict, and older ones about the same that were overtaken by it."""
    return waiting().filter(mapping_id=row.mapping_id, local_pk=row.local_pk, field=row.field, pk__lte=row.pk)


def _entry(row: Conflict, winner: terms.SideName, user: str) -> LogEntry:
    return LogEntry(
        mapping_id=row.mapping_id,
        local_pk=row.local_pk,
        remote_id=row.remote_id,
        outcome=terms.Outcome.WAITING,
        reason=BY_HAND,
        detail=f"{' ↔ '.join(row.field.split('|'))}: {user} chose {winner.label}'s side.",
    )
