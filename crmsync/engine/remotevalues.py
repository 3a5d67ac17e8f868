"""HubSpot's values, one property type at a time: any string to its canonical text, a text to what is sent.

It knows the property (options, lengths) and nothing of the local column. Reading never raises, because
HubSpot shows what it shows; saying raises ConvertError for what HubSpot would refuse or change.
"""

from collections.abc import Callable
from typing import Final

from crmsync.engine import canonical, columns, errors, spec, terms

ReadRemote = Callable[[str], str | None]
SayRemote = Callable[[str, spec.FieldSpec], str]

MAX_TEXT: Final = 65_536  # characters HubSpot keeps of a text property
MAX_OPTION: Final = 200  # characters of a value we make an option of: longer ones are prose, not choices

_NUMBERS: Final = (terms.LocalType.INTEGER, terms.LocalType.DECIMAL, terms.LocalType.FLOAT)


def text_of(value: object, one: spec.FieldSpec) -> str | None:
    """The canonical text of what HubSpot shows, None for blank; what cannot be read stands for itself."""
    if value is None or value == "":
        return None
    text = value if isinstance(value, str) else canonical.plain_text(value) or ""
    read = READ[one.remote_type]
    if read is _read_as_is:
        return text or None
    try:
        return read(text)
    except ValueError:
        return text


def value_of(text: str, one: spec.FieldSpec) -> str:
    """The string to send for a text, in HubSpot's own form of it."""
    return SAY[one.remote_type](text, one)


# from HubSpot


def _read_as_is(text: str) -> str | None:
    return text


def _read_number(text: str) -> str | None:
    if canonical.is_canonical_number(text):
        return text
    return canonical.number_text(canonical.parse_number(text))


def _read_bool(text: str) -> str | None:
    lowered = text.lower()
    return lowered if lowered in ("true", "false") else text


def _read_date(text: str) -> str | None:
    return text if canonical.is_day(text) else canonical.parse_date(text).isoformat()


def _read_datetime(text: str) -> str | None:
    if canonical.is_canonical_datetime(text):
        return text
    return canonical.datetime_text(canonical.parse_datetime(text))


def _read_checkboxes(text: str) -> str | None:
    return canonical.choices_text(canonical.split_choices(text))


# to HubSpot


def _say_text(text: str, one: spec.FieldSpec) -> str:
    columns.check_storable(text)
    if len(text) > MAX_TEXT:
        raise errors.ConvertError(
            terms.Problem.TOO_LONG,
            f"The text has {len(text)} characters, HubSpot keeps {MAX_TEXT}: shorten it.",
        )
    return text


def _say_number(text: str, one: spec.FieldSpec) -> str:
    if one.value_map is None and one.local_type in _NUMBERS:
        return text  # canonical already
    try:
        return canonical.number_text(canonical.parse_number(text))
    except ValueError as error:
        raise _wrong_type(one) from error


def _say_bool(text: str, one: spec.FieldSpec) -> str:
    lowered = text.lower()
    if lowered not in ("true", "false"):
        raise _wrong_type(one)
    return lowered


def _say_date(text: str, one: spec.FieldSpec) -> str:
    if one.value_map is None and one.local_type is terms.LocalType.DATE:
        return text
    moment = _say_datetime(text, one)
    if not moment.endswith(canonical.MIDNIGHT):
        raise errors.ConvertError(
            terms.Problem.DATE_NOT_MIDNIGHT,
            "A HubSpot date holds no time of day: map the field to a date and time property.",
        )
    return moment.removesuffix(canonical.MIDNIGHT)


def _say_datetime(text: str, one: spec.FieldSpec) -> str:
    if one.value_map is None and one.local_type is terms.LocalType.DATETIME:
        return text
    try:
        return canonical.datetime_text(canonical.parse_datetime(text))
    except ValueError as error:
        raise _wrong_type(one) from error


def _say_option(text: str, one: spec.FieldSpec) -> str:
    if one.options and text not in one.options:
        if not one.adds_options:
            raise errors.ConvertError(
                terms.Problem.OPTION_UNKNOWN,
                f'"{text[:80]}" is not an option of {one.remote}: add it in HubSpot, or map it to one.',
            )
        _check_option(text, one)
    return _say_text(text, one)


def _check_option(text: str, one: spec.FieldSpec) -> None:
    """What is to be made an option must be sayable as one: semicolons separate options, outer blanks get lost."""
    if canonical.SEPARATOR in text or text != text.strip() or not text.isprintable() or len(text) > MAX_OPTION:
        raise errors.ConvertError(
            terms.Problem.OPTION_UNKNOWN,
            f'"{text[:80]}" cannot be made an option of {one.remote}: an option has at most {MAX_OPTION} characters,'
            " no semicolon, line break or outer blank. Map it to one.",
        )


def _say_checkboxes(text: str, one: spec.FieldSpec) -> str:
    choices = canonical.split_choices(text)
    for choice in choices:
        _say_option(choice, one)
    return _say_text(canonical.choices_text(choices) or "", one)


def _wrong_type(one: spec.FieldSpec) -> errors.ConvertError:
    return errors.ConvertError(
        terms.Problem.TYPE,
        f"The value is not a {one.remote_type.label}, which {one.remote} holds: correct it.",
    )


READ: Final[dict[terms.RemoteType, ReadRemote]] = {
    terms.RemoteType.STRING: _read_as_is,
    terms.RemoteType.NUMBER: _read_number,
    terms.RemoteType.BOOL: _read_bool,
    terms.RemoteType.DATE: _read_date,
    terms.RemoteType.DATETIME: _read_datetime,
    terms.RemoteType.ENUMERATION: _read_as_is,
    terms.RemoteType.CHECKBOXES: _read_checkboxes,
    terms.RemoteType.PHONE_NUMBER: _read_as_is,
    terms.RemoteType.OWNER: _read_as_is,
}

SAY: Final[dict[terms.RemoteType, SayRemote]] = {
    terms.RemoteType.STRING: _say_text,
    terms.RemoteType.NUMBER: _say_number,
    terms.RemoteType.BOOL: _say_bool,
    terms.RemoteType.DATE: _say_date,
    terms.RemoteType.DATETIME: _say_datetime,
    terms.RemoteType.ENUMERATION: _say_option,
    terms.RemoteType.CHECKBOXES: _say_checkboxes,
    terms.RemoteType.PHONE_NUMBER: _say_text,
    terms.RemoteType.OWNER: _say_text,
}
