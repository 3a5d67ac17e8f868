"""Records by the hundred."""

import json

import pytest


def emails(body):
    return {one["properties"]["email"] for one in body["results"]}


def test_batch_create_is_201_and_unordered(api):
    inputs = [{"properties": {"email": f"u{number}@lovelace.dev"}} for number in range(30)]
    body = api.post("contacts/batch/create", {"inputs": inputs}, 201)
    assert body["status"] == "COMPLETE"
    assert "numErrors" not in body
    assert emails(body) == {one["properties"]["email"] for one in inputs}
    assert [one["properties"]["email"] for one in body["results"]] != [one["properties"]["email"] for one in inputs]


@pytest.mark.parametrize("path", ["create", "read", "update", "upsert", "archive"])
def test_more_than_a_hundred_inputs_are_refused(api, path):
    inputs = [{"id": str(number), "idProperty": "email", "properties": {"city": "x"}} for number in range(101)]
    status, body = api("POST", f"contacts/batch/{path}", {"inputs": inputs})
    assert (status, body["category"]) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("path", ["read", "update", "archive"])
def test_the_same_id_twice_is_refused_with_the_captured_body(api, path):
    inputs = [{"id": "123456", "properties": {"city": "x"}}] * 2
    status, body = api("POST", f"contacts/batch/{path}", {"inputs": inputs})
    assert status == 400
    assert body["message"] == "Duplicate IDs found in batch input: [123456]. IDs must be unique"
    assert body["context"] == {"ids": ["123456"]}


def test_one_bad_input_refuses_all_without_trace_ids(api, portal):
    inputs = [{"properties": {"email": "a@lovelace.dev"}}, {"properties": {"email": "b@lovelace.dev", "nope": "1"}}]
    status, body = api("POST", "contacts/batch/create", {"inputs": inputs})
    assert (status, body["errors"][0]["code"]) == (400, "PROPERTY_DOESNT_EXIST")
    assert portal.records("contacts") == []


def test_a_duplicate_contact_refuses_all_and_only_the_first_is_named(api, portal):
    one, two = api.create("contacts", email="a@lovelace.dev"), api.create("contacts", email="b@lovelace.dev")
    inputs = [{"properties": {"email": f"{name}@lovelace.dev"}} for name in ("new", "a", "b")]
    status, body = api("POST", "contacts/batch/create", {"inputs": inputs})
    assert (status, body["message"]) == (409, f"Contact already exists. Existing ID: {one}")
    assert two not in body["message"]
    assert len(portal.records("contacts")) == 2


def test_with_trace_ids_the_bad_ones_fail_alone_as_captured(api):
    one = api.create("contacts", email="a@lovelace.dev")
    inputs = [
        {"objectWriteTraceId": "0", "properties": {"email": "a@lovelace.dev"}},
        {"objectWriteTraceId": "1", "properties": {"email": "new@lovelace.dev"}},
        {"objectWriteTraceId": "2", "properties": {"firstname": "B", "nope": "1"}},
    ]
    status, body = api("POST", "contacts/batch/create", {"inputs": inputs})
    assert status == 207
    assert [(r["objectWriteTraceId"], r["properties"]["email"]) for r in body["results"]] == [
        ("1", "new@lovelace.dev")
    ]
    assert body["numErrors"] == 2
    conflict, invalid = body["errors"]
    assert conflict == {
        "status": "error",
        "category": "CONFLICT",
        "message": f"Contact already exists. Existing ID: {one}",
        "context": {"objectWriteTraceId": ["0"], "existingId": [one]},
    }
    assert "errors" not in invalid
    assert invalid["context"] == {"objectWriteTraceId": ["2"]}
    assert json.loads(invalid["message"].partition(": ")[2])[0]["name"] == "nope"


def test_two_inputs_with_one_email_do_not_make_two_contacts(api, portal):
    inputs = [{"objectWriteTraceId": str(n), "properties": {"email": "a@lovelace.dev"}} for n in range(2)]
    status, body = api("POST", "contacts/batch/create", {"inputs": inputs})
    assert (status, len(body["results"]), body["errors"][0]["category"]) == (207, 1, "CONFLICT")
    plain = [{"properties": {"email": "b@lovelace.dev"}}] * 2
    assert api("POST", "contacts/batch/create", {"inputs": plain})[0] == 409
    assert len(portal.records("contacts")) == 1


def test_the_same_trace_id_twice_is_refused(api):
    inputs = [{"objectWriteTraceId": "t", "properties": {"firstname": "A"}}] * 2
    assert api("POST", "contacts/batch/create", {"inputs": inputs})[0] == 400


def test_batch_read_gives_207_for_missing_ids(api):
    one = api.create("contacts", email="a@lovelace.dev")
    body = api.post("contacts/batch/read", {"inputs": [{"id": one}, {"id": "9"}, {"id": "abc"}]}, 207)
    assert [found["id"] for found in body["results"]] == [one]
    assert body["errors"] == [
        {
            "status": "error",
            "category": "OBJECT_NOT_FOUND",
            "message": "Could not get some CONTACT objects, they may be deleted or not exist. "
            "Check that ids are valid.",
            "context": {"ids": ["9", "abc"]},
        }
    ]
    assert body["numErrors"] == 1


def test_batch_read_by_email_finds_any_spelling_and_secondary_ones(api, portal):
    one = api.create("contacts", email="a@lovelace.dev")
    portal.ui_update("contacts", one, {"hs_additional_emails": "b@lovelace.dev"})
    asked = {
        "inputs": [{"id": "A@lovelace.dev "}, {"id": "b@lovelace.dev"}],
        "idProperty": "email",
        "properties": ["email"],
    }
    body = api.post("contacts/batch/read", asked)
    assert [found["id"] for found in body["results"]] == [one]
    assert api("POST", "contacts/batch/read", {**asked, "idProperty": "city"})[0] == 400


def test_batch_read_of_archived_and_with_history(api):
    one, two = api.create("contacts", firstname="A"), api.create("contacts", firstname="B")
    api("DELETE", f"contacts/{one}")
    body = api.post("contacts/batch/read?archived=true", {"inputs": [{"id": one}]})
    assert body["results"][0]["archived"] is True
    body = api.post("contacts/batch/read", {"inputs": [{"id": two}], "propertiesWithHistory": ["firstname"]})
    assert body["results"][0]["propertiesWithHistory"]["firstname"][0]["value"] == "B"
    many = [{"id": str(number)} for number in range(51)]
    assert api("POST", "contacts/batch/read", {"inputs": many, "propertiesWithHistory": ["firstname"]})[0] == 400


def test_batch_update_and_an_unknown_id(api, portal):
    one = api.create("contacts", firstname="A")
    inputs = [{"id": one, "properties": {"city": "London"}}, {"id": "5", "properties": {"city": "London"}}]
    body = api.post("contacts/batch/update", {"inputs": inputs}, 207)
    assert body["results"][0]["properties"]["city"] == "London"
    assert body["errors"][0]["context"] == {"ids": ["5"]}
    traced = [{**inputs[1], "objectWriteTraceId": "t"}]
    body = api.post("contacts/batch/update", {"inputs": traced}, 207)
    assert body["errors"][0]["context"] == {"objectWriteTraceId": ["t"], "ids": ["5"]}


def test_batch_update_with_trace_ids_is_partial_unless_switched_off(api, portal):
    one, two = api.create("contacts", firstname="A"), api.create("contacts", firstname="B")
    inputs = [
        {"id": one, "objectWriteTraceId": "a", "properties": {"city": "London"}},
        {"id": two, "objectWriteTraceId": "b", "properties": {"nope": "x"}},
    ]
    assert api("POST", "contacts/batch/update", {"inputs": inputs})[0] == 207
    portal.set_flags(partial_updates=False)
    assert api("POST", "contacts/batch/update", {"inputs": inputs})[0] == 400


@pytest.mark.parametrize("name", ["email", "hs_object_id", "city"])
def test_batch_update_by_a_property_that_is_not_unique_is_refused(api, name):
    inputs = [{"id": "a@lovelace.dev", "idProperty": name, "properties": {"city": "x"}}]
    status, body = api("POST", "contacts/batch/update", {"inputs": inputs})
    assert status == 400
    assert body["message"].startswith("Unable to perform update/upsert by non-unique 0-1 property")


def test_batch_update_by_a_unique_property(api, portal):
    portal.add_property("contacts", "member_no", hasUniqueValue=True)
    one = api.create("contacts", firstname="A", member_no="7")
    inputs = [{"id": "7", "idProperty": "member_no", "properties": {"city": "Rome"}}]
    assert api.post("contacts/batch/update", {"inputs": inputs})["results"][0]["id"] == one


def test_two_ids_of_one_record_are_refused(api, portal):
    portal.add_property("contacts", "member_no", hasUniqueValue=True)
    one = api.create("contacts", firstname="A", member_no="7")
    inputs = [
        {"id": "7", "idProperty": "member_no", "properties": {"city": "Rome"}},
        {"id": one, "properties": {"city": "Paris"}},
    ]
    status, body = api("POST", "contacts/batch/update", {"inputs": inputs})
    assert (status, body["context"]) == (400, {"ids": [one]})


def test_upsert_creates_and_updates_and_says_which(api, portal):
    one = api.create("contacts", email="a@lovelace.dev")
    inputs = [
        {"id": "A@lovelace.dev", "idProperty": "email", "properties": {"city": "Rome"}},
        {"id": "new@lovelace.dev", "idProperty": "email", "properties": {"city": "Rome"}},
    ]
    body = api.post("contacts/batch/upsert", {"inputs": inputs})
    assert {found["id"]: found["new"] for found in body["results"]}[one] is False
    assert sum(found["new"] for found in body["results"]) == 1
    assert {held["properties"]["email"] for held in portal.records("contacts")} == {
        "a@lovelace.dev",
        "new@lovelace.dev",
    }


def test_upsert_needs_a_unique_id_property(api):
    one = {"id": "a@lovelace.dev", "properties": {"city": "x"}}
    assert api("POST", "contacts/batch/upsert", {"inputs": [one]})[0] == 400
    assert api("POST", "contacts/batch/upsert", {"inputs": [{**one, "idProperty": "hs_object_id"}]})[0] == 400
    assert api("POST", "companies/batch/upsert", {"inputs": [{**one, "idProperty": "domain"}]})[0] == 400


def test_upsert_by_email_is_never_partial_but_by_a_unique_property_it_is(api, portal):
    portal.add_property("contacts", "member_no", hasUniqueValue=True)
    bad, good = {"nope": "1"}, {"firstname": "A"}
    inputs = [
        {"id": "a@lovelace.dev", "idProperty": "email", "objectWriteTraceId": "a", "properties": good},
        {"id": "b@lovelace.dev", "idProperty": "email", "objectWriteTraceId": "b", "properties": bad},
    ]
    assert api("POST", "contacts/batch/upsert", {"inputs": inputs})[0] == 400
    inputs = [
        {"id": "1", "idProperty": "member_no", "objectWriteTraceId": "a", "properties": good},
        {"id": "2", "idProperty": "member_no", "objectWriteTraceId": "b", "properties": bad},
    ]
    status, body = api("POST", "contacts/batch/upsert", {"inputs": inputs})
    assert (status, body["results"][0]["new"], body["errors"][0]["context"]) == (
        207,
        True,
        {"objectWriteTraceId": ["b"]},
    )


def test_two_upserts_of_one_record_are_refused(api, portal):
    one = api.create("contacts", email="a@lovelace.dev")
    portal.ui_update("contacts", one, {"hs_additional_emails": "b@lovelace.dev"})
    for pair in (("a@lovelace.dev", "b@lovelace.dev"), ("x@lovelace.dev", "X@lovelace.dev")):
        inputs = [{"id": email, "idProperty": "email", "properties": {"city": email[0]}} for email in pair]
        assert api("POST", "contacts/batch/upsert", {"inputs": inputs})[0] in {400, 409}
    assert len(portal.records("contacts")) == 1


def test_batch_archive_ignores_unknown_ids(api, portal):
    one = api.create("contacts", firstname="A")
    assert api("POST", "contacts/batch/archive", {"inputs": [{"id": one}, {"id": "5"}]}) == (204, None)
    assert portal.records("contacts") == []
    assert [held["id"] for held in portal.records("contacts", archived=True)] == [one]


def test_batch_create_with_associations(api, portal):
    company = api.create("companies", name="Engines")
    spec = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}
    inputs = [{"properties": {"firstname": "A"}, "associations": [{"to": {"id": company}, "types": [spec]}]}]
    one = api.post("contacts/batch/create", {"inputs": inputs}, 201)["results"][0]["id"]
    assert portal.associated("contacts", one, "companies") == {company: (279,)}
    inputs[0]["associations"][0]["to"]["id"] = "5"
    status, body = api("POST", "contacts/batch/create", {"inputs": inputs})
    assert (status, body["message"]) == (400, "One or more associations are invalid")


@pytest.mark.parametrize("body", [{}, {"inputs": 1}, {"inputs": ["a"]}, {"inputs": [{}]}])
def test_inputs_that_are_none(api, body):
    assert api("POST", "contacts/batch/read", body)[0] == 400
