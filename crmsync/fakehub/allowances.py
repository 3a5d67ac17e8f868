"""How much an account may hold and holds: records, properties, object types, pipelines, labels (``/crm/limits/V``).

Told, not enforced. The shapes are published, the numbers are not: those here are made up, and a flag changes them.
"""

from collections.abc import Callable
from typing import Any

from crmsync.fakehub import exchange, objecttypes

DEFAULTS = {
    "records": 15_000_000,
    "custom_object_records": 1_500_000,
    "custom_properties": 1000,
    "calculated_properties": 25,
    "custom_object_types": 10,
    "pipelines": 15,
    "custom_object_pipelines": 100,
    "labels": 10,  # of one pair of types (docs)
}
Count = Callable[[objecttypes.ObjectType], int]
WITH_PIPELINES = ("0-3", "0-5")


def _limit(call: exchange.Call, name: str) -> int:
    return int(call.hub.portal.allowances.get(name, DEFAULTS[name]))


def _kinds(call: exchange.Call, *, custom: bool) -> list[objecttypes.ObjectType]:
    return [kind for kind in call.hub.portal.kinds.values() if kind.is_custom is custom]


def _share(usage: int, limit: int) -> float:
    """Of a hundred; that HubSpot does not tell a fraction of one is a guess."""
    return round(100 * usage / limit, 2) if limit else 0.0


def _named(kind: objecttypes.ObjectType) -> dict[str, Any]:
    singular = kind.singular.title()
    plural = f"{singular}s" if kind.is_custom else kind.name.title()
    return {"objectTypeId": kind.id, "singularLabel": singular, "pluralLabel": plural}


def _of_each(kinds: list[objecttypes.ObjectType], count: Count, limit: int) -> list[dict[str, Any]]:
    """LimitAndUsageForObjectType of each."""
    return [
        {**_named(kind), "limit": limit, "usage": count(kind), "percentage": _share(count(kind), limit)}
        for kind in kinds
    ]


def _overall(kinds: list[dict[str, Any]], limit: int) -> dict[str, Any]:
    usage = sum(one["usage"] for one in kinds)
    return {
        "byObjectType": kinds,
        "overallLimit": limit,
        "overallPercentage": _share(usage, limit),
        "overallUsage": usage,
    }


def _plain(kinds: list[objecttypes.ObjectType], count: Count) -> list[dict[str, Any]]:
    """UsageForObjectType of each."""
    return [{**_named(kind), "usage": count(kind)} for kind in kinds]


def show_records(call: exchange.Call) -> exchange.Response:
    def count(kind: objecttypes.ObjectType) -> int:
        return len(call.hub.store.table(kind).live)

    custom = _overall(_plain(_kinds(call, custom=True), count), _limit(call, "custom_object_records"))
    own = _of_each(_kinds(call, custom=False), count, _limit(call, "records"))
    return exchange.answer({"customObjectTypes": custom, "hubspotDefinedObjectTypes": own})


def show_pipelines(call: exchange.Call) -> exchange.Response:
    def count(kind: objecttypes.ObjectType) -> int:
        return sum(not one["archived"] for one in call.hub.portal.pipelines[kind.id].values())

    custom = _overall(_plain(_kinds(call, custom=True), count), _limit(call, "custom_object_pipelines"))
    with_pipelines = [kind for kind in _kinds(call, custom=False) if kind.id in WITH_PIPELINES]
    own = _of_each(with_pipelines, count, _limit(call, "pipelines"))
    return exchange.answer({"customObjectTypes": custom, "hubspotDefinedObjectTypes": own})


def show_properties(call: exchange.Call) -> exchange.Response:
    """Custom properties; the limit holds for each type, overall for all of them."""

    def count(kind: objecttypes.ObjectType) -> int:
        held = call.hub.portal.properties[kind.id].values()
        return sum(not prop.archived and not prop.data["hubspotDefined"] for prop in held)

    kinds = list(call.hub.portal.kinds.values())
    limit = _limit(call, "custom_properties")
    return exchange.answer(_overall(_of_each(kinds, count, limit), limit * len(kinds)))


def show_calculated(call: exchange.Call) -> exchange.Response:
    def count(kind: objecttypes.ObjectType) -> int:
        held = call.hub.portal.properties[kind.id].values()
        return sum(not prop.archived and prop.data["calculated"] for prop in held)

    listed = _plain(list(call.hub.portal.kinds.values()), count)
    return exchange.answer(_overall(listed, _limit(call, "calculated_properties")))


def show_types(call: exchange.Call) -> exchange.Response:
    usage, limit = len(_kinds(call, custom=True)), _limit(call, "custom_object_types")
    return exchange.answer({"limit": limit, "usage": usage, "percentage": _share(usage, limit)})


def show_labels(call: exchange.Call) -> exchange.Response:
    """Labels of each pair that has some, narrowed by fromObjectTypeId and toObjectTypeId."""
    portal, limit = call.hub.portal, _limit(call, "labels")
    ends = call.one("fromObjectTypeId"), call.one("toObjectTypeId")
    pairs: dict[tuple[str, str], list[str]] = {}
    for row in portal.catalogue.rows:
        if (
            row.category == "USER_DEFINED"
            and row.label
            and ends[0] in {"", row.source}
            and ends[1] in {"", row.target}
        ):
            pairs.setdefault((row.source, row.target), []).append(row.label)
    results = [
        {
            "fromObjectType": _named(portal.kinds[source]),
            "toObjectType": _named(portal.kinds[target]),
            "allLabels": labels,
            "limit": limit,
            "usage": len(labels),
            "percentage": _share(len(labels), limit),
        }
        for (source, target), labels in pairs.items()
    ]
    return exchange.answer({"results": results})
