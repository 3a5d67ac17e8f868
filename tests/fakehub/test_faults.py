"""Planted failures."""

import json

import pytest

CREATE = {"properties": {"email": "a@lovelace.dev"}}


@pytest.mark.parametrize("status", [500, 502, 503, 504, 423, 477, 401, 429])
def test_a_status_hits_the_next_request_only_and_nothing_is_done(api, portal, status):
    portal.plant_fault("status", status=status)
    assert api.raw("POST", "contacts", CREATE).status == status
    assert portal.records("contacts") == []
    assert api.raw("POST", "contacts", CREATE).status == 201
    rows = portal.ledger.requests("objects.create")
    assert [(row.status, row.applied, row.fault) for row in rows] == [
        (status, False, f"status {status}"),
        (201, True, ""),
    ]


def test_a_status_after_the_write(api, portal):
    portal.plant_fault("status", status=504, after=True)
    response = api.raw("POST", "contacts", CREATE)
    assert (response.status, response.headers["Content-Type"]) == (504, "text/html")
    assert len(portal.records("contacts")) == 1
    (row,) = portal.ledger.writes()
    assert (row.status, row.applied, row.fault) == (504, True, "status 504 after")


@pytest.mark.parametrize(("policy", "message"), [("DAILY", "daily"), ("SECONDLY", "secondly"), ("", "ten_secondly")])
def test_a_429_names_its_policy(api, portal, policy, message):
    portal.plant_fault("status", status=429, policy=policy, retry_after=7)
    response = api.raw("GET", "contacts")
    body = json.loads(response.body)
    assert body["policyName"] == (policy or "TEN_SECONDLY_ROLLING")
    assert message in body["message"]
    assert response.headers["Retry-After"] == "7"


def test_401_of_an_expired_token(api, portal):
    portal.plant_fault("status", status=401, policy="EXPIRED")
    assert api("GET", "contacts")[1]["category"] == "EXPIRED_AUTHENTICATION"


@pytest.mark.parametrize("kind", ["reset", "timeout"])
@pytest.mark.parametrize("after", [False, True])
def test_no_answer_before_or_after_the_write(api, portal, kind, after):
    portal.plant_fault(kind, after=after, delay=2)
    response = api.raw("POST", "contacts", CREATE)
    assert response.drop == kind
    assert response.delay == (2 if kind == "timeout" else 0)
    assert len(portal.records("contacts")) == after
    row = portal.ledger.requests()[-1]
    assert (row.status, row.applied) == (0, after)


def test_slow_answers(api, portal):
    portal.plant_fault("slow", delay=3)
    response = api.raw("POST", "contacts", CREATE)
    assert (response.status, response.delay, response.drop) == (201, 3, "")


def test_answers_that_are_no_json(api, portal):
    for kind in ("truncated", "html", "empty"):
        portal.plant_fault(kind)
    cut, page, empty = (api.raw("POST", "contacts", {"properties": {"firstname": str(n)}}) for n in range(3))
    assert {one.status for one in (cut, page, empty)} == {200}
    with pytest.raises(ValueError, match=r"."):
        json.loads(cut.body)
    assert page.body.startswith(b"<html>")
    assert empty.body == b""
    assert len(portal.records("contacts")) == 3


def test_partial_answers_fail_named_inputs_only(api, portal):
    portal.plant_fault("partial", share=0.5, times=None)
    inputs = [{"objectWriteTraceId": str(n), "properties": {"firstname": str(n)}} for n in range(40)]
    body = api.post("contacts/batch/create", {"inputs": inputs}, 207)
    failed = {one["context"]["objectWriteTraceId"][0] for one in body["errors"]}
    made = {one["objectWriteTraceId"] for one in body["results"]}
    assert 5 < len(failed) < 35
    assert failed | made == {str(n) for n in range(40)}
    assert not failed & made
    assert len(portal.records("contacts")) == len(made)
    plain = [{"properties": {"firstname": "x"}}] * 10
    assert len(api.post("contacts/batch/create", {"inputs": plain}, 201)["results"]) == 10
    ids = [one["id"] for one in body["results"]]
    body = api.post(
        "contacts/batch/update", {"inputs": [{"id": one, "properties": {"city": "x"}} for one in ids]}, 207
    )
    assert {one["context"]["ids"][0] for one in body["errors"]} | {one["id"] for one in body["results"]} == set(ids)


def test_matching_by_operation_family_method_path_and_body(api, portal):
    portal.plant_fault("status", operation="batch.create")
    portal.plant_fault("status", family="search")
    portal.plant_fault("status", method="DELETE")
    portal.plant_fault("status", path="^/crm/owners/")
    portal.plant_fault("status", contains="poison")
    assert api("GET", "contacts")[0] == 200
    assert api("POST", "contacts/batch/create", {"inputs": []})[0] == 500
    assert api("POST", "contacts/search", {})[0] == 500
    assert api("DELETE", "contacts/1")[0] == 500
    assert api("GET", "/crm/owners/2026-09")[0] == 500
    assert api("POST", "contacts", {"properties": {"firstname": "poison"}})[0] == 500


def test_probability_and_times_follow_the_seed(api, portal):
    portal.plant_fault("status", probability=0.3, times=20)
    seen = [api("GET", "contacts")[0] for _ in range(200)]
    assert seen.count(500) == 20
    assert seen[:100].count(500) not in {0, 100}


@pytest.mark.parametrize(("kind", "facts"), [("meteor", {}), ("status", {"colour": "red"})])
def test_unknown_faults_are_refused(portal, kind, facts):
    with pytest.raises(ValueError, match="unknown"):
        portal.plant_fault(kind, **facts)
