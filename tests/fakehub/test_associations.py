"""Associations."""

import pytest

V = "2026-09"
PRIMARY = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}
PLAIN = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}


@pytest.fixture
def ids(api):
    return (
        api.create("contacts", firstname="Ada"),
        api.create("companies", name="A"),
        api.create("companies", name="B"),
    )


def path(ids, company=1):
    return f"contacts/{ids[0]}/associations/companies/{ids[company]}"


def test_default_and_list(api, ids):
    body = api("PUT", f"contacts/{ids[0]}/associations/default/companies/{ids[1]}")[1]
    assert body["status"] == "COMPLETE"
    assert body["results"] == [
        {"from": {"id": ids[0]}, "to": {"id": ids[1]}, "associationSpec": PLAIN},
        {"from": {"id": ids[1]}, "to": {"id": ids[0]}, "associationSpec": {**PLAIN, "associationTypeId": 280}},
    ]
    there = api.get(f"contacts/{ids[0]}/associations/companies")
    assert there["results"] == [
        {"toObjectId": ids[1], "associationTypes": [{"category": "HUBSPOT_DEFINED", "typeId": 279, "label": None}]}
    ]
    back = api.get(f"companies/{ids[1]}/associations/contacts")["results"][0]
    assert (back["toObjectId"], back["associationTypes"][0]["typeId"]) == (ids[0], 280)


def test_a_primary_brings_the_plain_type_and_ousts_the_last_primary(api, portal, ids):
    assert api("PUT", path(ids), [PRIMARY])[0] == 201
    assert portal.associated("contacts", ids[0], "companies") == {ids[1]: (1, 279)}
    api("PUT", path(ids, 2), [PRIMARY])
    assert portal.associated("contacts", ids[0], "companies") == {ids[1]: (279,), ids[2]: (1, 279)}
    shown = api.get(f"contacts/{ids[0]}?associations=companies")["associations"]["companies"]["results"]
    assert shown == [
        {"id": ids[1], "type": "contact_to_company_unlabeled"},
        {"id": ids[2], "type": "contact_to_company"},
        {"id": ids[2], "type": "contact_to_company_unlabeled"},
    ]


def test_a_primary_set_from_the_company_ousts_too(api, portal, ids):
    api("PUT", path(ids), [PRIMARY])
    spec = {**PRIMARY, "associationTypeId": 2}
    api("PUT", f"companies/{ids[2]}/associations/contacts/{ids[0]}", [spec])
    assert portal.associated("contacts", ids[0], "companies") == {ids[1]: (279,), ids[2]: (1, 279)}


def test_labels_replace_labels_and_removing_the_plain_type_removes_all(api, portal, ids):
    number = portal.add_label("contacts", "companies", "Boss", "Has boss")
    boss = {"associationCategory": "USER_DEFINED", "associationTypeId": number}
    api("PUT", path(ids), [PRIMARY, boss])
    status, body = api("PUT", path(ids), [boss])
    assert (status, body["labels"]) == (201, ["Boss"])
    assert portal.associated("contacts", ids[0], "companies") == {ids[1]: (number, 279)}
    pair = {"from": {"id": ids[0]}, "to": {"id": ids[1]}}
    base = f"/crm/associations/{V}/contacts/companies"
    assert api("POST", f"{base}/batch/labels/archive", {"inputs": [{**pair, "types": [boss]}]})[0] == 204
    assert portal.associated("contacts", ids[0], "companies") == {ids[1]: (279,)}
    assert api("POST", f"{base}/batch/labels/archive", {"inputs": [{**pair, "types": [PLAIN]}]})[0] == 204
    assert portal.associated("contacts", ids[0], "companies") == {}


def test_types_are_directional(api, ids):
    assert api("PUT", path(ids), [{**PLAIN, "associationTypeId": 280}])[0] == 400
    assert api("PUT", path(ids), [{**PLAIN, "associationCategory": "USER_DEFINED"}])[0] == 400
    assert api("PUT", path(ids), [])[0] == 400
    assert api("PUT", path(ids), {"a": 1})[0] == 400


def test_unknown_records_and_oneself_are_refused(api, ids):
    status, body = api("PUT", f"contacts/{ids[0]}/associations/companies/5", [PLAIN])
    assert (status, body["message"]) == (400, "One or more associations are invalid")
    assert body["subCategory"] == "crm.associations.INVALID_IDENTIFIER"
    status, body = api("PUT", f"contacts/{ids[0]}/associations/default/contacts/{ids[0]}")
    assert (status, body["message"]) == (400, f"Object {ids[0]} cannot be associated to itself")


def test_batch_default_create_read_archive(api, portal, ids):
    base = f"/crm/associations/{V}/contacts/companies"
    pairs = [{"from": {"id": ids[0]}, "to": {"id": one}} for one in ids[1:]]
    assert len(api.post(f"{base}/batch/associate/default", {"inputs": pairs})["results"]) == 4
    body = api.post(f"{base}/batch/create", {"inputs": [{**pairs[0], "types": [PRIMARY]}]}, 201)
    assert body["results"][0] == {
        "fromObjectTypeId": "0-1", "fromObjectId": ids[0], "toObjectTypeId": "0-2", "toObjectId": ids[1],
        "labels": ["Primary"],
    }  # fmt: skip
    lonely = api.create("contacts", firstname="B")
    body = api.post(f"{base}/batch/read", {"inputs": [{"id": ids[0]}, {"id": lonely}, {"id": "5"}]})
    assert [one["from"]["id"] for one in body["results"]] == [ids[0]]
    assert [one["toObjectId"] for one in body["results"][0]["to"]] == list(ids[1:])
    archive = {"inputs": [{"from": {"id": ids[0]}, "to": [{"id": ids[1]}]}]}
    assert api("POST", f"{base}/batch/archive", archive)[0] == 204
    assert list(portal.associated("contacts", ids[0], "companies")) == [ids[2]]


def test_limits(api):
    base = f"/crm/associations/{V}/contacts/companies/batch"
    assert api("POST", f"{base}/read", {"inputs": [{"id": str(n)} for n in range(1001)]})[0] == 400
    many = [{"from": {"id": "1"}, "to": {"id": "2"}, "types": [PLAIN]}] * 2001
    assert api("POST", f"{base}/create", {"inputs": many})[0] == 400


def test_pages_of_neighbours(api, portal, ids):
    contacts = portal.plant("contacts", [{"firstname": str(number)} for number in range(5)])
    for one in contacts:
        portal.ui_associate("contacts", one, "companies", ids[1])
    first = api.get(f"companies/{ids[1]}/associations/contacts?limit=3")
    rest = api.get(f"companies/{ids[1]}/associations/contacts?limit=3&after={first['paging']['next']['after']}")
    assert [one["toObjectId"] for one in first["results"] + rest["results"]] == contacts


def test_archived_neighbours_are_hidden_until_restored(api, portal, ids):
    portal.ui_associate("contacts", ids[0], "companies", ids[1])
    portal.ui_archive("companies", ids[1])
    assert api.get(f"contacts/{ids[0]}/associations/companies")["results"] == []
    portal.ui_restore("companies", ids[1])
    assert len(api.get(f"contacts/{ids[0]}/associations/companies")["results"]) == 1


def test_remove(api, portal, ids):
    portal.ui_associate("contacts", ids[0], "companies", ids[1], [1])
    assert api("DELETE", path(ids)) == (204, None)
    assert portal.associated("contacts", ids[0], "companies") == {}
    assert api("DELETE", path(ids))[0] == 204


@pytest.mark.parametrize(
    ("kind", "to", "numbers"),
    [
        ("notes", "contacts", {202}),
        ("contacts", "notes", {201}),
        ("deals", "companies", {341, 5}),
        ("tickets", "companies", {339, 26}),
        ("companies", "companies", {450, 13, 14}),
        ("meetings", "deals", {212}),
    ],
)
def test_type_numbers(api, kind, to, numbers):
    labels = api.get(f"/crm/associations/{V}/{kind}/{to}/labels")["results"]
    assert {one["typeId"] for one in labels} == numbers


def test_a_note_with_its_contact_inline(api, portal, ids):
    spec = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 202}
    body = {"properties": {"hs_timestamp": "1767225600000", "hs_note_body": "hi"}}
    body["associations"] = [{"to": {"id": ids[0]}, "types": [spec]}]
    note = api.post("notes", body, 201)["id"]
    assert portal.associated("contacts", ids[0], "notes") == {note: (201,)}


def test_lists_show_associations(api, portal, ids):
    portal.ui_associate("contacts", ids[0], "companies", ids[1])
    (one,) = api.get("contacts?associations=companies,deals")["results"]
    assert one["associations"] == {"companies": {"results": [{"id": ids[1], "type": "contact_to_company_unlabeled"}]}}
