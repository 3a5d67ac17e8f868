"""Records one by one: list, get, create, update, archive, merge and privacy deletion."""

from typing import Any

from crmsync.fakehub import drafts, edges, errors, exchange, objecttypes, records, values

MAX_PAGE = 100
MAX_PAGE_WITH_HISTORY = 50
MAX_KEPT = 200_000  # written-out records are kept up to this many; beyond it memory matters more


def list_records(call: exchange.Call) -> exchange.Response:
    history = call.names("propertiesWithHistory")
    limit = call.number("limit", 10, MAX_PAGE_WITH_HISTORY if history else MAX_PAGE)
    after = call.one("after", "0")
    if not after.isdecimal():
        raise errors.wrong_type("long")
    table = call.hub.store.table(call.kind)
    found = table.page(int(after), limit + 1, call.flag("archived"))
    names = call.hub.portal.view(call.kind, call.names("properties"))
    if history or call.names("associations"):
        page = ",".join(exchange.encode(show(call, record, names)) for record in found[:limit])
    else:
        keep = len(table.live) <= MAX_KEPT
        page = ",".join([record.text(names, keep=keep) for record in found[:limit]])
    paging = (
        f',"paging":{exchange.encode(exchange.next_page(call, str(found[limit].id)))}' if len(found) > limit else ""
    )
    return exchange.raw(f'{{"results":[{page}]{paging}}}')


def show(call: exchange.Call, record: records.Record, names: tuple[str, ...]) -> dict[str, Any]:
    """One record with history and associations as the query asks for them."""
    out = record.document(names)
    with_history(call, record, call.names("propertiesWithHistory"), out)
    nearby = call.names("associations")
    if nearby:
        found = {name: edges.short_list(call.hub, record, name) for name in nearby}
        found = {name: results for name, results in found.items() if results["results"]}
        if found:
            out["associations"] = found
    return out


def with_history(call: exchange.Call, record: records.Record, names: list[str] | None, out: dict[str, Any]) -> None:
    """Add the values of ``names`` and their history."""
    if not names:
        return
    known = [name for name in names if call.hub.portal.property(record.kind, name)]
    out["properties"] |= {name: record.props.get(name) for name in known}
    out["propertiesWithHistory"] = {name: record.history(name) for name in known}


def find(call: exchange.Call, given: str, id_property: str = "", *, follow: bool = True) -> records.Record:
    """The live record an id or unique value means; 404 if there is none."""
    kind: objecttypes.ObjectType = call.kind
    if id_property and id_property != "hs_object_id":
        require_unique(call, id_property)
        record: records.Record | None = call.hub.store.holder(kind, id_property, settle_key(call, id_property, given))
    else:
        follow = follow and call.hub.portal.merged_ids_resolve
        record = call.hub.store.get(kind, int(given), follow=follow) if given.isdecimal() else None
    if record is None or record.archived_at is not None:
        raise errors.object_not_found(given)
    return record


def require_unique(call: exchange.Call, name: str) -> None:
    if name not in call.hub.portal.unique_names(call.kind):
        raise errors.not_unique(call.kind.id, name)


def settle_key(call: exchange.Call, name: str, given: str) -> str:
    """A unique value as the portal keeps it, or the text itself where it is no possible value."""
    try:
        return values.settle(call.hub.portal.property(call.kind, name), given)
    except values.ValueRefusedError:
        return given


def get_record(call: exchange.Call) -> exchange.Response:
    given = call.params["id"]
    if call.flag("archived"):
        record = call.hub.store.get(call.kind, int(given)) if given.isdecimal() else None
        if record is None or record.archived_at is None:
            raise errors.object_not_found(given)
    else:
        record = find(call, given, call.one("idProperty"))
    names = call.hub.portal.view(call.kind, call.names("properties"))
    return exchange.answer({**show(call, record, names), "url": url(call, record)})


def url(call: exchange.Call, record: records.Record) -> str:
    return f"https://app.hubspot.com/contacts/{call.hub.portal.id}/record/{record.kind.id}/{record.id}"


def desk(call: exchange.Call) -> drafts.Desk:
    return drafts.Desk(call.hub.portal, call.hub.store, call.version)


def written(call: exchange.Call, record: records.Record, names: Any) -> dict[str, Any]:
    """What a write answers: the written values as they are kept, and those that always come."""
    shown = call.hub.portal.view(record.kind, sorted(names))
    return {**record.document(shown), "url": url(call, record)}


def create_record(call: exchange.Call) -> exchange.Response:
    body = call.document("properties")
    draft = desk(call).create(call.kind, body["properties"])
    ends = edges.read_inline(call, body.get("associations"))
    record = call.hub.store.create(call.kind, draft, call.source)
    edges.put_inline(call, record, ends)
    call.hub.after_create(record, call.source)
    return exchange.answer(written(call, record, created_names(record)), 201)


def created_names(record: records.Record) -> list[str]:
    """A create answers every value the record has."""
    return list(record.props)


def update_record(call: exchange.Call) -> exchange.Response:
    raw = call.document("properties")["properties"]
    record = find(call, call.params["id"], call.one("idProperty"))
    call.hub.store.update(record, desk(call).update(record, raw), call.source)
    return exchange.answer(written(call, record, raw))


def archive_record(call: exchange.Call) -> exchange.Response:
    given = call.params["id"]
    record = call.hub.store.get(call.kind, int(given)) if given.isdecimal() else None
    if record is None:
        raise errors.object_not_found(given)
    if record.archived_at is None:
        call.hub.store.archive(record, call.source)
    return exchange.nothing()


def merge_records(call: exchange.Call) -> exchange.Response:
    body = call.document("primaryObjectId", "objectIdToMerge")
    given = [str(body["primaryObjectId"]), str(body["objectIdToMerge"])]
    if given[0] == given[1]:
        raise errors.bad_request("Cannot merge an object with itself")
    primary, other = (find(call, one, follow=False) for one in given)
    record = call.hub.store.merge(primary, other, call.source)
    return exchange.answer(written(call, record, created_names(record)))


def erase_contact(call: exchange.Call) -> exchange.Response:
    """Privacy deletion; an address nobody has is blocked for the future, too."""
    body = call.document("objectId")
    given = str(body["objectId"])
    call.params["type"] = "contacts"
    try:
        record = find(call, given, body.get("idProperty", ""))
    except errors.RefusalError:
        if body.get("idProperty") != "email":
            raise
        call.hub.portal.block_emails([settle_key(call, "email", given)])
        return exchange.nothing()
    call.hub.erase(record, call.source)
    return exchange.nothing()
