"""The token endpoint: a code, a refresh token or the app itself becomes an access token.

Bodies are forms and hold everything, the client's secret too; no Authorization header is read here.
"""

from collections.abc import Callable
from typing import Any

from crmsync.fakehub import apps, auth, errors, exchange, forms, grants

APP_SCOPES = "developer.webhooks_journal."


def token(call: exchange.Call) -> exchange.Response:
    """``POST /oauth/V/token``: a code, a refresh token or (for the webhooks journal) the app itself."""
    given = forms.read(call)
    act = WAYS.get(given.get("grant_type", ""))
    if act is None:
        raise errors.bad_grant("BAD_GRANT_TYPE", "Unknown or missing grant_type", "unsupported_grant_type")
    return act(call, client_of(call, given), given)


def client_of(call: exchange.Call, given: dict[str, str]) -> apps.App:
    """The app of client_id and client_secret, or a 400; that both errors are told apart is a guess."""
    app: apps.App | None = grants_of(call).apps.get(given.get("client_id", ""))
    if app is None:
        raise errors.bad_grant("BAD_CLIENT_ID", "missing or unknown client id", "invalid_client")
    if not app.client_secret or given.get("client_secret", "") != app.client_secret:
        raise errors.bad_grant("BAD_CLIENT_SECRET", "missing or invalid client secret", "invalid_client")
    return app


def grants_of(call: exchange.Call) -> grants.Grants:
    """What the portal a call came to has granted."""
    found: grants.Grants = call.hub.portal.grants
    return found


def _exchange(call: exchange.Call, app: apps.App, given: dict[str, str]) -> exchange.Response:
    code = grants_of(call).codes.get(given.get("code", ""))
    good = code is not None and not code.spent and code.client_id == app.client_id
    if code is None or not good or code.expires_ms <= call.hub.clock.now_ms():
        raise errors.bad_grant("BAD_AUTH_CODE", "missing or unknown auth code")
    if given.get("redirect_uri", "") != code.redirect_uri:
        raise errors.bad_grant("BAD_REDIRECT_URI", "missing or mismatching redirect uri")
    _require_open(call, code.hub_id)
    return _issued(grants_of(call).spend(code, app), call)


def _refresh(call: exchange.Call, app: apps.App, given: dict[str, str]) -> exchange.Response:
    old = grants_of(call).refreshes.get(given.get("refresh_token", ""))
    if old is None or old.client_id != app.client_id or not old.is_live(call.hub.clock.now_ms()):
        raise errors.bad_grant("BAD_REFRESH_TOKEN", "refresh token is invalid, expired or revoked")
    _require_open(call, old.hub_id)
    return _issued(grants_of(call).renew(old, app), call)


def _require_open(call: exchange.Call, hub_id: int) -> None:
    account = call.hub.portal.account(hub_id)
    if account is None or account.closed:
        raise errors.bad_grant("BAD_HUB", "the account is not available")


def _app_token(call: exchange.Call, app: apps.App, given: dict[str, str]) -> exchange.Response:
    scopes = given.get("scope", "").split()
    if not scopes or not all(scope.startswith(APP_SCOPES) for scope in scopes):
        raise errors.bad_grant("BAD_SCOPE", f"scope must name scopes of {APP_SCOPES}*", "invalid_scope")
    made = grants_of(call).give_app_token(app, scopes)
    return exchange.answer({**_common(made, call), "token_use": "client_credentials"})


WAYS: dict[str, Callable[[exchange.Call, apps.App, dict[str, str]], exchange.Response]] = {
    "authorization_code": _exchange,
    "refresh_token": _refresh,
    "client_credentials": _app_token,
}


def _issued(made: auth.Token, call: exchange.Call) -> exchange.Response:
    more = {"refresh_token": made.refresh, "hub_id": made.hub_id, "user_id": made.user_id}
    return exchange.answer({**_common(made, call), **more, "token_use": "access_token"})


def _common(made: auth.Token, call: exchange.Call) -> dict[str, Any]:
    return {
        "token_type": "bearer",
        "access_token": made.value,
        "expires_in": seconds_left(made, call),
        "scopes": sorted(made.scopes),
    }


def seconds_left(one: auth.Token, call: exchange.Call) -> int:
    """Of an access token's life, on the portal's clock."""
    left: int = ((one.expires_ms or 0) - call.hub.clock.now_ms()) // 1000
    return max(left, 0)
