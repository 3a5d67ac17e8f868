"""Webhook bodies: every captured one, and whatever else may come."""

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmsync.hubspot import errors, webhooks

PROPERTY_CHANGE = {
    "eventId": 2326225553,
    "subscriptionId": 3849713,
    "portalId": 145883449,
    "appId": 14947547,
    "occurredAt": 1751276050977,
    "subscriptionType": "object.propertyChange",
    "attemptNumber": 0,
    "objectId": 180584432881,
    "objectTypeId": "2-143967026",
    "propertyName": "naam_training",
    "propertyValue": "…",
    "changeSource": "CRM_UI",
    "sourceId": "userId:75514748",
    "isSensitive": False,
}
DEAL_LINE_ITEM = {
    "eventId": 2073333923,
    "portalId": 50249912,
    "appId": 36665006,
    "occurredAt": 1786997905997,
    "subscriptionType": "deal.associationChange",
    "attemptNumber": 0,
    "changeSource": "USER",
    "associationType": "DEAL_TO_LINE_ITEM",
    "fromObjectId": 64058987777,
    "toObjectId": 58061514894,
    "associationRemoved": False,
    "sourceId": "userId:82088707",
}


def parse(*events):
    return webhooks.parse_events(json.dumps(events).encode())


def one(**event):
    (found,) = parse({"portalId": 1, "objectId": 5} | event)
    return found


def test_the_captured_property_change():
    (found,) = parse(PROPERTY_CHANGE)
    assert found == webhooks.Event(
        portal_id=145883449,
        kind="propertyChange",
        subscription_type="object.propertyChange",
        object_type="2-143967026",
        object_id="180584432881",
        property_name="naam_training",
        occurred_at_ms=1751276050977,
        app_id=14947547,
        event_id=2326225553,
        subscription_id=3849713,
        source="CRM_UI",
        source_id="userId:75514748",
    )


@pytest.mark.parametrize(
    ("event", "kind", "object_type", "flag"),
    [
        (
            {"subscriptionType": "object.creation", "objectTypeId": "2-143967026", "changeFlag": "CREATED"},
            "creation",
            "2-143967026",
            "CREATED",
        ),
        (
            {
                "subscriptionType": "object.deletion",
                "objectTypeId": "0-3",
                "changeFlag": "DELETED",
                "changeSource": "CRM_UI_BULK_ACTION",
            },
            "deletion",
            "deals",
            "DELETED",
        ),
        (
            {
                "subscriptionType": "contact.creation",
                "objectId": 106314056576,
                "changeFlag": "CREATED",
                "changeSource": "INTEGRATION",
                "sourceId": "9393361",
            },
            "creation",
            "contacts",
            "CREATED",
        ),
        (
            {
                "subscriptionType": "contact.propertyChange",
                "attemptNumber": 1,
                "objectId": 541935488729,
                "propertyName": "email",
                "changeSource": "INTEGRATION",
                "sourceId": "50780459",
            },
            "propertyChange",
            "contacts",
            "",
        ),
        (
            {
                "eventId": 1,
                "subscriptionId": 12345,
                "portalId": 62515,
                "occurredAt": 1564113600000,
                "subscriptionType": "contact.creation",
                "attemptNumber": 0,
                "objectId": 123,
                "changeSource": "CRM",
                "changeFlag": "NEW",
                "appId": 54321,
            },
            "creation",
            "contacts",
            "NEW",
        ),
    ],
)
def test_the_other_captured_bodies(event, kind, object_type, flag):
    found = one(**event)
    assert (found.kind, found.object_type, found.change_flag) == (kind, object_type, flag)
    assert found.object_id == str(event.get("objectId", 5))
    assert found.attempt == event.get("attemptNumber", 0)


def test_the_captured_association_change_has_no_object_id():
    """P21, A8: both ends are named, and the end of the subscription's type is the object."""
    (found,) = parse(DEAL_LINE_ITEM)
    assert found.kind == "associationChange"
    assert (found.from_type, found.from_id) == ("deals", "64058987777")
    assert (found.to_type, found.to_id) == ("line_items", "58061514894")
    assert (found.object_type, found.object_id) == ("deals", "64058987777")
    assert found.association_type == "DEAL_TO_LINE_ITEM"
    assert found.association_removed is False


def test_the_other_side_of_an_association_change():
    found = one(
        subscriptionType="contact.associationChange",
        objectId=None,
        associationType="DEAL_TO_CONTACT",
        fromObjectId=1,
        toObjectId=2,
        associationRemoved=True,
        isPrimaryAssociation=True,
    )
    assert (found.object_type, found.object_id) == ("contacts", "2")
    assert found.association_removed is True
    assert found.is_primary is True


def test_generic_association_change():
    """(unconfirmed) object.associationChange names both ends by type id."""
    found = one(
        subscriptionType="object.associationChange",
        objectId=None,
        fromObjectTypeId="0-1",
        toObjectTypeId="2-7",
        fromObjectId=1,
        toObjectId=2,
        associationTypeId=36,
        associationCategory="USER_DEFINED",
    )
    assert (found.from_type, found.to_type, found.association_type) == ("contacts", "2-7", "36")
    assert (found.kind, found.object_id) == ("associationChange", "1")


@pytest.mark.parametrize(
    ("fields", "survivor", "merged"),
    [
        ({"primaryObjectId": 1, "mergedObjectIds": [2], "newObjectId": 3}, "3", ("2", "1")),
        ({"primaryObjectId": 1, "mergedObjectIds": [1, 2], "newObjectId": 3}, "3", ("1", "2")),
        ({"primaryObjectId": 1, "mergedObjectIds": [2]}, "1", ("2",)),
        ({"primaryObjectId": 1, "mergedObjectIds": [2], "newObjectId": None}, "1", ("2",)),
        ({"primaryObjectId": 1, "mergedObjectIds": ["2"], "newObjectId": 0}, "1", ("2",)),
        ({"primaryObjectId": 1, "mergedObjectIds": [2, 1], "newObjectId": 1}, "1", ("2",)),
        ({"primaryObjectId": 1}, "1", ()),
    ],
)
def test_merges_in_both_forms(fields, survivor, merged):
    """Fault 28: the survivor is the new record if there is one, else the primary."""
    found = one(subscriptionType="contact.merge", objectId=None, numberOfPropertiesMoved=3, **fields)
    assert (found.kind, found.survivor_id, found.merged_ids) == ("merge", survivor, merged)
    assert found.object_id == survivor


@pytest.mark.parametrize(
    ("name", "kind", "object_type"),
    [
        *[
            (f"{prefix}.{verb}", verb, plural)
            for prefix, plural in {
                "contact": "contacts",
                "company": "companies",
                "deal": "deals",
                "ticket": "tickets",
                "product": "products",
                "line_item": "line_items",
            }.items()
            for verb in ("creation", "deletion", "propertyChange", "restore")
        ],
        ("contact.privacyDeletion", "privacyDeletion", "contacts"),
        ("object.restore", "restore", "notes"),
        ("conversation.creation", "other", "notes"),
        ("event.completed", "other", "notes"),
        ("object.somethingNew", "other", "notes"),
        ("contact.somethingNew", "other", "contacts"),
        ("", "other", "notes"),
        ("nonsense", "other", "notes"),
    ],
)
def test_kinds(name, kind, object_type):
    """Fault 30 and a type nobody knows yet: it is kept as "other", never refused."""
    found = one(subscriptionType=name, objectTypeId="0-46")
    assert (found.kind, found.object_type, found.subscription_type) == (kind, object_type, name)


def test_event_type_is_accepted_as_well():
    """The documentation's table says eventType, every real body subscriptionType."""
    assert one(eventType="deal.deletion").kind == "deletion"


def test_an_event_that_names_no_record_is_other():
    assert one(subscriptionType="contact.creation", objectId=None).kind == "other"


def test_duplicates_have_one_key():
    """Fault 17: the attempt is not part of it, and eventId alone is not enough."""
    first, again, other = (
        parse(PROPERTY_CHANGE)[0],
        parse(PROPERTY_CHANGE | {"attemptNumber": 3})[0],
        parse(PROPERTY_CHANGE | {"objectId": 9})[0],
    )
    assert first.dedupe_key == again.dedupe_key != other.dedupe_key


def test_order_and_count_are_kept():
    events = [PROPERTY_CHANGE | {"eventId": n} for n in range(100)]
    assert [found.event_id for found in parse(*events)] == list(range(100))
    assert parse() == []


def test_values_are_not_carried():
    """Confidentiality: an event carries keys, never values."""
    assert "propertyValue" not in repr(parse(PROPERTY_CHANGE))
    assert "…" not in repr(parse(PROPERTY_CHANGE))


BAD = [
    (b"", "not_json"),
    (b"<html>", "not_json"),
    (b'[{"portalId":1}', "not_json"),
    (b"\xff\xfe[]", "not_utf8"),
    ("[]".encode("utf-16"), "not_utf8"),
    (b"{}", "not_array"),
    (b'"[]"', "not_array"),
    (b"null", "not_array"),
    (b"[1]", "not_object"),
    (b"[[]]", "not_object"),
    (b"[null]", "not_object"),
    (b"[" * 100_000 + b"]" * 100_000, "too_deep"),
    (b'[{"portalId":NaN}]', "bad_number"),
    (b'[{"portalId":1,"x":Infinity}]', "bad_number"),
    (b'[{"portalId":1,"x":-Infinity}]', "bad_number"),
    (b'[{"portalId":1,"x":' + b"9" * 5_000 + b"}]", "bad_number"),
    (b'[{"portalId":1,"objectId":' + b"9" * 21 + b"}]", "bad_number"),
    (b"[{}]", "bad_field"),
    (b"[" + b",".join([b'{"portalId":1}'] * 1_001) + b"]", "too_many"),
]


@pytest.mark.parametrize(("body", "wanted"), BAD, ids=[f"{n}-{wanted}" for n, (_, wanted) in enumerate(BAD)])
def test_bad_bodies_have_a_reason(body, wanted):
    """Fault 22: huge ints, NaN, deep JSON, wrong charset, non-array: a typed refusal, no other exception."""
    with pytest.raises(errors.BodyError) as caught:
        webhooks.parse_events(body)
    assert caught.value.reason == wanted
    assert str(caught.value).startswith("The webhook body is no list of HubSpot events")


@pytest.mark.parametrize("key", ["portalId", "appId", "objectId", "eventId", "subscriptionId", "occurredAt"])
@pytest.mark.parametrize("value", ["x", "", 1.5, -1, 2**63, True, [], {}, "-1", "1e3", "9" * 19])
def test_numbers_are_bounded(key, value):
    """Fault 22: ids and times are int64 and not negative."""
    with pytest.raises(errors.BodyError) as caught:
        parse({"portalId": 1, "subscriptionType": "contact.creation", key: value})
    assert (caught.value.reason, caught.value.field) == ("bad_field", key)


def test_numbers_may_be_text_and_as_large_as_int64():
    found = one(subscriptionType="deal.creation", portalId="7", objectId=2**63 - 1)
    assert (found.portal_id, found.object_id) == (7, str(2**63 - 1))


@pytest.mark.parametrize("key", ["subscriptionType", "propertyName", "changeSource", "sourceId", "objectTypeId"])
@pytest.mark.parametrize("value", [True, 1.5, [], {}])
def test_texts_are_texts(key, value):
    with pytest.raises(errors.BodyError) as caught:
        parse({"portalId": 1, key: value})
    assert caught.value.field == key


def test_texts_are_cut_and_cleaned():
    """Fault 41: what no database takes does not reach it."""
    found = one(propertyName="a\x00b\ud800", sourceId=42, changeSource="x" * 9_999)
    assert (found.property_name, found.source_id, len(found.source)) == ("a?b?", "42", 255)


def test_a_merge_list_that_is_none():
    with pytest.raises(errors.BodyError) as caught:
        one(subscriptionType="contact.merge", mergedObjectIds="1")
    assert caught.value.field == "mergedObjectIds"


FIELDS = [*PROPERTY_CHANGE, *DEAL_LINE_ITEM, "eventType", "primaryObjectId", "mergedObjectIds", "newObjectId"]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["contact.merge"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=5,
)


@settings(deadline=None, max_examples=300)
@given(st.lists(st.dictionaries(st.sampled_from(FIELDS), VALUES) | VALUES, max_size=3))
def test_any_json_is_events_or_a_body_error(events):
    """Fault 22: no other exception, whatever the JSON."""
    with contextlib.suppress(errors.BodyError):
        assert len(webhooks.parse_events(json.dumps(events).encode())) == len(events)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_events_or_a_body_error(body):
    """Fault 22."""
    with contextlib.suppress(errors.BodyError):
        webhooks.parse_events(body)
