"""OAuth through a real client: what is sent, what comes back, and where no secret may ever be."""

import logging
import traceback
import urllib.parse

import pytest
import requests

from crmsync.hubspot import client, errors, oauth, versions

BASE = "https://api.hubapi.com"
TOKEN_URL = f"{BASE}/oauth/2026-09/token"
AUTHORIZE = "https://app.hubspot.com/oauth/authorize"
APP = {"client_id": "7fff1e36-2d40-4ae1-bbb1-5266d59564fb", "client_secret": "secret-secret-secret"}
CODE, OLD, ACCESS, NEW = "code-code-code", "na1-old-refresh-token", "C" * 300, "na1-new-refresh-token"
SECRETS = (APP["client_secret"], CODE, OLD, ACCESS, NEW)
GRANTED = {
    "token_type": "bearer",
    "access_token": ACCESS,
    "refresh_token": NEW,
    "expires_in": 1800,
    "hub_id": 123,
    "user_id": 1,
    "scopes": ["oauth", "crm.objects.contacts.read"],
    "token_use": "access_token",
}


@pytest.fixture
def records():
    return []


@pytest.fixture
def http(records):
    """A client without a token, which remembers what it told its observer."""
    one = client.Client(BASE, None, after_call=lambda record, rate: records.append(record))
    yield one
    one.close()


def sent(mocked, number=0):
    return dict(urllib.parse.parse_qsl(mocked.calls[number].request.body.decode(), keep_blank_values=True))


def exchange(http):
    return oauth.exchange(http, **APP, redirect_uri="https://x.test/back/", code=CODE)


def refresh(http):
    return oauth.refresh(http, **APP, refresh_token=OLD)


def app_token(http):
    return oauth.app_token(http, **APP, scopes=["developer.webhooks_journal.read"])


def introspect(http):
    return oauth.introspect(http, **APP, token=ACCESS)


def revoke(http):
    return oauth.revoke(http, **APP, refresh_token=OLD)


CALLS = {"exchange": exchange, "refresh": refresh, "app_token": app_token, "introspect": introspect, "revoke": revoke}
each_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())


# ---- the address of the consent page


def authorize(**more):
    given = {
        "client_id": "7f",
        "redirect_uri": "https://x.test/back/?a=1",
        "scopes": ["oauth", "b c"],
        "state": "s&t",
    }
    return oauth.authorize_url(**{"base": AUTHORIZE} | given | more)


def test_where_the_browser_is_sent():
    """X4, U17: scopes are separated by blanks, and nothing of one value leaks into the next."""
    url = authorize(scopes=["oauth", "crm.objects.contacts.read"], optional_scopes=["tickets", "oauth", "tickets"])
    assert url == (
        "https://app.hubspot.com/oauth/authorize?client_id=7f&redirect_uri=https%3A%2F%2Fx.test%2Fback%2F%3Fa%3D1"
        "&scope=oauth%20crm.objects.contacts.read&optional_scope=tickets&state=s%26t"
    )


def test_without_optional_scopes_they_are_not_asked_for():
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(authorize()).query)
    assert set(query) == {"client_id", "redirect_uri", "scope", "state"}


@pytest.mark.parametrize("base", ["http://127.0.0.1:8000/oauth/authorize", "http://localhost:1/oauth/authorize/"])
def test_a_fakehub_on_loopback_may_be_plain_http(base):
    assert authorize(base=base).startswith(f"{base.rstrip('/')}?client_id=7f&")


@pytest.mark.parametrize(
    "base", ["http://app.hubspot.com/oauth/authorize", "javascript:alert(1)", "//evil.test", "https://u:p@h", ""]
)
def test_the_address_must_be_safe(base):
    """C19."""
    with pytest.raises(errors.ConfigError):
        authorize(base=base)


@pytest.mark.parametrize("missing", ["client_id", "redirect_uri", "state"])
def test_nobody_is_sent_off_without(missing):
    """Section 6 of the promises: the state is what the answer is bound to."""
    with pytest.raises(errors.ConfigError):
        authorize(**{missing: ""})


# ---- tokens


def test_a_code_becomes_tokens(mocked, http):
    """X4, U17: everything goes in the form."""
    mocked.post(TOKEN_URL, json=GRANTED)
    assert exchange(http) == oauth.Tokens(ACCESS, NEW, 1800, 123, 1, ("oauth", "crm.objects.contacts.read"))
    assert sent(mocked) == {
        "grant_type": "authorization_code",
        **APP,
        "redirect_uri": "https://x.test/back/",
        "code": CODE,
    }
    assert "Authorization" not in mocked.calls[0].request.headers


def test_a_refresh_gives_the_token_that_came_last(mocked, http):
    """Fault 24, 25: whether HubSpot rotates refresh tokens is not documented."""
    mocked.post(TOKEN_URL, json=GRANTED)
    tokens = refresh(http)
    assert (tokens.access_token, tokens.refresh_token, tokens.expires_in) == (ACCESS, NEW, 1800)
    assert sent(mocked) == {"grant_type": "refresh_token", **APP, "refresh_token": OLD}


@pytest.mark.parametrize("silence", [{}, {"refresh_token": None}, {"refresh_token": ""}])
def test_a_refresh_that_names_no_refresh_token_keeps_the_old_one(mocked, http, silence):
    """Fault 25: a connection is not lost to a field that is absent."""
    mocked.post(TOKEN_URL, json={key: value for key, value in GRANTED.items() if key != "refresh_token"} | silence)
    assert refresh(http).refresh_token == OLD


def test_an_app_token_has_no_refresh_token(mocked, http):
    body = {"access_token": ACCESS, "expires_in": 900, "token_type": "bearer", "token_use": "client_credentials"}
    mocked.post(TOKEN_URL, json=body)
    assert app_token(http) == oauth.Tokens(ACCESS, "", 900)
    assert sent(mocked)["scope"] == "developer.webhooks_journal.read"


@pytest.mark.parametrize(
    "broken",
    [
        {"access_token": None},
        {"access_token": ""},
        {"access_token": 7},
        {"expires_in": None},
        {"expires_in": 0},
        {"expires_in": "soon"},
        {"expires_in": True},
    ],
)
@pytest.mark.parametrize("call", [exchange, refresh, app_token])
def test_half_an_answer_is_no_token(mocked, http, call, broken):
    """Fault 14: it may have been granted, so nothing is concluded."""
    mocked.post(TOKEN_URL, json=GRANTED | broken)
    with pytest.raises(errors.UnknownOutcome):
        call(http)


def test_a_new_connection_needs_a_refresh_token(mocked, http):
    mocked.post(TOKEN_URL, json=GRANTED | {"refresh_token": None})
    with pytest.raises(errors.UnknownOutcome):
        exchange(http)


def test_tokens_do_not_print_themselves():
    """C8, C18."""
    tokens = oauth.Tokens(ACCESS, NEW, 1800, 123, 1, ("oauth",))
    assert repr(tokens) == "Tokens(expires_in=1800, hub_id=123, user_id=1, scopes=('oauth',))"


# ---- what HubSpot knows of a token


def test_a_live_token(mocked, http):
    """C9: granted scopes are compared with those needed."""
    body = {
        "token": ACCESS,
        "active": True,
        "hub_id": 1,
        "user_id": 2,
        "app_id": 3,
        "client_id": APP["client_id"],
        "user": "a@b.c",
        "hub_domain": "x.test",
        "scopes": ["oauth"],
        "expires_in": 1789,
        "is_private_distribution": True,
        "signed_access_token": {"signature": "s"},
        "token_type": "bearer",
        "token_use": "access_token",
    }
    mocked.post(f"{TOKEN_URL}/introspect", json=body)
    assert introspect(http) == oauth.TokenState(True, 1, 2, 3, ("oauth",), 1789, "x.test")
    assert sent(mocked) == {**APP, "token": ACCESS, "token_type_hint": "access_token"}


def test_a_refresh_token_has_no_end(mocked, http):
    mocked.post(f"{TOKEN_URL}/introspect", json={"active": True, "hub_id": 1, "user_id": 2, "app_id": 3})
    state = oauth.introspect(http, **APP, token=OLD, hint="refresh_token")
    assert (state.active, state.expires_in, state.hub_domain) == (True, None, "")
    assert sent(mocked)["token_type_hint"] == "refresh_token"


def test_a_dead_token_is_no_error(mocked, http):
    """Fault 26."""
    mocked.post(f"{TOKEN_URL}/introspect", json={"active": False})
    assert introspect(http) == oauth.TokenState(active=False)


@pytest.mark.parametrize("body", [{}, {"active": None}, {"active": "false"}, {"hub_id": 1}])
def test_dead_is_never_guessed(mocked, http, body):
    """Fault 14, 26: a connection is not given up because of a broken answer."""
    mocked.post(f"{TOKEN_URL}/introspect", json=body)
    with pytest.raises(errors.UnknownOutcome):
        introspect(http)


# ---- leaving


@pytest.mark.parametrize("answer", [{"status": 200, "body": ""}, {"status": 200, "body": "OK"}, {"status": 204}])
def test_revoking_needs_no_body(mocked, http, records, answer):
    """U25: nothing is documented of the answer but that it is a good one."""
    mocked.post(f"{TOKEN_URL}/revoke", **answer)
    assert revoke(http) is None
    assert sent(mocked) == {**APP, "token": OLD, "token_type_hint": "refresh_token"}
    assert [record.error for record in records] == [""]


def test_a_revocation_that_failed_is_told(mocked, http):
    mocked.post(f"{TOKEN_URL}/revoke", status=500)
    with pytest.raises(errors.ServerError):
        revoke(http)


def test_uninstalling_is_done_with_the_account_s_own_token(mocked):
    """U25."""
    mocked.delete(f"{BASE}/appinstalls/2026-09/external-install", status=204)
    assert oauth.uninstall(client.Client(BASE, ACCESS)) is None
    assert mocked.calls[0].request.headers["Authorization"] == f"Bearer {ACCESS}"


@pytest.mark.parametrize("version", versions.SUPPORTED)
@each_call
def test_in_every_version(fake, version, call):
    """F22."""
    sender = fake(lambda request: GRANTED | {"active": True}, version)
    call(sender)
    (request,) = sender.requests
    assert request.path.startswith(f"/oauth/{version}/token")
    assert (request.method, request.reads) == ("POST", call is introspect)


# ---- refusals


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"status": 400, "json": {"status": "BAD_REFRESH_TOKEN", "error": "invalid_grant"}}, errors.BadGrant),
        ({"status": 429, "json": {"policyName": "TEN_SECONDLY_ROLLING"}}, errors.RateLimited),
        ({"status": 477, "headers": {"Retry-After": "60"}}, errors.Moving),
        ({"status": 503, "body": "<html>"}, errors.ServerError),
        ({"body": requests.ReadTimeout("x")}, errors.UnknownOutcome),
        ({"body": requests.ConnectTimeout("x")}, errors.Unreachable),
        ({"status": 302, "headers": {"Location": "https://evil.test"}}, errors.Redirected),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_trouble_of_the_moment_is_no_revocation(mocked, http, records, answer, kind):
    """Fault 9, 12, 26: only a word of HubSpot's own ends a connection."""
    mocked.post(TOKEN_URL, **answer)
    with pytest.raises(kind) as caught:
        refresh(http)
    assert type(caught.value) is kind
    assert [(record.family, record.version, record.error) for record in records] == [
        ("oauth", "2026-09", kind.__name__)
    ]
    assert len(mocked.calls) == 1


def test_the_limit_of_the_token_endpoint_says_when(mocked, http):
    """Fault 9: the token endpoint has a limit of its own and names the wait."""
    mocked.post(TOKEN_URL, status=429, json={}, headers={"Retry-After": "7"})
    with pytest.raises(errors.RateLimited) as caught:
        refresh(http)
    assert caught.value.retry_after == 7.0


# ---- secrets


def shown(caught, records, caplog):
    """All that a log, an error report or the book of calls could hold of an error."""
    error = caught.value
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__) if "crmsync" in frame.f_code.co_filename]
    frames = [frame for frame in frames if "/tests/" not in frame.f_code.co_filename]
    assert frames
    assert error.__cause__ is None
    texts = [str(error), repr(error), repr(error.args), repr(error.__context__), repr(records), caplog.text]
    return [*texts, *(repr(frame.f_locals) for frame in frames)]


ECHO = " ".join(SECRETS)


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 400, "json": {"status": "BAD_REFRESH_TOKEN", "error": "invalid_grant", "message": ECHO}},
        {"status": 400, "json": {"status": "error", "category": "VALIDATION_ERROR", "message": ECHO}},
        {"status": 401, "json": {"category": "INVALID_AUTHENTICATION", "message": ECHO}},
        {"status": 500, "body": f"<html>{ECHO}</html>"},
        {"status": 302, "headers": {"Location": f"/{ACCESS}"}},
        {"body": requests.ConnectionError(f"failed with {ECHO}")},
    ],
    ids=["grant", "validation", "401", "html", "redirect", "connection"],
)
@each_call
def test_no_secret_is_in_an_error_a_frame_a_record_or_a_log(mocked, http, records, caplog, call, answer):
    """C8, C18, I19: also where HubSpot repeats them to us."""
    for path in ("", "/introspect", "/revoke"):
        mocked.post(f"{TOKEN_URL}{path}", **answer)
    mocked.assert_all_requests_are_fired = False
    with caplog.at_level(logging.DEBUG), pytest.raises(errors.HubSpotError) as caught:
        call(http)
    assert not [secret for text in shown(caught, records, caplog) for secret in SECRETS if secret in text]


@pytest.mark.parametrize("call", [exchange, refresh, app_token, introspect])
def test_no_secret_of_a_good_answer_is_in_the_error_about_its_shape(mocked, http, records, caplog, call):
    """Fault 14, I19: half an answer holds tokens too."""
    body = {"access_token": ACCESS, "refresh_token": NEW, "token": ACCESS, "expires_in": None}
    mocked.post(TOKEN_URL, json=body)
    mocked.post(f"{TOKEN_URL}/introspect", json=body)
    mocked.assert_all_requests_are_fired = False
    with pytest.raises(errors.UnknownOutcome) as caught:
        call(http)
    assert not [secret for text in shown(caught, records, caplog) for secret in SECRETS if secret in text]


@pytest.mark.parametrize("slip", ["", " ", "secret-secret-secret\n", " secret-secret-secret", "sécret", "a\0b", None])
@each_call
def test_a_value_that_cannot_be_right_is_never_sent(http, records, caplog, monkeypatch, call, slip):
    """C8, C24: the field is named, its value is not."""
    monkeypatch.setitem(APP, "client_secret", slip)
    with pytest.raises(errors.ConfigError, match="client_secret: empty, or") as caught:
        call(http)
    assert records == []
    texts = shown(caught, records, caplog)
    assert not [
        secret for text in texts for secret in (*SECRETS[1:], slip) if secret and secret.strip() and secret in text
    ]


@pytest.mark.parametrize("call", [exchange, refresh, introspect, revoke])
def test_calls_work_once_more_after_an_error(mocked, http, call):
    """Fault 26: an error leaves nothing behind in the client."""
    for path in ("", "/introspect", "/revoke"):
        mocked.post(f"{TOKEN_URL}{path}", status=503)
        mocked.post(f"{TOKEN_URL}{path}", json=GRANTED | {"active": True})
    mocked.assert_all_requests_are_fired = False
    with pytest.raises(errors.ServerError):
        call(http)
    call(http)
