"""What tokens say of themselves when asked: introspection of both kinds, and the first version's two addresses."""

from typing import Any

from crmsync.fakehub import apps, auth, errors, exchange, forms, oauth

HUBLET = "na1"


def introspect(call: exchange.Call) -> exchange.Response:
    """``POST /oauth/V/token/introspect``; what is not a live token of this app is only said to be inactive."""
    given = forms.read(call)
    app = oauth.client_of(call, given)
    value = given.get("token")
    if value is None:
        raise errors.bad_grant("BAD_REQUEST", "token is missing", "invalid_request")
    access, refresh = find_access(call, value), find_refresh(call, value)
    if access is not None and access.client_id == app.client_id and access.kind == "oauth":
        return exchange.answer(_access_facts(call, access, app))
    if refresh is not None and refresh.client_id == app.client_id:
        return exchange.answer(_refresh_facts(call, refresh))
    return exchange.answer({"active": False})


def find_access(call: exchange.Call, value: str) -> auth.Token | None:
    """A live access token."""
    found = oauth.grants_of(call).tokens.get(value)
    if found is None or found.revoked or (found.expires_ms is not None and oauth.seconds_left(found, call) == 0):
        return None
    return found


def find_refresh(call: exchange.Call, value: str) -> apps.Refresh | None:
    """A live refresh token."""
    found = oauth.grants_of(call).refreshes.get(value)
    return found if found is not None and found.is_live(call.hub.clock.now_ms()) else None


def _access_facts(call: exchange.Call, one: auth.Token, app: apps.App) -> dict[str, Any]:
    return {
        **_who(call, one),
        "active": True,
        "app_id": one.app_id,
        "client_id": one.client_id,
        "expires_in": oauth.seconds_left(one, call),
        "is_private_distribution": not app.is_marketplace,
        "signed_access_token": _signed(one, app),
        "token_type": "bearer",
        "token_use": "access_token",
    }


def _refresh_facts(call: exchange.Call, one: apps.Refresh) -> dict[str, Any]:
    facts = {"app_id": one.app_id, "client_id": one.client_id, "token_type": "refresh", "token_use": "refresh_token"}
    return {**_who(call, one), "active": True, **facts}


def _who(call: exchange.Call, one: auth.Token | apps.Refresh) -> dict[str, Any]:
    owners = call.hub.portal.owners.values()
    mail = next((owner["email"] for owner in owners if owner["userId"] == one.user_id), None)
    return {
        "token": one.value,
        "hub_id": one.hub_id,
        "user_id": one.user_id,
        "user": mail,
        "hub_domain": f"fakehub-{one.hub_id}.dev",
        "scopes": sorted(one.scopes),
    }


def _signed(one: auth.Token, app: apps.App) -> dict[str, Any]:
    """The published fields; nobody can check these signatures."""
    texts = (
        "newSignature",
        "scopes",
        "scopeToScopeGroupPks",
        "signature",
        "trialScopes",
        "trialScopeToScopeGroupPks",
    )
    return {
        **dict.fromkeys(texts, ""),
        "appId": one.app_id,
        "expiresAt": one.expires_ms,
        "hubId": one.hub_id,
        "hublet": HUBLET,
        "installingUserId": one.user_id,
        "isPrivateDistribution": not app.is_marketplace,
        "isServiceAccount": False,
        "isUserLevel": False,
        "userId": one.user_id,
    }


def legacy_access(call: exchange.Call) -> exchange.Response:
    """``GET /oauth/v1/access-tokens/{token}``; needs no secret. The shape is the official client's."""
    found = find_access(call, call.params["token"])
    if found is None or found.kind != "oauth":
        raise errors.resource_not_found()
    more = {"app_id": found.app_id, "expires_in": oauth.seconds_left(found, call), "token_type": "access"}
    return exchange.answer({**_who(call, found), **more})


def legacy_refresh(call: exchange.Call) -> exchange.Response:
    """``GET /oauth/v1/refresh-tokens/{token}``, likewise."""
    found = find_refresh(call, call.params["token"])
    if found is None:
        raise errors.resource_not_found()
    return exchange.answer({**_who(call, found), "client_id": found.client_id, "token_type": "refresh"})
