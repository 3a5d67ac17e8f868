"""Stand-ins for HubSpot: one that answers requests in Python, and one behind the requests library."""

import json
import pathlib
from collections.abc import Callable, Iterator

import pytest
import responses

from crmsync.hubspot import client, versions, wire

BASE = "https://api.hubapi.com"
TOKEN = "pat-na1-11111111-2222-3333-4444-555555555555"


class FakeSender:
    """A wire.Sender: keeps every request and lets a function (or a list of bodies) answer."""

    def __init__(self, answer, version: str = "2026-09") -> None:
        self.paths = versions.paths(version)
        self.requests: list[wire.Request] = []
        queue = None if callable(answer) else iter(answer)
        self._answer = answer if callable(answer) else lambda request: next(queue)

    def send(self, request: wire.Request):
        self.requests.append(request)
        answer = self._answer(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def ids(self) -> list[list[str]]:
        """The ids (or trace ids) of each batch sent."""
        return [
            [one.get("id") or one.get("objectWriteTraceId") for one in request.json["inputs"]]
            for request in self.requests
        ]


@pytest.fixture(scope="session")
def fake() -> Callable[..., FakeSender]:
    return FakeSender


@pytest.fixture
def mocked() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def http_client() -> Iterator[client.Client]:
    one = client.Client(BASE, TOKEN)
    yield one
    one.close()


@pytest.fixture(scope="session")
def vectors() -> dict:
    path = pathlib.Path(__file__).parent / "data" / "webhook-signature-vectors.json"
    return json.loads(path.read_text(encoding="utf-8"))
