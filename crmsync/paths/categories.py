"""Categories: tables of values, such as statuses or tags, that a relation is read as by their one natural column.

CRMSYNC["CATEGORIES"] names them. Rows are looked up for a batch at a time.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import models, router, transaction
from django.db.models.functions import Lower

from crmsync import conf
from crmsync.engine import errors, terms
from crmsync.paths import fields

# More values than these are not listed as choices; each is looked up when it is written.
MOST = 1000


@dataclass(frozen=True, slots=True)
class Category:
    """A related table of values. ``is_growing``: values that it lacks are added to it."""

    model: type[models.Model]
    column: str
    is_growing: bool = False

    @property
    def name(self) -> str:
        return str(self.model._meta.verbose_name)

    def rows(self) -> models.QuerySet:
        """All rows, the whole table, where it is written."""
        return self.model._default_manager.using(router.db_for_write(self.model))

    def all_rows(self) -> models.QuerySet:
        """Also those that the model's own manager leaves out: a row may point to one."""
        return self.model._base_manager.using(router.db_for_write(self.model))

    def text_of(self, row: models.Model | None) -> str | None:
        """What a row is read as."""
        value = None if row is None else getattr(row, self.column)
        return None if value is None else str(value)


def find(model: type[models.Model] | None) -> Category | None:
    """The category a related model is, by the settings; LocalFieldError where its column cannot be used."""
    if model is None:
        return None
    options = conf.current()
    for label, column in options.CATEGORIES.items():
        if _is_same(label, model):
            field = check(model, column)
            return Category(model, field.name, any(_is_same(one, model) for one in options.CATEGORIES_CREATE))
    return None


def check(model: type[models.Model], column: object) -> models.Field:
    """The column that stands for a row; LocalFieldError where it is none, with the ones that could be."""
    known = (one for one in model._meta.concrete_fields if fields.type_of(one))
    usable = [one.name for one in known if not fields.is_secret(one.name)]
    try:
        field = model._meta.get_field(str(column))
    except FieldDoesNotExist:
        field = None
    if field is None or field.name not in usable:
        raise fields.LocalFieldError(
            f"{model._meta.label} cannot be read by {column!r}. Choose one of: {', '.join(usable)}."
        )
    return field


def choices(one: Category) -> list[str]:
    """The present values in their order; none where there are too many to list. One query."""
    found = list(one.rows().order_by(one.column).values_list(one.column, flat=True)[: MOST + 1])
    return [] if len(found) > MOST else list(dict.fromkeys(str(value) for value in found if value not in (None, "")))


def find_rows(one: Category, texts: Iterable[str]) -> dict[str, models.Model | errors.ConvertError]:
    """The row of each value: of exactly this spelling, else the only one that differs in letter case.

    Two queries at most, and one more for each row that is added. A value without a row has the error that says so.
    """
    field, wanted = one.model._meta.get_field(one.column), set(texts)
    exact = {text for text in wanted if _is_possible(field, text)}
    found = _match(one, [(text, text) for text in exact], one.rows().filter(**{f"{one.column}__in": exact}), str)
    rest = sorted(exact - found.keys())
    if rest and isinstance(field, models.CharField | models.TextField):
        rows = one.rows().alias(_folded=Lower(one.column)).filter(_folded__in={text.lower() for text in rest})
        found |= _match(one, [(text, text.lower()) for text in rest], rows, str.lower)
    for text in sorted(wanted - found.keys()):
        found[text] = _add(one, text) if one.is_growing else missing(one.name, text)
    return found


def _is_possible(field: models.Field, text: str) -> bool:
    try:
        field.to_python(text)
    except ValidationError:
        return False
    return True


def missing(name: str, text: str) -> errors.ConvertError:
    """What is said of a value that a category does not have."""
    return errors.ConvertError(
        terms.Problem.OPTION_UNKNOWN, f"There is no {name} “{text[:80]}” in Django: add it, or map it."
    )


def _match(
    one: Category, keys: Iterable[tuple[str, str]], rows: models.QuerySet, fold: Callable[[str], str]
) -> dict[str, models.Model | errors.ConvertError]:
    """The row of each text whose key, a spelling or its folded form, is that of a row."""
    several: dict[str, list[models.Model]] = {}
    for row in rows:
        several.setdefault(fold(one.text_of(row) or ""), []).append(row)
    return {
        text: several[key][0] if len(several[key]) == 1 else _ambiguous(one, text)
        for text, key in keys
        if key in several
    }


def _ambiguous(one: Category, text: str) -> errors.ConvertError:
    return errors.ConvertError(
        terms.Problem.OPTION_UNKNOWN,
        f"Several rows of {one.model._meta.label} have the {one.column} “{text[:80]}”: make it unique.",
    )


def _add(one: Category, text: str) -> models.Model | errors.ConvertError:
    """A new row, or the one that another worker has just made."""
    field = one.model._meta.get_field(one.column)
    try:
        with transaction.atomic(using=router.db_for_write(one.model)):
            row, _ = one.rows().get_or_create(**{one.column: field.clean(text, None)})
    except ValidationError as error:
        said = " ".join(error.messages)
        return errors.ConvertError(terms.Problem.TYPE, f"A {one.name} cannot be made of HubSpot's value: {said}")
    return row


def _is_same(label: str, model: type[models.Model]) -> bool:
    try:
        return apps.get_model(label)._meta.concrete_model is model._meta.concrete_model
    except (LookupError, ValueError):
        return False  # check E009 says so
