"""Columns: which of a model's a new row must be given a value for."""

from collections.abc import Iterator

from django.db import models


def required(model: type[models.Model]) -> Iterator[str]:
    """Columns that the database, or its own uniqueness, refuses to leave out; blank text can be stored once."""
    for field in model._meta.concrete_fields:
        is_parent = field.is_relation and field.remote_field.parent_link
        is_made = isinstance(field, models.AutoField) or field.generated or is_parent
        has_default = field.has_default() or field.db_default is not models.NOT_PROVIDED
        is_timed = getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False)
        can_be_blank = field.null or (field.empty_strings_allowed and not field.unique)
        if not (is_made or has_default or is_timed or can_be_blank):
            yield field.name
