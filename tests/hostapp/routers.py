"""Sends apps or single models to the database "second", as a host's router would; none unless a test says so."""

from collections.abc import Iterator
from contextlib import contextmanager

SECOND = "second"
_homes: dict[str, str] = {}
_replicas: dict[str, str] = {}


class Second:
    """Labels of models count before labels of apps."""

    def db_for_read(self, model, **hints) -> str | None:
        return _find(_replicas, model) or self.db_for_write(model)

    def db_for_write(self, model, **hints) -> str | None:
        return _find(_homes, model)


def _find(where: dict[str, str], model) -> str | None:
    return where.get(model._meta.label) or where.get(model._meta.app_label)


@contextmanager
def living_in(alias: str, *labels: str) -> Iterator[None]:
    """Within: these apps or models are read and written in this database."""
    with _changed(_homes, alias, labels):
        yield


@contextmanager
def reading_from(alias: str, *labels: str) -> Iterator[None]:
    """Within: reads of these apps or models that name no database go to this one, as if it were a replica."""
    with _changed(_replicas, alias, labels):
        yield


@contextmanager
def _changed(where: dict[str, str], alias: str, labels: tuple[str, ...]) -> Iterator[None]:
    before = dict(where)
    where.update(dict.fromkeys(labels, alias))
    try:
        yield
    finally:
        where.clear()
        where.update(before)
