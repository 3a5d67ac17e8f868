"""Along which foreign keys registered models read each other's rows, and which rows those are."""

import functools
from collections.abc import Iterator, Sequence

from django.apps import apps
from django.db import models

from crmsync import conf
from crmsync.ledger import outbox

# Longer paths are rare, and every foreign key more multiplies the paths that each save must ask for.
HOPS = 3
# Primary keys read at a time: constant memory, whatever number of rows reads one.
_CHUNK = 2000


def readers_of(model_label: str) -> tuple[outbox.Reader, ...]:
    """The paths of registered models that lead to rows of this one; asks the models, not the database."""
    return _readers_of(model_label, conf.current().MODELS)


@functools.cache
def _readers_of(model_label: str, labels: tuple[str, ...]) -> tuple[outbox.Reader, ...]:
    target = apps.get_model(model_label)
    found = {
        outbox.Reader(model._meta.label, via)
        for model in _models(labels)
        for via, end in _paths(model, HOPS)
        if _is_kin(end, target)
    }
    return tuple(sorted(found, key=lambda one: (one.model_label, one.via)))


def _models(labels: tuple[str, ...]) -> Iterator[type[models.Model]]:
    for label in labels:
        try:
            yield apps.get_model(label)
        except (LookupError, ValueError):
            continue  # check E003 says so


def _paths(model: type[models.Model], hops: int, before: str = "") -> Iterator[tuple[str, type[models.Model]]]:
    """Chains of foreign keys, as adapters.describe allows them in a mapped path, and the models they end in."""
    for field in model._meta.concrete_fields:
        if (field.many_to_one or field.one_to_one) and not field.auto_created:
            yield f"{before}{field.name}", field.related_model
            if hops > 1:
                yield from _paths(field.related_model, hops - 1, f"{before}{field.name}__")


def _is_kin(one: type[models.Model], other: type[models.Model]) -> bool:
    """Whether rows of one model may be rows of the other: the same, a proxy, a multi-table parent or child."""
    mine, yours = one._meta.concrete_model, other._meta.concrete_model
    return issubclass(mine, yours) or issubclass(yours, mine)


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
