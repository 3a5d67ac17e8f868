"""Introspection and revocation, of the dated versions and of the first one."""


def refusal(answer):
    status, body = answer
    return status, body["error"], body["status"]


def test_introspection_of_both_tokens(app, portal, api):
    """C13, F23: what a connection may do is asked of HubSpot, not remembered."""
    app.connect()
    portal.advance(60)
    path = f"{app.path}/introspect"
    status, access = api.form(path, token=app.tokens["access_token"], token_type_hint="access_token", **app.client)
    assert (status, access["active"], access["expires_in"], access["token_use"]) == (200, True, 1740, "access_token")
    assert (access["hub_id"], access["user_id"], access["app_id"]) == (4242, 9586504, 19083858)
    assert (access["user"], access["is_private_distribution"]) == ("ada.lovelace@fakehub.dev", True)
    assert access["scopes"] == app.tokens["scopes"]
    assert access["signed_access_token"]["expiresAt"] == portal.clock.now_ms() + 1_740_000
    for hint in ({}, {"token_type_hint": "access_token"}, {"token_type_hint": "refresh_token"}):
        _, refresh = api.form(path, token=app.tokens["refresh_token"], **hint, **app.client)
        assert (refresh["token_use"], refresh["hub_id"]) == ("refresh_token", 4242)


def test_introspection_says_nothing_about_tokens_that_are_dead_or_anothers(app, portal, api):
    app.connect()
    portal.add_app("other", client_secret="s")
    path = f"{app.path}/introspect"

    def ask(token, client=app.client):
        return api.form(path, token=token, **client)

    dead = (200, {"active": False})
    assert ask("nope") == ask(portal.token) == dead
    assert ask(app.tokens["access_token"], {"client_id": "other", "client_secret": "s"}) == dead
    assert refusal(ask(app.tokens["access_token"], {**app.client, "client_secret": "x"}))[2] == "BAD_CLIENT_SECRET"
    assert refusal(api.form(path, **app.client)) == (400, "invalid_request", "BAD_REQUEST")
    old = app.tokens["refresh_token"]
    app.refresh()
    assert ask(old) == dead
    portal.advance(1800)
    assert ask(app.tokens["access_token"]) == dead


def test_a_revoked_refresh_token_leaves_access_tokens_to_their_expiry(app, portal, api):
    """C22, Fault 26: the end is seen at the next refresh."""
    caller = app.connect()
    assert api.form(f"{app.path}/revoke", token=app.tokens["refresh_token"], **app.client) == (200, None)
    assert caller("GET", "contacts")[0] == 200
    assert refusal(app.refresh())[2] == "BAD_REFRESH_TOKEN"
    portal.advance(1800)
    assert caller("GET", "contacts")[1]["category"] == "EXPIRED_AUTHENTICATION"


def test_revoking_what_is_not_there_is_no_mistake_but_another_kind_is(app, portal, api):
    app.connect()
    path = f"{app.path}/revoke"
    assert api.form(path, token="nope", **app.client)[0] == 200
    answer = api.form(path, token=app.tokens["access_token"], **app.client)
    assert refusal(answer) == (400, "unsupported_token_type", "BAD_TOKEN_TYPE")
    portal.add_app("other", client_secret="s")
    api.form(path, token=app.tokens["refresh_token"], client_id="other", client_secret="s")
    assert app.refresh()[0] == 200


def test_the_first_versions_introspection(app, api):
    app.connect()
    bare = type(api)(api.portal)
    bare.headers = {}
    access = bare.get(f"/oauth/v1/access-tokens/{app.tokens['access_token']}")
    assert (access["token_type"], access["hub_id"], access["app_id"]) == ("access", 4242, 19083858)
    refresh = bare.get(f"/oauth/v1/refresh-tokens/{app.tokens['refresh_token']}")
    assert (refresh["token_type"], refresh["client_id"]) == ("refresh", app.client["client_id"])
    assert bare("GET", "/oauth/v1/access-tokens/nope")[0] == 404
    assert bare("GET", f"/oauth/v1/access-tokens/{api.portal.token}")[0] == 404
    assert bare("GET", "/oauth/v1/refresh-tokens/nope")[0] == 404
    assert bare("GET", f"/oauth/2026-09/access-tokens/{app.tokens['access_token']}")[0] == 404
