"""Walks a path along a model's relations: what it ends in, and which related rows its value hangs on."""

import functools
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import Enum, auto

from django.apps import apps
from django.conf import settings
from django.core.exceptions import FieldDoesNotExist
from django.db import models, router

from crmsync import conf
from crmsync.paths import categories, computed, fields, rollups

# Longer paths are rare, and each key more is another model whose saves have to be looked at.
HOPS = 3
# The relations that a value is read along, "__" between them, and the model they end in.
Via = tuple[str, type[models.Model]]


class Kind(Enum):
    COLUMN = auto()
    USER = auto()
    CATEGORY = auto()  # a foreign key to a table of values
    CATEGORIES = auto()  # many of them
    COMPUTED = auto()
    ROLLUP = auto()


@dataclass(frozen=True, slots=True)
class Target:
    """What a path ends in; ``hops`` are the foreign keys before it, ``model`` the one that has the last name."""

    kind: Kind
    hops: tuple[str, ...]
    model: type[models.Model]
    field: models.Field | None = None
    computed: "computed.Computed | None" = None
    rollup: rollups.RollUp | None = None
    category: categories.Category | None = None


def resolve(model: type[models.Model], path: str, methods: Collection[str] = ()) -> Target:
    """What a path of a model ends in; LocalFieldError where it cannot be mapped."""
    options = conf.current()
    facts = (
        settings.AUTH_USER_MODEL,
        options.MODELS,
        tuple(options.CATEGORIES.items()),
        options.CATEGORIES_CREATE,
        router.db_for_write(model),
    )
    return _resolve(model, path, tuple(methods), facts)


@functools.lru_cache(maxsize=4096)
def _resolve(model: type[models.Model], path: str, methods: tuple[str, ...], facts: tuple) -> Target:
    owner, names = model, path.split("__")
    for position, name in enumerate(names[:-1]):
        fields.refuse_secret(name)
        field = find_field(owner, name)
        if field is None:
            raise _unknown(owner, name)
        if rollups.is_several(field) and position == 0:
            return _rolled_up(model, path, field, names[1:])
        if not is_foreign_key(field):
            raise fields.LocalFieldError(f"{path!r}: {name!r} is not a foreign key, so it leads nowhere.")
        _refuse_far(path, field)
        owner = field.related_model
    return _end(owner, path, tuple(names[:-1]), names[-1], methods if owner is model else ())


def _end(owner: type[models.Model], path: str, hops: tuple[str, ...], name: str, methods: Collection[str]) -> Target:
    fields.refuse_secret(name)
    field = find_field(owner, name)
    if field is None:
        one = computed.find(owner, name, methods)
        if one is None:
            raise _unknown(owner, name)
        return Target(Kind.COMPUTED, hops, owner, computed=one)
    if not field.is_relation:
        return Target(Kind.COLUMN, hops, owner, field)
    category = categories.find(field.related_model)
    if rollups.is_several(field):
        if category is None or hops or not field.many_to_many:
            return _rolled_up(owner, path, field, ())
        _refuse_far(path, field)
        return Target(Kind.CATEGORIES, hops, owner, field, category=category)
    if is_foreign_key(field) and field.related_model is apps.get_model(settings.AUTH_USER_MODEL):
        return Target(Kind.USER, hops, owner, field)
    if category is None or not is_foreign_key(field):
        raise fields.LocalFieldError(
            f"{path!r} is a relation. Map a field of it, such as {path}__name, use an association, or name its model"
            " in CRMSYNC['CATEGORIES'] if it is a table of values."
        )
    _refuse_far(path, field)
    return Target(Kind.CATEGORY, hops, owner, field, category=category)


def _rolled_up(model: type[models.Model], path: str, field, names: Collection[str]) -> Target:
    _refuse_far(path, field)
    one = rollups.make(path, field, tuple(names))
    if not is_captured(one.related):
        raise fields.LocalFieldError(
            f"{path!r} reads {one.related._meta.label}, whose changes nobody would notice. Add it to"
            " CRMSYNC['MODELS']."
        )
    return Target(Kind.ROLLUP, (), model, field, rollup=one)


def is_far(field) -> bool:
    """Whether a relation leads into another database, where no statement can read both of its ends."""
    return router.db_for_write(field.related_model) != router.db_for_write(field.model)


def _refuse_far(path: str, field) -> None:
    if is_far(field):
        raise fields.LocalFieldError(
            f"{path!r} leads to {field.related_model._meta.label} in another database, so it cannot be read along."
            " Map that model by itself."
        )


def is_captured(model: type[models.Model]) -> bool:
    """Whether saves of a model are noticed, by the settings."""
    options = conf.current()
    for label in (*options.MODELS, *options.CATEGORIES):
        try:
            if is_kin(apps.get_model(label), model):
                return True
        except (LookupError, ValueError):
            continue  # checks E003 and E009 say so
    return False


def find_field(model: type[models.Model], name: str):
    """The field or reverse relation of a name; ``pk`` is the primary key's own column."""
    try:
        field = model._meta.pk if name == "pk" else model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    while name == "pk" and field.is_relation:
        field = field.target_field
    return field


def is_foreign_key(field) -> bool:
    """Whether a path may go on behind this field: not along a child's link to its parent."""
    return bool((field.many_to_one or field.one_to_one) and not field.auto_created and field.related_model)


def is_kin(one: type[models.Model], other: type[models.Model]) -> bool:
    """Whether rows of one model may be rows of the other: the same, a proxy, a multi-table parent or child."""
    mine, yours = one._meta.concrete_model, other._meta.concrete_model
    return issubclass(mine, yours) or issubclass(yours, mine)


# --- What a value hangs on ----------------------------------------------------------------------------------------


def vias(model: type[models.Model], path: str) -> Iterator[Via]:
    """The relations a mapped path follows, as ``resolve`` allows them; asks the models, not the database."""
    owner, hops, names = model, [], path.split("__")
    for position, name in enumerate(names[:HOPS]):
        field, is_last = find_field(owner, name), position == len(names) - 1
        if field is None:
            yield from _reads(owner, name, hops) if is_last else ()
            return
        if (is_last and not _is_category(field)) or _is_out(field):
            return
        if rollups.is_several(field):
            if position == 0 and (is_last or names[1] in rollups.KINDS):
                yield from _across(field, hops)
            return
        if not is_foreign_key(field):
            return
        hops.append(field.name)
        owner = field.related_model
        yield "__".join(hops), owner
    if len(names) == HOPS + 1:
        yield from _reads(owner, names[-1], hops)


def _is_out(field) -> bool:
    return bool(field.is_relation and (not field.related_model or is_far(field)))


def _is_category(field) -> bool:
    try:
        return bool(field.is_relation and categories.find(field.related_model))
    except fields.LocalFieldError:
        return False  # specs.load says so


def _reads(owner: type[models.Model], name: str, hops: list[str]) -> Iterator[Via]:
    """What the computed value of this name says it reads, along any relation."""
    for path in _facts_of(owner, name):
        yield from _along(owner, path, hops)


def _facts_of(owner: type[models.Model], name: str) -> tuple[str, ...]:
    try:
        one = computed.find(owner, name, (name,))
    except fields.LocalFieldError:
        return ()
    return one.reads if one else ()


def _along(owner: type[models.Model], path: str, hops: list[str]) -> Iterator[Via]:
    hops = list(hops)
    for name in path.split("__")[: HOPS - len(hops)]:
        field = find_field(owner, name)
        if field is None or not field.is_relation or _is_out(field):
            return
        yield from _across(field, hops)
        hops.append(field.name)
        owner = field.related_model


def _across(field, hops: list[str]) -> Iterator[Via]:
    """One relation; of many-to-many with a model of its own between also that model, whose rows are saved."""
    yield "__".join([*hops, field.name]), field.related_model
    between = through_of(field)
    if between is None or between._meta.auto_created:
        return
    for one in between._meta.concrete_fields:
        leads_back = one.is_relation and one.related_model and is_kin(one.related_model, field.model)
        if leads_back and not one.remote_field.hidden:
            yield "__".join([*hops, one.related_query_name()]), between


def through_of(field) -> type[models.Model] | None:
    """The model between two ends of many-to-many."""
    if not field.many_to_many:
        return None
    return (field if field.auto_created else field.remote_field).through


def ends(model: type[models.Model]) -> set[type[models.Model]]:
    """Every model whose rows a mapping of this model could read."""
    found = {end for field in rollups.relations(model) for _, end in _across(field, [])}
    chains = set(_chains(model, HOPS))
    for one in {model, *chains}:
        for name in computed.names(one):
            found.update(end for _, end in _reads(one, name, []))
    return found | chains


def _chains(model: type[models.Model], hops: int) -> Iterator[type[models.Model]]:
    """The models in which chains of foreign keys end."""
    for field in model._meta.concrete_fields:
        if is_foreign_key(field):
            yield field.related_model
            if hops > 1:
                yield from _chains(field.related_model, hops - 1)


def is_back(model: type[models.Model], via: str) -> bool:
    """Whether a via goes back along a reverse or many-to-many relation: what it leads to can change hands."""
    for name in via.split("__"):
        field = find_field(model, name)
        if field is None or not field.is_relation:
            return False
        if not is_foreign_key(field):
            return True
        model = field.related_model
    return False


def find_unknown(model: type[models.Model], path: str) -> tuple[type[models.Model], str] | None:
    """The model and the first name of a path that this model lacks; None where there is no such name."""
    owner = model
    for name in path.split("__"):
        field = find_field(owner, name)
        if field is None:
            return None if hasattr(owner, name) else (owner, name)
        if not field.is_relation:
            return None
        owner = field.related_model
    return None


def _unknown(model: type[models.Model], name: str) -> fields.LocalFieldError:
    known = ", ".join(own_columns(model))
    return fields.LocalFieldError(f"{model._meta.label} has no field {name!r}. Choose one of: {known}.")


def own_columns(model: type[models.Model]) -> list[str]:
    """The names of the model's own columns, without the secret ones."""
    return [one.name for one in model._meta.concrete_fields if not fields.is_secret(one.name)]
