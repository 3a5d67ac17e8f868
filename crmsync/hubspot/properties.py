"""Property definitions and their groups: list, create, change, and make sure they exist. HubSpot: properties API."""

import dataclasses
from collections.abc import Sequence

from crmsync.hubspot import batch, errors, shapes, types, wire

CREATE_SIZE = 100  # HubSpot: properties API, batch create
_ADD_TRIES = 4

Properties = types.Settled[str, types.Property]


def list_all(
    client: wire.Sender, object_type: str, *, archived: bool = False, sensitivity: str = ""
) -> tuple[types.Property, ...]:
    """Every property of an object type, in one answer; archived ones only with ``archived``.

    ``sensitivity``: non_sensitive, sensitive or highly_sensitive; "" leaves it to HubSpot, which hides the
    sensitive ones. One call gives one kind only, and the sensitive kinds need scopes of their own.
    """
    query = [("archived", "true" if archived else "false")]
    query += [("dataSensitivity", sensitivity)] if sensitivity else []
    request = wire.get(client.paths.properties(object_type), *query)
    return shapes.to_page(client.send(request), to_property).records


def get(client: wire.Sender, object_type: str, name: str) -> types.Property:
    """One property by its internal name. NotFound where there is none."""
    return shapes.read_as(to_property, client.send(wire.get(client.paths.properties(object_type, name))))


def create(client: wire.Sender, object_type: str, wanted: types.NewProperty) -> types.Property:
    """Create one property. Conflict (OBJECT_ALREADY_EXISTS) where the name is taken."""
    request = wire.post(client.paths.properties(object_type), _property_json(wanted))
    return shapes.read_as(to_property, client.send(request))


def update(
    client: wire.Sender, object_type: str, name: str, *, description: str | None = None, label: str | None = None
) -> types.Property:
    """Change what people read of one property, "" empties it; what is None stays. Doing it again changes nothing.

    ValueError where nothing is given; NotFound where there is no such property.
    """
    given = {"description": description, "label": label}
    body = {key: value for key, value in given.items() if value is not None}
    if not body:
        raise ValueError("nothing to update")
    request = wire.Request("PATCH", client.paths.properties(object_type, name), json=body)
    return shapes.read_as(to_property, client.send(request))


def add_options(client: wire.Sender, object_type: str, name: str, wanted: Sequence[types.Option]) -> types.Property:
    """The property with these options beside those it has; doing it again changes nothing.

    HubSpot takes the whole list, so it is read before it is written and once more afterwards: what somebody else's
    list lost of ours is added again. UnknownOutcome where it is lost again and again.
    """
    for _ in range(_ADD_TRIES):
        found = get(client, object_type, name)
        present = {option.value for option in found.options}
        missing = [option for option in wanted if option.value not in present]
        if not missing:
            return found
        last = max((option.display_order for option in found.options), default=-1)
        added = [dataclasses.replace(one, display_order=last + at) for at, one in enumerate(missing, 1)]
        body = {"options": [_option_json(option) for option in (*found.options, *added)]}
        client.send(wire.Request("PATCH", client.paths.properties(object_type, name), json=body))
    raise errors.UnknownOutcome(f"the options of {name} are changed by somebody else all the time")


def create_batch(client: wire.Sender, object_type: str, wanted: Sequence[types.NewProperty]) -> Properties:
    """Create properties, each on its own merits; keys are names, a taken name is Conflict."""
    inputs = [batch.Input(one.name, _property_json(one), (one.name,)) for one in wanted]
    if len({one.name for one in wanted}) < len(wanted):
        raise ValueError("the same name is given twice in one call")
    path = client.paths.properties(object_type, "batch", "create")
    call = batch.Call(
        request=lambda bodies: wire.post(path, {"inputs": bodies}),
        size=CREATE_SIZE,
        parse=to_property,
        names_of=lambda raw: [shapes.word(raw, "name")],
        name_item=_named_by_item,
        if_missing=batch.unknown_if_missing,
    )
    return batch.run(client, call, inputs)


def ensure(
    client: wire.Sender, object_type: str, wanted: types.NewProperty, *, group_label: str
) -> tuple[types.Property, bool]:
    """The wanted property as it is in HubSpot now, and whether it was created for it, with its group.

    Looks before it creates, and takes a name that turns out to be taken as found: so it may run twice, or
    twice at once. An existing property is given back as it is, whatever its type: compare before use.
    """
    try:
        return get(client, object_type, wanted.name), False
    except errors.NotFound:
        ensure_group(client, object_type, wanted.group, group_label)
    try:
        return create(client, object_type, wanted), True
    except errors.Conflict:  # somebody was faster
        return get(client, object_type, wanted.name), False


def ensure_all(
    client: wire.Sender, object_type: str, wanted: Sequence[types.NewProperty]
) -> tuple[Properties, frozenset[str]]:
    """As ``ensure`` for many, by name, and the names of those created; their groups must exist.

    Raises what listing raises; a property that cannot be created ends in ``failed``.
    """
    existing = {one.name: one for one in list_all(client, object_type)}
    settled = create_batch(client, object_type, [one for one in wanted if one.name not in existing])
    created = frozenset(settled.done)
    settled.done.update((one.name, existing[one.name]) for one in wanted if one.name in existing)
    for name, error in list(settled.failed.items()):
        if isinstance(error, errors.Conflict) or error.maybe_applied:
            _settle_by_get(client, object_type, name, settled)
    return settled, created


def list_groups(client: wire.Sender, object_type: str) -> tuple[types.PropertyGroup, ...]:
    """The property groups of an object type."""
    return shapes.to_page(client.send(wire.get(client.paths.properties(object_type, "groups"))), _to_group).records


def ensure_group(client: wire.Sender, object_type: str, name: str, label: str) -> types.PropertyGroup:
    """The group with this name, created where it is missing; its label is left as it is."""
    path = client.paths.properties(object_type, "groups", name)
    try:
        return shapes.read_as(_to_group, client.send(wire.get(path)))
    except errors.NotFound:
        pass
    body = {"name": name, "label": label, "displayOrder": -1}
    try:
        request = wire.post(client.paths.properties(object_type, "groups"), body)
        return shapes.read_as(_to_group, client.send(request))
    except errors.Conflict:  # somebody was faster
        return shapes.read_as(_to_group, client.send(wire.get(path)))


def to_property(raw: shapes.Json) -> types.Property:
    """One property definition, also as custom object schemas hold it."""
    changing = raw.get("modificationMetadata") or {}
    return types.Property(
        name=shapes.to_id(raw["name"]),
        label=shapes.word(raw, "label"),
        type=shapes.word(raw, "type"),
        field_type=shapes.word(raw, "fieldType"),
        group=shapes.word(raw, "groupName"),
        description=shapes.word(raw, "description"),
        options=tuple(_to_option(option) for option in raw.get("options") or []),
        is_read_only=shapes.flag(changing, "readOnlyValue"),
        is_unique=shapes.flag(raw, "hasUniqueValue"),
        is_hidden=shapes.flag(raw, "hidden"),
        is_calculated=shapes.flag(raw, "calculated"),
        is_hubspot_defined=shapes.flag(raw, "hubspotDefined"),
        is_archived=shapes.flag(raw, "archived"),
        has_external_options=shapes.flag(raw, "externalOptions"),
        has_read_only_options=shapes.flag(changing, "readOnlyOptions"),
        display_order=_order(raw),
        sensitivity=shapes.word(raw, "dataSensitivity") or "non_sensitive",
        referenced_object_type=shapes.word(raw, "referencedObjectType"),
        updated_at=shapes.to_time(raw.get("updatedAt")),
    )


def _settle_by_get(client: wire.Sender, object_type: str, name: str, settled: Properties) -> None:
    """Look whether a property whose creation failed is there nevertheless."""
    try:
        settled.done[name] = get(client, object_type, name)
    except errors.HubSpotError:
        return  # the error of the creation says more
    del settled.failed[name]


def _to_group(raw: shapes.Json) -> types.PropertyGroup:
    return types.PropertyGroup(
        name=shapes.to_id(raw["name"]),
        label=shapes.word(raw, "label"),
        display_order=_order(raw),
        archived=shapes.flag(raw, "archived"),
    )


def _to_option(raw: shapes.Json) -> types.Option:
    return types.Option(
        value=shapes.word(raw, "value"),
        label=shapes.word(raw, "label"),
        display_order=_order(raw),
        hidden=shapes.flag(raw, "hidden"),
        description=shapes.word(raw, "description"),
    )


def _order(raw: shapes.Json) -> int:
    order = shapes.number(raw, "displayOrder")
    return -1 if order is None else order


def _property_json(wanted: types.NewProperty) -> shapes.Json:
    """The body of a creation; a bool needs its two options, although it can have no others."""
    options = wanted.options
    if wanted.type == "bool" and not options:
        options = (types.Option("true", "True", 0), types.Option("false", "False", 1))
    body: shapes.Json = {
        "name": wanted.name,
        "label": wanted.label,
        "type": wanted.type,
        "fieldType": wanted.field_type,
        "groupName": wanted.group,
        "description": wanted.description,
        "hasUniqueValue": wanted.is_unique,
        "hidden": wanted.is_hidden,
        "formField": wanted.is_form_field,
    }
    if wanted.referenced_object_type:
        body |= {"externalOptions": True, "referencedObjectType": wanted.referenced_object_type}
    return body | ({"options": [_option_json(option) for option in options]} if options else {})


def _option_json(option: types.Option) -> shapes.Json:
    return {
        "value": option.value,
        "label": option.label,
        "displayOrder": option.display_order,
        "hidden": option.hidden,
        "description": option.description,
    }


def _named_by_item(item: shapes.Json) -> tuple[str, ...]:
    context = item.get("context")
    return shapes.words(context, "name") if isinstance(context, dict) else ()
