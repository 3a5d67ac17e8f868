"""Whether registered models can read rows of another along relations, and which rows those are."""

import functools
from collections.abc import Iterator, Sequence

from django.apps import apps
from django.db import models

from crmsync import conf
from crmsync.paths import walk

# Primary keys read at a time: constant memory, whatever number of rows reads one.
_CHUNK = 2000


def is_readable(model_label: str) -> bool:
    """Whether any mapping could read rows of this model along a path; asks the models, not the database."""
    return _is_readable(model_label, conf.current().MODELS)


@functools.cache
def _is_readable(model_label: str, labels: tuple[str, ...]) -> bool:
    target = apps.get_model(model_label)
    return any(walk.is_kin(end, target) for model in _models(labels) for end in walk.ends(model))


def _models(labels: tuple[str, ...]) -> Iterator[type[models.Model]]:
    for label in labels:
        try:
            yield apps.get_model(label)
        except (LookupError, ValueError):
            continue  # check E003 says so


@functools.cache
def back_names(model: type[models.Model]) -> tuple[str, ...]:
    """What reverse relations that lead to this model are called: only along these is a row read that is new."""
    keys = (one for one in model._meta.concrete_fields if walk.is_foreign_key(one))
    return tuple(sorted({one.related_query_name() for one in keys if not one.remote_field.hidden}))


def iter_reading(model: type[models.Model], via: str, pks: Sequence[str], using: str) -> Iterator[list[str]]:
    """Primary keys of the rows whose path leads to one of ``pks``, in chunks.

    All rows of the model, as a save of each would mark it: also those that the adapter stopped showing just
    now. FieldError where the path is gone.
    """
    rows = model._base_manager.using(using).filter(**{f"{via}__pk__in": pks}).order_by("pk")
    if walk.is_back(model, via):
        rows = rows.distinct()  # one row may read several of them
    chunk = list(rows.values_list("pk", flat=True)[:_CHUNK])
    while chunk:
        yield [str(pk) for pk in chunk]
        if len(chunk) < _CHUNK:
            return
        chunk = list(rows.filter(pk__gt=chunk[-1]).values_list("pk", flat=True)[:_CHUNK])
