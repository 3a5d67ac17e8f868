"""How an app's own calls end what it was granted: revoking a refresh token, and leaving an account."""

from crmsync.fakehub import errors, exchange, forms, introspection, oauth


def revoke(call: exchange.Call) -> exchange.Response:
    """``POST /oauth/V/token/revoke``: ends a refresh token. One that is not there is no mistake (RFC 7009)."""
    given = forms.read(call)
    app = oauth.client_of(call, given)
    value = given.get("token")
    if value is None:
        raise errors.bad_grant("BAD_REQUEST", "token is missing", "invalid_request")
    if value in oauth.grants_of(call).tokens:
        raise errors.bad_grant("BAD_TOKEN_TYPE", "only refresh tokens can be revoked", "unsupported_token_type")
    found = introspection.find_refresh(call, value)
    if found is not None and found.client_id == app.client_id:
        oauth.grants_of(call).kill_refresh(found)
    return exchange.Response(200)


def legacy_revoke(call: exchange.Call) -> exchange.Response:
    """``DELETE /oauth/v1/refresh-tokens/{token}``"""
    found = introspection.find_refresh(call, call.params["token"])
    if found is None:
        raise errors.resource_not_found()
    oauth.grants_of(call).kill_refresh(found)
    return exchange.nothing()


def uninstall(call: exchange.Call) -> exchange.Response:
    """``DELETE /appinstalls/V/external-install``: the app of an OAuth token leaves that token's account."""
    if call.token.kind != "oauth":
        raise errors.RefusalError(403, "This call needs the OAuth token of an installed app", "MISSING_SCOPES")
    oauth.grants_of(call).uninstall(call.token.app_id, call.token.hub_id)
    return exchange.nothing()
