"""Associations between records: read, add, label, remove. HubSpot: associations API (v4 and dated versions).

Types are directional, and sending labels replaces those that were there: send all that shall stay. The whole
family has a budget of its own. An edge given twice is sent once: all writes here may be repeated.
"""

from collections.abc import Iterator, Sequence

from crmsync.hubspot import batch, errors, shapes, types, wire

PAGE_SIZE = 500  # HubSpot: associations, "retrieve associated records", limit
READ_SIZE = 1_000  # HubSpot: associations, batch read
WRITE_SIZE = 1_000  # HubSpot takes 2,000 in batch create; of "associate/default" it states none

Edges = types.Settled[types.Edge, None]
Partners = tuple[types.Association, ...]


def list_page(
    client: wire.Sender, from_type: str, from_id: str, to_type: str, *, after: str | None = None
) -> types.Page[types.Association]:
    """Up to 500 partners of one record."""
    query = [("limit", str(PAGE_SIZE)), *([("after", after)] if after else [])]
    path = client.paths.objects(from_type, from_id, "associations", to_type)
    return shapes.to_page(client.send(wire.get(path, *query, lane="associations")), _to_association)


def iter_all(client: wire.Sender, from_type: str, from_id: str, to_type: str) -> Iterator[types.Association]:
    """Every partner of one record."""
    after = None
    while True:
        page = list_page(client, from_type, from_id, to_type, after=after)
        yield from page.records
        if page.after is None or page.after == after:
            return
        after = page.after


def read_batch(
    client: wire.Sender, from_type: str, to_type: str, from_ids: Sequence[str]
) -> types.Settled[str, Partners]:
    """All partners of many records by record id; () for a record that has none, or is not there.

    A record whose later pages fail is in ``failed``: half a list would look like removed associations.
    """
    found: dict[str, Partners] = {}
    failed: dict[str, errors.HubSpotError] = {}
    for settled in iter_batch(client, from_type, to_type, from_ids):
        failed |= settled.failed
        for id, page in settled.done.items():
            found[id] = found.get(id, ()) + page.records
    return types.Settled({id: value for id, value in found.items() if id not in failed}, failed)


def iter_batch(
    client: wire.Sender, from_type: str, to_type: str, from_ids: Sequence[str]
) -> Iterator[types.Settled[str, types.Page[types.Association]]]:
    """The partners of many records in rounds, a page of each record that has more: never more in memory.

    An empty page for a record that has none, or is not there.
    """
    wanted: dict[str, str | None] = dict.fromkeys(from_ids)
    while wanted:
        inputs = [
            batch.Input(id, {"id": id, **({"after": after} if after else {})}, (f"id:{id}",))
            for id, after in wanted.items()
        ]
        settled = batch.run(client, _read_call(client, from_type, to_type), inputs)
        pages, failed = dict(settled.done), dict(settled.failed)
        for id, error in settled.failed.items():
            if error.status == 207 and isinstance(error, errors.NotFound):
                pages[id] = types.Page(())  # so HubSpot says "no associations" of a record
                del failed[id]
        yield types.Settled(pages, failed)
        wanted = {id: page.after for id, page in pages.items() if page.after and page.after != wanted[id]}


def associate_default(client: wire.Sender, from_type: str, to_type: str, edges: Sequence[types.Edge]) -> Edges:
    """Associate without a label. Doing it again changes nothing."""
    path = client.paths.associations(from_type, to_type, "batch", "associate", "default")
    return _write(client, path, {edge: _edge_json(edge) for edge in edges})


def associate_labelled(
    client: wire.Sender,
    from_type: str,
    to_type: str,
    edges: Sequence[types.Edge],
    labels: Sequence[types.LabelSpec],
) -> Edges:
    """Associate with exactly these labels; labels that were there and are not named are lost."""
    kinds = [shapes.from_label(label) for label in labels]
    path = client.paths.associations(from_type, to_type, "batch", "create")
    return _write(client, path, {edge: {**_edge_json(edge), "types": kinds} for edge in edges})


def archive(client: wire.Sender, from_type: str, to_type: str, edges: Sequence[types.Edge]) -> Edges:
    """Remove every association between the two records of each edge."""
    path = client.paths.associations(from_type, to_type, "batch", "archive")
    bodies = {edge: {"from": {"id": edge.from_id}, "to": [{"id": edge.to_id}]} for edge in edges}
    return _write(client, path, bodies)


def archive_labels(
    client: wire.Sender,
    from_type: str,
    to_type: str,
    edges: Sequence[types.Edge],
    labels: Sequence[types.LabelSpec],
) -> Edges:
    """Remove these labels only; removing the unlabelled type removes all."""
    kinds = [shapes.from_label(label) for label in labels]
    path = client.paths.associations(from_type, to_type, "batch", "labels", "archive")
    return _write(client, path, {edge: {**_edge_json(edge), "types": kinds} for edge in edges})


def list_labels(client: wire.Sender, from_type: str, to_type: str) -> tuple[types.LabelSpec, ...]:
    """The association types from one object type to another, in that direction; "" is the unlabelled one."""
    path = client.paths.associations(from_type, to_type, "labels")
    return shapes.to_page(client.send(wire.get(path, lane="associations")), shapes.to_label).records


def _read_call(client: wire.Sender, from_type: str, to_type: str) -> batch.Call[types.Page[types.Association]]:
    path = client.paths.associations(from_type, to_type, "batch", "read")
    return batch.Call(
        request=lambda bodies: wire.post(path, {"inputs": bodies}, lane="associations", reads=True),
        size=READ_SIZE,
        parse=_to_partner_page,
        names_of=lambda raw: [f"id:{_id_in(raw, 'from')}"],
        name_item=lambda item: [f"id:{id}" for id in _context_ids(item, "fromObjectId", "ids", "id")],
        if_missing=_empty_if_missing,
    )


def _write(client: wire.Sender, path: str, bodies: dict[types.Edge, shapes.Json]) -> Edges:
    """One batch write. An edge is done if a result names it, or if HubSpot reports no error at all."""
    call: batch.Call[None] = batch.Call(
        request=lambda inputs: wire.post(path, {"inputs": inputs}, lane="associations"),
        size=WRITE_SIZE,
        parse=lambda raw: None,
        names_of=_edge_names,
        name_item=_edges_named_by_item,
        if_missing=lambda loose: batch.unknown_if_missing(loose) if loose else None,
    )
    inputs = [batch.Input(edge, body, (f"{edge.from_id}>{edge.to_id}",)) for edge, body in bodies.items()]
    return batch.run(client, call, inputs)


def _to_association(raw: shapes.Json) -> types.Association:
    kinds = tuple(shapes.to_label(kind) for kind in raw.get("associationTypes") or [])
    return types.Association(shapes.to_id(raw["toObjectId"]), kinds)


def _to_partner_page(raw: shapes.Json) -> types.Page[types.Association]:
    partners = tuple(_to_association(partner) for partner in raw["to"])
    return types.Page(partners, shapes.next_after(raw))


def _empty_if_missing(
    loose: Sequence[errors.HubSpotError],
) -> types.Page[types.Association] | errors.HubSpotError:
    """A record that is not answered has no associations, unless something else went wrong as well."""
    if all(isinstance(error, errors.NotFound) for error in loose):
        return types.Page(())
    return errors.UnknownOutcome("the answer says nothing about this record", category=loose[0].category)


def _edge_json(edge: types.Edge) -> shapes.Json:
    return {"from": {"id": edge.from_id}, "to": {"id": edge.to_id}}


def _edge_names(raw: shapes.Json) -> list[str]:
    """``from``/``to`` in answers to "associate/default", ``fromObjectId``/``toObjectId`` to "create"."""
    from_id = shapes.word(raw, "fromObjectId") or _id_in(raw, "from")
    to_id = shapes.word(raw, "toObjectId") or _id_in(raw, "to")
    return [f"{from_id}>{to_id}"]


def _edges_named_by_item(item: shapes.Json) -> list[str]:
    from_ids, to_ids = _context_ids(item, "fromObjectId"), _context_ids(item, "toObjectId")
    return [f"{from_id}>{to_id}" for from_id, to_id in zip(from_ids, to_ids, strict=False)]


def _id_in(raw: shapes.Json, key: str) -> str:
    inner = raw.get(key)
    return shapes.word(inner, "id") if isinstance(inner, dict) else ""


def _context_ids(item: shapes.Json, *keys: str) -> list[str]:
    context = item.get("context")
    return [id for key in keys for id in shapes.words(context, key)] if isinstance(context, dict) else []
