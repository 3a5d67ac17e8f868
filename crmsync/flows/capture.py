"""A local change becomes a dirty mark, in the transaction of the change itself."""

from collections.abc import Iterable

from django.apps import apps
from django.core.exceptions import FieldError
from django.db import models
from django.utils import timezone

from crmsync.flows import related
from crmsync.ledger import edges, outbox, places
from crmsync.models import Reader
from crmsync.paths import walk
from crmsync.sides import guard


def capture(
    model_label: str, instance: models.Model, using: str, *, is_new: bool = False, is_gone: bool = False
) -> bool:
    """Mark one row, and what reads it along relations; whether anything was marked.

    The sync's own write of this very row does not mark it, but does mark what reads it: values of other records
    changed. ``is_new``: only rows that it points to can read it yet. ``is_gone``: what read it was marked before.
    """
    if not places.is_synced(type(instance), using):
        return False  # a copy in another database
    key = str(instance.pk)
    is_own = not guard.is_ours((model_label, key), instance)
    ends = related.back_names(type(instance)) if is_new else ()
    is_read = not is_gone and (bool(ends) or not is_new) and related.is_readable(model_label)
    if not is_own and not is_read:
        return False
    now = timezone.now()
    return outbox.mark(model_label, key, now, is_own=is_own, is_read=is_read, ends=ends, using=using) > 0


def capture_readers(model_label: str, instance: models.Model, using: str, *, is_moving: bool = False) -> bool:
    """Mark at once the rows that read a row about to be deleted: with it they lose the key they are found by.

    ``is_moving``: the row is about to point elsewhere; only those that read it because it points to them lose it.
    """
    if not places.is_synced(type(instance), using):
        return False
    now = timezone.now()
    marks = 0 if is_moving else edges.mark_losing(model_label, str(instance.pk), now, using)
    if not related.is_readable(model_label):
        return marks > 0
    for reader in outbox.find_readers(model_label):
        try:
            model = apps.get_model(reader.mapping.model_label)
            if not reader.via or (is_moving and not walk.is_back(model, reader.via)):
                continue
            if not places.is_synced(model, using):
                continue  # no statement reads rows of two databases
            for pks in related.iter_reading(model, reader.via, [str(instance.pk)], using):
                marks += outbox.mark_many([reader.mapping_id], pks, now, using=using)
        except (LookupError, ValueError, FieldError):
            continue  # the model changed since the mapping was edited: nothing reads along this path any more
    return marks > 0


def capture_members(
    model_label: str, field: models.Field, own: Iterable[object], others: Iterable[object], using: str
) -> bool:
    """Mark rows whose many-to-many relation changed, those at its other end that read it back, and third ones."""
    if not places.is_synced(field.model, using):
        return False
    own, others = [str(pk) for pk in own], [str(pk) for pk in others]
    free = [pk for pk in own if not guard.is_ours((model_label, pk))]
    now, marks = timezone.now(), 0
    for reader in outbox.find_readers(model_label):
        if not reader.via:
            marks += outbox.mark_many([reader.mapping_id], free, now, using=using)
        elif reader.via == field.related_query_name() and _is_of(reader, field.related_model):
            marks += outbox.mark_many([reader.mapping_id], others, now, using=using)
        else:
            marks += outbox.mark_keys([(reader.mapping_id, reader.via)], own, now, using=using)
    return marks > 0


def _is_of(reader: Reader, model: type[models.Model]) -> bool:
    try:
        return walk.is_kin(apps.get_model(reader.mapping.model_label), model)
    except (LookupError, ValueError):
        return False


def capture_many(rows: models.QuerySet | list[models.Model], model_label: str, using: str = places.OWN) -> int:
    """Mark many rows and what reads them, after bulk statements that send no signals; how many marks were made.

    ``using``: the database they were changed in.
    """
    keys = [(reader.mapping_id, reader.via) for reader in outbox.find_readers(model_label)]
    if not keys:
        return 0
    pks = (
        rows.using(using).values_list("pk", flat=True).iterator(chunk_size=2000)
        if isinstance(rows, models.QuerySet)
        else (row.pk for row in rows)
    )
    return outbox.mark_keys(keys, (str(pk) for pk in pks), timezone.now(), using=using)
