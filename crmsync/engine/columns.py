"""Columns, one type at a time: the Python value for a canonical text, if the column can hold it.

Nothing is cut or rounded to fit: what does not fit raises ConvertError, with what to do about it.
"""

import decimal
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from crmsync.engine import canonical, errors, localvalues, spec, terms

ReadLocal = Callable[[str, spec.FieldSpec], object]

_WIDE: Final = decimal.Context(prec=2 * canonical.MAX_DIGITS + 10)
_SAFE_DIGITS: Final = 18  # any integer of so many digits fits 64 bits


def value_of(text: str, one: spec.FieldSpec) -> object:
    """The Python value for a canonical text, checked against the column; never cut or rounded to fit."""
    value = READ[one.local_type](text, one)
    if one.category:
        return _read_category(value, one)
    if one.local_choices:
        _check_choices(localvalues.text_of(value, one) or "", one)
    return value


def _unreadable(one: spec.FieldSpec) -> errors.ConvertError:
    return errors.ConvertError(
        terms.Problem.TYPE,
        f"HubSpot's value is not a {one.local_type.label}: correct it there, or change the field's type.",
    )


def _read_text(text: str, one: spec.FieldSpec) -> object:
    check_storable(text)
    if one.max_length is not None and len(text) > one.max_length:
        raise errors.ConvertError(
            terms.Problem.TOO_LONG,
            f"HubSpot's text has {len(text)} characters, the column holds {one.max_length}: "
            "shorten the text, or widen the column.",
        )
    return text


def _read_integer(text: str, one: spec.FieldSpec) -> object:
    if one.max_digits is None and len(text) <= _SAFE_DIGITS and text.isdecimal() and text.isascii():
        return int(text)
    number = _read_number(text, one)
    if number != number.to_integral_value(context=_WIDE):
        raise errors.ConvertError(
            terms.Problem.LOSSY, "HubSpot's number has decimals, the column holds whole numbers."
        )
    if number.copy_abs() > localvalues.LARGEST_INTEGER or _is_past(len(str(abs(int(number)))), one.max_digits):
        raise _too_many_digits()
    return int(number)


def _read_decimal(text: str, one: spec.FieldSpec) -> object:
    number = _read_number(text, one)
    whole, _, places = canonical.number_text(number.copy_abs()).partition(".")
    if _is_past(len(places), one.decimal_places):
        raise errors.ConvertError(
            terms.Problem.LOSSY,
            f"HubSpot's number has {len(places)} decimal places, the column holds {one.decimal_places}.",
        )
    room = one.max_digits
    if room is not None:
        room -= one.decimal_places if one.decimal_places is not None else len(places)
    if _is_past(len(whole.lstrip("0")), room):
        raise _too_many_digits()
    return Decimal(canonical.number_text(number))


def _read_float(text: str, one: spec.FieldSpec) -> object:
    number = float(_read_number(text, one))
    if number in (float("inf"), float("-inf")):
        raise _too_many_digits()
    return number


def _read_number(text: str, one: spec.FieldSpec) -> Decimal:
    try:
        number = canonical.parse_number(text)
    except ValueError as error:
        raise _unreadable(one) from error
    if abs(number.adjusted()) > canonical.MAX_DIGITS and number:
        raise _too_many_digits()
    return number


def _is_past(digits: int, limit: int | None) -> bool:
    return limit is not None and digits > limit


def _too_many_digits() -> errors.ConvertError:
    return errors.ConvertError(
        terms.Problem.TOO_LONG, "HubSpot's number has more digits than the column holds: widen the column."
    )


def _read_boolean(text: str, one: spec.FieldSpec) -> object:
    said = text.lower()
    if said not in ("true", "false"):
        raise _unreadable(one)
    return said == "true"


def _read_date(text: str, one: spec.FieldSpec) -> object:
    try:
        moment = canonical.parse_datetime(text)
    except ValueError as error:
        raise _unreadable(one) from error
    if moment.time() != moment.min.time():
        raise errors.ConvertError(
            terms.Problem.DATE_NOT_MIDNIGHT,
            "HubSpot's value has a time of day, which a date cannot hold: map it to a date and time field.",
        )
    return moment.date()


def _read_datetime(text: str, one: spec.FieldSpec) -> object:
    try:
        return canonical.parse_datetime(text)
    except ValueError as error:
        raise _unreadable(one) from error


def _read_multi(text: str, one: spec.FieldSpec) -> object:
    _read_text(text, one)
    return tuple(sorted(set(canonical.split_choices(text))))


def _read_user(text: str, one: spec.FieldSpec) -> object:
    check_storable(text)
    return text


def check_storable(text: str) -> None:
    """Refuses what cannot be stored on both sides: NUL (code ``nul``), lone surrogates (code ``type``)."""
    if "\0" in text:
        raise errors.ConvertError(
            terms.Problem.NUL, "The text contains a NUL character, which cannot be stored: remove it."
        )
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise errors.ConvertError(
            terms.Problem.TYPE, "The text contains half of a character (a lone surrogate): type it again."
        ) from error


def _check_choices(text: str, one: spec.FieldSpec) -> None:
    choices = canonical.split_choices(text) if one.local_type is terms.LocalType.MULTI else [text]
    for choice in choices:
        if choice not in one.local_choices:
            raise errors.ConvertError(
                terms.Problem.OPTION_UNKNOWN,
                f'"{choice[:80]}" is not one of the local choices: add it, or map it to one of them.',
            )


def _read_category(value: object, one: spec.FieldSpec) -> object:
    """The spelling that the related table has; a single row that differs in letter case alone is meant."""
    if isinstance(value, tuple):
        return tuple(sorted({_choose(text, one) for text in value}))
    return _choose(str(value), one)


def _choose(text: str, one: spec.FieldSpec) -> str:
    if text in one.local_choices or not one.local_choices:  # too many to know, or none: looked up when written
        return text
    near = [choice for choice in one.local_choices if choice.lower() == text.lower()]
    if len(near) == 1:
        return near[0]
    if one.adds_choices and not near:
        return text
    raise errors.ConvertError(
        terms.Problem.OPTION_UNKNOWN, f"There is no {one.category} “{text[:80]}” in Django: add it, or map it."
    )


READ: Final[dict[terms.LocalType, ReadLocal]] = {
    terms.LocalType.TEXT: _read_text,
    terms.LocalType.INTEGER: _read_integer,
    terms.LocalType.DECIMAL: _read_decimal,
    terms.LocalType.FLOAT: _read_float,
    terms.LocalType.BOOLEAN: _read_boolean,
    terms.LocalType.DATE: _read_date,
    terms.LocalType.DATETIME: _read_datetime,
    terms.LocalType.MULTI: _read_multi,
    terms.LocalType.USER: _read_user,
}
