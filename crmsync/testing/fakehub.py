"""The bridge from ``requests`` to a fakehub in the same process: no server, no port, no network.

with fakehub.connected(hub.FakeHub()) as portal:
    requests.get("https://api.hubapi.com/crm/objects/2026-09/contacts", headers=…)
"""

import contextlib
import re
import urllib.parse
from collections.abc import Iterator
from typing import Any

import requests
import responses

from crmsync.fakehub import exchange, hub

BASE_URL = "https://api.hubapi.com"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
Answer = tuple[int, dict[str, str], bytes]


def install(
    portal: hub.FakeHub, base_url: str = BASE_URL, rsps: responses.RequestsMock | None = None
) -> responses.RequestsMock:
    """Let ``rsps`` (default: the one of ``@responses.activate``) answer for ``base_url`` from ``portal``.

    Cut connections and time-outs raise what ``requests`` raises on a real network; nobody waits for them.
    """
    mock = rsps if rsps is not None else responses.mock

    def reply(request: Any) -> Answer:
        return _answer(portal, request)

    for method in METHODS:
        mock.add_callback(method, re.compile(re.escape(base_url) + "/.*"), callback=reply, content_type=None)
    return mock


@contextlib.contextmanager
def connected(portal: hub.FakeHub, base_url: str = BASE_URL) -> Iterator[hub.FakeHub]:
    """``install`` for the length of a with block."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        install(portal, base_url, mock)
        yield portal


def _answer(portal: hub.FakeHub, request: Any) -> Answer:
    parts = urllib.parse.urlsplit(request.url)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    body = request.body.encode() if isinstance(request.body, str) else request.body or b""
    response = portal.handle(request.method, target, request.headers, body)
    _fail_like_a_network(portal, response, _read_timeout(request))
    return response.status, response.headers, response.body


def _fail_like_a_network(portal: hub.FakeHub, response: exchange.Response, timeout: float | None) -> None:
    if response.drop == "reset":
        raise requests.exceptions.ConnectionError("Connection aborted.", ConnectionResetError(104, "reset by peer"))
    if response.drop == "timeout" or (timeout is not None and response.delay > timeout):
        raise requests.exceptions.ReadTimeout("Read timed out.")
    if response.delay:
        portal.clock.sleep(response.delay)


def _read_timeout(request: Any) -> float | None:
    """Seconds the caller is willing to wait for an answer."""
    given = getattr(request, "req_kwargs", {}).get("timeout")
    chosen = given[1] if isinstance(given, tuple) else given
    return float(chosen) if isinstance(chosen, int | float) else None
