"""Local values, one type at a time: what a Python value is as canonical text.

It knows the column and nothing of HubSpot. Raises ConvertError for a value that is not of its field's type.
"""

import decimal
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from crmsync.engine import canonical, errors, record, spec, terms

SayLocal = Callable[[object, spec.FieldSpec], str | None]

_WIDE: Final = decimal.Context(prec=2 * canonical.MAX_DIGITS + 10)  # rounding never meets the precision
LARGEST_INTEGER: Final = 2**63 - 1  # BigIntegerField, Django's widest


def text_of(value: object, one: spec.FieldSpec) -> str | None:
    """The canonical text of a column's value, None for None and ''."""
    if value is None or (isinstance(value, str) and not value):
        return None
    if type(value) is record.Unreadable:
        raise unreadable(value)
    return SAY[one.local_type](value, one)


def unreadable(value: record.Unreadable) -> errors.ConvertError:
    """What is said of a value whose code raised."""
    return errors.ConvertError(
        terms.Problem.UNREADABLE,
        f"{value.path} could not be computed: it raised {value.error}. Correct its code, then retry.",
    )


def _wrong_type(value: object, one: spec.FieldSpec) -> errors.ConvertError:
    kind = type(value).__name__
    return errors.ConvertError(
        terms.Problem.TYPE,
        f"A {kind} cannot be read as {one.local_type.label}: set the field's type to what it holds.",
    )


def _say_text(value: object, one: spec.FieldSpec) -> str | None:
    if type(value) is str:
        return value or None
    if isinstance(value, str):
        return str.__str__(value)  # a choice: its value, whatever the enum prints
    if isinstance(value, bool | bytes | bytearray | memoryview | dict | list | tuple | set | frozenset):
        raise _wrong_type(value, one)
    return canonical.plain_text(value)


def _say_integer(value: object, one: spec.FieldSpec) -> str | None:
    if type(value) is int and -LARGEST_INTEGER <= value <= LARGEST_INTEGER:
        return str(value)
    text = _number_text(value, one)
    if "." in text:
        raise errors.ConvertError(terms.Problem.LOSSY, "A whole number is expected here, but the value has decimals.")
    return text


def _say_number(value: object, one: spec.FieldSpec) -> str | None:
    return _number_text(value, one)


def _say_decimal(value: object, one: spec.FieldSpec) -> str | None:
    text = _number_text(value, one)
    places = one.decimal_places
    if places is None or len(text.partition(".")[2]) <= places:
        return text
    return canonical.number_text(Decimal(text).quantize(Decimal((0, (1,), -places)), context=_WIDE))


def _number_text(value: object, one: spec.FieldSpec) -> str:
    if isinstance(value, bool):
        raise _wrong_type(value, one)
    try:
        if isinstance(value, float):
            return canonical.number_text(Decimal(repr(float(value))))
        if isinstance(value, int | Decimal):
            return canonical.number_text(Decimal(value))
        if isinstance(value, str):
            return canonical.number_text(canonical.parse_number(value))
    except ValueError as error:
        raise errors.ConvertError(terms.Problem.TYPE, f"The value cannot be said as a number: {error}.") from error
    raise _wrong_type(value, one)


def _say_boolean(value: object, one: spec.FieldSpec) -> str | None:
    if value is True or value == "true":
        return "true"
    if value is False or value == "false":
        return "false"
    if isinstance(value, int) and value in (0, 1):  # databases without a boolean type
        return "true" if value else "false"
    raise _wrong_type(value, one)


def _say_date(value: object, one: spec.FieldSpec) -> str | None:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    raise _wrong_type(value, one)


def _say_datetime(value: object, one: spec.FieldSpec) -> str | None:
    if not isinstance(value, datetime):
        raise _wrong_type(value, one)
    try:
        return canonical.datetime_text(value)
    except ValueError as error:
        raise errors.ConvertError(
            terms.Problem.TYPE, f"The time cannot be said in UTC ({error}): save it with a time zone."
        ) from error


def _say_multi(value: object, one: spec.FieldSpec) -> str | None:
    if isinstance(value, str):
        return canonical.choices_text(canonical.split_choices(value))
    if isinstance(value, bytes | dict) or not isinstance(value, Iterable):
        raise _wrong_type(value, one)
    choices = [str.__str__(each) if isinstance(each, str) else str(each) for each in value]
    if any(canonical.SEPARATOR in choice for choice in choices):
        raise errors.ConvertError(
            terms.Problem.TYPE,
            "A choice contains a semicolon, which separates choices in HubSpot: rename it.",
        )
    return canonical.choices_text(choices)


def _say_user(value: object, one: spec.FieldSpec) -> str | None:
    key = getattr(value, "pk", value)
    return None if key is None else str(key) or None


SAY: Final[dict[terms.LocalType, SayLocal]] = {
    terms.LocalType.TEXT: _say_text,
    terms.LocalType.INTEGER: _say_integer,
    terms.LocalType.DECIMAL: _say_decimal,
    terms.LocalType.FLOAT: _say_number,
    terms.LocalType.BOOLEAN: _say_boolean,
    terms.LocalType.DATE: _say_date,
    terms.LocalType.DATETIME: _say_datetime,
    terms.LocalType.MULTI: _say_multi,
    terms.LocalType.USER: _say_user,
}
