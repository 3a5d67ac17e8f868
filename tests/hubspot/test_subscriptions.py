"""Which webhooks a sync needs, and how a person is told."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmsync.hubspot import object_types, subscriptions, webhooks

WANTED = [("companies", ["domain"]), ("0-1", ["lastname", "email", "email"]), ("contacts", ["email", "phone"])]
URL = "https://x.test/crmsync/hubspot/webhook/"


def test_what_a_sync_has_to_hear_of():
    """U6, Fault 19: each once, sorted, so that two runs give one file."""
    lines = subscriptions.printable(subscriptions.needed(WANTED, associations=["0-1"]))
    assert lines == [
        "object.creation companies (0-2)",
        "object.deletion companies (0-2)",
        "object.merge companies (0-2)",
        "object.restore companies (0-2)",
        "object.propertyChange companies (0-2) domain",
        "object.creation contacts (0-1)",
        "object.deletion contacts (0-1)",
        "object.merge contacts (0-1)",
        "object.restore contacts (0-1)",
        "object.associationChange contacts (0-1)",
        "object.propertyChange contacts (0-1) email",
        "object.propertyChange contacts (0-1) lastname",
        "object.propertyChange contacts (0-1) phone",
        "contact.privacyDeletion contacts (0-1)",
    ]


def test_the_values_of_one():
    found = subscriptions.needed([("2-123", ["vin"])])
    assert found[-1] == subscriptions.Subscription("object.propertyChange", "2-123", "2-123", "vin")
    assert str(found[-1]) == "object.propertyChange 2-123 vin"


@pytest.mark.parametrize(
    ("object_type", "silent"),
    [
        ("deals", ["hs_lastmodifieddate", "num_unique_conversion_events"]),
        ("emails", ["hs_lastmodifieddate", "hs_email_html", "hs_email_subject"]),
        ("0-18", ["hs_communication_body"]),
    ],
)
def test_properties_that_cannot_be_subscribed_to(object_type, silent):
    """Section 8.2: HubSpot would refuse the whole file; polling sees them."""
    found = subscriptions.needed([(object_type, [*silent, "other"])])
    assert [one.property for one in found if one.property] == ["other"]


def test_a_property_that_is_silent_elsewhere():
    found = subscriptions.needed([("deals", ["hs_email_subject"])])
    assert [one.property for one in found if one.property] == ["hs_email_subject"]


def test_products_are_never_associated():
    found = subscriptions.needed([("products", []), ("deals", [])], associations=["products", "deals"])
    assert [one.object_type for one in found if one.type == "object.associationChange"] == ["deals"]


def test_the_component_file_of_a_project():
    """A26, Fault 19: the shape of HubSpot's own template."""
    found = subscriptions.needed([("contacts", ["email"]), ("2-123", [])], associations=["2-123"])
    meta = subscriptions.hsmeta(found, URL)
    config = meta.pop("config")
    assert meta == {"uid": "webhooks", "type": "webhooks"}
    assert config["settings"] == {"targetUrl": URL, "maxConcurrentRequests": 10}
    listed = config["subscriptions"]
    assert set(listed) == {"crmObjects", "legacyCrmObjects", "hubEvents"}
    assert listed["legacyCrmObjects"] == []
    assert listed["hubEvents"] == [{"subscriptionType": "contact.privacyDeletion", "active": True}]
    assert listed["crmObjects"][0] == {"subscriptionType": "object.creation", "objectType": "2-123", "active": True}
    assert listed["crmObjects"][-1] == {
        "subscriptionType": "object.propertyChange",
        "objectType": "contact",
        "propertyName": "email",
        "active": True,
    }
    assert json.loads(json.dumps(meta | {"config": config})) == meta | {"config": config}


@pytest.mark.parametrize(
    ("name", "singular"),
    [
        ("contacts", "contact"),
        ("companies", "company"),
        ("0-3", "deal"),
        ("line_items", "line_item"),
        ("meetings", "meeting_event"),
        ("communications", "communication"),
        ("2-123", "2-123"),
        ("p1_cars", "p1_cars"),
    ],
)
def test_what_webhooks_call_an_object_type(name, singular):
    assert object_types.singular_of(name) == singular


@pytest.mark.parametrize("id", object_types.NAMES)
def test_ids_and_names_are_one_to_one(id):
    assert object_types.id_of(object_types.name_of(id)) == id == object_types.id_of(id)


@pytest.mark.parametrize(("count", "above"), [(1_001, 1), (2_500, 1_500)])
def test_an_app_has_a_thousand_subscriptions(count, above):
    """Section 3: the number is named, so that somebody can drop as many properties."""
    wanted = [("deals", [f"p{n}" for n in range(count - 4)])]
    with pytest.raises(ValueError, match=rf"{count} subscriptions are {above} more than the 1000"):
        subscriptions.needed(wanted)


def test_a_thousand_are_fine():
    found = subscriptions.needed([("deals", [f"p{n}" for n in range(996)])])
    assert len(found) == subscriptions.MOST
    with pytest.raises(ValueError, match="1001 subscriptions are 1 more"):
        subscriptions.hsmeta([*found, found[0]], URL)


def test_hubspot_wants_more_than_five_at_once():
    with pytest.raises(ValueError, match="at least 6"):
        subscriptions.hsmeta([], URL, 5)
    assert subscriptions.hsmeta([], URL, 6)["config"]["settings"]["maxConcurrentRequests"] == 6


NAMES = st.lists(st.sampled_from(["a", "b", "c", "hs_lastmodifieddate"]), max_size=6)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["contacts", "0-1", "deals", "2-7"]), NAMES), max_size=6), st.randoms())
def test_no_order_and_no_repetition_changes_the_result(wanted, random):
    """Fault 17: a property subscribed twice would be delivered twice."""
    found = subscriptions.needed(wanted)
    shuffled = [*wanted, *wanted]
    random.shuffle(shuffled)
    assert subscriptions.needed(shuffled) == found
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("one", subscriptions.needed([("contacts", ["email"]), ("2-7", ["a"])], associations=["2-7"]))
def test_what_is_subscribed_to_is_understood(one):
    """U6: no subscription of ours arrives as an event of kind "other"."""
    event = {"portalId": 1, "subscriptionType": one.type, "objectTypeId": one.object_type_id, "objectId": 5}
    (parsed,) = webhooks.parse_events(json.dumps([event | {"propertyName": one.property}]).encode())
    assert parsed.kind == one.type.partition(".")[2]
    assert (parsed.object_type, parsed.property_name) == (one.object_type, one.property)
