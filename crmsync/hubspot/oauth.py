"""OAuth: where to send the browser, and tokens: get, refresh, look into, revoke; and leaving an account.

HubSpot: OAuth tokens; app uninstalls. All calls but ``uninstall`` carry the app's own secret in a form and no
bearer: their sender is a client without a token. Secrets leave a function's variables before anything is
sent, because error reporters print the variables of every frame. An answer of the token endpoint that
refuses for good is errors.BadGrant; 429, 5xx and lost answers are the ones of every other call.
"""

import re
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from crmsync.hubspot import errors, shapes, trust, wire

# What ids, secrets, codes, URIs and lists of scopes are made of: a blank or line end around one is a pasting slip.
_PLAIN = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the token endpoint gives. ``expires_in`` is in seconds from the answer: never assume a number.

    ``refresh_token`` is "" for an app token. Store the one that came last, whether it changed or not.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int
    hub_id: int | None = None
    user_id: int | None = None
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TokenState:
    """What HubSpot knows of a token; of one that is not ``active`` it tells nothing else.

    ``expires_in`` is in seconds, None for refresh tokens.
    """

    active: bool
    hub_id: int | None = None
    user_id: int | None = None
    app_id: int | None = None
    scopes: tuple[str, ...] = ()
    expires_in: int | None = None
    hub_domain: str = ""


def authorize_url(
    base: str,
    *,
    client_id: str,
    redirect_uri: str,
    scopes: Sequence[str],
    optional_scopes: Sequence[str] = (),
    state: str,
) -> str:
    """Where the browser goes to grant access; HubSpot sends it back to ``redirect_uri`` with code and state.

    ``base`` is https://app.hubspot.com/oauth/authorize. ConfigError where it is neither https nor loopback, or
    where the client id, the redirect URI or the state is missing. A scope that is required is not optional too.
    """
    for what, value in (("client id", client_id), ("redirect URI", redirect_uri), ("state", state)):
        if not value:
            raise errors.ConfigError(f"connecting needs a {what}")
    optional = [scope for scope in dict.fromkeys(optional_scopes) if scope not in scopes]
    query = [
        ("client_id", client_id),
        ("redirect_uri", redirect_uri),
        ("scope", " ".join(dict.fromkeys(scopes))),
        *([("optional_scope", " ".join(optional))] if optional else []),
        ("state", state),
    ]
    return f"{trust.checked_base_url(base)}?{urllib.parse.urlencode(query, quote_via=urllib.parse.quote)}"


def exchange(client: wire.Sender, *, client_id: str, client_secret: str, redirect_uri: str, code: str) -> Tokens:
    """Tokens for the code of a redirect. A code works once and for a short time; BadGrant afterwards.

    After UnknownOutcome the code may be used up: send the person through HubSpot again.
    """
    form = {"client_id": client_id, "client_secret": client_secret, "redirect_uri": redirect_uri, "code": code}
    request = wire.post_form(client.paths.oauth_token(), {"grant_type": "authorization_code", **form})
    del form, client_secret, code
    return shapes.read_as(_to_granted, _send(client, request))


def refresh(client: wire.Sender, *, client_id: str, client_secret: str, refresh_token: str) -> Tokens:
    """New tokens for a refresh token; where the answer holds no refresh token, the one that was sent stays.

    BadGrant with ``is_revoked`` is final. After UnknownOutcome the token sent may be dead, if HubSpot rotates.
    """
    form = {"client_id": client_id, "client_secret": client_secret, "refresh_token": refresh_token}
    request = wire.post_form(client.paths.oauth_token(), {"grant_type": "refresh_token", **form})
    del form, client_secret, refresh_token
    tokens = shapes.read_as(_to_tokens, _send(client, request))
    return tokens if tokens.refresh_token else replace(tokens, refresh_token=(request.form or {})["refresh_token"])


def app_token(client: wire.Sender, *, client_id: str, client_secret: str, scopes: Sequence[str]) -> Tokens:
    """A token of the app itself (client credentials), good for the webhooks journal only."""
    form = {"client_id": client_id, "client_secret": client_secret, "scope": " ".join(scopes)}
    request = wire.post_form(client.paths.oauth_token(), {"grant_type": "client_credentials", **form})
    del form, client_secret
    return shapes.read_as(_to_tokens, _send(client, request))


def introspect(
    client: wire.Sender,
    *,
    client_id: str,
    client_secret: str,
    token: str,
    hint: Literal["access_token", "refresh_token"] = "access_token",
) -> TokenState:
    """Is this token good, for which account and what scopes? A dead one is no error but not ``active``.

    The token goes into ``token``, as the dated paths publish it; a guide for v3 names other fields.
    """
    form = {"client_id": client_id, "client_secret": client_secret, "token": token, "token_type_hint": hint}
    request = wire.post_form(client.paths.oauth_token("introspect"), form, reads=True)
    del form, client_secret, token
    return shapes.read_as(_to_state, _send(client, request))


def revoke(client: wire.Sender, *, client_id: str, client_secret: str, refresh_token: str) -> None:
    """Make a refresh token worthless. Access tokens made from it live on until they expire."""
    form = {"client_id": client_id, "client_secret": client_secret, "token": refresh_token}
    form["token_type_hint"] = "refresh_token"
    request = wire.post_form(client.paths.oauth_token("revoke"), form, bodyless=True)
    del form, client_secret, refresh_token
    _send(client, request)


def uninstall(client: wire.Sender) -> None:
    """Take the app out of the account whose OAuth token the client sends; HubSpot mails the account's admins."""
    client.send(wire.Request("DELETE", client.paths.app_installs("external-install"), bodyless=True))


def _send(client: wire.Sender, request: wire.Request) -> shapes.Json | None:
    """Send a form; ConfigError that names the fields, never their values, where one cannot be right."""
    if unusable := _unusable(request.form or {}):
        raise errors.ConfigError(f"{', '.join(unusable)}: empty, or with characters that cannot be part of it")
    return client.send(request)


def _unusable(form: Mapping[str, object]) -> list[str]:
    return [name for name, value in form.items() if not (isinstance(value, str) and _PLAIN.fullmatch(value))]


def _to_granted(raw: shapes.Json) -> Tokens:
    """As ``_to_tokens``; without a refresh token there is no connection, only half an hour."""
    tokens = _to_tokens(raw)
    if not tokens.refresh_token:
        raise ValueError("no refresh token")
    return tokens


def _to_tokens(raw: shapes.Json) -> Tokens:
    access_token, expires_in = raw["access_token"], shapes.number(raw, "expires_in") or 0
    if not isinstance(access_token, str) or not access_token or expires_in <= 0:
        raise ValueError("no token, or no life time")
    return Tokens(
        access_token=access_token,
        refresh_token=shapes.word(raw, "refresh_token"),
        expires_in=expires_in,
        hub_id=shapes.number(raw, "hub_id"),
        user_id=shapes.number(raw, "user_id"),
        scopes=shapes.words(raw, "scopes"),
    )


def _to_state(raw: shapes.Json) -> TokenState:
    if not isinstance(raw["active"], bool):  # "dead" is never concluded from an answer that does not say so
        raise ValueError("no state")
    return TokenState(
        active=raw["active"],
        hub_id=shapes.number(raw, "hub_id"),
        user_id=shapes.number(raw, "user_id"),
        app_id=shapes.number(raw, "app_id"),
        scopes=shapes.words(raw, "scopes"),
        expires_in=shapes.number(raw, "expires_in"),
        hub_domain=shapes.word(raw, "hub_domain"),
    )
