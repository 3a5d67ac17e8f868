"""What an account may hold: records and custom properties by object type, and how many there are.

HubSpot: CRM limits API. Only as much of it as its published shapes say.
"""

from dataclasses import dataclass

from crmsync.hubspot import shapes, wire


@dataclass(frozen=True, slots=True)
class TypeLimit:
    """One object type: ``usage`` of ``limit``; ``limit`` is None where the type shares one with others."""

    object_type_id: str
    usage: int
    limit: int | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class RecordLimits:
    """Records by object type; all custom object types share ``custom_limit`` and have none of their own."""

    types: tuple[TypeLimit, ...]
    custom_usage: int
    custom_limit: int


@dataclass(frozen=True, slots=True)
class PropertyLimits:
    """Custom properties by object type, each with its own limit, and ``usage`` of ``limit`` over all."""

    types: tuple[TypeLimit, ...]
    usage: int
    limit: int


def record_limits(client: wire.Sender) -> RecordLimits:
    """How many records there are and may be. UnknownOutcome where HubSpot answers another shape."""
    return shapes.read_as(_to_record_limits, client.send(wire.get(client.paths.limits("records"))))


def property_limits(client: wire.Sender) -> PropertyLimits:
    """How many custom properties there are and may be. UnknownOutcome where HubSpot answers another shape."""
    return shapes.read_as(_to_property_limits, client.send(wire.get(client.paths.limits("custom-properties"))))


def _to_record_limits(raw: shapes.Json) -> RecordLimits:
    custom = raw["customObjectTypes"]
    return RecordLimits(
        types=tuple(_to_type_limit(one) for one in [*raw["hubspotDefinedObjectTypes"], *custom["byObjectType"]]),
        custom_usage=int(custom["overallUsage"]),
        custom_limit=int(custom["overallLimit"]),
    )


def _to_property_limits(raw: shapes.Json) -> PropertyLimits:
    return PropertyLimits(
        types=tuple(_to_type_limit(one) for one in raw["byObjectType"]),
        usage=int(raw["overallUsage"]),
        limit=int(raw["overallLimit"]),
    )


def _to_type_limit(raw: shapes.Json) -> TypeLimit:
    return TypeLimit(
        object_type_id=shapes.to_id(raw["objectTypeId"]),
        usage=int(raw["usage"]),
        limit=shapes.number(raw, "limit"),
        label=shapes.word(raw, "pluralLabel"),
    )
