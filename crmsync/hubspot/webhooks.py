"""Webhook deliveries: bytes in, events out. HubSpot: webhooks API.

An event is a hint to read a record again: it carries keys, never values, and HubSpot promises neither order
nor single delivery, nor that ``event_id`` is unique. ``verify`` is ``signatures.verify``.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from crmsync.hubspot import errors, object_types, signatures

Kind = Literal[
    "creation",
    "deletion",
    "propertyChange",
    "merge",
    "restore",
    "associationChange",
    "privacyDeletion",
    "other",
]

# What a door needs, in one place.
verify = signatures.verify
SignatureError = errors.SignatureError
BodyError = errors.BodyError

MAX_EVENTS = 1_000  # HubSpot sends at most 100; ten times that is not HubSpot
MAX_INT = 2**63 - 1  # ids and times are int64
MAX_TEXT = 255  # longer than any property name or source; what is longer is cut, for it is only a hint

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_KINDS: dict[str, Kind] = {
    "creation": "creation",
    "deletion": "deletion",
    "propertyChange": "propertyChange",
    "merge": "merge",
    "restore": "restore",
    "associationChange": "associationChange",
    "privacyDeletion": "privacyDeletion",
}
_PREFIXES = {
    "contact": "contacts",
    "company": "companies",
    "deal": "deals",
    "ticket": "tickets",
    "product": "products",
    "line_item": "line_items",
}


@dataclass(frozen=True, slots=True)
class Event:
    """One event. Ids are text, "" where the event has none; times are epoch milliseconds.

    ``object_type`` is a name where HubSpot has one ("contacts"), else the object type id ("2-123"). Of an
    association change ``object_id`` is the end that ``object_type`` names, else the from end.
    ``survivor_id`` and ``merged_ids`` belong to merges: the record that lives on, and those that do not.
    """

    portal_id: int
    kind: Kind
    subscription_type: str
    object_type: str = ""
    object_id: str = ""
    property_name: str = ""
    occurred_at_ms: int = 0
    app_id: int | None = None
    event_id: int | None = None
    subscription_id: int | None = None
    attempt: int = 0
    source: str = ""
    source_id: str = ""
    change_flag: str = ""
    survivor_id: str = ""
    merged_ids: tuple[str, ...] = ()
    from_type: str = ""
    from_id: str = ""
    to_type: str = ""
    to_id: str = ""
    association_type: str = ""
    association_removed: bool | None = None
    is_primary: bool | None = None

    @property
    def dedupe_key(self) -> tuple[object, ...]:
        """What two deliveries of one event have in common; ``attempt`` is not part of it."""
        record = (self.object_type, self.object_id, self.from_id, self.to_id, self.property_name)
        moment = (self.occurred_at_ms, self.subscription_id, self.event_id)
        return (self.portal_id, self.subscription_type, *record, *moment)


def parse_events(body: bytes) -> list[Event]:
    """The events of one delivery, in its order. Raises BodyError, with the reason, for anything else.

    A type nobody knows yet is an event of kind "other", and so is one whose record is not named: a signed
    delivery must not be refused for being new.
    """
    raw = _load(body)
    if not isinstance(raw, list):
        raise errors.BodyError("not_array")
    if len(raw) > MAX_EVENTS:
        raise errors.BodyError("too_many")
    return [_to_event(item) for item in raw]


def _load(body: bytes) -> object:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise errors.BodyError("not_utf8") from None
    try:
        return json.loads(text, parse_int=_bounded_int, parse_constant=_no_constant)
    except RecursionError:
        raise errors.BodyError("too_deep") from None
    except ValueError:
        raise errors.BodyError("not_json") from None


def _to_event(raw: object) -> Event:
    if not isinstance(raw, dict):
        raise errors.BodyError("not_object")
    name = _text(raw, "subscriptionType") or _text(raw, "eventType")
    kind, object_type = _classify(name, raw)
    portal_id = _int(raw, "portalId")
    if portal_id is None:
        raise errors.BodyError("bad_field", field="portalId")
    ends = _ends(raw) if kind == "associationChange" else ("", "", "", "")
    object_id = _id(raw, "objectId") or _id_of_end(object_type, *ends)
    survivor_id, merged_ids = _merge(raw) if kind == "merge" else ("", ())
    object_id = object_id or survivor_id
    return Event(
        portal_id=portal_id,
        kind=kind if object_id else "other",
        subscription_type=name,
        object_type=object_type,
        object_id=object_id,
        property_name=_text(raw, "propertyName"),
        occurred_at_ms=_int(raw, "occurredAt") or 0,
        app_id=_int(raw, "appId"),
        event_id=_int(raw, "eventId"),
        subscription_id=_int(raw, "subscriptionId"),
        attempt=_int(raw, "attemptNumber") or 0,
        source=_text(raw, "changeSource"),
        source_id=_text(raw, "sourceId"),
        change_flag=_text(raw, "changeFlag"),
        survivor_id=survivor_id,
        merged_ids=merged_ids,
        from_type=ends[0],
        from_id=ends[1],
        to_type=ends[2],
        to_id=ends[3],
        association_type=_text(raw, "associationType") or _text(raw, "associationTypeId"),
        association_removed=_bool(raw, "associationRemoved"),
        is_primary=_bool(raw, "isPrimaryAssociation"),
    )


def _classify(name: str, raw: Mapping[str, Any]) -> tuple[Kind, str]:
    """Kind and object type: ``object.*`` names its type in a field, ``contact.*`` in its first word."""
    prefix, _, verb = name.partition(".")
    type_id = _text(raw, "objectTypeId")
    object_type = _PREFIXES.get(prefix) or object_types.name_of(type_id)
    known = prefix in _PREFIXES or prefix == "object"
    return (_KINDS.get(verb, "other") if known else "other"), object_type


def _ends(raw: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """Type and id of both ends of an association change: by type ids, or by a name as DEAL_TO_LINE_ITEM."""
    first, _, second = _text(raw, "associationType").partition("_TO_")
    from_type, to_type = _text(raw, "fromObjectTypeId"), _text(raw, "toObjectTypeId")
    from_type = object_types.name_of(from_type) or _PREFIXES.get(first.lower(), "")
    to_type = object_types.name_of(to_type) or _PREFIXES.get(second.lower(), "")
    return from_type, _id(raw, "fromObjectId"), to_type, _id(raw, "toObjectId")


def _id_of_end(object_type: str, from_type: str, from_id: str, to_type: str, to_id: str) -> str:
    return to_id if object_type == to_type and object_type != from_type else from_id


def _merge(raw: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Survivor (the new record if the merge made one) and all records that were merged into it."""
    primary = _id(raw, "primaryObjectId")
    survivor = _id(raw, "newObjectId") or primary
    listed = raw.get("mergedObjectIds")
    if not isinstance(listed, list | None):
        raise errors.BodyError("bad_field", field="mergedObjectIds")
    ids = [_id({"mergedObjectIds": one}, "mergedObjectIds") for one in listed or []]
    return survivor, tuple(dict.fromkeys(id for id in [*ids, primary] if id and id != survivor))


def _id(raw: Mapping[str, Any], key: str) -> str:
    """An id as text; null, absent and 0 are "no id"."""
    return str(_int(raw, key) or "")


def _int(raw: Mapping[str, Any], key: str) -> int | None:
    """A number from 0 to 2**63 - 1, also written as text; None where it is null or absent."""
    value = raw.get(key)
    if value is None:
        return None
    if isinstance(value, str) and re.fullmatch(r"\d{1,19}", value, re.ASCII):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_INT:
        raise errors.BodyError("bad_field", field=key)
    return value


def _text(raw: Mapping[str, Any], key: str) -> str:
    """A text, cut to what we keep; what no database takes (NUL, lone surrogates) becomes "?"."""
    value = raw.get(key)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise errors.BodyError("bad_field", field=key)
    return _UNSTORABLE.sub("?", str(value)[:MAX_TEXT])


def _bool(raw: Mapping[str, Any], key: str) -> bool | None:
    value = raw.get(key)
    return value if isinstance(value, bool) else None


def _bounded_int(digits: str) -> int:
    if len(digits) > 20:
        raise errors.BodyError("bad_number")
    return int(digits)


def _no_constant(name: str) -> None:
    raise errors.BodyError("bad_number")
