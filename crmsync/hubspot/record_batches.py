"""Batches of CRM records: read, create, update, upsert, archive. HubSpot: CRM object APIs, batch.

Every function cuts any number of inputs into HubSpot's chunks, gives back a ``types.Settled`` and never raises
a HubSpotError: look at the class of each ``failed[key]``. ValueError for two writes to one record in one call.
"""

from collections.abc import Iterable, Mapping, Sequence

from crmsync.hubspot import batch, errors, object_types, shapes, types, wire

BATCH_SIZE = 100  # HubSpot: CRM object APIs, "limited to 100 records at a time"
HISTORY_SIZE = 50  # the same page: 50 when propertiesWithHistory is asked for
SECONDARY_EMAILS = "hs_additional_emails"

Records = types.Settled[str, types.ObjectRecord]


def read_batch(
    client: wire.Sender,
    object_type: str,
    ids: Iterable[str],
    properties: Sequence[str],
    *,
    id_property: str | None = None,
    history: Sequence[str] = (),
    archived: bool = False,
) -> Records:
    """Records by id, or by the values of a unique property (trimmed and lower-cased to compare).

    Keys are the ids or values as asked; the same one asked twice is read once. What HubSpot does not have is
    NotFound; what it leaves unsaid is UnknownOutcome, so that a bad answer never looks like a deletion.
    """
    asked = list(dict.fromkeys(ids))
    by_name: dict[str, str] = {}
    for id in asked:
        by_name.setdefault(batch.fold(id), id.strip())
    inputs = [batch.Input(name, {"id": id}, (f"id:{name}",)) for name, id in by_name.items()]
    body: shapes.Json = {"properties": with_match_property(object_type, properties, id_property)}
    body |= {"propertiesWithHistory": list(history)} if history else {}
    body |= {"idProperty": id_property} if id_property else {}
    path = client.paths.objects(object_type, "batch", "read")
    query = (("archived", "true" if archived else "false"),)
    call = batch.Call(
        request=lambda bodies: wire.post(path, {**body, "inputs": bodies}, *query, reads=True),
        size=HISTORY_SIZE if history else BATCH_SIZE,
        parse=shapes.to_record,
        names_of=lambda raw: _names_read(raw, id_property),
        name_item=_named_by_item,
        if_missing=_not_found,
    )
    settled = batch.run(client, call, inputs)
    return types.Settled(
        done={id: settled.done[batch.fold(id)] for id in asked if batch.fold(id) in settled.done},
        failed={id: settled.failed[batch.fold(id)] for id in asked if batch.fold(id) in settled.failed},
    )


def create_batch(client: wire.Sender, object_type: str, inputs: Sequence[types.CreateInput]) -> Records:
    """Create records; keys are trace ids. A taken unique value is Conflict with ``existing_id``.

    UnknownOutcome and ServerError mean that the record may exist: read back before creating it again.
    """
    _refuse_duplicates("trace id", [one.trace_id for one in inputs])
    prepared = []
    for one in inputs:
        values = _values(one.properties)
        body = {
            "objectWriteTraceId": one.trace_id,
            "properties": values,
            "associations": [_association_json(partner) for partner in one.associations],
        }
        prepared.append(batch.Input(one.trace_id, body, (f"trace:{one.trace_id}",), values))
    return _write(client, object_type, "create", prepared, _names_by_trace)


def update_batch(client: wire.Sender, object_type: str, inputs: Sequence[types.UpdateInput]) -> Records:
    """Change records; keys are ids. A record that is gone is NotFound."""
    _refuse_duplicates("id", [one.id for one in inputs])
    prepared = []
    for one in inputs:
        values = _values(one.properties)
        # Accepted on updates too, and the only way an error item can name an input without naming ids.
        body = {"id": one.id, "properties": values, "objectWriteTraceId": one.id}
        names = (f"id:{batch.fold(one.id)}", f"trace:{one.id}")
        prepared.append(batch.Input(one.id, body, names, values))
    return _write(client, object_type, "update", prepared, _names_by_id)


def upsert_batch(client: wire.Sender, object_type: str, inputs: Sequence[types.UpsertInput]) -> Records:
    """Create or change records by a unique property; keys are trace ids, ``record.new`` tells which it was.

    HubSpot: "partial upserts are not supported when using email as the idProperty".
    """
    _refuse_duplicates("trace id", [one.trace_id for one in inputs])
    _refuse_duplicates("unique value", [f"{one.id_property} {batch.fold(one.id)}" for one in inputs])
    prepared = []
    for one in inputs:
        values = _values(one.properties)
        body = {
            "id": one.id,
            "idProperty": one.id_property,
            "properties": values,
            "objectWriteTraceId": one.trace_id,
        }
        names = (f"trace:{one.trace_id}", f"id:{batch.fold(one.id)}")
        prepared.append(batch.Input(one.trace_id, body, names, {one.id_property: one.id, **values}))
    return _write(client, object_type, "upsert", prepared, _names_by_trace)


def archive_batch(client: wire.Sender, object_type: str, ids: Sequence[str]) -> Records:
    """Archive records (restorable for 90 days); keys are ids, each with a bare archived record."""
    _refuse_duplicates("id", ids)
    prepared = [batch.Input(id, {"id": id}, (f"id:{batch.fold(id)}",)) for id in ids]
    path = client.paths.objects(object_type, "batch", "archive")
    call: batch.Call[types.ObjectRecord | None] = batch.Call(
        request=lambda bodies: wire.post(path, {"inputs": bodies}),
        size=BATCH_SIZE,
        parse=lambda raw: None,
        names_of=_names_by_id,
        name_item=_named_by_item,
        if_missing=lambda loose: batch.unknown_if_missing(loose) if loose else None,
    )
    settled = batch.run(client, call, prepared)
    return types.Settled(
        done={id: types.ObjectRecord(id, archived=True) for id in settled.done}, failed=settled.failed
    )


def _write(
    client: wire.Sender,
    object_type: str,
    verb: str,
    inputs: Sequence[batch.Input[str]],
    names_of: batch.NamesOf,
) -> Records:
    path = client.paths.objects(object_type, "batch", verb)
    call = batch.Call(
        request=lambda bodies: wire.post(path, {"inputs": bodies}),
        size=BATCH_SIZE,
        parse=shapes.to_record,
        names_of=names_of,
        name_item=_named_by_item,
        if_missing=batch.unknown_if_missing,
    )
    return batch.run(client, call, inputs)


def with_match_property(object_type: str, properties: Sequence[str], id_property: str | None) -> list[str]:
    """``properties`` and those by which an answer can be matched to the value that was asked."""
    extra = [id_property] if id_property else []
    if id_property == "email" and object_types.name_of(object_type) == "contacts":
        extra.append(SECONDARY_EMAILS)  # a contact also answers to its secondary addresses
    return list(dict.fromkeys([*properties, *extra]))


def _names_read(raw: shapes.Json, id_property: str | None) -> list[str]:
    if id_property is None:
        return _names_by_id(raw)
    shown = raw.get("properties") or {}
    values = [shapes.to_text(shown.get(id_property)) or ""]
    if id_property == "email":
        values += (shapes.to_text(shown.get(SECONDARY_EMAILS)) or "").split(";")
    return [f"id:{batch.fold(value)}" for value in values if value.strip()]


def _names_by_id(raw: shapes.Json) -> list[str]:
    return [f"id:{batch.fold(shapes.to_text(raw.get('id')))}"]


def _names_by_trace(raw: shapes.Json) -> list[str]:
    return [f"trace:{trace}"] if (trace := shapes.word(raw, "objectWriteTraceId")) else []


def _named_by_item(item: shapes.Json) -> list[str]:
    """The inputs an error item speaks of: context.objectWriteTraceId, context.ids, context.id."""
    context = item.get("context")
    if not isinstance(context, dict):
        return []
    names = [f"trace:{trace}" for trace in shapes.words(context, "objectWriteTraceId")]
    ids = [*shapes.words(context, "ids"), *shapes.words(context, "id")]
    return names or [f"id:{batch.fold(id)}" for id in ids]


def _not_found(loose: Sequence[errors.HubSpotError]) -> errors.HubSpotError:
    """A record a read says nothing about is not there, unless something else went wrong as well."""
    if all(isinstance(error, errors.NotFound) for error in loose):
        return loose[0] if loose else errors.NotFound(category="OBJECT_NOT_FOUND")
    return errors.UnknownOutcome("the answer says nothing about this record", category=loose[0].category)


def _values(properties: Mapping[str, str | None]) -> dict[str, str]:
    """Values as they may be written: null is not documented in a write, the empty text clears."""
    return {name: "" if value is None else value for name, value in properties.items()}


def _association_json(partner: types.InlineAssociation) -> shapes.Json:
    return {"to": {"id": partner.to_id}, "types": [shapes.from_label(label) for label in partner.labels]}


def _refuse_duplicates(what: str, keys: Sequence[str]) -> None:
    """HubSpot refuses a whole batch for an input given twice, and of two writes only one could win."""
    if len(set(keys)) < len(keys):
        raise ValueError(f"the same {what} is given twice in one call")
