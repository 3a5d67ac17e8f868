"""Whether registered models can read rows of another along foreign keys, and which rows those are."""

import functools
from collections.abc import Iterator, Sequence

from django.apps import apps
from django.db import models

from crmsync import conf
from crmsync.ledger import readers

# Primary keys read at a time: constant memory, whatever number of rows reads one.
_CHUNK = 2000


def is_readable(model_label: str) -> bool:
    """Whether any mapping could read rows of this model along a path; asks the models, not the database."""
    return _is_readable(model_label, conf.current().MODELS)


@functools.cache
def _is_readable(model_label: str, labels: tuple[str, ...]) -> bool:
    target = apps.get_model(model_label)
    return any(readers.is_kin(end, target) for model in _models(labels) for end in _ends(model, readers.HOPS))


def _models(labels: tuple[str, ...]) -> Iterator[type[models.Model]]:
    for label in labels:
        try:
            yield apps.get_model(label)
        except (LookupError, ValueError):
            continue  # check E003 says so


def _ends(model: type[models.Model], hops: int) -> Iterator[type[models.Model]]:
    """The models in which chains of foreign keys end."""
    for field in model._meta.concrete_fields:
        if readers.is_foreign_key(field):
            yield field.related_model
            if hops > 1:
                yield from _ends(field.related_model, hops - 1)


def iter_reading(model: type[models.Model], via: str, pks: Sequence[str], using: str) -> Iterator[list[str]]:
    """Primary keys of the rows whose path leads to one of ``pks``, in chunks.

    All rows of the model, as a save of each would mark it: also those that the adapter stopped showing just
    now. FieldError where the path is gone.
    """
    rows = model._base_manager.using(using).filter(**{f"{via}__pk__in": pks}).order_by("pk")
    chunk = list(rows.values_list("pk", flat=True)[:_CHUNK])
    while chunk:
        yield [str(pk) for pk in chunk]
        if len(chunk) < _CHUNK:
            return
        chunk = list(rows.filter(pk__gt=chunk[-1]).values_list("pk", flat=True)[:_CHUNK])
