"""Search: filters, limits, lag, the wall."""

import pytest

from crmsync.fakehub import clock


def where(name, operator, value=None, **more):
    found = {"propertyName": name, "operator": operator, **more}
    return found if value is None else {**found, "value": value}


@pytest.fixture
def people(portal):
    rows = [
        {
            "email": "ada@lovelace.dev",
            "firstname": "Ada",
            "lifecyclestage": "lead",
            "hs_buying_role": "CHAMPION;END_USER",
        },
        {"email": "grace@hopper.dev", "firstname": "Grace", "city": "New York", "lifecyclestage": "customer"},
        {"firstname": "ada", "city": "London"},
    ]
    return portal.plant("contacts", rows)


@pytest.mark.parametrize(
    ("given", "places"),
    [
        (where("firstname", "EQ", "ADA"), [0, 2]),
        (where("firstname", "NEQ", "ada"), [1]),
        (where("city", "NEQ", "London"), [0, 1]),
        (where("email", "EQ", "Ada@Lovelace.dev"), [0]),
        (where("email", "HAS_PROPERTY"), [0, 1]),
        (where("email", "NOT_HAS_PROPERTY"), [2]),
        (where("firstname", "IN", values=["ada"]), [0, 2]),
        (where("firstname", "IN", values=["Ada"]), []),
        (where("firstname", "NOT_IN", values=["ada"]), [1]),
        (where("lifecyclestage", "EQ", "lead"), [0]),
        (where("lifecyclestage", "EQ", "LEAD"), []),
        (where("lifecyclestage", "IN", values=["lead", "customer"]), [0, 1]),
        (where("city", "CONTAINS_TOKEN", "york"), [1]),
        (where("city", "CONTAINS_TOKEN", "yo"), []),
        (where("city", "CONTAINS_TOKEN", "yo*"), [1]),
        (where("email", "CONTAINS_TOKEN", "*@hopper.dev"), [1]),
        (where("city", "NOT_CONTAINS_TOKEN", "york"), [0, 2]),
        (where("firstname", "GT", "b"), [1]),
        (where("createdate", "GTE", "2026-01-01T00:00:00Z"), [0, 1, 2]),
        (where("createdate", "GT", str(clock.MANUAL_START_MS)), []),
        (where("createdate", "BETWEEN", "0", highValue=str(clock.MANUAL_START_MS)), [0, 1, 2]),
    ],
)
def test_operators(api, people, given, places):
    assert api.found("contacts", given) == [people[place] for place in places]


def test_groups_are_alternatives_and_filters_all_hold(api, people):
    both = [where("firstname", "EQ", "ada"), where("city", "EQ", "london")]
    groups = [{"filters": both}, {"filters": [where("city", "EQ", "new york")]}]
    body = api.post("contacts/search", {"filterGroups": groups, "sorts": ["-hs_object_id"]})
    assert [found["id"] for found in body["results"]] == [people[2], people[1]]


def test_query_looks_into_the_searchable_properties(api, people):
    assert api.found("contacts", query="grac hop") == [people[1]]
    assert api.found("contacts", query="london") == []


def test_contacts_are_found_by_a_secondary_email(api, portal, people):
    portal.ui_update("contacts", people[0], {"hs_additional_emails": "countess@lovelace.dev"})
    assert api.found("contacts", where("email", "EQ", "countess@lovelace.dev")) == [people[0]]
    assert api.found("contacts", where("email", "IN", values=["countess@lovelace.dev"])) == [people[0]]


def test_contacts_have_no_meaningful_hs_lastmodifieddate(api, people):
    assert api.found("contacts", where("hs_lastmodifieddate", "GTE", "0")) == []
    assert api.found("contacts", where("lastmodifieddate", "GTE", "0")) == people


def test_an_unknown_property_in_a_filter_is_400(api):
    status, body = api("POST", "contacts/search", {"filterGroups": [{"filters": [where("nope", "EQ", "1")]}]})
    assert (status, body["category"]) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    "body",
    [
        {"filterGroups": [{"filters": [where("city", "EQ", "a")]}] * 6},
        {"filterGroups": [{"filters": [where("city", "EQ", "a")] * 7}]},
        {"filterGroups": [{"filters": [where("city", "EQ", "a")] * 5}] * 4},
        {"limit": 201},
        {"after": "9801", "limit": 200},
        {"after": "abc"},
        {"sorts": ["city", "email"]},
        {"sorts": ["nope"]},
        {"filterGroups": [{"filters": [where("city", "LIKE", "a")]}]},
        {"filterGroups": [{"filters": [where("city", "EQ")]}]},
        {"filterGroups": [{"filters": [where("city", "IN", "a")]}]},
        {"filterGroups": [{"filters": [where("createdate", "GT", "soon")]}]},
        {"query": "x" * 3000},
    ],
)
def test_what_search_refuses(api, people, body):
    assert api("POST", "contacts/search", body)[0] == 400


def test_pages_and_the_wall_of_ten_thousand(api, portal):
    at = clock.MANUAL_START_MS + 1
    ids = portal.plant("companies", [{"name": str(number)} for number in range(10_100)], at_ms=at)
    body = api.search("companies", limit=200)
    assert (body["total"], len(body["results"]), body["paging"]) == (10_100, 200, {"next": {"after": "200"}})
    last = api.search("companies", limit=200, after="9800")
    assert [found["id"] for found in last["results"]] == ids[9800:10_000]
    assert api("POST", "companies/search", {"limit": 200, "after": last["paging"]["next"]["after"]})[0] == 400
    equal = [where("hs_lastmodifieddate", "GTE", str(at)), where("hs_object_id", "GT", ids[10_050])]
    assert api.found("companies", *equal, sorts=["hs_object_id"], limit=200) == ids[10_051:]


def test_default_page_is_ten_and_values_are_chosen(api, portal):
    portal.plant("companies", [{"name": str(number), "city": "Rome"} for number in range(11)])
    body = api.search("companies", properties=["city"])
    assert len(body["results"]) == 10
    assert set(body["results"][0]["properties"]) == {"city", "createdate", "hs_lastmodifieddate", "hs_object_id"}


def test_sorting_is_typed_and_blanks_come_last(api, portal):
    ids = portal.plant(
        "companies", [{"name": "a", "annualrevenue": "9"}, {"name": "b", "annualrevenue": "10"}, {"name": "c"}]
    )
    assert api.found("companies", sorts=[{"propertyName": "annualrevenue", "direction": "ASCENDING"}]) == ids
    down = api.found("companies", sorts=[{"propertyName": "annualrevenue", "direction": "DESCENDING"}])
    assert down == [ids[1], ids[0], ids[2]]


def test_changes_become_visible_after_the_lag_and_archived_ones_vanish_at_once(api, portal):
    portal.index.lag = 5.0
    one = api.create("contacts", firstname="Ada")
    assert api.found("contacts") == []
    portal.advance(5)
    assert api.found("contacts") == [one]
    api.update("contacts", one, firstname="Augusta")
    assert api.found("contacts", where("firstname", "EQ", "augusta")) == []
    old = api.search("contacts", where("firstname", "EQ", "ada"))["results"][0]
    assert (old["properties"]["firstname"], old["updatedAt"]) == ("Ada", "2026-01-01T00:00:00.000Z")
    portal.advance(5)
    assert api.found("contacts", where("firstname", "EQ", "augusta")) == [one]
    api("DELETE", f"contacts/{one}")
    assert api.found("contacts") == []
    portal.advance(5)
    portal.ui_restore("contacts", one)
    assert api.found("contacts") == []
    portal.advance(5)
    assert api.found("contacts") == [one]


def test_merged_records_leave_the_index(api, portal):
    one, two = api.create("contacts", firstname="A"), api.create("contacts", firstname="B")
    assert api.found("contacts") == [one, two]
    new = portal.ui_merge("contacts", one, two)
    assert api.found("contacts") == [new]


def test_by_association(api, portal, people):
    company = api.create("companies", name="Engines")
    portal.ui_associate("contacts", people[1], "companies", company)
    assert api.found("contacts", where("associations.company", "EQ", company)) == [people[1]]
    thing = portal.add_object_type("car")
    status, body = api(
        "POST", "contacts/search", {"filterGroups": [{"filters": [where(f"associations.{thing}", "EQ", "1")]}]}
    )
    assert (status, "not supported for custom objects" in body["message"]) == (400, True)


def test_many_updates_of_one_record_keep_the_time_order_small(api, portal):
    one = api.create("contacts", firstname="0")
    for number in range(5000):
        portal.advance(0.001)
        portal.ui_update("contacts", one, {"firstname": str(number + 1)})
    since = str(portal.clock.now_ms())
    assert api.found("contacts", where("lastmodifieddate", "GTE", since)) == [one]
    assert len(portal.index._shelf("0-1").order) < 4100
