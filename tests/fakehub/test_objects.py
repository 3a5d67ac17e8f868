"""Records one by one: list, get, create, update, archive, merge, privacy deletion."""

import json
from typing import Any

import pytest


def without_correlation(body: dict[str, Any]) -> dict[str, Any]:
    assert len(body.pop("correlationId")) == 36
    return body


def test_create_answers_the_captured_shape(api):
    status, body = api("POST", "contacts", {"properties": {"email": "ada@lovelace.dev", "firstname": "Ada"}})
    assert status == 201
    assert body["archived"] is False
    assert body["createdAt"] == body["updatedAt"] == "2026-01-01T00:00:00.000Z"
    assert body["properties"] == {
        "createdate": "2026-01-01T00:00:00.000Z",
        "email": "ada@lovelace.dev",
        "firstname": "Ada",
        "hs_object_id": body["id"],
        "hs_object_source": "INTEGRATION",
        "hs_object_source_id": "19083857",
        "hs_object_source_label": "Fakehub app",
        "lastmodifieddate": "2026-01-01T00:00:00.000Z",
    }


def test_a_duplicate_email_is_409_with_the_captured_body(api):
    first = api.create("contacts", email="ada@lovelace.dev")
    status, body = api("POST", "contacts", {"properties": {"email": " ADA@lovelace.dev "}})
    assert status == 409
    assert without_correlation(body) == {
        "status": "error",
        "message": f"Contact already exists. Existing ID: {first}",
        "category": "CONFLICT",
    }


def test_a_secondary_email_is_taken_too_and_finds_its_contact(api, portal):
    first = api.create("contacts", email="ada@lovelace.dev")
    portal.ui_update("contacts", first, {"hs_additional_emails": "countess@lovelace.dev;a@lovelace.dev"})
    status, body = api("POST", "contacts", {"properties": {"email": "countess@lovelace.dev"}})
    assert (status, body["message"]) == (409, f"Contact already exists. Existing ID: {first}")
    assert api.get("contacts/a@lovelace.dev?idProperty=email")["id"] == first


def test_an_unknown_property_is_400_with_the_captured_body(api):
    status, body = api("POST", "contacts", {"properties": {"firstname": "Ada", "x": "1"}})
    assert status == 400
    assert body["category"] == "VALIDATION_ERROR"
    assert body["errors"] == [
        {
            "message": 'Property "x" does not exist',
            "code": "PROPERTY_DOESNT_EXIST",
            "context": {"propertyName": ["x"]},
        }
    ]
    start = 'Property values were not valid: [{"isValid":false,"message":"Property \\"x\\" does not exist",'
    assert body["message"].startswith(start + '"error":"PROPERTY_DOESNT_EXIST","name":"x"')
    assert json.loads(body["message"].partition(": ")[2])[0]["name"] == "x"


def test_all_bad_values_are_told_at_once(api, portal):
    status, body = api("POST", "deals", {"properties": {"amount": "1,5", "nope": "", "createdate": "2026-01-01"}})
    assert status == 400
    assert [one["code"] for one in body["errors"]] == ["INVALID_INTEGER", "PROPERTY_DOESNT_EXIST", "READ_ONLY_VALUE"]
    assert portal.records("deals") == []


@pytest.mark.parametrize(
    ("kind", "props", "missing"),
    [
        ("contacts", {"phone": "1"}, ["email", "firstname", "lastname"]),
        ("contacts", {}, ["email", "firstname", "lastname"]),
        ("companies", {"city": "Rome"}, ["name", "domain"]),
        ("deals", {"amount": "1"}, ["dealname", "dealstage"]),
        ("notes", {"hs_note_body": "hi"}, ["hs_timestamp"]),
        ("emails", {"hs_timestamp": "1767225600000"}, ["hs_email_direction"]),
    ],
)
def test_what_a_create_must_hold(api, kind, props, missing):
    status, body = api("POST", kind, {"properties": props})
    assert (status, body["category"]) == (400, "VALIDATION_ERROR")
    assert body["context"]["properties"] == missing
    assert body["message"].endswith("Some required properties were not set.")


def test_get_shows_defaults_or_what_is_asked_and_ignores_unknown_names(api):
    one = api.create("contacts", email="ada@lovelace.dev", phone="1")
    assert set(api.get(f"contacts/{one}")["properties"]) == {
        "createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname",
    }  # fmt: skip
    asked = api.get(f"contacts/{one}?properties=phone,city,nope&properties=jobtitle")["properties"]
    assert {name: asked[name] for name in ("phone", "city", "jobtitle")} == {
        "phone": "1",
        "city": None,
        "jobtitle": None,
    }
    assert "nope" not in asked


@pytest.mark.parametrize("kind", ["contacts", "contact", "0-1"])
def test_types_go_by_name_and_by_id(api, kind):
    one = api.create(kind, firstname="Ada")
    assert api.get(f"0-1/{one}")["id"] == one


def test_an_unknown_type_is_400(api):
    status, body = api("GET", "spaceships")
    assert (status, body["message"]) == (400, "Unable to infer object type from: spaceships")


def test_404_of_a_number_and_of_a_text(api):
    status, body = api("GET", "contacts/999")
    assert (status, without_correlation(body)) == (404, {"status": "error", "message": "resource not found"})
    status, body = api("GET", "contacts/abc")
    assert (status, body["category"], body["context"]) == (404, "OBJECT_NOT_FOUND", {"id": ["abc"]})


def test_id_property_must_be_unique(api):
    assert api("GET", "contacts/Ada?idProperty=firstname")[0] == 400
    assert api("GET", "contacts/x@y.dev?idProperty=email")[0] == 404


def test_a_list_pages_by_id_and_not_by_offset(api, portal):
    ids = portal.plant("contacts", [{"firstname": str(number)} for number in range(25)])
    first = api.get("contacts")
    assert [one["id"] for one in first["results"]] == ids[:10]
    after = first["paging"]["next"]["after"]
    assert after == ids[10]
    assert "after=" + after in first["paging"]["next"]["link"]
    rest = api.get(f"contacts?limit=100&after={after}")
    assert [one["id"] for one in rest["results"]] == ids[10:]
    assert "paging" not in rest


def test_records_created_while_paging_come_last_and_archived_ones_go(api, portal):
    ids = portal.plant("contacts", [{"firstname": str(number)} for number in range(4)])
    after = api.get("contacts?limit=2")["paging"]["next"]["after"]
    portal.ui_archive("contacts", ids[2])
    new = api.create("contacts", firstname="new")
    assert [one["id"] for one in api.get(f"contacts?limit=100&after={after}")["results"]] == [ids[3], new]


@pytest.mark.parametrize("query", ["limit=101", "limit=0", "limit=x", "limit=51&propertiesWithHistory=email"])
def test_list_limits(api, query):
    assert api("GET", f"contacts?{query}")[0] == 400


def test_an_after_that_is_no_number_is_a_json_error(api):
    status, body = api("GET", "contacts?after=abc")
    assert status == 400
    assert "Cannot deserialize value of type" in body["message"]


def test_update_answers_what_was_written_as_it_is_kept(api, portal):
    one = api.create("contacts", firstname="Ada", lastname="L")
    portal.advance(5)
    body = api.update("contacts", one, email="ADA@Lovelace.dev", lastname="")
    assert body["properties"] == {
        "createdate": "2026-01-01T00:00:00.000Z",
        "email": "ada@lovelace.dev",
        "hs_object_id": one,
        "lastmodifieddate": "2026-01-01T00:00:05.000Z",
        "lastname": None,
    }
    assert body["updatedAt"] == "2026-01-01T00:00:05.000Z"


def test_an_update_that_changes_nothing_leaves_no_trace(api, portal):
    one = api.create("contacts", email="ada@lovelace.dev")
    portal.advance(5)
    seq = portal.ledger.last_seq
    body = api.update("contacts", one, email="Ada@Lovelace.dev", phone="")
    assert body["updatedAt"] == "2026-01-01T00:00:00.000Z"
    assert portal.ledger.changes(since=seq) == []
    assert len(api.get(f"contacts/{one}?propertiesWithHistory=email")["propertiesWithHistory"]["email"]) == 1


def test_the_modified_property_is_different_for_contacts(api, portal):
    contact, company = api.create("contacts", firstname="Ada"), api.create("companies", name="Engines")
    portal.advance(1)
    api.update("contacts", contact, city="London")
    api.update("companies", company, city="London")
    held = portal.record("contacts", contact)["properties"]
    assert held["lastmodifieddate"] == "2026-01-01T00:00:01.000Z"
    assert "hs_lastmodifieddate" not in held
    assert portal.record("companies", company)["properties"]["hs_lastmodifieddate"] == "2026-01-01T00:00:01.000Z"


def test_history_is_newest_first_and_says_who(api, portal):
    one = api.create("contacts", firstname="Ada")
    portal.advance(1)
    portal.ui_update("contacts", one, {"firstname": "Augusta"})
    portal.advance(1)
    api.update("contacts", one, firstname="")
    history = api.get(f"contacts/{one}?propertiesWithHistory=firstname")["propertiesWithHistory"]["firstname"]
    assert [(h["value"], h["sourceType"], h["sourceId"]) for h in history] == [
        ("", "INTEGRATION", "19083857"),
        ("Augusta", "CRM_UI", "userId:75514748"),
        ("Ada", "INTEGRATION", "19083857"),
    ]
    assert history[1]["timestamp"] == "2026-01-01T00:00:01.000Z"
    assert history[1]["updatedByUserId"] == 75514748


def test_empty_properties_are_refused(api):
    one = api.create("contacts", firstname="Ada")
    status, body = api("PATCH", f"contacts/{one}", {"properties": {}})
    assert (status, body["message"]) == (400, "No properties found to update, please provide at least one.")


def test_null_is_ignored_and_other_types_are_refused(api, portal):
    one = api.create("contacts", firstname="Ada")
    api.update("contacts", one, firstname=None, city="London")
    assert portal.record("contacts", one)["properties"]["firstname"] == "Ada"
    for value in (1, True, ["a"], {"a": 1}):
        assert api("PATCH", f"contacts/{one}", {"properties": {"city": value}})[0] == 400


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"properties": []}', b"{}", b"\xff"])
def test_bodies_that_are_none(api, body):
    status, answer = api("POST", "contacts", body)
    assert (status, answer["status"]) == (400, "error")


def test_archive_hides_and_restore_brings_back_the_same_id(api, portal):
    one = api.create("contacts", email="ada@lovelace.dev")
    portal.advance(1)
    assert api("DELETE", f"contacts/{one}") == (204, None)
    assert api("GET", f"contacts/{one}")[0] == 404
    assert api("PATCH", f"contacts/{one}", {"properties": {"city": "x"}})[0] == 404
    assert api.get("contacts")["results"] == []
    (hidden,) = api.get("contacts?archived=true")["results"]
    assert (hidden["archived"], hidden["archivedAt"]) == (True, "2026-01-01T00:00:01.000Z")
    assert api.get(f"contacts/{one}?archived=true")["id"] == one
    assert api("DELETE", f"contacts/{one}")[0] == 204
    portal.ui_restore("contacts", one)
    assert api.get(f"contacts/{one}")["archived"] is False
    assert api("POST", "contacts", {"properties": {"email": "ada@lovelace.dev"}})[0] == 409


def test_an_archived_contact_frees_its_email(api, portal):
    one = api.create("contacts", email="ada@lovelace.dev")
    api("DELETE", f"contacts/{one}")
    again = api.create("contacts", email="ada@lovelace.dev")
    assert again != one
    with pytest.raises(ValueError, match="already has that value"):
        portal.ui_restore("contacts", one)


def test_archiving_what_never_was_is_404(api):
    assert api("DELETE", "contacts/5")[0] == 404


def test_a_merge_gives_a_new_id_and_old_ids_work_one_by_one_only(api, portal):
    one = api.create("contacts", email="ada@lovelace.dev", firstname="Ada")
    two = api.create("contacts", email="countess@lovelace.dev", lastname="Lovelace")
    body = api.post("contacts/merge", {"primaryObjectId": one, "objectIdToMerge": two})
    new = body["id"]
    assert new not in {one, two}
    held = portal.record("contacts", new)["properties"]
    assert held["hs_merged_object_ids"] == f"{one};{two}"
    assert held["hs_calculated_merged_vids"] == f"{one};{two}"
    assert (held["email"], held["hs_additional_emails"]) == ("ada@lovelace.dev", "countess@lovelace.dev")
    assert (held["firstname"], held["lastname"]) == ("Ada", "Lovelace")
    assert api.get(f"contacts/{one}")["id"] == new
    assert api.update("contacts", two, city="London")["id"] == new
    status, batch = api("POST", "contacts/batch/update", {"inputs": [{"id": two, "properties": {"city": "x"}}]})
    assert (status, batch["errors"][0]["category"]) == (207, "OBJECT_NOT_FOUND")
    assert [one["id"] for one in api.get("contacts")["results"]] == [new]


def test_a_merge_can_preserve_the_primary_id(api, portal):
    portal.set_flags(preserve_primary_id=True)
    one, two = api.create("companies", name="A"), api.create("companies", name="B", city="Rome")
    assert api.post("companies/merge", {"primaryObjectId": one, "objectIdToMerge": two})["id"] == one
    assert portal.record("companies", one)["properties"]["city"] == "Rome"
    assert api.get(f"companies/{two}")["id"] == one


def test_a_merge_keeps_associations_and_needs_two_records(api, portal):
    one, two = api.create("contacts", firstname="A"), api.create("contacts", firstname="B")
    company = api.create("companies", name="Engines")
    portal.ui_associate("contacts", two, "companies", company)
    new = api.post("contacts/merge", {"primaryObjectId": one, "objectIdToMerge": two})["id"]
    assert portal.associated("contacts", new, "companies") == {company: (279,)}
    assert api("POST", "contacts/merge", {"primaryObjectId": new, "objectIdToMerge": new})[0] == 400
    assert api("POST", "contacts/merge", {"primaryObjectId": one, "objectIdToMerge": new})[0] == 404
    assert api("POST", "contacts/merge", {"primaryObjectId": one})[0] == 400


def test_privacy_deletion_is_for_good_and_blocks_the_address(api, portal):
    one = api.create("contacts", email="ada@lovelace.dev")
    assert api("POST", "contacts/gdpr-delete", {"objectId": "ada@lovelace.dev", "idProperty": "email"})[0] == 204
    assert portal.record("contacts", one) is None
    assert api.get("contacts?archived=true")["results"] == []
    status, body = api("POST", "contacts", {"properties": {"email": "ada@lovelace.dev"}})
    assert (status, body["errors"][0]["code"]) == (400, "INVALID_EMAIL")
    assert api("POST", "contacts/gdpr-delete", {"objectId": "new@lovelace.dev", "idProperty": "email"})[0] == 204
    assert api("POST", "contacts", {"properties": {"email": "new@lovelace.dev"}})[0] == 400
    assert api("POST", "contacts/gdpr-delete", {"objectId": "77"})[0] == 404


def test_lifecycle_only_moves_forward_by_api(api, portal):
    one = api.create("contacts", firstname="Ada", lifecyclestage="customer")
    body = api.update("contacts", one, lifecyclestage="lead", city="London")
    assert body["properties"]["lifecyclestage"] == "customer"
    assert body["properties"]["city"] == "London"
    api.update("contacts", one, lifecyclestage="")
    assert api.update("contacts", one, lifecyclestage="lead")["properties"]["lifecyclestage"] == "lead"
    portal.ui_update("contacts", one, {"lifecyclestage": "subscriber"})
    assert portal.record("contacts", one)["properties"]["lifecyclestage"] == "subscriber"


def test_a_stage_is_valid_only_within_its_pipeline(api, portal):
    deal = api.create("deals", dealname="D", dealstage="contractsent")
    assert portal.record("deals", deal)["properties"]["pipeline"] == "default"
    portal.add_pipeline("deals", {"id": "second", "label": "Second", "displayOrder": 1, "stages": [
        {"id": "s1", "label": "One", "displayOrder": 0, "metadata": {"probability": "0.5"}}]})  # fmt: skip
    status, body = api("PATCH", f"deals/{deal}", {"properties": {"dealstage": "s1"}})
    assert (status, body["errors"][0]["code"]) == (400, "INVALID_OPTION")
    assert api("PATCH", f"deals/{deal}", {"properties": {"pipeline": "second"}})[0] == 400
    assert api.update("deals", deal, pipeline="second", dealstage="s1")["properties"]["dealstage"] == "s1"
    status, body = api("POST", "deals", {"properties": {"dealname": "E", "dealstage": "s1"}})
    assert (status, body["context"]["properties"]) == (400, ["pipeline"])


def test_closed_deals_are_marked(api, portal):
    deal = api.create("deals", dealname="D", dealstage="closedwon")
    held = portal.record("deals", deal)["properties"]
    assert (held["hs_is_closed"], held["hs_is_closed_won"]) == ("true", "true")
    api.update("deals", deal, dealstage="closedlost")
    held = portal.record("deals", deal)["properties"]
    assert (held["hs_is_closed"], held["hs_is_closed_won"]) == ("true", "false")


def test_planted_rules_hold_in_the_newer_version_only(api, portal):
    portal.plant_rule("contacts", "phone", when={"lifecyclestage": ["customer"]})
    portal.plant_rule("contacts", "city")
    props = {"firstname": "Ada", "city": "London", "lifecyclestage": "customer"}
    status, body = api("POST", "contacts", {"properties": props})
    assert (status, body["category"], body["context"]["properties"]) == (400, "VALIDATION_ERROR", ["phone"])
    older = api("POST", "/crm/objects/2026-03/contacts", {"properties": props})
    assert older[0] == 201
    one = older[1]["id"]
    assert api("PATCH", f"contacts/{one}", {"properties": {"jobtitle": "Countess"}})[0] == 200
    assert api("PATCH", f"contacts/{one}", {"properties": {"city": ""}})[0] == 400
    assert api("PATCH", f"/crm/v3/objects/contacts/{one}", {"properties": {"city": ""}})[0] == 200


def test_contacts_join_the_company_of_their_domain_when_the_portal_is_set_so(api, portal):
    company = api.create("companies", name="Engines", domain="lovelace.dev")
    alone = api.create("contacts", email="a@lovelace.dev")
    portal.set_flags(associate_by_domain=True)
    joined = api.create("contacts", email="b@lovelace.dev")
    assert portal.associated("contacts", alone, "companies") == {}
    assert portal.associated("contacts", joined, "companies") == {company: (1, 279)}


def test_a_custom_unique_property_finds_and_refuses(api, portal):
    portal.add_property("contacts", "member_no", hasUniqueValue=True)
    one = api.create("contacts", firstname="Ada", member_no="7")
    assert api.get("contacts/7?idProperty=member_no")["id"] == one
    assert api("PATCH", "contacts/7?idProperty=member_no", {"properties": {"city": "x"}})[0] == 200
    status, body = api("POST", "contacts", {"properties": {"firstname": "B", "member_no": "7"}})
    assert status == 400
    assert f"{one} already has that value" in body["message"]


def test_both_dated_versions_and_the_legacy_path_are_one_portal(portal, api):
    one = api.create("contacts", firstname="Ada")
    for path in (f"/crm/objects/2026-03/contacts/{one}", f"/crm/v3/objects/contacts/{one}"):
        assert api.get(path)["id"] == one
    assert api("GET", f"/crm/objects/2025-09/contacts/{one}")[0] == 404
    assert api("GET", "/crm/nowhere")[0] == 404


def test_a_url_with_too_many_properties_is_414(api):
    names = ",".join(f"a_rather_long_property_name_{number}" for number in range(500))
    assert api.raw("GET", f"contacts?properties={names}").status == 414
