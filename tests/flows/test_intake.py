"""The webhook door: what is verified is stored before it is acknowledged; everything else writes nothing."""

import base64
import hashlib
import hmac
import json
import time

import pytest
from django.db import DatabaseError
from django.test import Client

from crmsync.flows import intake
from crmsync.ledger import inbox
from crmsync.models import Delivery, InboxEvent
from tests.flows.conftest import SECRET, WEBHOOK_URL

EVENT = {
    "eventId": 1,
    "subscriptionId": 2,
    "portalId": 4242,
    "appId": 3,
    "occurredAt": 1751276050977,
    "subscriptionType": "object.propertyChange",
    "attemptNumber": 0,
    "objectId": 512,
    "objectTypeId": "0-1",
    "propertyName": "city",
    "propertyValue": "Rome",
    "changeSource": "CRM_UI",
    "sourceId": "userId:1",
}


def sign(body: bytes, *, secret: str = SECRET, at_ms: int | None = None, url: str = WEBHOOK_URL) -> dict[str, str]:
    """HubSpot's v3 signature, computed here and not by crmsync."""
    stamp = str(int(time.time() * 1000) if at_ms is None else at_ms)
    digest = hmac.new(secret.encode(), f"POST{url}".encode() + body + stamp.encode(), hashlib.sha256).digest()
    return {
        "HTTP_X_HUBSPOT_SIGNATURE_V3": base64.b64encode(digest).decode(),
        "HTTP_X_HUBSPOT_REQUEST_TIMESTAMP": stamp,
    }


def post(body: bytes, **headers: str):
    return Client().post("/crmsync/webhook/", body, content_type="application/json", **headers)


def body_of(*events: dict) -> bytes:
    return json.dumps(list(events)).encode()


def test_a_verified_delivery_is_one_row(sync) -> None:
    """I2: 204, one delivery row, split later into one due pull a record and mapping."""
    body = body_of(EVENT, {**EVENT, "propertyName": "email"}, {**EVENT, "objectId": 513})
    answer = post(body, **sign(body))
    assert answer.status_code == 204
    assert Delivery.objects.count() == 1
    assert intake.split() == 1
    assert sorted(InboxEvent.objects.values_list("remote_id", flat=True)) == ["512", "513"]
    assert Delivery.objects.get().body == ""


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({}, "missing"),
        ({"secret": "wrong"}, "mismatch"),
        ({"at_ms": 1_600_000_000_000}, "expired"),
        ({"at_ms": 4_000_000_000_000}, "from_future"),
        ({"url": "http://testserver/elsewhere/"}, "mismatch"),
    ],
)
def test_what_is_not_proven_is_refused(sync, headers, words) -> None:
    """Fault 20: 401, one sentence with the remedy, no row."""
    body = body_of(EVENT)
    answer = post(body, **(sign(body, **headers) if headers else {}))
    assert answer.status_code == 401
    assert words in answer.content.decode()
    assert any(remedy in answer.content.decode() for remedy in ("client secret", "clock"))
    assert Delivery.objects.count() == 0


@pytest.mark.parametrize("body", [b"", b"{}", b"not json", b"[1]", b'[{"portalId":"x"}]', b"\xff\xfe", b"[" * 5000])
def test_a_signed_body_that_is_no_event_list(sync, body) -> None:
    """Fault 22: 400 with one sentence, no row, no traceback."""
    answer = post(body, **sign(body))
    assert answer.status_code == 400
    assert Delivery.objects.count() == 0


def test_an_unknown_portal_is_acknowledged_and_dropped(sync) -> None:
    """HubSpot would repeat a refusal ten times; nothing is stored and the sentence says what to do."""
    body = body_of({**EVENT, "portalId": 999})
    answer = post(body, **sign(body))
    assert answer.status_code == 202
    assert "999" in answer.content.decode()
    assert Delivery.objects.count() == 0


def test_an_oversized_body(sync, settings) -> None:
    settings.CRMSYNC = {**settings.CRMSYNC, "MAX_WEBHOOK_BYTES": 100}
    body = body_of(EVENT)
    answer = post(body, **sign(body))
    assert answer.status_code == 413
    assert Delivery.objects.count() == 0


def test_another_method(sync) -> None:
    assert Client().get("/crmsync/webhook/").status_code == 405


def test_a_database_that_is_away_is_no_acknowledgement(sync, monkeypatch) -> None:
    """Fault 8, I2: 503, so that HubSpot sends it again."""

    def refuse(*args) -> None:
        raise DatabaseError("disk full")

    monkeypatch.setattr(inbox, "store", refuse)
    body = body_of(EVENT)
    assert post(body, **sign(body)).status_code == 503


def test_captured_bodies_become_due_pulls(sync) -> None:
    """The bodies HubSpot really sent, with and without objectTypeId; an association change touches both ends."""
    legacy = {**EVENT, "subscriptionType": "contact.propertyChange", "objectId": 541935488729}
    del legacy["objectTypeId"]
    creation = {**legacy, "subscriptionType": "contact.creation", "objectId": 106314056576, "changeFlag": "CREATED"}
    merge = {
        **EVENT,
        "subscriptionType": "object.merge",
        "objectId": 1,
        "primaryObjectId": 1,
        "mergedObjectIds": [2],
        "newObjectId": 3,
    }
    body = body_of(legacy, creation, merge)
    assert post(body, **sign(body)).status_code == 204
    intake.split()
    found = set(InboxEvent.objects.values_list("remote_id", flat=True))
    assert found == {"541935488729", "106314056576", "1", "2", "3"}
