"""Custom object types. HubSpot: custom objects (schemas); Enterprise accounts only, else MissingScopes."""

from crmsync.hubspot import properties, shapes, types, wire


def list_all(client: wire.Sender, *, archived: bool = False) -> tuple[types.ObjectSchema, ...]:
    """Every custom object type, with its properties."""
    request = wire.get(client.paths.schemas(), ("archived", "true" if archived else "false"))
    return shapes.to_page(client.send(request), _to_schema).records


def get(client: wire.Sender, object_type: str) -> types.ObjectSchema:
    """One custom object type by object type id ("2-123") or fully qualified name ("p1_cars")."""
    return shapes.read_as(_to_schema, client.send(wire.get(client.paths.schemas(object_type))))


def _to_schema(raw: shapes.Json) -> types.ObjectSchema:
    names = raw.get("labels") or {}
    return types.ObjectSchema(
        object_type_id=shapes.to_id(raw["objectTypeId"]),
        name=shapes.word(raw, "name"),
        fully_qualified_name=shapes.word(raw, "fullyQualifiedName"),
        singular=shapes.word(names, "singular"),
        plural=shapes.word(names, "plural"),
        primary_display_property=shapes.word(raw, "primaryDisplayProperty"),
        required_properties=shapes.words(raw, "requiredProperties"),
        properties=tuple(properties.to_property(one) for one in raw.get("properties") or []),
        archived=shapes.flag(raw, "archived"),
    )
