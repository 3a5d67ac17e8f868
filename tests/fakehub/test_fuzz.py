"""Whatever is sent, the portal answers: every part of every body replaced by everything it should not be."""

import copy
import json
import urllib.parse
from collections.abc import Iterator
from typing import Any

import pytest

from crmsync.fakehub import clock, hub

NASTY = [
    None,
    True,
    7,
    1.5,
    "",
    "x",
    "-1",
    "\ud800",
    "9" * 30,
    [],
    [1],
    [None],
    ["a"],
    [[]],
    {},
    {"a": 1},
    {"id": []},
]
SPEC = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}
PAIR = {"from": {"id": "1001"}, "to": {"id": "1002"}}
FILTER = {"propertyName": "email", "operator": "IN", "value": "a", "values": ["a"], "highValue": "b"}
STAGE = {"label": "One", "displayOrder": 0, "metadata": {"probability": "0.5"}, "stageId": "s"}
OPTION = {"label": "A", "value": "a", "displayOrder": 0, "hidden": False, "description": ""}
PROPERTY = {
    "name": "vip", "label": "VIP", "type": "enumeration", "fieldType": "select", "groupName": "contactinformation",
    "options": [OPTION], "hasUniqueValue": False, "calculationFormula": "1",
}  # fmt: skip
RECORD = {"properties": {"email": "n@lovelace.dev"}, "associations": [{"to": {"id": "1002"}, "types": [SPEC]}]}
RECORDS, A = "/crm/objects/2026-09/contacts", "/crm/associations/2026-09/contacts/companies"
P, L = "/crm/properties/2026-09/contacts", "/crm/pipelines/2026-09/deals"
CALLS = [
    ("POST", RECORDS, RECORD),
    ("PATCH", f"{RECORDS}/1001", {"properties": {"city": "Rome", "hs_buying_role": ";CHAMPION"}}),
    ("POST", f"{RECORDS}/merge", {"primaryObjectId": "1001", "objectIdToMerge": "1001"}),
    ("POST", f"{RECORDS}/gdpr-delete", {"objectId": "77", "idProperty": "hs_object_id"}),
    ("POST", f"{RECORDS}/search", {
        "filterGroups": [{"filters": [FILTER, {**FILTER, "propertyName": "createdate", "operator": "BETWEEN"}]}],
        "sorts": [{"propertyName": "city", "direction": "ASCENDING"}], "properties": ["city"], "limit": 5,
        "after": "0", "query": "x",
    }),
    ("POST", f"{RECORDS}/search", {
        "filterGroups": [{"filters": [{**FILTER, "propertyName": "associations.companies"}]}],
    }),
    ("POST", f"{RECORDS}/batch/read", {
        "inputs": [{"id": "1001"}], "properties": ["city"], "propertiesWithHistory": ["city"], "idProperty": "email",
    }),
    ("POST", f"{RECORDS}/batch/create", {"inputs": [{**RECORD, "objectWriteTraceId": "t"}]}),
    ("POST", f"{RECORDS}/batch/update", {
        "inputs": [{"id": "1001", "properties": {"city": "a"}, "objectWriteTraceId": "t", "idProperty": "key"}],
    }),
    ("POST", f"{RECORDS}/batch/upsert", {
        "inputs": [{"id": "a@b.dev", "idProperty": "email", "properties": {"city": "a"}}],
    }),
    ("POST", f"{RECORDS}/batch/archive", {"inputs": [{"id": "5"}]}),
    ("PUT", f"{RECORDS}/1001/associations/companies/1002", [SPEC]),
    ("POST", f"{A}/batch/read", {"inputs": [{"id": "1001", "after": "1"}]}),
    ("POST", f"{A}/batch/create", {"inputs": [{**PAIR, "types": [SPEC]}]}),
    ("POST", f"{A}/batch/associate/default", {"inputs": [PAIR]}),
    ("POST", f"{A}/batch/archive", {"inputs": [{"from": {"id": "1001"}, "to": [{"id": "1002"}]}]}),
    ("POST", f"{A}/batch/labels/archive", {"inputs": [{**PAIR, "types": [SPEC]}]}),
    ("POST", P, PROPERTY),
    ("PATCH", f"{P}/key", {**PROPERTY, "type": "string", "fieldType": "text", "hasUniqueValue": True}),
    ("POST", f"{P}/batch/create", {"inputs": [PROPERTY]}),
    ("POST", f"{P}/batch/read", {"inputs": [{"name": "email"}], "archived": False}),
    ("POST", f"{P}/batch/archive", {"inputs": [{"name": "nope"}]}),
    ("POST", f"{P}/groups", {"name": "crmsync", "label": "Sync", "displayOrder": 1}),
    ("PATCH", f"{P}/groups/contactinformation", {"label": "Sync", "displayOrder": 1}),
    ("POST", L, {"label": "P", "displayOrder": 1, "stages": [STAGE], "pipelineId": "p"}),
    ("PUT", f"{L}/spare", {"label": "P", "displayOrder": 1, "stages": [STAGE]}),
    ("PATCH", f"{L}/spare", {"label": "P", "displayOrder": 1, "archived": False}),
    ("POST", f"{L}/spare/stages", STAGE),
    ("PATCH", f"{L}/spare/stages/one", {**STAGE, "archived": False}),
    ("POST", "/oauth/v2/private-apps/get/access-token-info", {"tokenKey": "x"}),
]  # fmt: skip


def places(body: Any) -> Iterator[tuple[Any, ...]]:
    """The path of every part of a body."""
    yield ()
    parts = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for key, inner in parts:
        for path in places(inner):
            yield (key, *path)


def replaced(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    out = copy.copy(body)
    out[path[0]] = replaced(body[path[0]], path[1:], value)
    return out


def make_portal() -> hub.FakeHub:
    portal = hub.FakeHub(clock=clock.ManualClock(), limits_on=False)
    portal.store._rng.randint = lambda *_: 1  # ids are 1001, 1002, …
    portal.add_property("contacts", "key", hasUniqueValue=True)
    stages = [{"id": "one", "label": "One", "displayOrder": 0, "metadata": {"probability": "0.5"}}]
    portal.add_pipeline("deals", {"id": "spare", "label": "Spare", "displayOrder": 1, "stages": stages})
    portal.ui_create("contacts", {"firstname": "Ada", "email": "ada@lovelace.dev", "key": "1001"})
    for _ in range(2):
        portal.ui_create("companies", {"name": "Engines"})
    return portal


@pytest.mark.parametrize(("method", "path", "body"), CALLS, ids=[f"{method} {path}" for method, path, _ in CALLS])
def test_every_body_gets_an_answer(method, path, body):
    portal = make_portal()
    headers = {"Authorization": f"Bearer {portal.token}"}
    for place in places(body):
        for nasty in NASTY:
            sent = json.dumps(replaced(body, place, nasty)).encode()
            response = portal.handle(method, path, headers, sent)
            assert response.status in {200, 201, 204, 207, 400, 401, 404, 409}, sent
            if response.body:
                json.loads(response.body.decode())
            portal.handle("GET", f"{RECORDS}?associations=companies&properties=key,city", headers)
    for kind in ("contacts", "companies"):
        assert json.loads(json.dumps(portal.records(kind)))


@pytest.mark.parametrize("value", ["", "x", "-1", "0", "1", "9" * 30, "%00", "%ff", ",", "a,b", "true", "٣"])
@pytest.mark.parametrize(
    "name",
    ["limit", "after", "properties", "propertiesWithHistory", "associations", "idProperty", "archived", "email"],
)
def test_every_query_gets_an_answer(portal, name, value):
    headers = {"Authorization": f"Bearer {portal.token}"}
    portal.ui_create("contacts", {"firstname": "A"})
    for path in (
        RECORDS,
        f"{RECORDS}/1007",
        f"{RECORDS}/{value or 'x'}",
        "/crm/owners/2026-09",
        f"{RECORDS}/1007/associations/companies",
    ):
        response = portal.handle("GET", f"{path}?{name}={value}", headers)
        assert response.status in {200, 400, 404}


ODD = ["", "x", "-1", "9" * 30, "%00", "%ff", "+", "a&b=c", "\r\nX: y", "ü", "<b>", "{0}", "\u2028"]
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize(
    "path", ["/oauth/authorize", *(f"/oauth/2026-09/token{one}" for one in ("", "/introspect", "/revoke"))]
)
def test_every_form_gets_an_answer(app, portal, path, value):
    """C24: each field in turn is odd, missing or alone; nothing odd gets into a header."""
    code = app.code()
    fields = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(app.ask(state="s")).query))
    fields |= {**app.client, "code": code, "grant_type": "authorization_code", "hub_id": "4242", "token": "t"}
    for name in (*fields, "decision", "optional_scope", "refresh_token"):
        for sent in ({**fields, name: value}, {n: v for n, v in fields.items() if n != name}, {name: value}):
            for body in (urllib.parse.urlencode(sent), "&".join(f"{n}={v}" for n, v in sent.items())):
                for method, target, data in (("POST", path, body), ("GET", f"/oauth/authorize?{body}", "")):
                    answer = portal.handle(method, target, FORM, data.encode())
                    assert answer.status in {200, 302, 400}, sent
                    assert all(text.isprintable() for text in answer.headers.values())
                    assert "Location" not in answer.headers or answer.headers["Location"].startswith(app.redirect)
