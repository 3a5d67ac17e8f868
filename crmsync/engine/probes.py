"""Probes: the values worth trying on a field, for its column and for its property.

What a side could not hold is left out, but for a NUL character, which some databases keep and some do not.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from typing import Final

from crmsync.engine import canonical, columns, convert, errors, remotevalues, spec, terms

Zones = Sequence[tzinfo]

_LOCAL = terms.LocalType
_REMOTE = terms.RemoteType

ODD: Final = "something else"
_TEXTS: Final = (
    " outer blanks ",
    "Mixed.Case@Example.com",
    "👩‍👩‍👧 naïve",
    "\u202bשלום مرحبا\u202c",
    "one\r\ntwo",
    "a;b",
    "nul\0",
    "x" * remotevalues.MAX_TEXT,
)
_INTEGERS: Final = (0, 1, -1, 2**31 - 1, -(2**31))
_FLOATS: Final = (0.0, 0.1, -2.5, 1e21, 1e-7)
# One more than a column of 32 bits holds, and more digits than most: HubSpot's numbers know no column.
_NUMBERS: Final = ("0", "-1", "1.50", "-0.005", "1e3", "2147483648", "9" * 20)
_DIGITS, _PLACES = 18, 4  # of decimal columns that set no limits
_DAYS: Final = (date(2024, 2, 29), date(1900, 2, 28), date(1969, 12, 31), date.min, date.max)
# By the clock on the wall of each zone: boundaries, midnights, microseconds, and the hours that are skipped
# or come twice in New York and in the European Union.
_CLOCKS: Final = (
    datetime(2024, 2, 29),
    datetime(2024, 5, 1, 12, 30, 15, 123456),
    datetime(2024, 3, 10, 2, 30),
    datetime(2024, 3, 31, 2, 30),
    datetime(2024, 10, 27, 2, 30),
    datetime(2024, 10, 27, 2, 30, fold=1),
    datetime(2024, 11, 3, 1, 30),
    datetime(2024, 11, 3, 1, 30, fold=1),
    datetime.min,
    datetime.max,
)


def local_values(one: spec.FieldSpec, zones: Zones) -> list[object]:
    """Python values that the column can hold, blank first; all choices where it has any."""
    known: list[object] = [_parsed(text, one) for text in sorted(_local_known(one))]
    if one.local_type is _LOCAL.MULTI and len(known) > 1:
        known.append(tuple(sorted(_local_known(one))))
    is_closed = bool(one.local_choices) or one.local_type is _LOCAL.USER or _is_strict(one)
    if _has_default(one, terms.SideName.LOCAL) and one.local_type is _LOCAL.TEXT and not one.local_choices:
        known.append(ODD)
    if is_closed and one.local_type is not _LOCAL.BOOLEAN:
        return [None, *known]
    return [None, *known, *_LOCAL_PROBES[one.local_type](one, zones)]


def remote_texts(one: spec.FieldSpec, zones: Zones) -> list[str]:
    """Texts that may be sent to or shown by the property, blank first; all options where it has any."""
    known = sorted(_remote_known(one))
    if one.remote_type is _REMOTE.CHECKBOXES and len(known) > 1:
        known.append(canonical.SEPARATOR.join(known))
    is_closed = bool(one.options) or one.remote_type in _CHOSEN or _is_strict(one)
    if _has_default(one, terms.SideName.REMOTE) and one.remote_type is _REMOTE.STRING and not one.options:
        known.append(ODD)
    return ["", *known, *([] if is_closed else _REMOTE_PROBES[one.remote_type](one, zones))]


_CHOSEN: Final = (_REMOTE.ENUMERATION, _REMOTE.CHECKBOXES, _REMOTE.OWNER)


def _is_strict(one: spec.FieldSpec) -> bool:
    return one.value_map is not None and one.value_map.strict


def _has_default(one: spec.FieldSpec, side: terms.SideName) -> bool:
    """Whether a value of this side that the map does not have becomes another one."""
    if one.value_map is None:
        return False
    said = one.value_map.remote_default if side is terms.SideName.LOCAL else one.value_map.local_default
    return said is not None


def _local_known(one: spec.FieldSpec) -> set[str]:
    """The column's choices; else what the value map names, else the options of the property for several choices."""
    found = set(one.local_choices)
    if not found and one.value_map is not None:
        found = {*one.value_map.to_remote, *one.value_map.to_local.values()}
    if not found and one.local_type is _LOCAL.MULTI:
        found = set(one.options) or {"a", "b"}
    return found - {""}


def _remote_known(one: spec.FieldSpec) -> set[str]:
    """The property's options; else what the value map names."""
    found = set(one.options)
    if not found and one.value_map is not None:
        found = {*one.value_map.to_local, *one.value_map.to_remote.values()}
    return found - {""}


def _parsed(text: str, one: spec.FieldSpec) -> object:
    try:
        return columns.READ[one.local_type](text, one)
    except errors.ConvertError:
        return text  # a choice that is not of the column's type: the trip says so


# columns


def _texts(one: spec.FieldSpec, zones: Zones) -> Iterator[str]:
    """Any text for a text property; for others what they hold, and something that they do not."""
    found: Iterable[str] = [*sorted(one.options), *remote_samples(one, zones), ODD]
    if one.remote_type in (_REMOTE.STRING, _REMOTE.PHONE_NUMBER):
        found = [*found, *_long(one), *_TEXTS]
    return (text for text in found if one.max_length is None or len(text) <= one.max_length)


def _long(one: spec.FieldSpec) -> list[str]:
    return ["é" * one.max_length] if one.max_length else []


def _integers(one: spec.FieldSpec, zones: Zones) -> Iterator[object]:
    return _fitting(_INTEGERS, one)


def _decimals(one: spec.FieldSpec, zones: Zones) -> Iterator[object]:
    places = _PLACES if one.decimal_places is None else one.decimal_places
    digits = max(places, _DIGITS if one.max_digits is None else one.max_digits)
    most = Decimal((0, (9,) * digits, -places))
    least = Decimal((0, (1,), -places))
    tried = (Decimal(0), Decimal("-0.0"), least, -least, most, -most, Decimal("1E+2"), Decimal("1.50"))
    return _fitting(tried, one)


def _fitting(values: Iterable[object], one: spec.FieldSpec) -> Iterator[object]:
    for value in values:
        try:
            columns.value_of(convert.local_text(value, one) or "", one)
        except errors.ConvertError:
            continue
        yield value


def _moments(one: spec.FieldSpec, zones: Zones) -> Iterator[datetime]:
    """Moments that exist in UTC: Django stores no others."""
    for zone in (UTC, *zones):
        for clock in _CLOCKS:
            moment = clock.replace(tzinfo=zone)
            try:
                canonical.datetime_text(moment)
            except ValueError:
                continue
            yield moment


_LOCAL_PROBES: Final[dict[terms.LocalType, Callable[[spec.FieldSpec, Zones], Iterable[object]]]] = {
    _LOCAL.TEXT: _texts,
    _LOCAL.INTEGER: _integers,
    _LOCAL.DECIMAL: _decimals,
    _LOCAL.FLOAT: lambda one, zones: _FLOATS,
    _LOCAL.BOOLEAN: lambda one, zones: (True, False),
    _LOCAL.DATE: lambda one, zones: _DAYS,
    _LOCAL.DATETIME: _moments,
    _LOCAL.MULTI: lambda one, zones: (),
    _LOCAL.USER: lambda one, zones: (),
}


# properties


def remote_samples(one: spec.FieldSpec, zones: Zones) -> list[str]:
    """Texts of a typed property; none for text, options and owners."""
    probe = _REMOTE_PROBES[one.remote_type]
    return [] if probe is _property_texts else list(probe(one, zones))


def _property_texts(one: spec.FieldSpec, zones: Zones) -> list[str]:
    """Any text for a text column; for others what they hold, and something that they do not."""
    if one.local_type is _LOCAL.TEXT:
        return [ODD, *_long(one), *_TEXTS]
    said = [convert.local_text(value, one) for value in _LOCAL_PROBES[one.local_type](one, zones)]
    return [*filter(None, said), ODD]


def _day_texts(one: spec.FieldSpec, zones: Zones) -> list[str]:
    """As the API shows days, and one as webhooks do: milliseconds (HubSpot: webhooks, property values)."""
    return [*(day.isoformat() for day in _DAYS), "1709164800000"]


def _moment_texts(one: spec.FieldSpec, zones: Zones) -> list[str]:
    return [*dict.fromkeys(canonical.datetime_text(moment) for moment in _moments(one, zones)), "1709202600123"]


_REMOTE_PROBES: Final[dict[terms.RemoteType, Callable[[spec.FieldSpec, Zones], Iterable[str]]]] = {
    _REMOTE.STRING: _property_texts,
    _REMOTE.NUMBER: lambda one, zones: _NUMBERS,
    _REMOTE.BOOL: lambda one, zones: ("true", "false"),
    _REMOTE.DATE: _day_texts,
    _REMOTE.DATETIME: _moment_texts,
    _REMOTE.ENUMERATION: _property_texts,
    _REMOTE.CHECKBOXES: _property_texts,
    _REMOTE.PHONE_NUMBER: _property_texts,
    _REMOTE.OWNER: _property_texts,
}
