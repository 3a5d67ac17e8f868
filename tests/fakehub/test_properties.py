"""Properties and groups."""

import pytest

NEW = {
    "groupName": "contactinformation",
    "name": "shoe_size",
    "label": "Shoe size",
    "type": "number",
    "fieldType": "number",
}
PATH = "/crm/properties/2026-09/contacts"


def names(body):
    return [one["name"] for one in body["results"]]


def test_create_read_change_archive_restore(api):
    made = api.post(PATH, NEW, 201)
    assert (made["hubspotDefined"], made["modificationMetadata"]["readOnlyValue"], made["archived"]) == (
        False,
        False,
        False,
    )
    assert api.get(f"{PATH}/shoe_size") == made
    one = api.create("contacts", firstname="Ada", shoe_size="38")
    status, body = api("PATCH", f"{PATH}/shoe_size", {"label": "Size of shoes"})
    assert (status, body["label"]) == (200, "Size of shoes")
    assert api("DELETE", f"{PATH}/shoe_size")[0] == 204
    assert api("GET", f"{PATH}/shoe_size")[0] == 404
    assert "shoe_size" not in names(api.get(PATH))
    assert names(api.get(f"{PATH}?archived=true")) == ["shoe_size"]
    status, body = api("PATCH", f"contacts/{one}", {"properties": {"shoe_size": "39"}})
    assert (status, body["errors"][0]["code"]) == (400, "PROPERTY_DOESNT_EXIST")
    assert "shoe_size" not in api.get(f"contacts/{one}?properties=shoe_size")["properties"]
    api.post(PATH, NEW, 201)
    assert api.get(f"contacts/{one}?properties=shoe_size")["properties"]["shoe_size"] == "38"


def test_an_existing_name_is_409_with_the_captured_body(api):
    api.post(PATH, NEW, 201)
    status, body = api("POST", PATH, NEW)
    body.pop("correlationId")
    assert (status, body) == (
        409,
        {
            "status": "error",
            "category": "OBJECT_ALREADY_EXISTS",
            "subCategory": "Properties.PROPERTY_WITH_NAME_EXISTS",
            "message": "A property named 'shoe_size' already exists.",
            "context": {"name": ["shoe_size"]},
        },
    )


@pytest.mark.parametrize(
    "change",
    [
        {"groupName": "nowhere"},
        {"name": "Shoe Size"},
        {"name": "9lives"},
        {"fieldType": "text"},
        {"type": "integer"},
        {"type": "bool", "fieldType": "booleancheckbox"},
        {"type": "bool", "fieldType": "booleancheckbox", "options": [{"label": "Y", "value": "true"}]},
        {"type": "enumeration", "fieldType": "select", "options": [{"label": "A", "value": "a"}] * 2},
        {"type": "enumeration", "fieldType": "select", "options": [{}]},
        {"fieldType": "calculation_equation"},
        {"label": ""},
    ],
)
def test_what_cannot_be_created(api, change):
    assert api("POST", PATH, {**NEW, **change})[0] == 400


def test_bool_and_calculated_properties(api):
    options = [{"label": "Yes", "value": "true"}, {"label": "No", "value": "false"}]
    given = {**NEW, "name": "vip", "type": "bool", "fieldType": "booleancheckbox", "options": options}
    assert [one["value"] for one in api.post(PATH, given, 201)["options"]] == ["true", "false"]
    given = {**NEW, "name": "twice", "fieldType": "calculation_equation", "calculationFormula": "shoe_size * 2"}
    assert api.post(PATH, given, 201)["modificationMetadata"]["readOnlyValue"] is True
    assert api("POST", "contacts", {"properties": {"firstname": "A", "twice": "1"}})[0] == 400


def test_unique_values_are_decided_at_creation_and_for_ten_at_most(api):
    for number in range(10):
        api.post(PATH, {**NEW, "name": f"key_{number}", "hasUniqueValue": True}, 201)
    assert api("POST", PATH, {**NEW, "name": "key_10", "hasUniqueValue": True})[0] == 400
    api.post(PATH, NEW, 201)
    assert api("PATCH", f"{PATH}/shoe_size", {"hasUniqueValue": True})[0] == 400


def test_hubspots_own_definitions_stay(api):
    assert api("DELETE", f"{PATH}/email")[0] == 400
    assert api("PATCH", f"{PATH}/email", {"fieldType": "textarea"})[0] == 400
    options = [{"label": "New", "value": "NEW", "displayOrder": 0, "hidden": False}]
    assert api("PATCH", f"{PATH}/hs_lead_status", {"options": options})[0] == 200
    assert api("POST", "contacts", {"properties": {"firstname": "A", "hs_lead_status": "OPEN"}})[0] == 400


def test_batch_create_is_partial(api):
    api.post(PATH, NEW, 201)
    body = api.post(f"{PATH}/batch/create", {"inputs": [NEW, {**NEW, "name": "hat_size"}]}, 207)
    assert names(body) == ["hat_size"]
    assert body["errors"][0]["category"] == "OBJECT_ALREADY_EXISTS"
    assert body["errors"][0]["subCategory"] == "Properties.PROPERTY_WITH_NAME_EXISTS"
    assert body["errors"][0]["context"] == {"name": ["shoe_size"]}


def test_batch_read_and_archive(api):
    api.post(PATH, NEW, 201)
    asked = {"archived": False, "inputs": [{"name": "shoe_size"}, {"name": "nope"}]}
    body = api.post(f"{PATH}/batch/read", asked, 207)
    assert (names(body), body["errors"][0]["context"]) == (["shoe_size"], {"name": ["nope"]})
    assert api("POST", f"{PATH}/batch/archive", {"inputs": [{"name": "shoe_size"}]})[0] == 204
    assert "shoe_size" not in names(api.get(PATH))


def test_external_options_are_empty_and_read_only_is_told(api):
    held = {one["name"]: one for one in api.get("/crm/properties/2026-03/deals")["results"]}
    assert (held["dealstage"]["externalOptions"], held["dealstage"]["options"]) == (True, [])
    assert held["hs_object_id"]["modificationMetadata"]["readOnlyValue"] is True
    assert held["closedate"]["type"] == "datetime"


def test_sensitive_ones_are_hidden_unless_asked_for(api):
    api.post(PATH, {**NEW, "dataSensitivity": "sensitive"}, 201)
    assert "shoe_size" not in names(api.get(PATH))
    assert names(api.get(f"{PATH}?dataSensitivity=sensitive")) == ["shoe_size"]
    assert names(api.get(f"{PATH}?dataSensitivity=highly_sensitive")) == []
    assert api("GET", f"{PATH}?dataSensitivity=secret")[0] == 400


def test_description_and_label_of_an_own_property_change(api):
    """Fault 49: the text of a property is where a second install can leave its mark."""
    api.post(PATH, NEW, 201)
    for version in ("2026-09", "2026-03"):
        path = f"/crm/properties/{version}/contacts/shoe_size"
        status, body = api("PATCH", path, {"description": f"seen by {version}", "label": version})
        assert (status, body["description"], body["label"]) == (200, f"seen by {version}", version)
        assert api.get(path) == body


def test_groups(api):
    made = api.post(f"{PATH}/groups", {"name": "crmsync", "label": "CRM sync"}, 201)
    assert made == {"name": "crmsync", "label": "CRM sync", "displayOrder": -1, "archived": False}
    assert api("POST", f"{PATH}/groups", {"name": "crmsync", "label": "x"})[0] == 409
    assert names(api.get(f"{PATH}/groups")) == ["contactinformation", "crmsync"]
    assert api("PATCH", f"{PATH}/groups/crmsync", {"label": "Sync"})[1]["label"] == "Sync"
    api.post(PATH, {**NEW, "groupName": "crmsync"}, 201)
    assert api("DELETE", f"{PATH}/groups/crmsync")[0] == 400
    api("DELETE", f"{PATH}/shoe_size")
    assert api("DELETE", f"{PATH}/groups/crmsync")[0] == 204
    assert api("GET", f"{PATH}/groups/crmsync")[0] == 404


def test_planted_rules_are_listed_in_the_newer_version(api, portal):
    portal.plant_rule("contacts", "phone", when={"lifecyclestage": ["customer", "lead"]})
    body = api.get("/crm/property-validations/2026-09/0-1")
    assert body["results"] == [
        {
            "propertyName": "phone",
            "propertyValidationRules": [
                {"ruleType": "CONDITIONALLY_REQUIRED", "ruleArguments": ["lifecyclestage=customer;lead"]}
            ],
        }
    ]
    assert api.get("/crm/property-validations/2026-03/0-1")["results"] == []


def test_rules_of_published_types_are_listed_in_every_version_and_only_listed(api, portal):
    """F22: a rehearsal of the newer version reads them; whether HubSpot enforces them on API writes is not told."""
    portal.plant_rule("contacts", "city", rule_type="MAX_LENGTH", arguments=[3])
    rule = {"ruleType": "MAX_LENGTH", "ruleArguments": ["3"], "shouldApplyNormalization": False}
    for version in ("2026-09", "2026-03"):
        body = api.get(f"/crm/property-validations/{version}/0-1")
        assert body["results"] == [{"propertyName": "city", "propertyValidationRules": [rule]}]
    assert api.create("contacts", firstname="A", city="London")
    with pytest.raises(ValueError, match="unknown type of rule"):
        portal.plant_rule("contacts", "city", rule_type="REQUIRED")
