"""Requests and answers without I/O."""

import contextlib
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmsync.hubspot import errors, wire


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  \n",
        b'{"id": "1", "prop',
        b"<!DOCTYPE html><html></html>",
        b"OK",
        b"null",
        b"[]",
        b'"x"',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
    ids=["empty", "blank", "truncated", "html", "text", "null", "list", "string", "bytes", "deep"],
)
@pytest.mark.parametrize("status", [200, 201, 202, 207])
def test_a_2xx_nobody_can_read_is_an_unknown_outcome(status, body):
    """Fault 14: empty, truncated, HTML and non-JSON answers mean that the write may have happened."""
    with pytest.raises(errors.UnknownOutcome) as caught:
        wire.decode(status, {"X-HubSpot-Correlation-Id": "c-9"}, body)
    assert caught.value.status == status
    assert caught.value.correlation_id == "c-9"
    assert caught.value.__context__ is None or caught.value.__suppress_context__


@settings(deadline=None)
@given(st.binary(max_size=200), st.integers(200, 599))
def test_decode_gives_an_object_or_a_hubspot_error_whatever_comes(body, status):
    """Fault 14: no other exception leaves the room."""
    with contextlib.suppress(errors.HubSpotError):
        decoded = wire.decode(status, {}, body)
        assert 200 <= status < 300
        assert decoded is None or isinstance(decoded, dict)


def test_good_answers():
    assert wire.decode(204, {}, b"") is None
    assert wire.decode(201, {}, '{"a": "Ångström"}'.encode()) == {"a": "Ångström"}


@pytest.mark.parametrize("body", [b"", b"OK", b"[]", b'{"a": 1}'])
@pytest.mark.parametrize("status", [200, 202, 204])
def test_where_the_status_says_it_all_no_body_is_read(status, body):
    """Section 2.4: a revocation answers 200 with nothing documented in it."""
    assert wire.decode(status, {}, body, bodyless=True) is None


@pytest.mark.parametrize("status", [302, 400, 401, 500])
def test_without_a_body_an_error_stays_an_error(status):
    with pytest.raises(errors.HubSpotError) as caught:
        wire.decode(status, {}, b"", bodyless=True)
    assert caught.value.status == status


def test_a_redirect_is_an_error_that_names_only_the_host():
    with pytest.raises(errors.Redirected, match=r"to evil\.test \(status 302\)") as caught:
        wire.decode(302, {"location": "https://evil.test/x?email=ada@example.test"}, b"")
    assert "ada" not in str(caught.value)


def test_rate_headers_in_any_case():
    """C31, fault 11: the budget can follow the headers."""
    headers = {
        "X-HubSpot-RateLimit-Daily": "250000",
        "x-hubspot-ratelimit-daily-remaining": "249000",
        "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
        "X-HUBSPOT-RATELIMIT-MAX": "100",
        "X-HubSpot-RateLimit-Remaining": "98",
    }
    assert wire.rate_state(headers) == wire.RateState(100, 98, 10_000, 250_000, 249_000)


@pytest.mark.parametrize("headers", [{}, {"Date": "x"}, {"X-HubSpot-RateLimit-Max": "many"}])
def test_no_rate_headers_is_none(headers):
    assert wire.rate_state(headers) is None


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "3"}, 3.0),
        ({"retry-after": " 2.5 "}, 2.5),
        ({"Retry-After": "999999999"}, 86_400.0),
        ({"Retry-After": "-1"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": "٣"}, None),
        ({"Retry-After": "Sat, 21 Nov 2026 10:00:30 GMT"}, None),
        ({"Retry-After": "Sat, 21 Nov 2026 10:00:30 GMT", "Date": "Sat, 21 Nov 2026 10:00:00 GMT"}, 30.0),
        ({"Retry-After": "Sat, 21 Nov 2026 09:00:00 GMT", "Date": "Sat, 21 Nov 2026 10:00:00 GMT"}, 0.0),
    ],
)
def test_retry_after(headers, seconds):
    """Fault 9: Retry-After if given, in seconds and capped."""
    assert wire.retry_after(headers) == seconds


def test_hubspot_s_clock_is_read():
    """Fault 21: a wrong clock of ours shows against the Date header."""
    assert wire.served_at({"Date": "Sat, 21 Nov 2026 10:00:00 GMT"}) == datetime(2026, 11, 21, 10, tzinfo=UTC)
    assert wire.served_at({"Date": "soon"}) is None


def test_retry_after_reaches_the_error():
    with pytest.raises(errors.Moving) as caught:
        wire.decode(477, {"Retry-After": "3600"}, b"")
    assert caught.value.retry_after == 3600.0


def test_request_targets_and_bodies():
    request = wire.get("/crm/x", ("properties", "a,b"), ("archived", "true"))
    assert request.target == "/crm/x?properties=a%2Cb&archived=true"
    assert request.payload() == (None, "")
    assert request.reads
    posted = wire.post("/crm/x", {"a": "Ångström", "b": [1]})
    assert posted.payload() == (b'{"a":"\\u00c5ngstr\\u00f6m","b":[1]}', "application/json")
    assert not posted.reads
    form = wire.post_form("/oauth", {"grant_type": "refresh_token", "code": "ä b"})
    assert form.payload() == (b"grant_type=refresh_token&code=%C3%A4+b", "application/x-www-form-urlencoded")
    assert (form.reads, form.bodyless, repr(form)) == (False, False, "Request(POST /oauth)")


def test_a_request_never_shows_its_values():
    """C18: what is printed of a request holds no value of a person."""
    request = wire.Request(
        "GET", "/crm/contacts/ada%40x.test", (("email", "ada@x.test"),), {"e": "ada"}, shown_path="/crm/contacts/{id}"
    )
    assert repr(request) == "Request(GET /crm/contacts/{id})"


def test_a_path_cannot_become_a_part_of_the_host():
    with pytest.raises(ValueError, match="slash"):
        wire.get(".evil.test/x")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_json_has_no_nan(value):
    with pytest.raises(ValueError, match="JSON"):
        wire.encode_json({"a": value})


@settings(deadline=None)
@given(st.text())
def test_any_text_can_be_sent(text):
    """Fault 41: lone surrogates and control characters never break the encoder."""
    assert json.loads(wire.encode_json({"a": text})) == {"a": text}
