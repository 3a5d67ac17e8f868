"""The JSON shapes of request bodies, by operation: what has another type is refused before a handler sees it.

A shape is a type (or several), ``[shape]`` for a list, or ``{name: shape}`` for an object whose other members are
free. Members that are null count as missing.
"""

import re
from typing import Any

from crmsync.fakehub import errors

ID = (str, int)
SCALAR = (str, int, float)
LONE = re.compile(rb"\\u[dD]")

SPEC = {"associationCategory": str, "associationTypeId": int}
END = {"id": ID}
INLINE = [{"to": END, "types": [SPEC]}]
RECORD = {"properties": dict, "associations": INLINE, "objectWriteTraceId": SCALAR}
EXISTING = {"id": ID, "idProperty": str, "properties": dict, "objectWriteTraceId": SCALAR}
PAIR = {"from": END, "to": END, "types": [SPEC]}
FILTER = {"propertyName": str, "operator": str, "value": SCALAR, "highValue": SCALAR, "values": [SCALAR]}
OPTION = {"label": str, "value": str, "displayOrder": int, "hidden": bool, "description": str}
PROPERTY = {
    "name": str, "label": str, "type": str, "fieldType": str, "groupName": str, "description": str,
    "options": [OPTION], "displayOrder": int, "hasUniqueValue": bool, "hidden": bool, "formField": bool,
    "externalOptions": bool, "dataSensitivity": str, "calculationFormula": str, "numberDisplayHint": str,
    "referencedObjectType": str, "showCurrencySymbol": bool, "currencyPropertyName": str,
}  # fmt: skip
NAMED = {"name": str}
GROUP = {"name": str, "label": str, "displayOrder": int}
STAGE = {"label": str, "displayOrder": int, "metadata": dict, "stageId": ID, "archived": bool}
PIPELINE = {"label": str, "displayOrder": int, "stages": [STAGE], "pipelineId": ID, "archived": bool}
SHAPES: dict[str, Any] = {
    "objects.create": RECORD,
    "objects.update": RECORD,
    "objects.merge": {"primaryObjectId": ID, "objectIdToMerge": ID},
    "objects.erase": {"objectId": ID, "idProperty": str},
    "objects.search": {
        "filterGroups": [{"filters": [FILTER]}],
        "sorts": list,
        "properties": [str],
        "limit": ID,
        "after": ID,
        "query": str,
    },
    "batch.read": {"inputs": [END], "properties": [str], "propertiesWithHistory": [str], "idProperty": str},
    "batch.create": {"inputs": [RECORD]},
    "batch.update": {"inputs": [EXISTING]},
    "batch.upsert": {"inputs": [EXISTING]},
    "batch.archive": {"inputs": [END]},
    "associations.put": [SPEC],
    "associations.read": {"inputs": [{"id": ID, "after": ID}]},
    "associations.create": {"inputs": [PAIR]},
    "associations.defaults": {"inputs": [PAIR]},
    "associations.archive": {"inputs": [{"from": END, "to": [END]}]},
    "associations.unlabel": {"inputs": [PAIR]},
    "properties.create": PROPERTY,
    "properties.update": PROPERTY,
    "properties.batch_create": {"inputs": [PROPERTY]},
    "properties.batch_read": {"inputs": [NAMED], "archived": bool},
    "properties.batch_archive": {"inputs": [NAMED]},
    "groups.create": GROUP,
    "groups.update": GROUP,
    "pipelines.create": PIPELINE,
    "pipelines.replace": PIPELINE,
    "pipelines.update": PIPELINE,
    "stages.create": STAGE,
    "stages.replace": STAGE,
    "stages.update": STAGE,
    "tokens.introspect": {"tokenKey": str},
}


def fit(value: Any, shape: Any) -> Any:
    """``value`` without its null members; a 400 if it does not have the shape."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            raise errors.wrong_type("object")
        return {
            name: fit(inner, shape[name]) if name in shape else inner
            for name, inner in value.items()
            if inner is not None
        }
    if isinstance(shape, list):
        if not isinstance(value, list):
            raise errors.wrong_type("array")
        return [fit(inner, shape[0]) for inner in value]
    if not isinstance(value, shape) or (isinstance(value, bool) and shape is not bool):
        raise errors.wrong_type("java.lang.String")
    return value


def whole(value: Any, body: bytes) -> Any:
    """``value`` with lone surrogates replaced: no text of the portal may be impossible to write as UTF-8."""
    return _mend(value) if LONE.search(body) else value


def _mend(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_mend(inner) for inner in value]
    if isinstance(value, dict):
        return {_mend(name): _mend(inner) for name, inner in value.items()}
    return value
