"""CRM search: one page, everything changed in a window, records by the values of a property.

Search shows new and changed records only after a few moments and never archived ones, so it serves to find,
not to read one's own writes. It has a budget of its own: 5 requests a second for the whole account.
HubSpot: CRM search API.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from crmsync.hubspot import batch, errors, object_types, record_batches, shapes, types, wire

# HubSpot: CRM search, limits.
PAGE_SIZE = 200
BODY_CHARACTERS = 3_000
GROUPS, FILTERS_IN_GROUP, FILTERS = 5, 6, 18
# Ours: as many values as leave room in the body for names, and pages whose answer is not cut into many.
VALUES, VALUES_CHARACTERS = 100, 2_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_ALMOST = timedelta(microseconds=999)


def search_page(
    client: wire.Sender,
    object_type: str,
    groups: Sequence[Sequence[types.Filter]] = (),
    *,
    properties: Sequence[str] = (),
    sort: str = "hs_object_id",
    limit: int = PAGE_SIZE,
    after: str | None = None,
    query: str = "",
) -> types.Page[types.ObjectRecord]:
    """One page of records that fit any of ``groups``, each a list of filters that must all fit.

    ``sort`` is a property, with "-" before it for descending order. ``after`` is an integer offset as text, up
    to 10,000; ``total`` counts all hits. Where asking for ``properties`` would break the limit of 3,000
    characters, they are read by batch read instead. ValueError for a search that is too long without them.
    """
    body: shapes.Json = {
        "filterGroups": _filter_groups(groups),
        "sorts": [_sort_json(sort)],
        "limit": min(limit, PAGE_SIZE),
    }
    body |= {"after": after} if after else {}
    body |= {"query": query} if query else {}
    return _fill(client, object_type, properties, *_ask(client, object_type, body, properties))


def iter_search(
    client: wire.Sender,
    object_type: str,
    modified_property: str = "",
    *,
    properties: Sequence[str] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    filters: Sequence[types.Filter] = (),
    after_id: str | None = None,
) -> Iterator[types.Page[types.ObjectRecord]]:
    """Every record that fits all ``filters``, also past the 10,000 of one query, in the order of ids.

    ``since`` and ``until`` (aware, both included) bound ``modified_property``, by default the one of the object
    type. Pages are cut by id, never by time: a bulk edit gives any number of records one timestamp.
    ``page.after`` is the last id of the page; give it as ``after_id``, with the same window, to go on there.
    """
    last = int(after_id or 0)
    window = [*filters, *_window(modified_property or object_types.modified_property(object_type), since, until)]
    while True:
        keyset = [types.Filter("hs_object_id", "GT", str(last))] if last else []
        body: shapes.Json = {
            "filterGroups": _filter_groups([[*window, *keyset]] if window or keyset else []),
            "sorts": [_sort_json("hs_object_id")],
            "limit": PAGE_SIZE,
        }
        page, filled = _ask(client, object_type, body, properties)
        following = _highest_id(page, last) if page.after is not None else None
        whole = _fill(client, object_type, properties, page, filled)
        yield types.Page(whole.records, after=None if following is None else str(following), total=page.total)
        if following is None:
            return
        last = following


def find_by(
    client: wire.Sender,
    object_type: str,
    property_name: str,
    values: Sequence[str],
    properties: Sequence[str] = (),
    *,
    case_sensitive: bool = False,
) -> list[types.ObjectRecord]:
    """Records whose property holds one of ``values``, each once; a value may have none, one or several.

    Values are trimmed, and lower-cased as IN needs it for text; ``case_sensitive`` keeps the case, for
    enumerations. The property itself is always among those read, for contacts by email also the secondary
    addresses, because search finds contacts by those as well. ValueError for a value no search can hold.
    """
    wanted = [value.strip() if case_sensitive else batch.fold(value) for value in values]
    names = record_batches.with_match_property(object_type, properties, property_name)
    found: dict[str, types.ObjectRecord] = {}
    for chunk in _value_chunks(sorted({value for value in wanted if value})):
        condition = types.Filter(property_name, "IN", values=tuple(chunk))
        for page in iter_search(client, object_type, properties=names, filters=[condition]):
            found.update((one.id, one) for one in page.records)
    return list(found.values())


def find_like(
    client: wire.Sender,
    object_type: str,
    property_name: str,
    patterns: Sequence[str],
    properties: Sequence[str] = (),
) -> list[types.ObjectRecord]:
    """Records whose property fits one of ``patterns``, in which ``*`` stands for any letters; each once.

    HubSpot takes one pattern a filter, so five a search. ValueError for a pattern no search can hold.
    """
    names = record_batches.with_match_property(object_type, properties, property_name)
    found: dict[str, types.ObjectRecord] = {}
    for start in range(0, len(patterns), GROUPS):
        groups = [[types.Filter(property_name, "CONTAINS_TOKEN", one)] for one in patterns[start : start + GROUPS]]
        after: str | None = None
        while True:
            page = search_page(client, object_type, groups, properties=names, after=after)
            found.update((one.id, one) for one in page.records)
            after = page.after
            if after is None:
                break
    return list(found.values())


def _highest_id(page: types.Page[types.ObjectRecord], last: int) -> int:
    """Where the next page starts; UnknownOutcome if that is no further, rather than going round for ever."""
    highest = max((int(one.id) for one in page if one.id.isdecimal()), default=last)
    if highest <= last:
        raise errors.UnknownOutcome("the search does not get past the same ids")
    return highest


def _ask(
    client: wire.Sender, object_type: str, body: shapes.Json, properties: Sequence[str]
) -> tuple[types.Page[types.ObjectRecord], bool]:
    """One search, and whether its records hold ``properties`` already."""
    full = {**body, "properties": list(properties)} if properties else body
    filled = len(wire.encode_json(full)) <= BODY_CHARACTERS
    sent = full if filled else body
    if len(wire.encode_json(sent)) > BODY_CHARACTERS:
        raise ValueError("the search is longer than the 3,000 characters HubSpot takes")
    path = client.paths.objects(object_type, "search")
    answer = client.send(wire.post(path, sent, lane="search", reads=True))
    return shapes.to_page(answer, shapes.to_record), filled


def _fill(
    client: wire.Sender,
    object_type: str,
    properties: Sequence[str],
    page: types.Page[types.ObjectRecord],
    filled: bool,
) -> types.Page[types.ObjectRecord]:
    """The page with all properties; records that are gone by now are left out."""
    if filled:
        return page
    read = record_batches.read_batch(client, object_type, [one.id for one in page.records], properties)
    for error in read.failed.values():
        if not isinstance(error, errors.NotFound):
            raise error
    records = tuple(read.done[one.id] for one in page.records if one.id in read.done)
    return types.Page(records, page.after, page.total)


def _filter_groups(groups: Sequence[Sequence[types.Filter]]) -> list[shapes.Json]:
    sizes = [len(group) for group in groups]
    if len(sizes) > GROUPS or max(sizes, default=0) > FILTERS_IN_GROUP or sum(sizes) > FILTERS:
        raise ValueError("a search takes 5 groups of 6 filters, 18 filters in all")
    return [{"filters": [_filter_json(one) for one in group]} for group in groups]


def _sort_json(sort: str) -> shapes.Json:
    direction = "DESCENDING" if sort.startswith("-") else "ASCENDING"
    return {"propertyName": sort.removeprefix("-"), "direction": direction}


def _filter_json(one: types.Filter) -> shapes.Json:
    body: shapes.Json = {"propertyName": one.property, "operator": one.operator}
    body |= {"value": one.value} if one.value is not None else {}
    body |= {"highValue": one.high_value} if one.high_value is not None else {}
    return body | ({"values": list(one.values)} if one.values else {})


def _window(name: str, since: datetime | None, until: datetime | None) -> list[types.Filter]:
    bounds = [("GTE", since, 0), ("LTE", until, 1)]  # whole milliseconds: the lower down, the upper up
    return [
        types.Filter(name, operator, str((at - _EPOCH + up * _ALMOST) // _MILLISECOND))
        for operator, at, up in bounds
        if at is not None
    ]


def _value_chunks(values: Sequence[str]) -> Iterator[list[str]]:
    chunk: list[str] = []
    room = VALUES_CHARACTERS
    for value in values:
        size = len(json.dumps(value)) + 1
        if size > VALUES_CHARACTERS:
            raise ValueError("a value is too long to be searched for")
        if size > room or len(chunk) == VALUES:
            yield chunk
            chunk, room = [], VALUES_CHARACTERS
        chunk.append(value)
        room -= size
    if chunk:
        yield chunk
