"""A portal with a clock that stands still, and a caller that asks it without HTTP."""

import json
import urllib.parse
from typing import Any

import pytest

from crmsync.fakehub import clock, defaults, hub

VERSION = "2026-09"
CLIENT = {name: defaults.DEMO_APP[name] for name in ("client_id", "client_secret")}
REDIRECT = "https://app.lovelace.dev/crmsync/oauth/callback/"
SCOPES = "oauth crm.objects.contacts.read crm.objects.contacts.write"


class Api:
    """Calls ``portal`` and gives (status, decoded body); paths may start at ``contacts``."""

    def __init__(self, portal: hub.FakeHub, version: str = VERSION, token: str | None = None) -> None:
        self.portal = portal
        self.version = version
        self.headers = {"Authorization": f"Bearer {token or portal.token}"}

    def path(self, path: str) -> str:
        return path if path.startswith("/") else f"/crm/objects/{self.version}/{path}"

    def raw(self, method: str, path: str, body: Any = None) -> Any:
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return self.portal.handle(method, self.path(path), self.headers, data)

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        response = self.raw(method, path, body)
        return response.status, json.loads(response.body) if response.body else None

    def form(self, path: str, **fields: Any) -> tuple[int, Any]:
        """A form without a token, as the OAuth endpoints take it."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        response = self.portal.handle("POST", path, headers, urllib.parse.urlencode(fields).encode())
        return response.status, json.loads(response.body) if response.body else None

    def get(self, path: str) -> Any:
        status, body = self("GET", path)
        assert status == 200, body
        return body

    def post(self, path: str, body: Any, status: int = 200) -> Any:
        seen, found = self("POST", path, body)
        assert seen == status, found
        return found

    def create(self, kind: str, **props: str) -> str:
        return str(self.post(kind, {"properties": props}, 201)["id"])

    def update(self, kind: str, record_id: str, **props: str) -> Any:
        status, body = self("PATCH", f"{kind}/{record_id}", {"properties": props})
        assert status == 200, body
        return body

    def search(self, kind: str, *filters: dict[str, Any], **more: Any) -> Any:
        groups = [{"filters": list(filters)}] if filters else []
        return self.post(f"{kind}/search", {"filterGroups": groups, **more})

    def found(self, kind: str, *filters: dict[str, Any], **more: Any) -> list[str]:
        return [one["id"] for one in self.search(kind, *filters, **more)["results"]]


@pytest.fixture
def portal() -> hub.FakeHub:
    return hub.FakeHub(seed=1, clock=clock.ManualClock(), limits_on=False)


@pytest.fixture
def api(portal: hub.FakeHub) -> Api:
    return Api(portal)


class Connector:
    """A server-side app that a user connects: ``ask`` is what it sends them to, ``tokens`` the last answer."""

    scopes = SCOPES

    def __init__(self, api: Api) -> None:
        self.api, self.portal = api, api.portal
        self.client, self.redirect, self.path = CLIENT, REDIRECT, f"/oauth/{api.version}/token"
        self.tokens: dict[str, Any] = {}

    def ask(self, scope: str = SCOPES, **more: str) -> str:
        fields = {"client_id": self.client["client_id"], "redirect_uri": self.redirect, "scope": scope, **more}
        return "https://app.hubspot.com/oauth/authorize?" + urllib.parse.urlencode(fields)

    @staticmethod
    def returned(location: str) -> dict[str, str]:
        """The query of the address the browser is sent to."""
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(location).query))

    def code(self, hub_id: int = 0, **asked: str) -> str:
        """The code the user's browser brings back."""
        return self.returned(self.portal.consent(self.ask(**asked), hub_id=hub_id))["code"]

    def exchange(self, code: str, /, **changes: str) -> tuple[int, Any]:
        fields = {"grant_type": "authorization_code", "redirect_uri": self.redirect, "code": code, **self.client}
        return self._keep(self.api.form(self.path, **{**fields, **changes}))

    def refresh(self, refresh_token: str = "", /, **changes: str) -> tuple[int, Any]:
        value = refresh_token or self.tokens["refresh_token"]
        fields = {"grant_type": "refresh_token", "refresh_token": value, **self.client}
        return self._keep(self.api.form(self.path, **{**fields, **changes}))

    def connect(self, hub_id: int = 0, **asked: str) -> Api:
        """Consent and exchange; the caller that has the access token."""
        status, body = self.exchange(self.code(hub_id, **asked))
        assert status == 200, body
        return self.caller()

    def caller(self) -> Api:
        return Api(self.portal, self.api.version, self.tokens["access_token"])

    def _keep(self, answer: tuple[int, Any]) -> tuple[int, Any]:
        if answer[0] == 200:
            self.tokens = answer[1]
        return answer


@pytest.fixture
def app(portal: hub.FakeHub, api: Api) -> Connector:
    """The demo's OAuth app with one registered redirect URI."""
    portal.add_app(CLIENT["client_id"], redirect_uris=[REDIRECT])
    return Connector(api)
