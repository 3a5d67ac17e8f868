"""RecordKey and Record: one object as one side shows it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, order=True)
class RecordKey:
    """An object type and an id; locally the model label (``demo.person``) and the primary key as text."""

    object_type: str
    id: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Stands for the value of a local path whose code raised: which path, and the class of the error."""

    path: str
    error: str

    def __str__(self) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class Record:
    """One record as read from a side.

    ``values`` of a local record are Python values by local path; of a remote record they are HubSpot's
    strings (or None) by property name. ``modified_at`` is aware UTC, or None where the side does not know.
    """

    key: RecordKey
    values: Mapping[str, object] = field(default_factory=dict)
    modified_at: datetime | None = None
    archived: bool = False
