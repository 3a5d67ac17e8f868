"""What tests and demos do to the grants of a portal from outside: apps, accounts, consent, revocation, expiry."""

import dataclasses
import html.parser
import urllib.parse
from collections.abc import Iterable, Mapping
from typing import Any

from crmsync.fakehub import apps, auth, exchange, forms, planting

CONSENT = "/oauth/authorize"


class Granting(planting.Planting):
    """More hands of ``hub.FakeHub``. Counts say how many tokens were touched; ValueError if nothing is meant."""

    def handle(self, method: str, target: str, headers: Mapping[str, str], body: bytes | None) -> exchange.Response:
        raise NotImplementedError

    def add_app(self, client_id: str, **facts: Any) -> apps.App:
        """A new app, or changes of one that is there; facts are the fields of ``apps.App``."""
        with self._step():
            held = self.portal.grants.apps.get(client_id)
            for uri in facts.get("redirect_uris", ()):
                _check_redirect(uri)
            if held is None:
                facts.setdefault("app_id", 20_000_001 + len(self.portal.grants.apps))
            app = dataclasses.replace(held, **facts) if held else apps.App(client_id, **facts)
            self.portal.grants.keep(app)
            return app

    def add_account(self, hub_id: int, **facts: Any) -> apps.Account:
        """Another account a user may choose, or changes of one; facts are the fields of ``apps.Account``."""
        with self._step():
            if hub_id == self.portal.id:
                raise ValueError("that is this portal; its facts are flags")
            held = self.portal.grants.accounts.get(hub_id)
            account = dataclasses.replace(held, **facts) if held else apps.Account(hub_id, **facts)
            self.portal.grants.keep(account)
            return account

    def set_oauth(self, *, kill_after_issue: int = 0, **facts: Any) -> None:
        """Fields of ``apps.Settings``; of the next ``kill_after_issue`` token requests the answer is lost."""
        with self._step():
            self.portal.grants.keep(dataclasses.replace(self.portal.grants.settings, **facts))
            if kill_after_issue:
                self.faults.plant("reset", operation="oauth.token", after=True, times=int(kill_after_issue))

    def expire_tokens(self, app_id: int = 0) -> int:
        """Let the access tokens of one or (0) all OAuth apps run out now."""
        with self._step():
            ended: int = self.portal.grants.expire(app_id)
            return ended

    def revoke(self, token: str = "", client_id: str = "", app_id: int = 0, hub_id: int = 0) -> int:
        """End one access, static or refresh token, or all of an app, in one account or (0) in all."""
        with self._step():
            if not token:
                dead: int = self.portal.grants.kill(self._app_id(client_id, app_id), hub_id)
                return dead
            for one in self._tokens(token, 0):
                if isinstance(one, auth.Token):
                    self.portal.grants.keep(dataclasses.replace(one, revoked=True))
                else:
                    self.portal.grants.kill_refresh(one)
            return 1

    def uninstall(self, client_id: str = "", app_id: int = 0, hub_id: int = 0) -> int:
        """Take an app out of an account (0: this one), as a user does in its settings."""
        with self._step():
            dead: int = self.portal.grants.uninstall(self._app_id(client_id, app_id), hub_id or self.portal.id)
            return dead

    def change_scopes(
        self,
        remove: Iterable[str] = (),
        add: Iterable[str] = (),
        token: str = "",
        client_id: str = "",
        app_id: int = 0,
    ) -> int:
        """Take scopes from, or give them to, one token or all tokens of an app. Refreshes keep to it."""
        with self._step():
            found = self._tokens(token, 0 if token else self._app_id(client_id, app_id))
            for one in found:
                scopes = (one.scopes - frozenset(remove)) | frozenset(add)
                self.portal.grants.keep(dataclasses.replace(one, scopes=scopes))
            return len(found)

    def skew_clock(self, seconds: float) -> None:
        """Let Date headers and the times of webhook signatures be wrong by ``seconds``."""
        with self._step():
            self.clock.skew = float(seconds)

    def consent(self, url: str, *, hub_id: int = 0, accept: bool = True) -> str:
        """What a user does on the consent page ``url`` leads to; gives the address the browser is sent to.
        ``hub_id`` 0 takes the account chosen beforehand. ValueError with the reason on an error page."""
        parts = urllib.parse.urlsplit(url)
        page = self.handle("GET", f"{CONSENT}?{parts.query}", {}, b"")
        form = _Form(page.body.decode())
        if page.status != 200:
            raise ValueError(form.text)
        fields = {**form.fields, "decision": "connect" if accept else "cancel"}
        if hub_id:
            fields["hub_id"] = str(hub_id)
        body = urllib.parse.urlencode(fields).encode()
        answer = self.handle("POST", CONSENT, {"Content-Type": forms.FORM}, body)
        if answer.status != 302:
            raise ValueError(_Form(answer.body.decode()).text)
        return str(answer.headers["Location"])

    def _app_id(self, client_id: str, app_id: int) -> int:
        app = self.portal.grants.apps.get(client_id)
        if app is None and not app_id:
            raise ValueError("no such app")
        return app.app_id if app else app_id

    def _tokens(self, value: str, app_id: int) -> list[Any]:
        """Access and refresh tokens, by value or by app."""
        held = (*self.portal.grants.tokens.values(), *self.portal.grants.refreshes.values())
        found = [one for one in held if (one.value == value if value else one.app_id == app_id)]
        if not found:
            raise ValueError("no such token")
        return found


def _check_redirect(uri: str) -> None:
    """Whole addresses only; they are compared letter by letter."""
    parts = urllib.parse.urlsplit(uri)
    plain = uri.isascii() and uri.isprintable() and " " not in uri
    if not plain or parts.scheme not in {"http", "https"} or not parts.netloc or parts.fragment:
        raise ValueError(f"no redirect URI: {uri}")


class _Form(html.parser.HTMLParser):
    """The inputs of a page as a browser would send them, and what the page says."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "input" and (given.get("type") == "hidden" or "checked" in given):
            self.fields[given["name"] or ""] = given["value"] or ""

    def handle_data(self, data: str) -> None:
        if self.get_starttag_text() == "<p>" and data.strip():
            self.text += data
