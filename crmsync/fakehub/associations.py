"""Associations of records: list, batch read, default, labelled, remove, labels."""

from typing import Any

from crmsync.fakehub import clock, edges, errors, exchange, graph, objecttypes

MAX_PAGE = 500
MAX_READ = 1000
MAX_WRITE = 2000
Spec = list[tuple[graph.Ends, tuple[int, ...]]]


def _ends_of(call: exchange.Call) -> tuple[objecttypes.ObjectType, objecttypes.ObjectType]:
    portal = call.hub.portal
    return portal.kind(call.params["type"]), portal.kind(call.params["to"])


def _neighbours(
    call: exchange.Call, kind: objecttypes.ObjectType, number: int, to: objecttypes.ObjectType
) -> list[Any]:
    rows = call.hub.portal.catalogue.between(kind.id, to.id)
    found = []
    for other, types in sorted(call.hub.store.graph.of(kind.id, number, to.id).items()):
        if edges.is_live(call, to.id, other):
            shown = [{"category": rows[t].category, "typeId": t, "label": rows[t].label} for t in types]
            found.append({"toObjectId": str(other), "associationTypes": shown})
    return found


def list_neighbours(call: exchange.Call) -> exchange.Response:
    kind, to = _ends_of(call)
    limit = call.number("limit", MAX_PAGE, MAX_PAGE)
    given = call.params["id"]
    if not given.isdecimal() or not edges.is_live(call, kind.id, int(given)):
        raise errors.object_not_found(given)
    after = call.one("after", "0")
    if not after.isdecimal():
        raise errors.wrong_type("long")
    found = [one for one in _neighbours(call, kind, int(given), to) if int(one["toObjectId"]) >= int(after)]
    body: dict[str, Any] = {"results": found[:limit]}
    if len(found) > limit:
        body["paging"] = exchange.next_page(call, found[limit]["toObjectId"])
    return exchange.answer(body)


def batch_read(call: exchange.Call) -> exchange.Response:
    """A ``from`` without associations is left out of the results."""
    kind, to = _ends_of(call)
    results = []
    for one in call.inputs(MAX_READ):
        given, after = str(one.get("id")), str(one.get("after") or 0)
        number = int(given) if given.isdecimal() else 0
        if not edges.is_live(call, kind.id, number):
            continue
        found = [near for near in _neighbours(call, kind, number, to) if int(near["toObjectId"]) >= int(after)]
        if not found:
            continue
        result: dict[str, Any] = {"from": {"id": given}, "to": found[:MAX_PAGE]}
        if len(found) > MAX_PAGE:
            result["paging"] = exchange.next_page(call, found[MAX_PAGE]["toObjectId"])
        results.append(result)
    return exchange.batch(call.hub.shuffled(results), clock.iso(call.hub.clock.now_ms()))


def put_default(call: exchange.Call) -> exchange.Response:
    kind, to = _ends_of(call)
    return _put_defaults(call, [{"from": {"id": call.params["id"]}, "to": {"id": call.params["to_id"]}}], kind, to)


def batch_default(call: exchange.Call) -> exchange.Response:
    return _put_defaults(call, call.inputs(MAX_WRITE), *_ends_of(call))


def _put_defaults(
    call: exchange.Call, inputs: list[Any], kind: objecttypes.ObjectType, to: objecttypes.ObjectType
) -> exchange.Response:
    default = edges.default_number(kind, to, call)
    made = [edges.make_ends(call, kind, edges.id_of(one, "from"), to, edges.id_of(one, "to")) for one in inputs]
    results = []
    for ends in made:
        numbers = call.hub.store.graph.types(ends)
        edges.put(call.hub, ends, numbers if default in numbers else (*numbers, default), call.source)
        row = call.hub.portal.catalogue.between(kind.id, to.id)[default]
        for one, there, back in ((default, ends[1], ends[3]), (row.inverse, ends[3], ends[1])):
            results.append(
                {
                    "from": {"id": str(there)},
                    "to": {"id": str(back)},
                    "associationSpec": {"associationCategory": row.category, "associationTypeId": one},
                }
            )
    return exchange.batch(results, clock.iso(call.hub.clock.now_ms()))


def put_labelled(call: exchange.Call) -> exchange.Response:
    kind, to = _ends_of(call)
    numbers = edges.numbers_of(call, kind, to, call.json())
    ends = edges.make_ends(call, kind, call.params["id"], to, call.params["to_id"])
    edges.put(call.hub, ends, numbers, call.source)
    return exchange.answer(_pair(call, ends, numbers), 201)


def batch_create(call: exchange.Call) -> exchange.Response:
    kind, to = _ends_of(call)
    planned: Spec = []
    for one in call.inputs(MAX_WRITE):
        ends = edges.make_ends(call, kind, edges.id_of(one, "from"), to, edges.id_of(one, "to"))
        planned.append((ends, edges.numbers_of(call, kind, to, one.get("types"))))
    for ends, numbers in planned:
        edges.put(call.hub, ends, numbers, call.source)
    results = [_pair(call, ends, numbers) for ends, numbers in planned]
    return exchange.batch(results, clock.iso(call.hub.clock.now_ms()), status=201)


def _pair(call: exchange.Call, ends: graph.Ends, numbers: tuple[int, ...]) -> dict[str, Any]:
    rows = call.hub.portal.catalogue.between(ends[0], ends[2])
    return {
        "fromObjectTypeId": ends[0],
        "fromObjectId": str(ends[1]),
        "toObjectTypeId": ends[2],
        "toObjectId": str(ends[3]),
        "labels": [rows[number].label for number in numbers if rows[number].label],
    }


def remove(call: exchange.Call) -> exchange.Response:
    kind, to = _ends_of(call)
    given, other = call.params["id"], call.params["to_id"]
    if given.isdecimal() and other.isdecimal():
        edges.put(call.hub, (kind.id, int(given), to.id, int(other)), (), call.source)
    return exchange.nothing()


def batch_archive(call: exchange.Call) -> exchange.Response:
    kind, to = _ends_of(call)
    for one in call.inputs(MAX_WRITE):
        for target in one.get("to") or []:
            given, other = str(edges.id_of(one, "from")), str(edges.id_of({"to": target}, "to"))
            if given.isdecimal() and other.isdecimal():
                edges.put(call.hub, (kind.id, int(given), to.id, int(other)), (), call.source)
    return exchange.nothing()


def batch_labels_archive(call: exchange.Call) -> exchange.Response:
    """Take single types off; without the plain type nothing of the edge is left."""
    kind, to = _ends_of(call)
    default = call.hub.portal.catalogue.default(kind.id, to.id)
    for one in call.inputs(MAX_WRITE):
        ends = edges.make_ends(call, kind, edges.id_of(one, "from"), to, edges.id_of(one, "to"))
        off = edges.numbers_of(call, kind, to, one.get("types"))
        kept = tuple(number for number in call.hub.store.graph.types(ends) if number not in off)
        edges.put(call.hub, ends, () if default and default.number in off else kept, call.source)
    return exchange.nothing()


def list_labels(call: exchange.Call) -> exchange.Response:
    kind, to = _ends_of(call)
    rows = call.hub.portal.catalogue.between(kind.id, to.id).values()
    found = [{"category": row.category, "typeId": row.number, "label": row.label} for row in rows]
    return exchange.answer({"results": found})
