"""How an association is named, checked, put on records and shown with them; the endpoints are elsewhere."""

from typing import Any

from crmsync.fakehub import associationtypes, errors, exchange, graph, objecttypes, records

COMPANY = "0-2"
Inline = list[tuple[objecttypes.ObjectType, int, tuple[int, ...]]]


def is_live(call: exchange.Call, kind_id: str, number: int) -> bool:
    kind = call.hub.portal.kinds[kind_id]
    record = call.hub.store.get(kind, number)
    return record is not None and record.archived_at is None


def require(call: exchange.Call, kind: objecttypes.ObjectType, given: Any) -> int:
    """The number of a live record, or the refusal associations give."""
    text = str(given)
    number = int(text) if text.isdecimal() else 0
    if not is_live(call, kind.id, number):
        raise errors.bad_request(
            "One or more associations are invalid",
            context={"INVALID_OBJECT_IDS": [f"{kind.loud}={text} is not valid"], "objectId": [text]},
            subCategory="crm.associations.INVALID_IDENTIFIER",
        )
    return number


def default_number(kind: objecttypes.ObjectType, to: objecttypes.ObjectType, call: exchange.Call) -> int:
    row = call.hub.portal.catalogue.default(kind.id, to.id)
    if row is None:
        raise errors.bad_request(f"No association type exists between {kind.loud} and {to.loud}")
    return int(row.number)


def make_ends(
    call: exchange.Call, kind: objecttypes.ObjectType, given: Any, to: objecttypes.ObjectType, other: Any
) -> graph.Ends:
    ends = (kind.id, require(call, kind, given), to.id, require(call, to, other))
    if ends[:2] == ends[2:]:
        raise errors.bad_request(f"Object {given} cannot be associated to itself")
    return ends


def id_of(one: dict[str, Any], name: str) -> Any:
    value = one.get(name, {})
    if "id" not in value:
        raise errors.bad_json(f"Invalid input JSON on line 1, column 1: Some required fields were not set: [{name}]")
    return value["id"]


def numbers_of(
    call: exchange.Call, kind: objecttypes.ObjectType, to: objecttypes.ObjectType, types: Any
) -> tuple[int, ...]:
    """The type numbers of specs, which must exist in this direction."""
    if not types:
        raise errors.bad_request("At least one association type is required")
    rows = call.hub.portal.catalogue.between(kind.id, to.id)
    found = []
    for one in types:
        row = rows.get(one.get("associationTypeId"))
        if row is None or row.category != one.get("associationCategory"):
            raise errors.bad_request(
                f"{one.get('associationCategory')} association type {one.get('associationTypeId')} "
                f"is not valid from {kind.id} to {to.id}"
            )
        found.append(row.number)
    return tuple(dict.fromkeys(found))


def put(hub: Any, ends: graph.Ends, numbers: tuple[int, ...], source: records.Source) -> None:
    """Set the types of an edge. A labelled edge always has the plain type, too; a primary ousts the last one."""
    catalogue: associationtypes.Catalogue = hub.portal.catalogue
    default = catalogue.default(ends[0], ends[2])
    if numbers and default is not None and default.number not in numbers:
        numbers = (*numbers, default.number)
    if ends[0] == COMPANY and ends[2] != COMPANY:
        rows = catalogue.between(ends[0], ends[2])
        _oust(hub, (*ends[2:], *ends[:2]), tuple(rows[one].inverse for one in numbers), source)
    elif ends[2] == COMPANY:
        _oust(hub, ends, numbers, source)
    hub.store.associate(ends, numbers, source)


def _oust(hub: Any, ends: graph.Ends, numbers: tuple[int, ...], source: records.Source) -> None:
    """A record has one primary company: the new one takes the type from the old one."""
    rows = hub.portal.catalogue.between(ends[0], ends[2])
    primary = next((number for number in numbers if rows[number].label == associationtypes.PRIMARY), None)
    if primary is None:
        return
    for other, types in dict(hub.store.graph.of(*ends[:3])).items():
        if other != ends[3] and primary in types:
            kept = tuple(number for number in types if number != primary)
            hub.store.associate((*ends[:3], other), kept, source)


def short_list(hub: Any, record: records.Record, name: str) -> dict[str, Any]:
    """The associations of a record as the object API shows them; a primary shows up twice."""
    to = hub.portal.kind(name)
    rows = hub.portal.catalogue.between(record.kind.id, to.id)
    plain = f"{record.kind.singular}_to_{to.singular}"
    labelled = any(row.label == associationtypes.PRIMARY for row in rows.values())
    results = []
    for other, types in sorted(hub.store.graph.of(record.kind.id, record.id, to.id).items()):
        target = hub.store.get(to, other)
        if target is None or target.archived_at is not None:
            continue
        for number in types:
            suffix = "_unlabeled" if rows[number].label is None and labelled else ""
            results.append({"id": str(other), "type": plain + suffix})
    return {"results": results}


def read_inline(call: exchange.Call, given: Any) -> Inline:
    """The associations of a create: each must lead to a record that exists."""
    found = []
    for one in given or []:
        types = one.get("types")
        to = _target_of(call, types)
        numbers = numbers_of(call, call.kind, to, types)
        found.append((to, require(call, to, id_of(one, "to")), numbers))
    return found


def _target_of(call: exchange.Call, types: Any) -> objecttypes.ObjectType:
    """Which object type the first spec leads to."""
    first = types[0] if types else {}
    number, category = first.get("associationTypeId"), first.get("associationCategory")
    for row in call.hub.portal.catalogue.rows:
        if (row.source, row.number, row.category) == (call.kind.id, number, category):
            found: objecttypes.ObjectType = call.hub.portal.kinds[row.target]
            return found
    raise errors.bad_request(f"invalid association type {category} {number} from object type {call.kind.id}")


def put_inline(call: exchange.Call, record: records.Record, edges: Inline) -> None:
    for to, other, numbers in edges:
        put(call.hub, (record.kind.id, record.id, to.id, other), numbers, call.source)
