"""Schemas of custom objects, read-only here: they are planted."""

from typing import Any

from crmsync.fakehub import errors, exchange, objecttypes


def list_schemas(call: exchange.Call) -> exchange.Response:
    custom = [kind for kind in call.hub.portal.kinds.values() if kind.is_custom]
    found = [] if call.flag("archived") else [_show(call, kind) for kind in custom]
    return exchange.answer({"results": found})


def get_schema(call: exchange.Call) -> exchange.Response:
    if not call.kind.is_custom:
        raise errors.resource_not_found()
    return exchange.answer(_show(call, call.kind))


def _show(call: exchange.Call, kind: objecttypes.ObjectType) -> dict[str, Any]:
    portal, schema = call.hub.portal, kind.schema
    associations = [
        {"id": str(row.number), "fromObjectTypeId": row.source, "toObjectTypeId": row.target, "name": row.label}
        for row in portal.catalogue.rows
        if kind.id in {row.source, row.target}
    ]
    labels = {"singular": kind.singular.title(), "plural": f"{kind.singular.title()}s"}
    return {
        "id": kind.id.removeprefix("2-"),
        "objectTypeId": kind.id,
        "fullyQualifiedName": kind.name,
        "name": kind.singular,
        "labels": schema.get("labels") or labels,
        "primaryDisplayProperty": schema.get("primaryDisplayProperty"),
        "secondaryDisplayProperties": schema.get("secondaryDisplayProperties") or [],
        "requiredProperties": list(kind.required),
        "searchableProperties": list(kind.searchable),
        "properties": [prop.data for prop in portal.properties[kind.id].values() if not prop.archived],
        "associations": associations,
        "allowsSensitiveProperties": False,
        "archived": False,
    }
