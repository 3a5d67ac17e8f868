"""Property definitions, read as they are, created at most once, and changed."""

from datetime import UTC, datetime

import pytest

from crmsync.hubspot import errors, properties, types

STAGE = {
    "name": "dealstage",
    "label": "Deal Stage",
    "type": "enumeration",
    "fieldType": "radio",
    "description": "d",
    "groupName": "dealinformation",
    "options": [{"label": "Won", "value": "closedwon", "displayOrder": 0, "hidden": False}],
    "displayOrder": 0,
    "calculated": False,
    "externalOptions": True,
    "hasUniqueValue": False,
    "hidden": False,
    "hubspotDefined": True,
    "formField": True,
    "dataSensitivity": "non_sensitive",
    "referencedObjectType": None,
    "modificationMetadata": {"archivable": True, "readOnlyDefinition": True, "readOnlyValue": False},
    "archived": False,
}
TAKEN = {
    "category": "OBJECT_ALREADY_EXISTS",
    "subCategory": "Properties.PROPERTY_WITH_NAME_EXISTS",
    "message": "A property named 'age__c' already exists.",
    "context": {"name": ["age__c"]},
}
KEY = types.NewProperty("age__c", "Age", "string", "text", "crmsync", is_unique=True, is_hidden=True)
MISSING = errors.NotFound(status=404)
CONFLICT = errors.Conflict(status=409, category="OBJECT_ALREADY_EXISTS")


def shown(name, **more):
    return STAGE | {"name": name} | more


def test_discovery(fake):
    """C6, C16: type, field type, options, group, read-only and unique flags."""
    sender = fake([{"results": [STAGE]}])
    (found,) = properties.list_all(sender, "deals")
    assert (found.name, found.label, found.type, found.field_type) == (
        "dealstage",
        "Deal Stage",
        "enumeration",
        "radio",
    )
    assert found.options == (types.Option("closedwon", "Won", 0),)
    assert (found.group, found.referenced_object_type) == ("dealinformation", "")
    assert found.has_external_options
    assert found.is_hubspot_defined
    assert found.is_writable
    assert (found.sensitivity, found.is_calculated, found.is_archived, found.updated_at) == (
        "non_sensitive",
        False,
        False,
        None,
    )
    assert sender.requests[0].target == "/crm/properties/2026-09/deals?archived=false"


def test_archived_and_sensitive_properties_are_asked_for(fake):
    """Fault 32, C6: what was archived can be told from what never was; sensitive ones come only by their kind."""
    raw = shown("old", archived=True, calculated=True, dataSensitivity="sensitive", updatedAt="2026-11-01T00:00:00Z")
    sender = fake([{"results": [raw]}])
    (found,) = properties.list_all(sender, "deals", archived=True, sensitivity="sensitive")
    assert (found.is_archived, found.is_calculated, found.sensitivity) == (True, True, "sensitive")
    assert found.updated_at == datetime(2026, 11, 1, tzinfo=UTC)
    assert sender.requests[0].target == "/crm/properties/2026-09/deals?archived=true&dataSensitivity=sensitive"


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"description": "written by crmsync"}, {"description": "written by crmsync"}),
        ({"label": "Age"}, {"label": "Age"}),
        ({"description": "", "label": "Age"}, {"description": "", "label": "Age"}),
    ],
)
def test_update_sends_only_what_is_given(fake, given, sent):
    """Fault 49: the description carries a mark; the rest of the property stays as people made it."""
    sender = fake([shown("age__c", description="now")])
    assert properties.update(sender, "contacts", "age__c", **given).description == "now"
    (request,) = sender.requests
    assert (request.method, request.path, request.json) == (
        "PATCH",
        "/crm/properties/2026-09/contacts/age__c",
        sent,
    )
    assert not request.reads


def test_update_of_nothing_or_of_what_is_not_there(fake):
    with pytest.raises(ValueError, match="nothing"):
        properties.update(fake([]), "contacts", "age__c")
    with pytest.raises(errors.NotFound):
        properties.update(fake([MISSING]), "contacts", "age__c", label="x")


@pytest.mark.parametrize(
    ("more", "writable"),
    [
        ({"modificationMetadata": {"readOnlyValue": True}, "fieldType": "calculation_rollup"}, False),
        ({"calculated": True}, True),
        ({"type": "json"}, False),
        ({"type": "object_coordinates"}, False),
        ({"modificationMetadata": None}, True),
    ],
)
def test_what_can_be_written(more, writable):
    """Fault 32: readOnlyValue is the test; calculated is false on roll-ups and scores."""
    assert properties.to_property(STAGE | more).is_writable is writable


def test_ensure_leaves_what_is_there(fake):
    """C32: looked for before it is created."""
    sender = fake([shown("age__c", hasUniqueValue=True)])
    found, created = properties.ensure(sender, "contacts", KEY, group_label="crmsync")
    assert (found.name, found.is_unique, created) == ("age__c", True, False)
    assert [request.method for request in sender.requests] == ["GET"]


def test_ensure_creates_group_and_property(fake):
    group = {"name": "crmsync", "label": "crmsync", "archived": False}
    sender = fake([MISSING, MISSING, group, shown("age__c")])
    found, created = properties.ensure(sender, "contacts", KEY, group_label="crmsync")
    assert (found.name, created) == ("age__c", True)
    assert [(request.method, request.path) for request in sender.requests] == [
        ("GET", "/crm/properties/2026-09/contacts/age__c"),
        ("GET", "/crm/properties/2026-09/contacts/groups/crmsync"),
        ("POST", "/crm/properties/2026-09/contacts/groups"),
        ("POST", "/crm/properties/2026-09/contacts"),
    ]
    assert sender.requests[-1].json == {
        "name": "age__c",
        "label": "Age",
        "type": "string",
        "fieldType": "text",
        "groupName": "crmsync",
        "description": "",
        "hasUniqueValue": True,
        "hidden": True,
        "formField": False,
    }


def test_ensure_lost_a_race(fake):
    """Fault 36: two at once; the 409 means it is there."""
    group = {"name": "crmsync", "label": "crmsync"}
    sender = fake([MISSING, MISSING, CONFLICT, group, CONFLICT, shown("age__c")])
    found, created = properties.ensure(sender, "contacts", KEY, group_label="crmsync")
    assert (found.name, created) == ("age__c", False)


def test_ensure_raises_what_it_cannot_mend(fake):
    with pytest.raises(errors.MissingScopes):
        properties.ensure(fake([errors.MissingScopes()]), "contacts", KEY, group_label="x")


def test_ensure_all_handles_the_captured_207(fake):
    """Fault 15: a name taken meanwhile is an item in errors, and counts as found."""
    body = {"status": "COMPLETE", "results": [shown("new")], "errors": [TAKEN], "numErrors": 1}
    sender = fake([{"results": [shown("old")]}, body, shown("age__c")])
    wanted = [KEY, *(types.NewProperty(name, name, "string", "text", "g") for name in ("old", "new"))]
    settled, created = properties.ensure_all(sender, "contacts", wanted)
    assert set(settled.done) == {"old", "new", "age__c"}
    assert not settled.failed
    assert created == {"new"}
    assert [one["name"] for one in sender.requests[1].json["inputs"]] == ["age__c", "new"]


def test_ensure_all_looks_again_after_an_unknown_outcome(fake):
    """Fault 13: a timeout after the property was created."""
    settled, created = properties.ensure_all(
        fake([{"results": []}, errors.UnknownOutcome("cut"), shown("age__c")]), "contacts", [KEY]
    )
    assert set(settled.done) == {"age__c"}
    assert created == frozenset()


def test_ensure_all_keeps_real_failures(fake):
    refused = errors.ValidationError(status=400)
    settled, _ = properties.ensure_all(fake([{"results": []}, refused]), "contacts", [KEY])
    assert settled.failed == {"age__c": refused}
    again, _ = properties.ensure_all(fake([{"results": []}, CONFLICT, MISSING]), "contacts", [KEY])
    assert again.failed == {"age__c": CONFLICT}


def test_ensure_all_of_what_is_there_writes_nothing(fake):
    sender = fake([{"results": [shown("age__c")]}])
    properties.ensure_all(sender, "contacts", [KEY])
    assert [request.method for request in sender.requests] == ["GET"]


def test_create_batch_isolates_the_bad_one(fake):
    """Fault 16."""

    def answer(request):
        names = [one["name"] for one in request.json["inputs"]]
        return errors.ValidationError() if "b" in names else {"results": [shown(name) for name in reversed(names)]}

    wanted = [types.NewProperty(name, name, "string", "text", "g") for name in "abcd"]
    settled = properties.create_batch(fake(answer), "contacts", wanted)
    assert set(settled.failed) == {"b"}
    assert {name: one.name for name, one in settled.done.items()} == {name: name for name in "acd"}
    with pytest.raises(ValueError, match="name"):
        properties.create_batch(fake([]), "contacts", [wanted[0], wanted[0]])


def test_a_bool_is_created_with_its_two_options(fake):
    sender = fake([shown("flag")])
    properties.create(sender, "contacts", types.NewProperty("flag", "Flag", "bool", "booleancheckbox", "g"))
    assert [option["value"] for option in sender.requests[0].json["options"]] == ["true", "false"]


def test_options_are_sent_as_given(fake):
    wanted = types.NewProperty(
        "s", "S", "enumeration", "select", "g", options=(types.Option("a", "A", 3, True, "d"),)
    )
    sender = fake([shown("s")])
    properties.create(sender, "contacts", wanted)
    assert sender.requests[0].json["options"] == [
        {"value": "a", "label": "A", "displayOrder": 3, "hidden": True, "description": "d"}
    ]


def test_groups(fake):
    """C32: property groups organise what is there and what is created."""
    (group,) = properties.list_groups(fake([{"results": [{"name": "g", "label": "G", "displayOrder": 2}]}]), "deals")
    assert group == types.PropertyGroup("g", "G", 2)


@pytest.mark.parametrize("body", [{}, {"results": [{}]}, {"results": [3]}])
def test_an_answer_of_another_shape_is_no_empty_list(fake, body):
    """Fault 26: a broken answer never looks as if every property had gone."""
    with pytest.raises(errors.UnknownOutcome):
        properties.list_all(fake([body]), "deals")


# --- Options that are added -------------------------------------------------------------------------------------

WON = STAGE["options"][0]
LOST = {"label": "Lost", "value": "lost", "displayOrder": 1, "hidden": False, "description": ""}


def test_options_are_added_behind_those_there_are(fake):
    """Fault 33: HubSpot takes the whole list, so what is there is sent again; then it is read once more."""
    sender = fake([shown("stage"), shown("stage"), shown("stage", options=[WON, LOST])])
    found = properties.add_options(sender, "deals", "stage", [types.Option("lost", "Lost")])
    assert [one.value for one in found.options] == ["closedwon", "lost"]
    (change,) = [one for one in sender.requests if one.method == "PATCH"]
    assert change.json == {"options": [WON | {"description": ""}, LOST]}


def test_options_that_are_there_are_not_added(fake):
    sender = fake([shown("stage")])
    properties.add_options(sender, "deals", "stage", [types.Option("closedwon", "Won")])
    assert [one.method for one in sender.requests] == ["GET"]


def test_an_option_that_is_lost_again_and_again_is_no_success(fake):
    """Fault 36"""
    sender = fake([shown("stage")] * 8)
    with pytest.raises(errors.UnknownOutcome):
        properties.add_options(sender, "deals", "stage", [types.Option("lost", "Lost")])
