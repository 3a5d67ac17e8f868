"""Canonical texts: numbers, days, moments and sets of choices, said so that equal values are equal strings.

Everything that reads raises ValueError and nothing else; it knows no field and no side.
"""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

SEPARATOR = ";"  # HubSpot's own between the choices of a checkbox property
MIDNIGHT = "T00:00:00.000Z"
MAX_DIGITS = 400  # a float has at most 309 digits before the point and 341 after it

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
_PLAIN_NUMBER = re.compile(r"-?[1-9]\d{0,17}(\.\d{0,17}[1-9])?", re.ASCII)
_PLAIN_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MILLISECONDS = re.compile(r"-?\d{1,15}", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def number_text(number: Decimal) -> str:
    """Plain notation without exponent, trailing zeros or negative zero."""
    if not number.is_finite():
        raise ValueError("not a finite number")
    if not number:
        return "0"
    if abs(number.adjusted()) > MAX_DIGITS or len(str(number)) > 2 * MAX_DIGITS:
        raise ValueError("too many digits")
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def parse_number(text: str) -> Decimal:
    """Digits with at most one point and an exponent of at most four digits; no thousands separators."""
    text = text.strip()
    if len(text) > 2 * MAX_DIGITS or not _NUMBER.fullmatch(text):
        raise ValueError("not a number")
    return Decimal(text)


def datetime_text(moment: datetime) -> str:
    """UTC with milliseconds and Z, as HubSpot says it; microseconds are cut off, not rounded."""
    if moment.tzinfo is None:
        raise ValueError("a naive datetime")
    moment = _to_utc(moment)
    return moment.isoformat(timespec="milliseconds")[:-6] + "Z"


def is_canonical_number(text: str) -> bool:
    """Whether ``number_text`` would say the number in these characters; a quick look, may say no for a few."""
    return _PLAIN_NUMBER.fullmatch(text) is not None


def is_canonical_datetime(text: str) -> bool:
    """Whether ``datetime_text`` would say the moment in these characters, if there is such a moment."""
    return _PLAIN_MOMENT.fullmatch(text) is not None


def is_day(text: str) -> bool:
    """Whether a text is a day alone, without a time."""
    return _DAY.fullmatch(text) is not None


def parse_datetime(text: str) -> datetime:
    """Aware UTC from ISO text (without offset: UTC; a day alone: its midnight) or from epoch milliseconds."""
    text = text.strip()
    if _DAY.match(text):
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else _to_utc(moment)
    if _MILLISECONDS.fullmatch(text):
        return _from_milliseconds(int(text))
    raise ValueError("not a date")


def parse_date(text: str) -> date:
    """The UTC day of a date, a datetime or epoch milliseconds (webhooks send those for date properties)."""
    return date.fromisoformat(text) if is_day(text) else parse_datetime(text).date()


def split_choices(text: str) -> list[str]:
    """The choices of ``a;b``; blank ones, so also HubSpot's leading separator, are dropped."""
    return [choice for choice in text.split(SEPARATOR) if choice]


def choices_text(choices: Iterable[str]) -> str | None:
    """Choices as a sorted set in one text; None when there is none."""
    return SEPARATOR.join(sorted({choice for choice in choices if choice})) or None


def plain_text(value: object) -> str | None:
    """The canonical text of any Python value by its own type; None for blank.

    For rules and match keys, which look at fields no mapping describes.
    """
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    try:
        return _typed_text(value)
    except ValueError:
        return str(value)


def _typed_text(value: object) -> str | None:
    if isinstance(value, int | float | Decimal):
        return number_text(Decimal(repr(value)) if isinstance(value, float) else Decimal(value))
    if isinstance(value, datetime):
        return datetime_text(value if value.tzinfo else value.replace(tzinfo=UTC))
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple | set | frozenset):
        return choices_text(str(one) for one in value)
    return str(getattr(value, "pk", value)) or None


def _from_milliseconds(milliseconds: int) -> datetime:
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError as error:
        raise ValueError("outside the years 1 to 9999") from error


def _to_utc(moment: datetime) -> datetime:
    if moment.tzinfo is UTC:
        return moment
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("outside the years 1 to 9999") from error
