"""HubSpot's JSON as our values, and where to look in an answer: results, errors, paging. Pure; no I/O.

Every function that takes a whole answer raises UnknownOutcome where HubSpot did not keep its own shape: a
write may have happened, so the caller reads back instead of trusting a guess.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from crmsync.hubspot import errors, types

T = TypeVar("T")
Json = dict[str, Any]


def read_as(parse: Callable[[Json], T], raw: object) -> T:
    """``parse(raw)``; UnknownOutcome where ``raw`` has not the shape ``parse`` needs."""
    if isinstance(raw, dict):
        try:
            return parse(raw)
        except (KeyError, TypeError, ValueError, AttributeError):
            pass
    del raw  # error reporters print the variables of a frame, and this may hold tokens or a person's values
    # Raised outside of the handler: the cause would quote the value it could not read.
    raise errors.UnknownOutcome("the answer has not the documented shape")


def results(body: Json | None) -> list[Any]:
    """The ``results`` list of an answer."""
    found = (body or {}).get("results")
    if not isinstance(found, list):
        raise errors.UnknownOutcome("the answer holds no list of results")
    return found


def error_items(body: Json | None) -> list[Json]:
    """The ``errors`` of a 207 answer, [] without any. HubSpot: CRM object APIs, multi-status errors."""
    found = (body or {}).get("errors")
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def next_after(body: Json | None) -> str | None:
    """The cursor of the next page (``paging.next.after``), None on the last one."""
    paging = (body or {}).get("paging")
    following = paging.get("next") if isinstance(paging, dict) else None
    after = following.get("after") if isinstance(following, dict) else None
    return str(after) if after not in (None, "") else None


def to_page(body: Json | None, parse: Callable[[Json], T]) -> types.Page[T]:
    """A list or search answer as a Page."""
    total = (body or {}).get("total")
    return types.Page(
        records=tuple(read_as(parse, raw) for raw in results(body)),
        after=next_after(body),
        total=total if isinstance(total, int) else None,
    )


def to_record(raw: Json) -> types.ObjectRecord:
    """One CRM record. HubSpot: CRM object APIs (SimplePublicObject)."""
    new = raw.get("new")
    return types.ObjectRecord(
        id=to_id(raw["id"]),
        properties={name: to_text(value) for name, value in (raw.get("properties") or {}).items()},
        created_at=to_time(raw.get("createdAt")),
        updated_at=to_time(raw.get("updatedAt")),
        archived=raw.get("archived") is True,
        history={
            name: tuple(_to_history_entry(entry) for entry in entries)
            for name, entries in (raw.get("propertiesWithHistory") or {}).items()
        },
        new=new if isinstance(new, bool) else None,
        trace_id=word(raw, "objectWriteTraceId"),
    )


def to_label(raw: Json) -> types.LabelSpec:
    """An association type as answers spell it (``category``, ``typeId``, ``label``)."""
    return types.LabelSpec(str(raw["category"]), int(raw["typeId"]), word(raw, "label"))


def from_label(label: types.LabelSpec) -> Json:
    """An association type as requests spell it."""
    return {"associationCategory": label.category, "associationTypeId": label.type_id}


def to_id(raw: object) -> str:
    """An id as text: HubSpot sends numbers in some families, text in others. ValueError for anything else."""
    if isinstance(raw, str) and raw:
        return raw
    if isinstance(raw, int) and not isinstance(raw, bool):
        return str(raw)
    raise ValueError("not an id")


def to_text(raw: object) -> str | None:
    """A property value as HubSpot would write it: booleans in lower case, None stays None."""
    if raw is None or isinstance(raw, str):
        return raw
    return str(raw).lower() if isinstance(raw, bool) else str(raw)


def to_time(raw: object) -> datetime | None:
    """An ISO 8601 text or epoch milliseconds as aware UTC; None for whatever is neither."""
    try:
        if isinstance(raw, int | float) and not isinstance(raw, bool):
            return datetime.fromtimestamp(raw / 1000, UTC)
        parsed = datetime.fromisoformat(str(raw))
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def word(raw: Mapping[str, Any], key: str) -> str:
    """A text field, "" where it is null or absent."""
    return to_text(raw.get(key)) or ""


def number(raw: Mapping[str, Any], key: str) -> int | None:
    """A whole-number field, None where it is null, absent or something else."""
    value = raw.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def flag(raw: Mapping[str, Any], key: str) -> bool:
    """A yes/no field, False where it is null or absent."""
    return raw.get(key) is True


def words(raw: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """A list of texts, () where it is null or absent; a single text counts as a list of one."""
    value = raw.get(key)
    items = value if isinstance(value, list) else [value]
    return tuple(text for text in map(to_text, items) if text)


def _to_history_entry(raw: Json) -> types.HistoryEntry:
    return types.HistoryEntry(
        value=to_text(raw.get("value")),
        timestamp=to_time(raw.get("timestamp")),
        source_type=word(raw, "sourceType"),
        source_id=word(raw, "sourceId"),
    )
