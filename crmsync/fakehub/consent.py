"""The page where a user lets an app into an account: who asks, for which scopes, which account, connect or cancel.

It works without scripts and styles. What is wrong with the request is told on a page of its own: nobody is sent to
an address that was not registered, or back with less than was asked for.
"""

import html
import urllib.parse
from collections.abc import Iterable
from dataclasses import dataclass

from crmsync.fakehub import apps, errors, exchange, forms

FIELDS = ("client_id", "redirect_uri", "scope", "optional_scope", "state")
USER_ID = 9586504  # who is logged in; an owner of a fresh portal
DENIED = "The user did not connect the app"
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
</head>
<body><main><h1>{title}</h1>
{body}
</main></body>
</html>
"""
FORM = """<p><strong>{app}</strong> asks for access to an account of this fake HubSpot.</p>
<form method="post" action="/oauth/authorize">
{hidden}
<fieldset><legend>Account</legend>
{accounts}
</fieldset>
<h2>Scopes</h2>
<ul>
{scopes}
</ul>
<p><button type="submit" name="decision" value="connect">Connect app</button>
<button type="submit" name="decision" value="cancel">Cancel</button></p>
</form>"""
ACCOUNT = """<p><label><input type="radio" name="hub_id" value="{id}"{checked}> {name}
<small>{id}, {type}</small></label></p>"""


@dataclass(frozen=True, slots=True)
class Asked:
    """An authorize request that may be shown to a user; ``sent`` are its fields as they came."""

    app: apps.App
    redirect_uri: str
    scopes: tuple[str, ...]
    optional: tuple[str, ...]
    state: str
    sent: dict[str, str]


def show(call: exchange.Call) -> exchange.Response:
    """``GET /oauth/authorize?client_id=&redirect_uri=&scope=&optional_scope=&state=``"""
    asked = _read(call, [(name, value) for name, values in call.query.items() for value in values])
    hidden = "\n".join(
        f'<input type="hidden" name="{name}" value="{html.escape(value)}">' for name, value in asked.sent.items()
    )
    accounts = call.hub.portal.all_accounts(call.hub.limits.tier)
    listed = [_scope(one) for one in asked.scopes] + [_scope(one, "optional") for one in asked.optional]
    body = FORM.format(
        app=html.escape(asked.app.name),
        hidden=hidden,
        accounts="\n".join(_account(one, place == 0) for place, one in enumerate(accounts)),
        scopes="\n".join(listed),
    )
    return exchange.page(PAGE.format(title="Connect app", body=body))


def _account(one: apps.Account, is_first: bool) -> str:
    checked = " checked" if is_first else ""
    name = html.escape(one.name or "Account")
    return ACCOUNT.format(id=one.hub_id, name=name, type=one.account_type, checked=checked)


def _scope(name: str, note: str = "") -> str:
    return f"<li><code>{html.escape(name)}</code>{f' ({note})' if note else ''}</li>"


def decide(call: exchange.Call) -> exchange.Response:
    """``POST /oauth/authorize``: the form of ``show``; back to the app with a code, or with access_denied."""
    try:
        given = forms.read(call)
    except errors.RefusalError as refusal:
        raise _wrong(refusal.message) from refusal
    decision, hub_id = given.pop("decision", ""), given.pop("hub_id", "")
    asked = _read(call, list(given.items()))
    if decision == "cancel":
        return _back(asked, {"error": "access_denied", "error_description": DENIED})
    if decision != "connect":
        raise _wrong("Choose to connect or to cancel.")
    account = call.hub.portal.account(int(hub_id), call.hub.limits.tier) if hub_id.isdecimal() else None
    if account is None:
        raise _wrong("Choose an account.")
    scopes = _granted(asked, account)
    code = call.hub.portal.grants.give_code(asked.app, asked.redirect_uri, account.hub_id, USER_ID, scopes)
    return _back(asked, {"code": code})


def _granted(asked: Asked, account: apps.Account) -> list[str]:
    """What the account can give: optional scopes it lacks are dropped silently, required ones refuse all."""
    lacking = account.lacking(asked.scopes)
    if lacking:
        raise _wrong(f"This account cannot grant what the app requires: {', '.join(lacking)}")
    return [*asked.scopes, *(one for one in asked.optional if not account.lacking([one]))]


def _back(asked: Asked, answer: dict[str, str]) -> exchange.Response:
    state = {"state": asked.state} if asked.state else {}
    joint = "&" if urllib.parse.urlsplit(asked.redirect_uri).query else "?"
    return exchange.redirect(f"{asked.redirect_uri}{joint}{urllib.parse.urlencode({**answer, **state})}")


def _read(call: exchange.Call, pairs: list[tuple[str, str]]) -> Asked:
    """The request, if the app may make it."""
    try:
        sent = forms.single([(name, value) for name, value in pairs if name in FIELDS])
    except errors.RefusalError as refusal:
        raise _wrong(refusal.message) from refusal
    app: apps.App | None = call.hub.portal.grants.apps.get(sent.get("client_id", ""))
    if app is None:
        raise _wrong("No app has this client id.")
    if sent.get("redirect_uri", "") not in app.redirect_uris:
        raise _wrong("The redirect URI is not one of those registered for this app.")
    scopes, optional = _words(sent.get("scope", "")), _words(sent.get("optional_scope", ""))
    beyond = [one for one in (*scopes, *optional) if one not in {*app.scopes, *app.optional_scopes}]
    if not scopes or beyond:
        raise _wrong(f"The app may not ask for these scopes: {', '.join(beyond) or 'none at all'}")
    return Asked(app, sent["redirect_uri"], scopes, _without(optional, scopes), sent.get("state", ""), sent)


def _words(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text.split()))


def _without(names: Iterable[str], taken: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in taken)


def _wrong(reason: str) -> errors.RefusalError:
    """The error page; it leads nowhere."""
    refusal = errors.RefusalError(400, reason)
    refusal.page = PAGE.format(title="The app cannot be connected", body=f"<p>{html.escape(reason)}</p>")
    return refusal
