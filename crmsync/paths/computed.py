"""Computed values: properties of a model, and methods that say they may be read; never Django's own."""

import datetime
import decimal
import functools
import inspect
import types
import typing
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from django.db import models
from django.utils import functional

from crmsync.engine import terms
from crmsync.paths import fields

_PROPERTIES = (property, functools.cached_property, functional.cached_property)
# The return annotations that name a type. bool before int: it is one.
_TYPES: dict[object, terms.LocalType] = {
    str: terms.LocalType.TEXT,
    bool: terms.LocalType.BOOLEAN,
    int: terms.LocalType.INTEGER,
    decimal.Decimal: terms.LocalType.DECIMAL,
    float: terms.LocalType.FLOAT,
    datetime.datetime: terms.LocalType.DATETIME,
    datetime.date: terms.LocalType.DATE,
}
_SEVERAL = (list, tuple, set, frozenset)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a developer says of a computed value: the relations and paths it reads, and its type."""

    reads: tuple[str, ...] = ()
    local_type: terms.LocalType | None = None


@dataclass(frozen=True, slots=True)
class Computed:
    """A property, or a method without arguments, of a model."""

    name: str
    local_type: terms.LocalType
    is_called: bool
    reads: tuple[str, ...] = ()


def computed(*, reads: Iterable[str] = (), type: str | None = None) -> Callable:
    """Decorate a method, or a property below or above its own decorator, so that it can be mapped to HubSpot.

    ``reads``: the relations and paths of the model it depends on, such as ``("lines", "organisation__name")``; a
    change there is then sent too. ``type``: one of ``LocalType``, where the return annotation does not say it.
    """
    names = (reads,) if isinstance(reads, str) else tuple(reads)
    facts = Facts(names, terms.LocalType(type) if type else None)

    def mark(target):
        _function_of(target).crmsync = facts
        return target

    return mark


def find(model: type[models.Model], name: str, methods: Collection[str] = ()) -> Computed | None:
    """The computed value of a name; None where the model has none. LocalFieldError where it may not be read."""
    definer = next((one for one in model.__mro__ if name in vars(one)), None)
    if definer is None or name.startswith("_") or _is_djangos(definer):
        return None
    target = vars(definer)[name]
    is_called = inspect.isfunction(target)
    if not is_called and not isinstance(target, _PROPERTIES):
        return None
    function = _function_of(target)
    facts: Facts | None = getattr(function, "crmsync", None)
    if is_called and facts is None and name not in methods:
        raise fields.LocalFieldError(
            f"{name!r} is a method of {model._meta.label}. Decorate it with crmsync.api.computed, or name it in the"
            " methods of its adapter."
        )
    if is_called and (getattr(function, "alters_data", False) or _needs_arguments(function)):
        raise fields.LocalFieldError(f"{name!r} is a method that takes arguments or alters data: it cannot be read.")
    facts = facts or Facts()
    return Computed(name, _type_of(function) or facts.local_type or terms.LocalType.TEXT, is_called, facts.reads)


def names(model: type[models.Model], methods: Collection[str] = ()) -> list[str]:
    """The computed values that may be mapped, in the order of the alphabet."""
    found = []
    for name in sorted({name for one in model.__mro__ if not _is_djangos(one) for name in vars(one)}):
        if fields.is_secret(name):
            continue
        try:
            one = find(model, name, methods)
        except fields.LocalFieldError:
            continue
        if one is not None:
            found.append(name)
    return found


def _is_djangos(definer: type) -> bool:
    return definer is object or definer.__module__.partition(".")[0] == "django"


def _function_of(target) -> Callable:
    if isinstance(target, property):
        return target.fget
    return target.func if isinstance(target, _PROPERTIES) else target


def _needs_arguments(function: Callable) -> bool:
    first, *others = [*inspect.signature(function).parameters.values(), None]
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return first is None or any(one and one.default is one.empty and one.kind not in kinds for one in others)


def _type_of(function: Callable) -> terms.LocalType | None:
    try:
        said = typing.get_type_hints(function).get("return")
    except Exception:  # a host's annotation may name what only a type checker can see
        said = {kind.__name__: kind for kind in _TYPES}.get(function.__annotations__.get("return"))
    if isinstance(said, types.UnionType) or typing.get_origin(said) is typing.Union:
        said = next((one for one in typing.get_args(said) if one is not types.NoneType), None)
    if said in _SEVERAL or typing.get_origin(said) in _SEVERAL:
        return terms.LocalType.MULTI
    return _TYPES.get(said) if isinstance(said, type) else None
