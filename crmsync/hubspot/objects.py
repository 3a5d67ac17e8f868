"""CRM records: get, list, search, and batches of them. HubSpot: CRM object APIs.

``object_type`` is a name ("contacts") or an object type id ("0-1", "2-123"). Batches and search have files of
their own, and are called from here.
"""

from collections.abc import Iterator, Sequence

from crmsync.hubspot import record_batches, search, shapes, types, wire

read_batch = record_batches.read_batch
create_batch = record_batches.create_batch
update_batch = record_batches.update_batch
upsert_batch = record_batches.upsert_batch
archive_batch = record_batches.archive_batch
search_page = search.search_page
iter_search = search.iter_search
find_by = search.find_by


def get(
    client: wire.Sender,
    object_type: str,
    id: str,
    properties: Sequence[str] = (),
    *,
    id_property: str | None = None,
    history: Sequence[str] = (),
    archived: bool = False,
) -> types.ObjectRecord:
    """One record by id, or by the value of a unique property. NotFound where there is none.

    The ids of merged records still answer here, with the surviving record (its ``id`` is another).
    """
    path = client.paths.objects(object_type, id)
    shown = f"{client.paths.objects(object_type)}/{{id}}" if id_property else ""
    query = [("idProperty", id_property)] if id_property else []
    request = wire.get(path, *query, *_wanted(properties, history, archived), shown_path=shown)
    return shapes.read_as(shapes.to_record, client.send(request))


def list_page(
    client: wire.Sender,
    object_type: str,
    properties: Sequence[str] = (),
    *,
    after: str | None = None,
    limit: int = record_batches.BATCH_SIZE,
    history: Sequence[str] = (),
    archived: bool = False,
) -> types.Page[types.ObjectRecord]:
    """One page of all records in HubSpot's order; ``after`` is the cursor of a page, never an offset.

    Unknown properties are silently left out by HubSpot. UriTooLong where ``properties`` are too many.
    """
    size = min(limit, record_batches.HISTORY_SIZE if history else record_batches.BATCH_SIZE)
    query = [("limit", str(size)), *([("after", after)] if after else [])]
    request = wire.get(client.paths.objects(object_type), *query, *_wanted(properties, history, archived))
    return shapes.to_page(client.send(request), shapes.to_record)


def iter_pages(
    client: wire.Sender,
    object_type: str,
    properties: Sequence[str] = (),
    *,
    after: str | None = None,
    history: Sequence[str] = (),
    archived: bool = False,
) -> Iterator[types.Page[types.ObjectRecord]]:
    """All records, page by page; store ``page.after`` to go on from there another time."""
    while True:
        page = list_page(client, object_type, properties, after=after, history=history, archived=archived)
        yield page
        if page.after is None or page.after == after:
            return
        after = page.after


def _wanted(properties: Sequence[str], history: Sequence[str], archived: bool) -> list[tuple[str, str]]:
    query = [("properties", ",".join(properties))] if properties else []
    query += [("propertiesWithHistory", ",".join(history))] if history else []
    return [*query, ("archived", "true")] if archived else query
