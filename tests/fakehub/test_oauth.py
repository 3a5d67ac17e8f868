"""The token endpoint: exchange, refresh, rotation, app tokens and expiry, in both versions."""

import json

import pytest

from crmsync.fakehub import clock, hub

DEMO = "fakehub-client-id-0000-0000-0001"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
DEAD = {
    "error": "invalid_grant",
    "error_description": "refresh token is invalid, expired or revoked",
    "status": "BAD_REFRESH_TOKEN",
    "message": "refresh token is invalid, expired or revoked",
}


def refusal(answer):
    status, body = answer
    return status, body["error"], body["status"]


@pytest.mark.parametrize(
    "path", ["/oauth/2026-09/token", "/oauth/2026-03/token", "/oauth/v3/token", "/oauth/v1/token"]
)
def test_a_code_becomes_tokens_and_a_refresh_new_ones(app, path):
    """X4, U17: the published answer, under every version and the legacy paths."""
    app.path = path
    status, first = app.exchange(app.code())
    assert (status, first["token_type"], first["token_use"]) == (200, "bearer", "access_token")
    assert (first["expires_in"], first["hub_id"], first["user_id"]) == (1800, 4242, 9586504)
    assert first["scopes"] == ["crm.objects.contacts.read", "crm.objects.contacts.write", "oauth"]
    assert len(first["access_token"]) >= 300
    status, second = app.refresh()
    assert status == 200
    assert second.keys() == first.keys()
    assert len({first["access_token"], second["access_token"], first["refresh_token"], second["refresh_token"]}) == 4
    assert app.caller()("GET", "contacts")[0] == 200


def test_lengths_of_access_tokens_differ(app):
    """Nobody may keep them in a field of one size."""
    app.connect()
    lengths = set()
    for _ in range(20):
        app.refresh()
        lengths.add(len(app.tokens["access_token"]))
    assert len(lengths) > 3
    assert min(lengths) >= 300


def test_a_code_is_for_one_use(app):
    code = app.code()
    assert app.exchange(code)[0] == 200
    assert refusal(app.exchange(code)) == (400, "invalid_grant", "BAD_AUTH_CODE")


@pytest.mark.parametrize(("seconds", "status"), [(59, 200), (60, 400)])
def test_a_code_lives_a_minute(app, portal, seconds, status):
    code = app.code()
    portal.advance(seconds)
    assert app.exchange(code)[0] == status


@pytest.mark.parametrize(
    ("change", "error", "word"),
    [
        ({"code": "nope"}, "invalid_grant", "BAD_AUTH_CODE"),
        ({"code": ""}, "invalid_grant", "BAD_AUTH_CODE"),
        ({"redirect_uri": "https://app.lovelace.dev/crmsync/oauth/callback"}, "invalid_grant", "BAD_REDIRECT_URI"),
        ({"redirect_uri": ""}, "invalid_grant", "BAD_REDIRECT_URI"),
        ({"client_id": "nobody"}, "invalid_client", "BAD_CLIENT_ID"),
        ({"client_secret": "wrong"}, "invalid_client", "BAD_CLIENT_SECRET"),
        ({"client_secret": ""}, "invalid_client", "BAD_CLIENT_SECRET"),
        ({"grant_type": "password"}, "unsupported_grant_type", "BAD_GRANT_TYPE"),
        ({"grant_type": ""}, "unsupported_grant_type", "BAD_GRANT_TYPE"),
    ],
)
def test_what_is_wrong_with_an_exchange_is_named(app, change, error, word):
    """C24: and a refused exchange leaves the code as it was."""
    code = app.code()
    assert refusal(app.exchange(code, **change)) == (400, error, word)
    assert app.exchange(code)[0] == 200


def test_another_apps_code_and_refresh_token_are_worth_nothing(app, portal):
    portal.add_app("other", client_secret="s")
    other = {"client_id": "other", "client_secret": "s"}
    assert refusal(app.exchange(app.code(), **other))[2] == "BAD_AUTH_CODE"
    app.connect()
    assert refusal(app.refresh(**other))[2] == "BAD_REFRESH_TOKEN"


def test_a_dead_refresh_token_gets_the_documented_body(app):
    """C22: the definitive answer a connection ends with."""
    status, body = app.refresh("na1-nope")
    body.pop("correlationId")
    assert (status, body) == (400, DEAD)


def test_with_rotation_the_old_refresh_token_is_dead_at_once(app):
    """Fault 25: of two workers that refresh with one token the second one loses."""
    app.connect()
    old = app.tokens["refresh_token"]
    assert app.refresh()[0] == 200
    assert refusal(app.refresh(old))[2] == "BAD_REFRESH_TOKEN"
    assert app.refresh()[0] == 200


def test_without_rotation_both_refresh_tokens_work(app, portal):
    portal.set_oauth(rotate=False)
    app.connect()
    old = app.tokens["refresh_token"]
    new = app.refresh()[1]["refresh_token"]
    assert new != old
    assert [app.refresh(one)[0] for one in (old, new)] == [200, 200]


def test_a_grace_lets_the_old_refresh_token_live_a_minute_more(app, portal):
    """Fault 25: and using it does not give it another minute."""
    portal.set_oauth(refresh_grace=True)
    app.connect()
    old = app.tokens["refresh_token"]
    app.refresh()
    portal.advance(59)
    assert app.refresh(old)[0] == 200
    portal.advance(1)
    assert app.refresh(old)[0] == 400


def test_the_answer_to_a_refresh_can_be_lost_after_the_token_was_changed(app, portal):
    """Fault 25: whoever was to get it is dead, and the old refresh token with him."""
    app.connect()
    old = app.tokens["refresh_token"]
    portal.set_oauth(kill_after_issue=1)
    body = f"grant_type=refresh_token&refresh_token={old}&client_id={app.client['client_id']}"
    sent = f"{body}&client_secret={app.client['client_secret']}".encode()
    assert portal.handle("POST", app.path, FORM, sent).drop == "reset"
    row = portal.ledger.requests("oauth.token")[-1]
    assert (row.status, row.applied, row.fault) == (0, True, "reset after")
    assert refusal(app.refresh(old))[2] == "BAD_REFRESH_TOKEN"


def test_refreshing_leaves_earlier_access_tokens_alone(app):
    first = app.connect()
    app.refresh()
    assert first("GET", "contacts")[0] == 200


def test_access_tokens_end_when_they_were_told_to(app, portal):
    """Fault 24: 401 EXPIRED_AUTHENTICATION from that second on."""
    portal.set_oauth(expires_in=120)
    caller = app.connect()
    assert app.tokens["expires_in"] == 120
    portal.advance(119)
    assert caller("GET", "contacts")[0] == 200
    portal.advance(1)
    status, body = caller("GET", "contacts")
    assert (status, body["category"]) == (401, "EXPIRED_AUTHENTICATION")
    app.refresh()
    assert app.caller()("GET", "contacts")[0] == 200


def test_lifetimes_can_differ_and_are_told_truly(app, portal):
    """Fault 24: nobody may count on 1800 seconds."""
    portal.set_oauth(lifetime_jitter=600)
    app.connect()
    told = []
    for _ in range(10):
        told.append(app.refresh()[1]["expires_in"])
        assert portal.portal.tokens[app.tokens["access_token"]].expires_ms == portal.clock.now_ms() + told[-1] * 1000
    assert len(set(told)) > 3
    assert 1200 <= min(told) <= max(told) <= 1800


def test_tokens_expire_early_in_a_seeded_order(api):
    """Fault 24: with the same seed the same calls are hit, and a token once hit stays expired."""

    def play(seed):
        portal = hub.FakeHub(seed=seed, clock=clock.ManualClock(), limits_on=False)
        portal.add_token("oauth", kind="oauth")
        portal.add_token("static")
        portal.set_oauth(expiry_probability=0.1)
        seen = []
        for _ in range(60):
            seen.append(type(api)(portal, token="oauth")("GET", "contacts")[0])
            portal.add_token("oauth", kind="oauth")
            assert type(api)(portal, token="static")("GET", "contacts")[0] == 200
        return seen

    assert play(1) == play(1) != play(2)
    assert 0 < play(1).count(401) < 30
    portal = hub.FakeHub(clock=clock.ManualClock(), limits_on=False)
    portal.add_token("oauth", kind="oauth")
    portal.set_oauth(expiry_probability=1)
    caller = type(api)(portal, token="oauth")
    assert caller("GET", "contacts")[1]["category"] == "EXPIRED_AUTHENTICATION"
    portal.set_oauth(expiry_probability=0)
    assert caller("GET", "contacts")[1]["category"] == "EXPIRED_AUTHENTICATION"


def test_all_access_tokens_can_be_expired_now(app, portal, api):
    """Fault 24: static ones are spared."""
    caller = app.connect()
    assert portal.expire_tokens() == 1
    assert caller("GET", "contacts")[1]["category"] == "EXPIRED_AUTHENTICATION"
    assert api("GET", "contacts")[0] == 200
    assert portal.expire_tokens() == 0


def test_a_closed_account_gets_no_tokens(app, portal):
    code = app.code()
    portal.set_flags(closed=True)
    assert refusal(app.exchange(code))[2] == "BAD_HUB"
    portal.set_flags(closed=False)
    assert app.exchange(code)[0] == 200
    portal.set_flags(closed=True)
    assert refusal(app.refresh())[2] == "BAD_HUB"


def test_an_app_token_is_for_the_journal_only_and_of_no_account(app, api):
    fields = {"grant_type": "client_credentials", **app.client}
    status, body = api.form(app.path, scope="developer.webhooks_journal.read", **fields)
    assert (status, body["token_use"], body["expires_in"]) == (200, "client_credentials", 1800)
    assert "refresh_token" not in body
    caller = type(api)(api.portal, token=body["access_token"])
    assert caller("GET", "/account-info/2026-09/details")[0] == 401
    for scope in ("", "crm.objects.contacts.read", "developer.webhooks_journal.read oauth"):
        assert refusal(api.form(app.path, scope=scope, **fields)) == (400, "invalid_scope", "BAD_SCOPE")


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", "text/plain", ""])
def test_the_body_must_be_a_form(app, portal, kind):
    sent = json.dumps({"grant_type": "refresh_token", "refresh_token": "x", **app.client}).encode()
    for path in (app.path, f"{app.path}/introspect", f"{app.path}/revoke"):
        assert portal.handle("POST", path, {"content-type": kind}, sent).status == 415
    assert portal.handle("POST", app.path, {}, sent).status == 415


@pytest.mark.parametrize("sent", [b"grant_type=refresh_token&grant_type=x", b"client_id=%ff", b"a=1&" * 100, b"\xff"])
def test_unclear_forms_are_refused(app, portal, sent):
    response = portal.handle("POST", app.path, FORM, sent)
    assert (response.status, json.loads(response.body)["error"]) == (400, "invalid_request")


def test_the_query_is_not_read(app, portal):
    """Everything has to be in the body."""
    query = f"client_id={app.client['client_id']}&client_secret={app.client['client_secret']}"
    response = portal.handle("POST", f"{app.path}?{query}", FORM, b"grant_type=refresh_token&refresh_token=x")
    assert json.loads(response.body)["status"] == "BAD_CLIENT_ID"


def test_values_are_given_once_even_after_a_restart(tmp_path, api):
    """The journal holds codes and tokens; the seed alone would give the same ones again."""
    path, seen = str(tmp_path / "portal.jsonl"), []
    for _ in range(3):
        portal = hub.FakeHub(seed=1, clock=clock.ManualClock(), state=path)
        for _ in range(3):
            made = portal.portal.grants.give_code(
                portal.portal.grants.apps[DEMO], "https://x.dev/", 4242, 1, ["oauth"]
            )
            code = portal.portal.grants.codes[made]
            token = portal.portal.grants.spend(code, portal.portal.grants.apps[DEMO])
            seen += [made, token.value, token.refresh]
        portal.close()
    assert len(set(seen)) == len(seen) == 27
