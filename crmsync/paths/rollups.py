"""Roll-ups: many related rows as one value, such as ``lines__count`` or ``lines__sum__amount``; read-only."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.core.exceptions import FieldDoesNotExist
from django.db import models

from crmsync.engine import canonical, terms
from crmsync.paths import fields

SEPARATOR = "; "
MOST = 65_000  # characters; HubSpot keeps 65,536 of a text
_MORE = "…"

_T = terms.LocalType
_NUMBERS = (_T.INTEGER, _T.DECIMAL, _T.FLOAT)
# What each roll-up may be made of; counting takes no column.
_TAKES: dict[str, tuple[terms.LocalType, ...]] = {
    "sum": _NUMBERS,
    "min": (*_NUMBERS, _T.DATE, _T.DATETIME, _T.TEXT),
    "max": (*_NUMBERS, _T.DATE, _T.DATETIME, _T.TEXT),
    "join": (*_NUMBERS, _T.DATE, _T.DATETIME, _T.TEXT),
}
KINDS = ("count", *_TAKES)


@dataclass(frozen=True, slots=True)
class RollUp:
    """``relation`` as Django's queries name it, ``accessor`` as instances do; ``column`` "" when rows are counted."""

    relation: str
    kind: str
    column: str
    accessor: str
    related: type[models.Model]
    local_type: terms.LocalType
    decimal_places: int | None = None


def is_several(field) -> bool:
    """Whether a relation leads to several rows: a reverse foreign key, or many-to-many from either end."""
    return bool(
        field.is_relation
        and field.related_model
        and (field.many_to_many or (field.one_to_many and isinstance(field, models.ManyToOneRel)))
    )


def accessor_of(field) -> str:
    """The name of a relation on instances."""
    return field.get_accessor_name() if field.auto_created else field.name


def relations(model: type[models.Model]) -> list:
    """The relations that can be rolled up."""
    found = [one for one in model._meta.get_fields() if is_several(one) and not fields.is_secret(one.name)]
    return [one for one in found if accessor_of(one)]


def make(path: str, field, names: Sequence[str]) -> RollUp:
    """The roll-up that these names behind the relation say; LocalFieldError with what would do."""
    relation, related = field.name, field.related_model
    kind, column = (*names, "", "")[:2]
    if kind not in KINDS or len(names) != (1 if kind == "count" else 2):
        raise fields.LocalFieldError(
            f"{path!r}: {relation!r} leads to several rows. Roll them up: {relation}__count, or"
            f" {relation}__sum__…, __min__…, __max__… or __join__… with one of their fields."
        )
    if kind == "count":
        return RollUp(relation, kind, "", accessor_of(field), related, _T.INTEGER)
    fields.refuse_secret(column)
    try:
        one = related._meta.get_field(column)
    except FieldDoesNotExist as error:
        raise fields.LocalFieldError(
            f"{related._meta.label} has no field {column!r}. Choose one of: {', '.join(columns(related, kind))}."
        ) from error
    known = fields.type_of(one) if one.concrete else None
    if known not in _TAKES[kind]:
        raise fields.LocalFieldError(
            f"{path!r}: {column!r} cannot be used with {kind!r}. Choose one of: {', '.join(columns(related, kind))}."
        )
    local_type = _T.TEXT if kind == "join" else known
    return RollUp(
        relation, kind, one.name, accessor_of(field), related, local_type, getattr(one, "decimal_places", None)
    )


def columns(related: type[models.Model], kind: str) -> list[str]:
    """The columns that a kind of roll-up can be made of."""
    found = (one for one in related._meta.concrete_fields if not fields.is_secret(one.name))
    return [one.name for one in found if fields.type_of(one) in _TAKES[kind]]


def paths(model: type[models.Model]) -> Iterator[str]:
    """Every roll-up of a model."""
    for relation in relations(model):
        yield f"{relation.name}__count"
        for kind in _TAKES:
            yield from (f"{relation.name}__{kind}__{column}" for column in columns(relation.related_model, kind))


def value_of(one: RollUp, rows: Iterable[models.Model]) -> object:
    """The value of some related rows, in the order of their keys. A sum of none is 0; the least of none is None."""
    if one.kind == "count":
        return sum(1 for _ in rows)
    found = [value for row in rows if (value := getattr(row, one.column)) is not None]
    return _MAKE[one.kind](found)


def _join(values: Iterable[object]) -> str | None:
    """Whole entries, as many as fit."""
    said, length = [], 0
    for text in filter(None, map(canonical.plain_text, values)):
        length += len(text) + len(SEPARATOR)
        if length > MOST - len(_MORE):
            said.append(_MORE)
            break
        said.append(text)
    return SEPARATOR.join(said) or None


_MAKE: dict[str, Callable[[list], object]] = {
    "sum": sum,
    "min": lambda values: min(values, default=None),
    "max": lambda values: max(values, default=None),
    "join": _join,
}
