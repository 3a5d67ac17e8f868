"""``POST …/search``: filters, one sort, pages up to 10,000 results, over what the index can see."""

from collections.abc import Callable
from typing import Any

from crmsync.fakehub import definitions, errors, exchange, filters, index, objecttypes, values

MAX_BODY = 3000
MAX_GROUPS = 5
MAX_FILTERS = 6
MAX_TOTAL = 18
MAX_PAGE = 200
WALL = 10_000
ASSOCIATION = "associations."
Test = Callable[[filters.Props], bool]


def search(call: exchange.Call) -> exchange.Response:
    if len(call.body.decode("utf-8", "replace")) > MAX_BODY:
        raise errors.bad_request(f"The request body is longer than {MAX_BODY} characters.")
    body = call.document()
    limit = _integer(body, "limit", 10)
    if not 0 <= limit <= MAX_PAGE:
        raise errors.bad_request(f"limit {limit} is not allowed; the maximum is {MAX_PAGE}")
    start = _integer(body, "after", 0)
    if start + limit > WALL:
        raise errors.bad_request(f"Cannot page past {WALL} results: after {start}, limit {limit}")
    hits = find(call, body)
    names = call.hub.portal.view(call.kind, body.get("properties") or None)
    page = ",".join(record.text(names, props) for record, props, _ in hits[start : start + limit])
    more = exchange.encode({"next": {"after": str(start + limit)}}) if start + limit < len(hits) else ""
    paging = f',"paging":{more}' if more else ""
    return exchange.raw(f'{{"total":{len(hits)},"results":[{page}]{paging}}}')


def find(call: exchange.Call, body: dict[str, Any]) -> list[index.Entry]:
    """All records that match, in order."""
    groups = _groups(body)
    query = body.get("query", "")
    found: dict[int, index.Entry] = {}
    for group in groups or [[]]:
        tests = [_test(call, one) for one in group]
        found.update({hit[0].id: hit for hit in _narrowed(_candidates(call, group), tests)})
    hits = list(found.values())
    if query:
        hits = [hit for hit in hits if filters.matches_query(hit[1], call.kind.searchable, query)]
    return _sorted(call, hits, body.get("sorts"))


def _narrowed(hits: list[index.Entry], tests: list[Test]) -> list[index.Entry]:
    for test in tests:
        hits = [hit for hit in hits if test(hit[1])]
    return hits


def _integer(body: dict[str, Any], name: str, default: int) -> int:
    text = str(body.get(name, default))
    if not text.isdecimal():
        raise errors.wrong_type("int")
    return int(text)


def _groups(body: dict[str, Any]) -> list[list[dict[str, Any]]]:
    groups = [group.get("filters", []) for group in body.get("filterGroups", [])]
    if len(groups) > MAX_GROUPS:
        raise errors.bad_request(f"too many filterGroups (count: {len(groups)}, max allowed: {MAX_GROUPS})")
    longest, total = max(map(len, groups), default=0), sum(map(len, groups))
    if longest > MAX_FILTERS:
        raise errors.bad_request(f"too many filters in a group (count: {longest}, max allowed: {MAX_FILTERS})")
    if total > MAX_TOTAL:
        raise errors.bad_request(f"too many filters (count: {total}, max allowed: {MAX_TOTAL})")
    return groups


def _test(call: exchange.Call, given: dict[str, Any]) -> Test:
    name = str(given.get("propertyName"))
    if name.startswith(ASSOCIATION):
        return _association_test(call, name.removeprefix(ASSOCIATION), given)
    return filters.make_filter(_property(call, name), given)


def _property(call: exchange.Call, name: str) -> definitions.Property:
    found: definitions.Property | None = call.hub.portal.property(call.kind, name)
    if found is None:
        raise errors.bad_request(f'Property "{name}" does not exist', context={"propertyName": [name]})
    return found


def _association_test(call: exchange.Call, target: str, given: dict[str, Any]) -> Test:
    other = call.hub.portal.kind(target)
    if other.is_custom or call.kind.is_custom:
        raise errors.bad_request("Searching by association is not supported for custom objects")
    if given.get("operator") not in {"EQ", "IN"}:
        raise errors.bad_request("associations can be searched with EQ and IN only")
    wanted = given.get("values") or [] if given["operator"] == "IN" else [given.get("value")]
    near: set[int] = set()
    for number in map(str, wanted):
        if number.isdecimal():
            near |= call.hub.store.graph.of(other.id, int(number), call.kind.id).keys()
    return lambda props: int(props["hs_object_id"]) in near


def _candidates(call: exchange.Call, group: list[dict[str, Any]]) -> list[index.Entry]:
    """Fewer records to test when a filter bounds the modified date from below."""
    kind: objecttypes.ObjectType = call.kind
    bounds = [
        values.as_number("datetime", str(one.get("value")))
        for one in group
        if one.get("propertyName") == kind.modified and one.get("operator") in {"GT", "GTE", "BETWEEN", "EQ"}
    ]
    since = max((bound for bound in bounds if bound is not None), default=None)
    hits: list[index.Entry] = call.hub.index.visible(kind.id, since)
    return hits


def _sorted(call: exchange.Call, hits: list[index.Entry], sorts: Any) -> list[index.Entry]:
    hits.sort(key=lambda hit: hit[0].id)
    if not sorts:
        return hits
    if len(sorts) > 1:
        raise errors.bad_request("Only one sort is allowed")
    name, falling = _sort(sorts[0])
    prop = _property(call, name)
    held = [hit for hit in hits if name in hit[1]]
    held.sort(key=lambda hit: filters.sort_key(prop, hit[1][name]), reverse=falling)
    return held + [hit for hit in hits if name not in hit[1]]


def _sort(given: Any) -> tuple[str, bool]:
    if isinstance(given, str):
        return given.removeprefix("-"), given.startswith("-")
    if isinstance(given, dict) and isinstance(given.get("propertyName"), str):
        return given["propertyName"], given.get("direction") == "DESCENDING"
    raise errors.wrong_type("Sort")
