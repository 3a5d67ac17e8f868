"""Local value <-> HubSpot string: canonical texts for comparing, converted values for writing.

A value crosses in three steps: a Python value to its canonical local text (``localvalues``), through the
field's value map (``valuemap``), to HubSpot's string (``remotevalues``); and back.
Blank is None on the way and '' in what is sent to HubSpot.
"""

from collections.abc import Mapping
from typing import Final

from crmsync.engine import canonical, columns, errors, localvalues, remotevalues, spec, terms, valuemap

_LOCAL = terms.LocalType
_REMOTE = terms.RemoteType
_USER = terms.LocalType.USER

POSSIBLE: Final[dict[terms.LocalType, frozenset[terms.RemoteType]]] = {
    _LOCAL.TEXT: frozenset(_REMOTE),
    _LOCAL.INTEGER: frozenset({_REMOTE.NUMBER, _REMOTE.STRING, _REMOTE.ENUMERATION, _REMOTE.OWNER}),
    _LOCAL.DECIMAL: frozenset({_REMOTE.NUMBER, _REMOTE.STRING}),
    _LOCAL.FLOAT: frozenset({_REMOTE.NUMBER, _REMOTE.STRING}),
    _LOCAL.BOOLEAN: frozenset({_REMOTE.BOOL, _REMOTE.ENUMERATION, _REMOTE.STRING}),
    _LOCAL.DATE: frozenset({_REMOTE.DATE, _REMOTE.DATETIME, _REMOTE.STRING}),
    _LOCAL.DATETIME: frozenset({_REMOTE.DATETIME, _REMOTE.DATE, _REMOTE.STRING}),
    _LOCAL.MULTI: frozenset({_REMOTE.CHECKBOXES, _REMOTE.STRING}),
    _LOCAL.USER: frozenset({_REMOTE.OWNER, _REMOTE.ENUMERATION}),
}

_NOBODY: Final = spec.ValueMap()
_NO_OWNER: Final = "No HubSpot owner is linked with this user: link one on the user links page."
_NO_USER: Final = "No user is linked with this HubSpot owner: link one on the user links page."


def local_text(value: object, one: spec.FieldSpec) -> str | None:
    """Canonical text of a local value before any value map, None for blank; ConvertError if it has none."""
    return localvalues.text_of(value, one)


def remote_text(text: object, one: spec.FieldSpec) -> str | None:
    """Canonical text of a HubSpot value, None for blank. Never raises: the unreadable stands for itself."""
    return remotevalues.text_of(text, one)


def to_remote(value: object, one: spec.FieldSpec) -> str:
    """The string to send to HubSpot for a local value, '' for blank; ConvertError where there is none."""
    text = local_text(value, one)
    return "" if text is None else outgoing(text, one)


def from_remote(text: str | None, one: spec.FieldSpec) -> object:
    """The Python value for a HubSpot string, None for blank; ConvertError where the column cannot hold it."""
    said = remote_text(text, one)
    return None if said is None else incoming(said, one)


def outgoing(text: str, one: spec.FieldSpec) -> str:
    """The string to send for a canonical local text."""
    if one.value_map is None and one.local_type is not _USER:
        return remotevalues.value_of(text, one)
    said = _map_out(text, one)
    return remotevalues.value_of(said, one) if said else ""


def incoming(text: str, one: spec.FieldSpec) -> object:
    """The Python value for a canonical HubSpot text."""
    if one.value_map is None and one.local_type is not _USER:
        return columns.value_of(text, one)
    said = _map_in(text, one)
    return columns.value_of(said, one) if said else None


def is_possible(local_type: terms.LocalType, remote_type: terms.RemoteType) -> bool:
    """Whether a local type may be mapped to a property type at all."""
    return remote_type in POSSIBLE[local_type]


def is_several(one: spec.FieldSpec) -> bool:
    """Whether the field holds a set of choices."""
    return one.local_type is _LOCAL.MULTI or one.remote_type is _REMOTE.CHECKBOXES


def _map_out(text: str, one: spec.FieldSpec) -> str | None:
    if one.local_type is _USER:
        owners = one.value_map or _NOBODY
        return owners.to_remote.get(text) or owners.remote_default or _linked(text, owners.to_remote, _NO_OWNER)
    if one.value_map is None:
        return text
    if is_several(one):
        choices = canonical.split_choices(text)
        return canonical.choices_text(valuemap.all_to_remote(choices, one.value_map, one.options))
    return valuemap.to_remote(text, one.value_map, one.options)


def _map_in(text: str, one: spec.FieldSpec) -> str | None:
    if one.local_type is _USER:
        owners = one.value_map or _NOBODY
        return owners.to_local.get(text) or owners.local_default or _linked(text, owners.to_local, _NO_USER)
    if one.value_map is None:
        return text
    if is_several(one):
        choices = canonical.split_choices(text)
        return canonical.choices_text(valuemap.all_to_local(choices, one.value_map, one.local_choices))
    return valuemap.to_local(text, one.value_map, one.local_choices)


def _linked(text: str, links: Mapping[str, str], missing: str) -> str:
    """Users never pass unchanged, strict or not: a user's key is not an owner's id."""
    if text not in links:
        raise errors.ConvertError(terms.Problem.OPTION_UNKNOWN, missing)
    return links[text]
