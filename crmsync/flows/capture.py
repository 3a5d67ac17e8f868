"""A local change becomes a dirty mark, in the transaction of the change itself."""

from django.db import models
from django.utils import timezone

from crmsync.ledger import outbox
from crmsync.sides import guard


def capture(model_label: str, instance: models.Model, using: str) -> bool:
    """Mark one row; whether it was marked (the sync's own write of this very row is not)."""
    key = str(instance.pk)
    if guard.is_ours((model_label, key), instance):
        return False
    outbox.mark(model_label, key, timezone.now(), using=using)
    return True


def capture_many(rows: models.QuerySet | list[models.Model], model_label: str) -> int:
    """Mark many rows, after bulk statements that send no signals; how many marks were made."""
    mappings = outbox.pushing(model_label)
    if not mappings:
        return 0
    pks = (
        rows.values_list("pk", flat=True).iterator(chunk_size=2000)
        if isinstance(rows, models.QuerySet)
        else (row.pk for row in rows)
    )
    return outbox.mark_many(mappings, (str(pk) for pk in pks), timezone.now())
