"""Signed webhooks: their bodies, signatures, retries, and how they go wrong."""

import base64
import hashlib
import hmac
import json

import pytest

from crmsync.fakehub import signing

TARGET = "https://app.lovelace.dev/crmsync/webhook/?tenant=a%3Ab%2Cc&next=%2Fx%20y"
SECRET = "crmsync-test-secret-0001"
U = "https://app.example.com/crmsync/hubspot/webhook/"
B1 = (
    '[{"eventId":100,"subscriptionId":2881778,"portalId":4242,"appId":4210286,"occurredAt":1767225599000,'
    '"subscriptionType":"object.propertyChange","attemptNumber":0,"objectId":512,"objectTypeId":"0-1",'
    '"propertyName":"firstname","propertyValue":"Ada","changeSource":"CRM_UI","sourceId":"userId:99","isSensitive":false}]'
)
B2 = (
    '[{"eventId":101,"portalId":4242,"subscriptionType":"contact.propertyChange","objectId":513,'
    '"propertyName":"lastname","propertyValue":"Ångström 東京","changeSource":"INTEGRATION","sourceId":"4210286"}]'
)
HUBSPOT_SECRET = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"


class Inbox:
    """Takes deliveries, answers ``statuses`` one after the other and then 204."""

    def __init__(self, *statuses):
        self.statuses = list(statuses)
        self.requests = []

    def __call__(self, url, headers, body):
        self.requests.append((url, headers, body))
        return self.statuses.pop(0) if self.statuses else 204

    @property
    def events(self):
        return [event for _, _, body in self.requests for event in json.loads(body)]

    def take(self):
        found, self.requests = self.events, []
        return found


@pytest.fixture
def inbox():
    return Inbox()


@pytest.fixture
def hooked(portal):
    portal.set_webhooks(target=TARGET, secret=SECRET, app_id=4210286)
    return portal


@pytest.mark.parametrize(
    ("secret", "method", "uri", "body", "timestamp", "expected"),
    [
        (SECRET, "POST", U, B1, "1767225600000", "WYB2ZZ6mLdGHoKsJeHDfEs7qsWMzigP1euz4TzEWm9M="),
        (SECRET, "POST", U, B2, "1767225600000", "a7Jp6rz0zwwUMCTOaqKNkdrDKSc82jqom3IUXs4+fx0="),
        (
            SECRET, "POST", U + "?tenant=a%3Ab%2Cc&next=%2Fx%20y&mail=a%40b.test", B1, "1767225600000",
            "OtLwu32oFOgc9UgiMW+xnFldUo1pP1yDdLiBCYTOlD0=",
        ),
        (SECRET, "GET", U + "?a=1", "", "1767225600000", "TGdGisNjtW2ehQdGRX9Czqt3NLWDM0WnJUGlh4J51b8="),
        (
            HUBSPOT_SECRET, "POST", "https://www.example.com/webhook_uri", "{'example_field':'example_value'}",
            "1693657560000", "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y=",
        ),
    ],
)  # fmt: skip
def test_published_vectors_of_version_3(secret, method, uri, body, timestamp, expected):
    assert signing.sign_v3(secret, method, uri, body.encode(), timestamp) == expected


def test_published_vectors_of_version_1():
    assert signing.sign_v1(SECRET, B1.encode()) == "13033666d5a2363636782a50ca74fef7c588428e4293bfc853ae72433b958809"
    body = (
        b'[{"eventId":1,"subscriptionId":12345,"portalId":62515,"occurredAt":1564113600000,"subscriptionType":'
        b'"contact.creation","attemptNumber":0,"objectId":123,"changeSource":"CRM","changeFlag":"NEW","appId":54321}]'
    )
    assert signing.sign_v1(HUBSPOT_SECRET, body) == "232db2615f3d666fe21a8ec971ac7b5402d33b9a925784df3ca654d05f4817de"


def test_a_delivery_is_signed_so_that_independent_code_agrees(hooked, inbox):
    hooked.ui_create("contacts", {"firstname": "Ångström 東京"})
    hooked.deliver_webhooks(inbox)
    ((url, headers, body),) = inbox.requests
    assert url == TARGET
    decoded = "https://app.lovelace.dev/crmsync/webhook/?tenant=a:b,c&next=/x%20y"
    timestamp = headers["X-HubSpot-Request-Timestamp"]
    assert timestamp == "1767225600000"
    signed = b"POST" + decoded.encode() + body + timestamp.encode()
    digest = hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()
    assert headers["X-HubSpot-Signature-v3"] == base64.b64encode(digest).decode()
    assert headers["X-HubSpot-Signature"] == hashlib.sha256(SECRET.encode() + body).hexdigest()
    assert headers["X-HubSpot-Signature-Version"] == "v1"
    assert "東京".encode() in body


def test_creation_in_the_ui_brings_property_changes_too(hooked, inbox):
    one = hooked.ui_create("contacts", {"firstname": "Ada", "email": "ada@lovelace.dev"})
    hooked.deliver_webhooks(inbox)
    creation, *changes = inbox.events
    assert {name: creation[name] for name in creation if name not in {"eventId", "subscriptionId"}} == {
        "portalId": 4242,
        "appId": 4210286,
        "occurredAt": 1767225600000,
        "subscriptionType": "object.creation",
        "attemptNumber": 0,
        "objectId": int(one),
        "changeFlag": "CREATED",
        "objectTypeId": "0-1",
        "changeSource": "CRM_UI",
        "sourceId": "userId:75514748",
    }
    assert {change["propertyName"]: change["propertyValue"] for change in changes} == {
        "firstname": "Ada",
        "email": "ada@lovelace.dev",
    }
    assert {change["subscriptionType"] for change in changes} == {"object.propertyChange"}
    assert {change["isSensitive"] for change in changes} == {False}
    assert len({event["eventId"] for event in inbox.events}) == 3


def test_writes_of_a_token_are_signed_with_its_app(hooked, inbox, api):
    one = api.create("contacts", firstname="Ada")
    api.update("contacts", one, lifecyclestage="lead", firstname="Ada")
    hooked.deliver_webhooks(inbox)
    creation, change = inbox.events
    assert (creation["subscriptionType"], change["subscriptionType"]) == ("object.creation", "object.propertyChange")
    assert (change["changeSource"], change["sourceId"]) == ("INTEGRATION", "19083857")
    assert (change["propertyName"], change["propertyValue"]) == ("lifecyclestage", "lead")


def test_an_update_that_changes_nothing_sends_nothing(hooked, inbox, api):
    one = api.create("contacts", firstname="Ada")
    hooked.deliver_webhooks(inbox)
    inbox.take()
    api.update("contacts", one, firstname="Ada")
    assert hooked.deliver_webhooks(inbox) == 0


def test_dates_go_as_milliseconds_and_sensitive_values_not_at_all(hooked, inbox):
    hooked.add_property("contacts", "signed_on", "date")
    hooked.add_property("contacts", "diagnosis", dataSensitivity="sensitive")
    one = hooked.ui_create("contacts", {"firstname": "A"})
    hooked.deliver_webhooks(inbox)
    inbox.take()
    hooked.ui_update("contacts", one, {"signed_on": "2025-07-15", "diagnosis": "flu"})
    hooked.ui_update("contacts", one, {"signed_on": ""})
    hooked.deliver_webhooks(inbox)
    sent = [(event["propertyName"], event["propertyValue"], event["isSensitive"]) for event in inbox.events]
    assert sent == [("signed_on", "1752537600000", False), ("diagnosis", "REDACTED", True), ("signed_on", "", False)]


def test_life_events(hooked, inbox):
    one, two = (
        hooked.ui_create("companies", {"name": "A"}),
        hooked.ui_create("companies", {"name": "B", "city": "Rome"}),
    )
    hooked.ui_archive("companies", one)
    hooked.ui_restore("companies", one)
    hooked.deliver_webhooks(inbox)
    inbox.take()
    new = hooked.ui_merge("companies", one, two)
    hooked.ui_archive("companies", new)
    hooked.ui_restore("companies", new)
    hooked.deliver_webhooks(inbox)
    merge, deletion, restore = inbox.events
    assert merge["subscriptionType"] == "object.merge"
    assert (merge["primaryObjectId"], merge["mergedObjectIds"], merge["newObjectId"]) == (
        int(one),
        [int(two)],
        int(new),
    )
    assert merge["numberOfPropertiesMoved"] == 2
    assert (deletion["subscriptionType"], deletion["changeFlag"]) == ("object.deletion", "DELETED")
    assert (restore["subscriptionType"], restore["objectId"]) == ("object.restore", int(new))


def test_association_changes_come_from_both_sides_and_for_each_type(hooked, inbox):
    one, two = hooked.ui_create("contacts", {"firstname": "A"}), hooked.ui_create("companies", {"name": "B"})
    hooked.deliver_webhooks(inbox)
    inbox.take()
    hooked.ui_associate("contacts", one, "companies", two, [1])
    hooked.ui_dissociate("contacts", one, "companies", two)
    hooked.deliver_webhooks(inbox)
    seen = [
        (
            event["fromObjectTypeId"],
            event["associationTypeId"],
            event["isPrimaryAssociation"],
            event["associationRemoved"],
        )
        for event in inbox.events
    ]
    for removed in (False, True):
        assert ("0-1", 1, True, removed) in seen
        assert ("0-2", 2, True, removed) in seen
        assert ("0-1", 279, False, removed) in seen
        assert ("0-2", 280, False, removed) in seen
    assert len(seen) == 8
    assert all("objectId" not in event for event in inbox.events)


def test_the_legacy_form(portal, inbox, api):
    portal.set_webhooks(target=TARGET, legacy=True)
    one = api.create("contacts", email="ada@lovelace.dev")
    deal = api.create("deals", dealname="D", dealstage="contractsent")
    portal.ui_associate("deals", deal, "contacts", one)
    api("POST", "contacts/gdpr-delete", {"objectId": one})
    portal.deliver_webhooks(inbox)
    by_type = {event["subscriptionType"]: event for event in inbox.events}
    assert set(by_type) == {
        "contact.creation", "deal.creation", "deal.associationChange", "contact.associationChange",
        "contact.deletion", "contact.privacyDeletion",
    }  # fmt: skip
    assert all("objectTypeId" not in event for event in inbox.events)
    edge = by_type["deal.associationChange"]
    assert (edge["associationType"], edge["fromObjectId"], edge["toObjectId"]) == (
        "DEAL_TO_CONTACT",
        int(deal),
        int(one),
    )
    assert set(edge) == {
        "eventId", "portalId", "appId", "occurredAt", "subscriptionType", "attemptNumber", "changeSource",
        "associationType", "fromObjectId", "toObjectId", "associationRemoved", "isPrimaryAssociation", "sourceId",
    }  # fmt: skip
    assert (edge["changeSource"], edge["sourceId"]) == ("USER", "userId:75514748")


def test_legacy_property_changes_have_the_captured_fields(portal, inbox, api):
    one = api.create("contacts", email="ada@lovelace.dev")
    portal.set_webhooks(target=TARGET, legacy=True)
    api.update("contacts", one, city="Rome")
    portal.deliver_webhooks(inbox)
    assert set(inbox.events[0]) == {
        "eventId", "subscriptionId", "portalId", "appId", "occurredAt", "subscriptionType", "attemptNumber",
        "objectId", "propertyName", "propertyValue", "changeSource", "sourceId",
    }  # fmt: skip


def test_only_what_is_subscribed_is_sent(portal, inbox):
    chosen = {"subscriptionType": "object.propertyChange", "objectTypeId": "0-1", "propertyName": "email"}
    portal.set_webhooks(target=TARGET, subscriptions=[chosen])
    one = portal.ui_create("contacts", {"email": "ada@lovelace.dev", "firstname": "Ada"})
    portal.ui_update("contacts", one, {"firstname": "Augusta"})
    portal.ui_create("companies", {"name": "X"})
    portal.deliver_webhooks(inbox)
    assert [event["propertyName"] for event in inbox.events] == ["email"]


def test_nothing_is_sent_without_a_target_or_for_planted_records(portal, hooked, inbox):
    hooked.plant("contacts", [{"firstname": "A"}])
    assert hooked.deliver_webhooks(inbox) == 0


def test_batches_of_a_hundred(hooked, inbox):
    for number in range(130):
        hooked.ui_create("companies", {"name": str(number)})
    assert hooked.webhooks.backlog == 260
    assert hooked.deliver_webhooks(inbox) == 3
    assert [len(json.loads(body)) for _, _, body in inbox.requests] == [100, 100, 60]
    assert hooked.webhooks.backlog == 0


def test_failures_are_tried_again_up_to_ten_times(hooked):
    inbox = Inbox(500, 404, 0)
    hooked.ui_archive("contacts", hooked.ui_create("contacts", {"firstname": "A"}))
    for _ in range(4):
        hooked.deliver_webhooks(inbox)
    assert [event["attemptNumber"] for event in inbox.events] == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert [(row.status, row.attempt) for row in hooked.ledger.deliveries()] == [(500, 0), (404, 1), (0, 2), (204, 3)]
    inbox = Inbox(*[500] * 50)
    hooked.ui_create("companies", {})
    for _ in range(20):
        hooked.deliver_webhooks(inbox)
    assert len(inbox.requests) == 11
    assert hooked.ledger.deliveries()[-1].note == "gave up"
    assert hooked.webhooks.backlog == 0


def test_duplicates(hooked, inbox):
    hooked.set_webhooks(duplicate=1.0, copies=9)
    hooked.ui_create("companies", {})
    hooked.deliver_webhooks(inbox)
    assert len(inbox.events) == 10
    assert len({json.dumps(event) for event in inbox.events}) == 1


def test_losses_are_in_the_ledger(hooked, inbox):
    hooked.set_webhooks(lose=0.5)
    for number in range(100):
        hooked.ui_create("companies", {"name": str(number)})
    hooked.deliver_webhooks(inbox)
    lost = [row.events[0] for row in hooked.ledger.deliveries() if row.note == "lost"]
    arrived = [event["eventId"] for event in inbox.events]
    assert 60 < len(lost) < 140
    assert sorted(lost + arrived) == list(range(101, 301))


def test_reordering(hooked, inbox):
    hooked.set_webhooks(reorder=0.5)
    one = hooked.ui_create("companies", {})
    for number in range(50):
        hooked.ui_update("companies", one, {"name": str(number)})
        hooked.advance(0.1)
    hooked.deliver_webhooks(inbox)
    arrived = [event["eventId"] for event in inbox.events]
    assert sorted(arrived) == list(range(101, 152))
    assert arrived != sorted(arrived)


def test_unknown_settings_are_refused(portal):
    with pytest.raises(ValueError, match="unknown webhook setting"):
        portal.set_webhooks(speed=1)
