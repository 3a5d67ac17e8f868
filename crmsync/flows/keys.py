"""Remembers which rows a loaded row pointed to, so that a save that lets it point elsewhere is known beforehand."""

import functools

from django.db import models

from crmsync.paths import walk


def remember(model: type[models.Model]) -> None:
    """Let rows of a model note their foreign keys as they are loaded: no query, for models without any no work."""
    if keys_of(model) and not hasattr(model.from_db.__func__, "crmsync"):
        model.from_db = _noting(model.from_db.__func__)


def forget(model: type[models.Model]) -> None:
    """Undo ``remember``."""
    if "from_db" in vars(model) and hasattr(model.from_db.__func__, "crmsync"):
        del model.from_db


def note(row: models.Model) -> None:
    """The row is in the database as it is now."""
    if names := keys_of(type(row)):
        row._state.crmsync_keys = {name: row.__dict__[name] for name in names if name in row.__dict__}


def is_moving(row: models.Model, update_fields: frozenset[str] | None) -> bool:
    """Whether a save may let the row point elsewhere: to be on the safe side where nothing is known of it."""
    names = keys_of(type(row))
    if not names or row.pk is None:
        return False
    known = _find_known(row, names)
    if known is None:
        return not _is_made_here(row)
    saved = names if update_fields is None else {name for name in names if {name, names[name]} & set(update_fields)}
    return any(name in row.__dict__ and row.__dict__[name] != known.get(name, row) for name in saved)


def _find_known(row: models.Model, names: dict[str, str]) -> dict[str, object] | None:
    """The foreign keys as the database has them; None where the row was neither loaded nor saved here."""
    known = getattr(row._state, "crmsync_keys", None)
    if known is None and (loaded := getattr(row._state, "crmsync_loaded", None)):
        known = {name: value for name, value in zip(*loaded, strict=False) if name in names}
    return known


@functools.cache
def keys_of(model: type[models.Model]) -> dict[str, str]:
    """The columns of a model that point to rows which can read it back, each with the name of its field."""
    found = (one for one in model._meta.concrete_fields if walk.is_foreign_key(one))
    return {one.attname: one.name for one in found if not one.remote_field.hidden}


def _is_made_here(row: models.Model) -> bool:
    """A new row whose key its default made; a key given by hand may be that of a row which is there."""
    key = row._meta.pk
    return row._state.adding and (key.has_default() or key.db_default is not models.NOT_PROVIDED)


def _noting(from_db):
    @functools.wraps(from_db)
    def from_db_noted(cls, db, field_names, values):
        row = from_db(cls, db, field_names, values)
        row._state.crmsync_loaded = (field_names, values)  # nothing is copied: loading must stay cheap
        return row

    from_db_noted.crmsync = True
    return classmethod(from_db_noted)
