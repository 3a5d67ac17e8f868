"""A local change becomes a dirty mark, in the transaction of the change itself."""

from django.apps import apps
from django.core.exceptions import FieldError
from django.db import models
from django.utils import timezone

from crmsync.flows import related
from crmsync.ledger import outbox
from crmsync.sides import guard


def capture(model_label: str, instance: models.Model, using: str, *, is_read: bool = True) -> bool:
    """Mark one row, and what reads it along foreign keys; whether anything was marked.

    The sync's own write of this very row does not mark it, but does mark what reads it: values of other records
    changed. ``is_read`` False: no row can point to this one, because it was made or deleted just now.
    """
    key = str(instance.pk)
    is_own = not guard.is_ours((model_label, key), instance)
    is_read = is_read and related.is_readable(model_label)
    if not is_own and not is_read:
        return False
    return outbox.mark(model_label, key, timezone.now(), is_own=is_own, is_read=is_read, using=using) > 0


def capture_readers(model_label: str, instance: models.Model, using: str) -> bool:
    """Mark at once the rows that read a row about to be deleted: with it they lose the key they are found by."""
    if not related.is_readable(model_label):
        return False
    now, marks = timezone.now(), 0
    for reader in outbox.find_readers(model_label):
        if not reader.via:
            continue
        try:
            model = apps.get_model(reader.mapping.model_label)
            for pks in related.iter_reading(model, reader.via, [str(instance.pk)], using):
                marks += outbox.mark_many([reader.mapping_id], pks, now)
        except (LookupError, ValueError, FieldError):
            continue  # the model changed since the mapping was edited: nothing reads along this path any more
    return marks > 0


def capture_many(rows: models.QuerySet | list[models.Model], model_label: str) -> int:
    """Mark many rows and what reads them, after bulk statements that send no signals; how many marks were made."""
    keys = [(reader.mapping_id, reader.via) for reader in outbox.find_readers(model_label)]
    if not keys:
        return 0
    pks = (
        rows.values_list("pk", flat=True).iterator(chunk_size=2000)
        if isinstance(rows, models.QuerySet)
        else (row.pk for row in rows)
    )
    return outbox.mark_keys(keys, (str(pk) for pk in pks), timezone.now())
