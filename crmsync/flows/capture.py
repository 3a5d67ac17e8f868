"""A local change becomes a dirty mark, in the transaction of the change itself."""

from django.apps import apps
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
    key, now = str(instance.pk), timezone.now()
    readers = related.readers_of(model_label) if is_read else ()
    if not guard.is_ours((model_label, key), instance):
        return outbox.mark(model_label, key, now, readers=readers, using=using) > 0
    return bool(readers) and outbox.mark_readers(readers, key, now, using=using) > 0


def capture_readers(model_label: str, instance: models.Model, using: str) -> bool:
    """Mark at once the rows that read a row about to be deleted: with it they lose the key they are found by."""
    readers = related.readers_of(model_label)
    if not readers:
        return False
    now, marks = timezone.now(), 0
    for reader, mapping_ids in outbox.concerned(readers).items():
        model = apps.get_model(reader.model_label)
        for pks in related.iter_reading(model, reader.via, [str(instance.pk)], using):
            marks += outbox.mark_many(mapping_ids, pks, now)
    return marks > 0


def capture_many(rows: models.QuerySet | list[models.Model], model_label: str) -> int:
    """Mark many rows and what reads them, after bulk statements that send no signals; how many marks were made."""
    readers = [outbox.Reader(model_label), *related.readers_of(model_label)]
    found = outbox.concerned(readers).items()
    keys = [(mapping_id, reader.via) for reader, mapping_ids in found for mapping_id in mapping_ids]
    if not keys:
        return 0
    pks = (
        rows.values_list("pk", flat=True).iterator(chunk_size=2000)
        if isinstance(rows, models.QuerySet)
        else (row.pk for row in rows)
    )
    return outbox.mark_keys(keys, (str(pk) for pk in pks), timezone.now())
