"""Many new rows of one of our own tables in one plain INSERT: what bulk_create spends on field objects is saved.

Only for rows nobody needs the ids of, and for columns of text, numbers, times and JSON.
"""

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import islice

from django.db import connection, models
from django.utils import timezone

# Rows a statement: well under SQLite's 32,766 variables for our widest table.
_ROWS = 500


def insert(model: type[models.Model], objects: Iterable[models.Model]) -> int:
    """Insert unsaved objects as they are; how many."""
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    readers = [(field.attname, _adapter(field)) for field in fields]
    columns = ", ".join(connection.ops.quote_name(field.column) for field in fields)
    head = f"INSERT INTO {connection.ops.quote_name(model._meta.db_table)} ({columns}) VALUES "
    one_row, rest, count = f"({', '.join(['%s'] * len(fields))})", iter(objects), 0
    while chunk := list(islice(rest, _ROWS)):
        values = [adapt(getattr(one, name)) for one in chunk for name, adapt in readers]
        with connection.cursor() as cursor:
            cursor.execute(head + ", ".join([one_row] * len(chunk)), values)
        count += len(chunk)
    return count


def _adapter(field: models.Field) -> Callable[[object], object]:
    if isinstance(field, models.JSONField):
        return _to_json
    if isinstance(field, models.DateTimeField):
        return lambda value: _to_time(field, value)
    return _as_is


def _to_json(value: object) -> str:
    return json.dumps(value)


def _to_time(field: models.DateTimeField, value: datetime | None) -> object:
    if value is None and getattr(field, "auto_now_add", False):
        value = timezone.now()
    return connection.ops.adapt_datetimefield_value(value)


def _as_is(value: object) -> object:
    return str.__str__(value) if isinstance(value, str) else value
