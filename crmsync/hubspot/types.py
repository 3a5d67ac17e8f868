"""The values this room gives and takes: records, pages, batch inputs and results, definitions. No I/O."""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from crmsync.hubspot import errors

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One value a property has had; ``timestamp`` is aware UTC or None."""

    value: str | None
    timestamp: datetime | None
    source_type: str = ""
    source_id: str = ""


@dataclass(frozen=True, slots=True)
class ObjectRecord:
    """One CRM record. Property values are text or None; a property that was not asked for is absent.

    ``new`` is told by upsert only; ``trace_id`` is the objectWriteTraceId of the write that answered it.
    ``history`` is newest first, as HubSpot sends it. HubSpot: CRM object APIs, "retrieve records".
    """

    id: str
    properties: Mapping[str, str | None] = field(default_factory=dict)
    created_at: datetime | None = None
    updated_at: datetime | None = None
    archived: bool = False
    history: Mapping[str, tuple[HistoryEntry, ...]] = field(default_factory=dict)
    new: bool | None = None
    trace_id: str = ""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some results; ``after`` is where to go on (None: the end), ``total`` is told by search only."""

    records: tuple[T, ...]
    after: str | None = None
    total: int | None = None

    def __iter__(self) -> Iterator[T]:
        return iter(self.records)


@dataclass(frozen=True, slots=True)
class Filter:
    """One search condition; ``values`` for IN and NOT_IN, ``high_value`` for BETWEEN. HubSpot: CRM search."""

    property: str
    operator: str
    value: str | None = None
    values: tuple[str, ...] = ()
    high_value: str | None = None


@dataclass(frozen=True, slots=True)
class LabelSpec:
    """An association type by category (HUBSPOT_DEFINED, USER_DEFINED, INTEGRATOR_DEFINED) and type id."""

    category: str
    type_id: int
    label: str = ""


@dataclass(frozen=True, slots=True)
class InlineAssociation:
    """An association made together with its record; ``to_id`` must exist already."""

    to_id: str
    labels: tuple[LabelSpec, ...]


@dataclass(frozen=True, slots=True)
class CreateInput:
    """A record to create; ``trace_id`` is any text unique in the call. A value None is sent as ""."""

    trace_id: str
    properties: Mapping[str, str | None]
    associations: tuple[InlineAssociation, ...] = ()


@dataclass(frozen=True, slots=True)
class UpdateInput:
    """A record to change; "" clears a property, and None is sent as ""."""

    id: str
    properties: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class UpsertInput:
    """A record to create or change; ``id`` is the value of the unique property ``id_property``."""

    id: str
    id_property: str
    properties: Mapping[str, str | None]
    trace_id: str


@dataclass(frozen=True, slots=True)
class Settled(Generic[K, T]):
    """How each input of a batch call ended: every key is in exactly one of the two."""

    done: dict[K, T] = field(default_factory=dict)
    failed: dict[K, errors.HubSpotError] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Edge:
    """Two record ids to be associated, in the direction of the call."""

    from_id: str
    to_id: str


@dataclass(frozen=True, slots=True)
class Association:
    """One partner of a record, with every type and label that joins them."""

    to_id: str
    labels: tuple[LabelSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: str
    display_order: int = -1
    hidden: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True)
class Property:
    """A property as discovered. ``is_read_only`` is modificationMetadata.readOnlyValue, the only reliable test.

    ``has_external_options`` means that the options live elsewhere (owners, pipelines) and are empty here.
    ``sensitivity`` is non_sensitive, sensitive or highly_sensitive; ``is_calculated`` misses roll-ups and scores.
    """

    name: str
    label: str
    type: str
    field_type: str
    group: str = ""
    description: str = ""
    options: tuple[Option, ...] = ()
    is_read_only: bool = False
    is_unique: bool = False
    is_hidden: bool = False
    is_calculated: bool = False
    is_hubspot_defined: bool = False
    is_archived: bool = False
    has_external_options: bool = False
    has_read_only_options: bool = False
    display_order: int = -1
    sensitivity: str = "non_sensitive"
    referenced_object_type: str = ""
    updated_at: datetime | None = None

    @property
    def is_writable(self) -> bool:
        return not self.is_read_only and self.type not in ("object_coordinates", "json")


@dataclass(frozen=True, slots=True)
class NewProperty:
    """A property to create; ``is_unique`` can never be changed later (at most 10 an object type).

    ``referenced_object_type``: OWNER for one whose options are the account's owners.
    """

    name: str
    label: str
    type: str
    field_type: str
    group: str
    description: str = ""
    options: tuple[Option, ...] = ()
    is_unique: bool = False
    is_hidden: bool = False
    is_form_field: bool = False
    referenced_object_type: str = ""


@dataclass(frozen=True, slots=True)
class PropertyGroup:
    name: str
    label: str
    display_order: int = -1
    archived: bool = False


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of a pipeline; ``metadata`` values are text ("probability": "0.2", "isClosed": "false")."""

    id: str
    label: str
    display_order: int = 0
    metadata: Mapping[str, str] = field(default_factory=dict)
    archived: bool = False


@dataclass(frozen=True, slots=True)
class Pipeline:
    id: str
    label: str
    display_order: int = 0
    stages: tuple[Stage, ...] = ()
    archived: bool = False


@dataclass(frozen=True, slots=True)
class Owner:
    """``id`` is what hubspot_owner_id takes; ``user_id`` is another number, None for archived owners.

    ``user_id_including_inactive`` is kept by archived owners too.
    """

    id: str
    email: str = ""
    first_name: str = ""
    last_name: str = ""
    user_id: int | None = None
    type: str = "PERSON"
    archived: bool = False
    user_id_including_inactive: int | None = None


@dataclass(frozen=True, slots=True)
class ObjectSchema:
    """A custom object type; ``object_type_id`` ("2-123") is what every other call takes as object type."""

    object_type_id: str
    name: str
    fully_qualified_name: str = ""
    singular: str = ""
    plural: str = ""
    primary_display_property: str = ""
    required_properties: tuple[str, ...] = ()
    properties: tuple[Property, ...] = ()
    archived: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """The connected HubSpot account; the daily limit resets at midnight in ``time_zone``."""

    portal_id: int
    account_type: str = ""
    time_zone: str = ""
    currency: str = ""
    additional_currencies: tuple[str, ...] = ()
    utc_offset_ms: int = 0
    ui_domain: str = ""
    data_hosting_location: str = ""


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """What a static token is: which account, which app, which scopes."""

    hub_id: int
    user_id: int | None = None
    app_id: int | None = None
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One HTTP call as it may be stored: no query, no body, no token, no value of a person.

    ``status`` is 0 where no answer came; ``error`` is the class name of the error or ""; ``seconds`` is the
    time the call took; ``served_at`` is HubSpot's own clock (Date header), to notice that ours is wrong.
    ``family`` and ``version`` are those of ``versions.family_of``; ``limited``: it was answered with 429.
    """

    method: str
    path: str
    status: int
    seconds: float
    lane: str
    correlation_id: str = ""
    error: str = ""
    served_at: datetime | None = None
    family: str = "other"
    version: str = ""
    limited: bool = False
