"""Properties and property groups: list, read, create, change, archive, one by one and in batches."""

from typing import Any

from crmsync.fakehub import clock, definitions, errors, exchange

MAX_INPUTS = 100
SENSITIVITY = "non_sensitive"
SENSITIVITIES = {SENSITIVITY, "sensitive", "highly_sensitive"}


def _all(call: exchange.Call) -> dict[str, definitions.Property]:
    found: dict[str, definitions.Property] = call.hub.portal.properties[call.kind.id]
    return found


def _now(call: exchange.Call) -> str:
    return clock.iso(call.hub.clock.now_ms())


def _find(call: exchange.Call, name: str, *, archived: bool = False) -> definitions.Property:
    found = _all(call).get(name)
    if found is None or found.archived is not archived:
        raise errors.RefusalError(
            404,
            f"Property '{name}' does not exist",
            errors.MISSING,
            context={"propertyName": [name]},
            subCategory="Properties.PROPERTY_NOT_FOUND",
        )
    return found


def list_properties(call: exchange.Call) -> exchange.Response:
    sensitivity = call.one("dataSensitivity", SENSITIVITY)
    if sensitivity not in SENSITIVITIES:
        raise errors.bad_request(f"Unknown dataSensitivity: {sensitivity}")
    found = [
        prop.data
        for prop in _all(call).values()
        if prop.archived is call.flag("archived") and prop.data["dataSensitivity"] == sensitivity
    ]
    return exchange.answer({"results": found})


def get_property(call: exchange.Call) -> exchange.Response:
    return exchange.answer(_find(call, call.params["name"], archived=call.flag("archived")).data)


def create_property(call: exchange.Call) -> exchange.Response:
    prop = _create(call, call.document())
    call.hub.portal.changed()
    return exchange.answer(prop.data, 201)


def _create(call: exchange.Call, given: dict[str, Any]) -> definitions.Property:
    """A new property, or the archived one of that name brought back."""
    definitions.check_new(given)
    held = _all(call)
    if given["groupName"] not in call.hub.portal.groups[call.kind.id]:
        raise errors.bad_request(
            f"Property group '{given['groupName']}' does not exist", context={"groupName": [given["groupName"]]}
        )
    old = held.get(given["name"])
    if old is not None and not old.archived:
        raise errors.RefusalError(
            409,
            f"A property named '{old.name}' already exists.",
            "OBJECT_ALREADY_EXISTS",
            context={"name": [old.name]},
            subCategory="Properties.PROPERTY_WITH_NAME_EXISTS",
        )
    if old is not None:
        old.data.update(archived=False, updatedAt=_now(call))
        old.data.pop("archivedAt", None)
        return old
    unique = sum(prop.is_unique and not prop.archived for prop in held.values())
    if given.get("hasUniqueValue") and unique >= definitions.MAX_UNIQUE:
        raise errors.bad_request(f"At most {definitions.MAX_UNIQUE} unique properties are allowed")
    held[given["name"]] = definitions.make_property(given, _now(call))
    return held[given["name"]]


def update_property(call: exchange.Call) -> exchange.Response:
    prop, given = _find(call, call.params["name"]), call.document()
    if "hasUniqueValue" in given and given["hasUniqueValue"] is not prop.is_unique:
        raise errors.bad_request("hasUniqueValue cannot be changed after creation")
    wanted = {name: value for name, value in given.items() if name in definitions.PATCHABLE}
    if prop.data["modificationMetadata"]["readOnlyDefinition"] and wanted.keys() - {"options", "label"}:
        raise errors.bad_request(f"The definition of {prop.name} cannot be changed")
    if "options" in wanted:
        wanted["options"] = definitions.make_options(wanted["options"])
    after = {**prop.data, **wanted}
    definitions.check_pair(after["type"], after["fieldType"], after["options"])
    if after["groupName"] not in call.hub.portal.groups[call.kind.id]:
        raise errors.bad_request(f"Property group '{after['groupName']}' does not exist")
    prop.data.update(wanted, updatedAt=_now(call))
    prop.refresh()
    call.hub.portal.changed()
    return exchange.answer(prop.data)


def archive_property(call: exchange.Call) -> exchange.Response:
    _archive(call, _find(call, call.params["name"]))
    return exchange.nothing()


def _archive(call: exchange.Call, prop: definitions.Property) -> None:
    if not prop.data["modificationMetadata"]["archivable"]:
        raise errors.bad_request(f"Property '{prop.name}' cannot be archived")
    prop.data.update(archived=True, archivedAt=_now(call))
    call.hub.portal.changed()


def batch_create(call: exchange.Call) -> exchange.Response:
    results, failures = [], []
    for given in call.inputs(MAX_INPUTS):
        try:
            results.append(_create(call, given).data)
        except errors.RefusalError as refusal:
            failures.append(refusal.item())
    call.hub.portal.changed()
    return exchange.batch(call.hub.shuffled(results), _now(call), failures, 201)


def batch_read(call: exchange.Call) -> exchange.Response:
    body = call.document("inputs")
    archived = bool(body.get("archived", False))
    results, lost = [], []
    for given in call.inputs(MAX_INPUTS):
        prop = _all(call).get(str(given.get("name")))
        if prop is None or prop.archived is not archived:
            lost.append(str(given.get("name")))
        else:
            results.append(prop.data)
    failures = []
    if lost:
        message = f"Could not get some properties: {', '.join(lost)}"
        failures = [errors.RefusalError(404, message, errors.MISSING, context={"name": lost}).item()]
    return exchange.batch(call.hub.shuffled(results), _now(call), failures)


def batch_archive(call: exchange.Call) -> exchange.Response:
    found = [_find(call, str(given.get("name"))) for given in call.inputs(MAX_INPUTS)]
    for prop in found:
        _archive(call, prop)
    return exchange.nothing()


def _groups(call: exchange.Call) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = call.hub.portal.groups[call.kind.id]
    return found


def _group(call: exchange.Call) -> dict[str, Any]:
    name = call.params["name"]
    if name not in _groups(call):
        raise errors.RefusalError(404, f"Property group '{name}' does not exist", errors.MISSING)
    return _groups(call)[name]


def list_groups(call: exchange.Call) -> exchange.Response:
    return exchange.answer({"results": list(_groups(call).values())})


def get_group(call: exchange.Call) -> exchange.Response:
    return exchange.answer(_group(call))


def create_group(call: exchange.Call) -> exchange.Response:
    given = call.document("name", "label")
    name = str(given["name"])
    if not definitions.NAME.match(name):
        raise errors.bad_request(f"Property group name must be lowercase letters, digits and _: {name}")
    if name in _groups(call):
        raise errors.RefusalError(
            409,
            f"A property group named '{name}' already exists.",
            "OBJECT_ALREADY_EXISTS",
            context={"name": [name]},
            subCategory="Properties.GROUP_WITH_NAME_EXISTS",
        )
    order = given.get("displayOrder", -1)
    _groups(call)[name] = {"name": name, "label": given["label"], "displayOrder": order, "archived": False}
    call.hub.portal.changed()
    return exchange.answer(_groups(call)[name], 201)


def update_group(call: exchange.Call) -> exchange.Response:
    group = _group(call)
    group.update({name: value for name, value in call.document().items() if name in {"label", "displayOrder"}})
    call.hub.portal.changed()
    return exchange.answer(group)


def archive_group(call: exchange.Call) -> exchange.Response:
    group = _group(call)
    if any(prop.data["groupName"] == group["name"] and not prop.archived for prop in _all(call).values()):
        raise errors.bad_request(f"Property group '{group['name']}' still holds properties")
    del _groups(call)[group["name"]]
    call.hub.portal.changed()
    return exchange.nothing()
