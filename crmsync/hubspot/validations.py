"""The rules an admin has put on property values, which HubSpot enforces on API writes since version 2026-09.

HubSpot: property validations API. Its published shape (2026-03) knows rules of one value, such as FORMAT or
MAX_LENGTH. That conditionally required properties, which 2026-09 enforces too, will come as further kinds of
the same list is a guess: so a kind nobody knows yet is kept as it is.
"""

from dataclasses import dataclass

from crmsync.hubspot import object_types, shapes, wire


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of one property; ``kind`` is HubSpot's word (MAX_LENGTH), ``arguments`` its texts ("30").

    ``normalizes``: HubSpot changes a value to fit where it can, instead of refusing it.
    """

    property: str
    kind: str
    arguments: tuple[str, ...] = ()
    normalizes: bool = False


def list_rules(client: wire.Sender, object_type_id: str) -> tuple[Rule, ...]:
    """Every rule of an object type, in HubSpot's order; names ("contacts") are sent as ids ("0-1")."""
    path = client.paths.property_validations(object_types.id_of(object_type_id))
    page = shapes.to_page(client.send(wire.get(path)), _to_rules)
    return tuple(rule for rules in page for rule in rules)


def _to_rules(raw: shapes.Json) -> tuple[Rule, ...]:
    name = shapes.to_id(raw["propertyName"])
    return tuple(_to_rule(name, rule) for rule in raw.get("propertyValidationRules") or [])


def _to_rule(name: str, raw: shapes.Json) -> Rule:
    return Rule(
        property=name,
        kind=shapes.to_id(raw["ruleType"]),
        arguments=shapes.words(raw, "ruleArguments"),
        normalizes=shapes.flag(raw, "shouldApplyNormalization"),
    )
