"""Typed values: does what staff wrote for a rule or a fixed value fit its field: the type, the options, the days?

Every function answers with a sentence and its remedy, or None where nothing is wrong.
"""

from collections.abc import Callable, Collection, Iterable
from typing import Final

from crmsync.engine import canonical, relative, terms

Kind = terms.LocalType | terms.RemoteType
O = terms.Operator  # noqa: E741
BARE: Final = frozenset({O.IS_EMPTY, O.NOT_EMPTY})

_NUMBERS: Final = frozenset(
    {terms.LocalType.INTEGER, terms.LocalType.DECIMAL, terms.LocalType.FLOAT, terms.RemoteType.NUMBER}
)
_DATES: Final = frozenset(
    {terms.LocalType.DATE, terms.LocalType.DATETIME, terms.RemoteType.DATE, terms.RemoteType.DATETIME}
)
_FLAGS: Final = frozenset({terms.LocalType.BOOLEAN, terms.RemoteType.BOOL})
_ORDERED: Final = frozenset({O.GREATER, O.LESS})
_TEXTUAL: Final = frozenset({O.CONTAINS, O.STARTS_WITH})
# More names than this make no sentence.
_NAMED: Final = 20


def find_value_fault(text: str, kind: Kind | None, known: Collection[str] = ()) -> str | None:
    """Why a value cannot be one of a field's. ``known``: its options or choices, empty where it takes anything."""
    if known:
        return None if text in known else f"“{text}” is not one of: {_named(known)}."
    if kind in _NUMBERS:
        return None if _reads(canonical.parse_number, text) else f"“{text}” is no number. Write it as 1234.5."
    if kind in _DATES:
        is_date = canonical.is_day(text[:10]) and _reads(canonical.parse_datetime, text)
        return None if is_date else f"“{text}” is no date. Write it as 2026-05-31."
    if kind in _FLAGS and text.casefold() not in ("true", "false"):
        return f"“{text}” is not one of: true, false."
    return None


def find_condition_fault(
    operator: terms.Operator, value: str, kind: Kind | None, known: Collection[str] = ()
) -> str | None:
    """Why a condition can never be met as it is meant; ``kind`` None: nothing is known of the field."""
    if operator in BARE:
        return None
    if not value.strip():
        return "Give the value to compare with, or choose “is empty”."
    if operator in relative.OPERATORS:
        return _find_days_fault(operator, value, kind)
    if operator in _TEXTUAL:
        return None
    if operator in _ORDERED:
        return find_value_fault(value, kind)
    several = operator in (O.IN, O.NOT_IN)
    values = [one.strip() for one in canonical.split_choices(value)] if several else [value]
    return next((fault for one in values if (fault := find_value_fault(one, kind, known))), None)


def _find_days_fault(operator: terms.Operator, value: str, kind: Kind | None) -> str | None:
    if kind is not None and kind not in _DATES:
        return f"The field holds {kind.label}, and “{operator.label}” needs a date. Choose another operator or field."
    if not _reads(relative.parse_days, value):
        return f"“{value}” is no number of days. Write a whole number from 0 to {relative.MOST_DAYS}."
    return None


def _reads(parse: Callable[[str], object], text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


def _named(known: Iterable[str]) -> str:
    names = sorted(known)
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
