"""Search: the wall of 10,000, equal timestamps, bodies that are too long."""

import bisect
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmsync.hubspot import errors, objects, search, types, wire

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
UNTIL = datetime(2026, 1, 2, 0, 0, 0, 500, tzinfo=UTC)


class Index:
    """A search index with HubSpot's limits; every record has the same time of modification."""

    def __init__(self, ids, properties=()):
        self.ids = sorted(ids, key=int)
        self.properties = dict(properties)
        self.searches = []

    def __call__(self, request):
        body = request.json
        if request.path.endswith("/batch/read"):
            return {"results": [self.record(one["id"]) for one in body["inputs"] if one["id"] in self.ids]}
        assert request.lane == "search"
        assert request.reads
        assert len(json.dumps(body, separators=(",", ":"))) <= 3_000
        assert body["limit"] <= 200
        assert int(body.get("after", 0)) + body["limit"] <= 10_000
        self.searches.append(body)
        after_id = max((int(one["value"]) for one in _filters(body) if one["operator"] == "GT"), default=0)
        behind = self.ids[bisect.bisect_right(self.ids, after_id, key=int) :]
        hits = [id for id in behind if self.fits(id, body)]
        start = int(body.get("after", 0))
        shown = hits[start : start + body["limit"]]
        answer = {"total": len(hits), "results": [self.record(id) for id in shown]}
        if start + body["limit"] < len(hits):
            answer["paging"] = {"next": {"after": str(start + body["limit"])}}
        return answer

    def record(self, id):
        return {"id": id, "properties": {"hs_object_id": id, **self.properties.get(id, {})}}

    def fits(self, id, body):
        shown = self.properties.get(id)
        asked = [one for one in _filters(body) if one["operator"] == "IN"] if shown else []
        return all((shown.get(one["propertyName"]) or "").lower() in one["values"] for one in asked)


def _filters(body):
    return [one for group in body["filterGroups"] for one in group["filters"]]


def test_past_ten_thousand_with_one_timestamp(fake):
    """Fault 46: 25,000 hits with equal timestamps; nothing skipped, nothing twice, no endless loop."""
    index = Index([str(n) for n in range(1, 25_001)])
    pages = list(objects.iter_search(fake(index), "contacts", since=SINCE, until=SINCE))
    assert [one.id for page in pages for one in page] == index.ids
    assert len(index.searches) == 125
    assert pages[0].total == 25_000
    assert (pages[0].after, pages[-1].after) == ("200", None)


def test_what_is_sent(fake):
    """Fault 46: keyset on id inside the window, sorted by id, no offset."""
    index = Index([str(n) for n in range(1, 402)])
    owned = types.Filter("hubspot_owner_id", "EQ", "7")
    list(
        objects.iter_search(fake(index), "contacts", properties=["email"], since=SINCE, until=UNTIL, filters=[owned])
    )
    window = [
        {"propertyName": "hubspot_owner_id", "operator": "EQ", "value": "7"},
        {"propertyName": "lastmodifieddate", "operator": "GTE", "value": "1767225600000"},
        {"propertyName": "lastmodifieddate", "operator": "LTE", "value": "1767312000001"},
    ]
    assert [body["filterGroups"] for body in index.searches] == [
        [{"filters": window}],
        [{"filters": [*window, {"propertyName": "hs_object_id", "operator": "GT", "value": "200"}]}],
        [{"filters": [*window, {"propertyName": "hs_object_id", "operator": "GT", "value": "400"}]}],
    ]
    for body in index.searches:
        assert body["sorts"] == [{"propertyName": "hs_object_id", "direction": "ASCENDING"}]
        assert "after" not in body
        assert body["properties"] == ["email"]


@pytest.mark.parametrize(
    ("object_type", "given_", "wanted"),
    [
        ("contacts", "", "lastmodifieddate"),
        ("0-1", "", "lastmodifieddate"),
        ("companies", "", "hs_lastmodifieddate"),
        ("2-77", "", "hs_lastmodifieddate"),
        ("deals", "closedate", "closedate"),
    ],
)
def test_the_property_of_modification(fake, object_type, given_, wanted):
    """On contacts hs_lastmodifieddate silently returns wrong results."""
    index = Index([])
    list(objects.iter_search(fake(index), object_type, given_, since=SINCE))
    assert index.searches[0]["filterGroups"][0]["filters"][0]["propertyName"] == wanted


@settings(deadline=None)
@given(st.sets(st.integers(1, 2**62), max_size=450), st.integers(0, 450))
def test_any_ids_are_found_once_also_when_resumed(fake, ids, start):
    """Invariant 17: going on from a stored page shows exactly the rest."""
    index = Index(map(str, ids))
    whole = [one.id for page in objects.iter_search(fake(index), "deals") for one in page]
    assert whole == index.ids
    after = index.ids[start] if start < len(ids) else None
    rest = [one.id for page in objects.iter_search(fake(index), "deals", after_id=after) for one in page]
    assert rest == [id for id in index.ids if after is None or int(id) > int(after)]


def test_an_index_that_does_not_move_on_is_an_error(fake):
    """Fault 46: a server that ignores the filter must not make an endless loop."""
    body = {"results": [{"id": "5", "properties": {}}], "paging": {"next": {"after": "200"}}}
    with pytest.raises(errors.UnknownOutcome):
        list(objects.iter_search(fake(lambda request: body), "deals"))


def test_many_properties_are_read_by_batch_read(fake):
    """The limit of 3,000 characters: a wide mapping searches for ids and reads the rest."""
    wide = [f"a_rather_long_property_name_{n}" for n in range(150)]
    index = Index([str(n) for n in range(1, 251)])
    sender = fake(index)
    found = [one.id for page in objects.iter_search(sender, "deals", properties=wide) for one in page]
    assert found == index.ids
    assert all("properties" not in body for body in index.searches)
    reads = [request for request in sender.requests if request.path.endswith("/batch/read")]
    assert {tuple(request.json["properties"]) for request in reads} == {tuple(wide)}


def test_a_record_that_is_gone_by_now_is_left_out_and_other_errors_are_not(fake):
    wide = [f"a_rather_long_property_name_{n}" for n in range(150)]
    hits = {"results": [{"id": "1", "properties": {}}, {"id": "2", "properties": {}}]}
    page = objects.search_page(fake([hits, {"results": [{"id": "2", "properties": {}}]}]), "deals", properties=wide)
    assert [one.id for one in page] == ["2"]
    with pytest.raises(errors.RateLimited):
        objects.search_page(fake([hits, errors.RateLimited()]), "deals", properties=wide)


def test_search_page(fake):
    sender = fake([{"total": 38, "results": [], "paging": {"next": {"after": "200"}}}])
    groups = [
        [types.Filter("amount", "BETWEEN", "1", high_value="9")],
        [types.Filter("dealstage", "IN", values=("a", "b")), types.Filter("closedate", "HAS_PROPERTY")],
    ]
    page = objects.search_page(sender, "deals", groups, sort="-amount", limit=999, after="200", query="x")
    assert (page.total, page.after) == (38, "200")
    assert sender.requests[0].json == {
        "filterGroups": [
            {"filters": [{"propertyName": "amount", "operator": "BETWEEN", "value": "1", "highValue": "9"}]},
            {
                "filters": [
                    {"propertyName": "dealstage", "operator": "IN", "values": ["a", "b"]},
                    {"propertyName": "closedate", "operator": "HAS_PROPERTY"},
                ]
            },
        ],
        "sorts": [{"propertyName": "amount", "direction": "DESCENDING"}],
        "limit": 200,
        "after": "200",
        "query": "x",
    }


@pytest.mark.parametrize(
    "groups",
    [
        [[types.Filter("a", "HAS_PROPERTY")] * 7],
        [[types.Filter("a", "HAS_PROPERTY")]] * 6,
        [[types.Filter("a", "HAS_PROPERTY")] * 4] * 5,
        [[types.Filter("a", "EQ", "x" * 3_000)]],
    ],
    ids=["group", "groups", "filters", "characters"],
)
def test_hubspot_s_limits_are_told_before_sending(fake, groups):
    with pytest.raises(ValueError, match="search"):
        objects.search_page(fake([]), "deals", groups)


# ---- find_by


def test_find_by_lower_cases_trims_and_asks_once(fake):
    """Fault 40: IN needs lower-case values on text."""
    index = Index(["1", "2", "3"], {"1": {"vat": "AT1"}, "2": {"vat": "at1"}, "3": {"vat": "AT2"}})
    found = objects.find_by(fake(index), "companies", "vat", [" AT1 ", "at1", "", "AT9"], ["name"])
    assert [one.id for one in found] == ["1", "2"]
    assert index.searches[0]["filterGroups"][0]["filters"][0] == {
        "propertyName": "vat",
        "operator": "IN",
        "values": ["at1", "at9"],
    }
    assert index.searches[0]["properties"] == ["name", "vat"]


def test_find_by_keeps_the_case_of_enumerations(fake):
    index = Index([])
    objects.find_by(fake(index), "deals", "dealstage", ["ClosedWon "], case_sensitive=True)
    assert index.searches[0]["filterGroups"][0]["filters"][0]["values"] == ["ClosedWon"]


def test_find_by_email_also_reads_the_secondary_ones(fake):
    index = Index([])
    objects.find_by(fake(index), "contacts", "email", ["a@x.test"])
    assert index.searches[0]["properties"] == ["email", "hs_additional_emails"]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.text(min_size=1, max_size=400), max_size=120))
def test_find_by_cuts_values_into_bodies_that_fit(fake, values):
    """Fault 41: any text, counted as it is sent; every value is asked exactly once."""
    index = Index([])
    objects.find_by(fake(index), "companies", "name", values)
    asked = [one for body in index.searches for one in body["filterGroups"][0]["filters"][0]["values"]]
    assert sorted(asked) == sorted({value.strip().lower() for value in values} - {""})


def test_find_by_gives_each_record_once_over_many_chunks(fake):
    """More than one page for one chunk, more than one chunk."""
    index = Index([str(n) for n in range(1, 601)], {str(n): {"name": f"n{n % 150}"} for n in range(1, 601)})
    found = objects.find_by(fake(index), "companies", "name", [f"N{n}" for n in range(150)])
    assert sorted(int(one.id) for one in found) == list(range(1, 601))
    assert len(index.searches) == 3  # 400 records behind the first hundred values, 200 behind the rest


def test_a_value_no_search_can_hold_is_told(fake):
    """A match that was silently not looked for would end in a duplicate."""
    with pytest.raises(ValueError, match="too long"):
        objects.find_by(fake([]), "companies", "name", ["x" * 3_000])


def test_nothing_to_find_asks_nothing(fake):
    assert objects.find_by(fake([]), "companies", "name", [" ", ""]) == []


def test_a_naive_time_is_refused(fake):
    with pytest.raises(TypeError):
        list(objects.iter_search(fake([]), "deals", since=datetime(2026, 1, 1)))


def test_the_window_is_whole_milliseconds_outwards(fake):
    """Invariant 17: rounding never moves a change out of the window."""
    index = Index([])
    at = SINCE + timedelta(microseconds=1_500)
    list(objects.iter_search(fake(index), "deals", since=at, until=at))
    low, high = (one["value"] for one in index.searches[0]["filterGroups"][0]["filters"])
    assert (low, high) == ("1767225600001", "1767225600002")
    assert wire.encode_json(index.searches[0])


def test_patterns_go_five_a_search_and_every_page_is_read(fake):
    """U3: HubSpot takes five groups of filters; what each finds comes once, all pages of it."""
    asked = []

    def answer(request):
        body = request.json
        asked.append([one["value"] for one in _filters(body)])
        assert all(one["operator"] == "CONTAINS_TOKEN" for one in _filters(body))
        assert len(body["filterGroups"]) <= 5
        assert "hs_additional_emails" in body["properties"]
        if "after" in body:
            return {"total": 2, "results": [{"id": "2", "properties": {}}]}
        return {"total": 2, "results": [{"id": "1", "properties": {}}], "paging": {"next": {"after": "1"}}}

    patterns = [f"a{number}+*@x.org" for number in range(7)]
    found = search.find_like(fake(answer), "contacts", "email", patterns)
    assert [one.id for one in found] == ["1", "2"]
    assert asked == [patterns[:5], patterns[:5], patterns[5:], patterns[5:]]
    assert search.find_like(fake(answer), "contacts", "email", []) == []
