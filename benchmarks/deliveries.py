"""Webhook requests as HubSpot sends them: bodies of events, signed, ready for a WSGI handler in this process."""

import json
import random
import time
from collections.abc import Iterable
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.test import RequestFactory

from benchmarks.world import SECRET
from crmsync.fakehub import signing

PATH = "/crmsync/webhook/"
URL = f"http://127.0.0.1{PATH}"
Environ = dict[str, Any]
_factory = RequestFactory(SERVER_NAME="127.0.0.1")


def make_event(hub_id: int, record_id: object, number: int) -> dict[str, Any]:
    """One changed property of a contact."""
    return {
        "appId": 1160452,
        "eventId": number,
        "subscriptionId": 112233,
        "portalId": hub_id,
        "occurredAt": 1_767_268_800_000 + number,
        "subscriptionType": "contact.propertyChange",
        "attemptNumber": 0,
        "objectId": int(str(record_id)),
        "propertyName": "city",
        "propertyValue": f"City {number}",
        "changeSource": "CRM_UI",
        "sourceId": "userId:42",
    }


def make_storm(hub_id: int, ids: list[str], count: int, *, twice: float = 0.10, seed: int = 1) -> list[bytes]:
    """Bodies of 100 events: ``count`` events about these records, a share of them twice, shuffled."""
    chance = random.Random(seed)
    events = [make_event(hub_id, ids[number % len(ids)], number) for number in range(count)]
    events += chance.sample(events, int(count * twice))
    chance.shuffle(events)
    return [json.dumps(events[start : start + 100]).encode() for start in range(0, len(events), 100)]


def make_body(hub_id: int, count: int) -> bytes:
    return json.dumps([make_event(hub_id, 1000 + number, number) for number in range(count)]).encode()


def sign(body: bytes, *, secret: str = SECRET, age: float = 0.0) -> Environ:
    """One request, signed ``age`` seconds ago."""
    return request(PATH, body, signing.headers(secret, URL, body, int((time.time() - age) * 1000)))


def request(path: str, body: bytes, headers: dict[str, str] | None = None) -> Environ:
    """A request as a WSGI server hands it over; its body can be read once."""
    return _factory.post(path, body, content_type="application/json", headers=headers).environ


def answer(handler: WSGIHandler, environ: Environ) -> int:
    """The status of one request, through the whole middleware stack and to its end."""
    statuses: list[str] = []
    response = handler(environ, lambda status, headers, _exc=None: statuses.append(status))
    for _ in response:
        pass
    response.close()
    return int(statuses[0].split()[0])


def answer_all(handler: WSGIHandler, environs: Iterable[Environ]) -> list[int]:
    return [answer(handler, environ) for environ in environs]
