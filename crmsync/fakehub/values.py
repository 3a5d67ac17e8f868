"""Is this text a value of that property, and what does the portal keep of it?

``settle(property, text)`` gives the normalised text or raises ValueRefusedError with HubSpot's error code.
"""

import datetime
import re

from crmsync.fakehub import clock, definitions

MAX_CHARACTERS = 65_536
# Names that are not, and never will be, on IANA's list of top-level domains (RFC 2606, RFC 6761).
NO_TLD = {"test", "example", "invalid", "localhost", "local", "internal", "lan", "home", "corp"}
EMAIL = re.compile(r"[^\s@\"'(),:;<>\[\]\\]+@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(xn--[a-z0-9-]+|[a-z]{2,63})")
NUMBER = re.compile(r"-?(\d+\.?\d*|\.\d+)", re.ASCII)
MILLIS = re.compile(r"-?\d{1,15}", re.ASCII)
DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|\+00:00)", re.ASCII)


class ValueRefusedError(Exception):
    """``code`` and the sentence of one refused value."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def settle(prop: definitions.Property, text: str) -> str:
    if len(text) > MAX_CHARACTERS:
        raise ValueRefusedError(
            "PROPERTY_VALUE_TOO_LONG",
            f"Property value is too long: {len(text)} characters, the limit is {MAX_CHARACTERS}.",
        )
    if prop.name == "email":
        return settle_email(text)
    return SETTLERS.get(prop.kind, _string)(prop, text)


def settle_email(text: str) -> str:
    email = text.strip().lower()
    shape = EMAIL.fullmatch(email)
    local = email.partition("@")[0]
    if not shape or shape[1] in NO_TLD or ".." in local or local.startswith(".") or local.endswith("."):
        raise ValueRefusedError("INVALID_EMAIL", f"Email address {text} is invalid")
    return email


def _string(_prop: definitions.Property, text: str) -> str:
    return text


def _number(_prop: definitions.Property, text: str) -> str:
    if not NUMBER.fullmatch(text):
        raise ValueRefusedError("INVALID_INTEGER", f"{text} was not a valid number.")
    sign, digits = ("-", text[1:]) if text[0] == "-" else ("", text)
    whole, _, rest = digits.partition(".")
    whole, rest = whole.lstrip("0") or "0", rest.rstrip("0")
    shown = f"{whole}.{rest}" if rest else whole
    return shown if shown == "0" else sign + shown


def _bool(_prop: definitions.Property, text: str) -> str:
    if text not in {"true", "false"}:
        raise ValueRefusedError("INVALID_BOOLEAN", f"{text} was not a valid boolean.")
    return text


def _date(_prop: definitions.Property, text: str) -> str:
    if MILLIS.fullmatch(text):
        ms = int(text)
        if ms % clock.DAY_MS:
            at = _moment(ms)
            raise ValueRefusedError("INVALID_DATE", f"{text} is at {at:%H:%M:%S} UTC, not midnight!")
        return f"{_moment(ms):%Y-%m-%d}".rjust(10, "0")
    try:
        if DATE.fullmatch(text):
            return datetime.date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    raise ValueRefusedError("INVALID_DATE", f"{text} was not a valid date.")


def _datetime(_prop: definitions.Property, text: str) -> str:
    if MILLIS.fullmatch(text):
        _moment(int(text))
        return clock.iso(int(text))
    try:
        if INSTANT.fullmatch(text):
            return clock.iso(clock.to_ms(text))
    except ValueError:
        pass
    raise ValueRefusedError("INVALID_LONG", f"{text} was not a valid long.")


def _moment(ms: int) -> datetime.datetime:
    try:
        return datetime.datetime.fromtimestamp(ms / 1000, datetime.UTC)
    except (ValueError, OverflowError, OSError) as bad:
        raise ValueRefusedError("INVALID_DATE", f"{ms} was not a valid date.") from bad


def _enumeration(prop: definitions.Property, text: str) -> str:
    if prop.external:
        return text
    chosen = list(dict.fromkeys(part for part in text.split(";") if part)) if prop.many else [text]
    for value in chosen:
        if value not in prop.options:
            raise ValueRefusedError(
                "INVALID_OPTION", f"{value} was not one of the allowed options: [{', '.join(prop.options)}]"
            )
    return ";".join(chosen)


SETTLERS = {
    "number": _number,
    "bool": _bool,
    "date": _date,
    "datetime": _datetime,
    "enumeration": _enumeration,
}


def as_number(kind: str, text: str) -> float | None:
    """The place of a value on a line, for search and sorts; None if it has none."""
    try:
        if kind in {"date", "datetime"}:
            return int(text) if MILLIS.fullmatch(text) else clock.to_ms(text)
        return float(text) if kind == "number" else None
    except ValueError:
        return None


def as_event(kind: str, text: str) -> str:
    """Webhooks carry dates and instants as epoch milliseconds, unlike the object API."""
    if text and kind in {"date", "datetime"}:
        return str(clock.to_ms(text))
    return text
