"""A person takes an acceptance of the round-trip proof back: the mapping does not count as tested any more."""

from django.db import transaction

from crmsync.engine import prove as engine
from crmsync.flows import lifecycle
from crmsync.ledger import steps
from crmsync.models import Mapping


def withdraw(mapping: Mapping, one: engine.FieldProof, found: engine.Finding, by_id: int | None) -> bool:
    """Whether it had been accepted; then it is an edit of the mapping, kept among its steps with who made it.

    As after every edit, what was tested or approved is a draft again, and what runs goes on.
    """
    with transaction.atomic():
        if not steps.withdraw(mapping, one.field_id, found.key):
            return False
        note = f"{steps.EDITED}: no longer accepted: {one.local} ↔ {one.remote}: {found.chain}"
        lifecycle.note_edit(mapping, by_id, note=note)
    return True
