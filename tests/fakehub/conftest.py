"""A portal with a clock that stands still, and a caller that asks it without HTTP."""

import json
from typing import Any

import pytest

from crmsync.fakehub import clock, hub

VERSION = "2026-09"


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
