"""One request on its way through the portal, and the answer to it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crmsync.fakehub import errors, shapes

MAX_URI = 15_000  # characters until a 414; HubSpot names no number
JSON_TYPE = "application/json;charset=utf-8"
HTML_TYPE = "text/html;charset=utf-8"
PAGE_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
}
encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(slots=True)
class Response:
    """What goes back. ``drop`` is "" (answer), "reset" (cut the connection) or "timeout" (never answer);
    ``delay`` are seconds to wait before either."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    drop: str = ""
    delay: float = 0.0


@dataclass(slots=True)
class Call:
    """A request that was routed; handlers read it, ``hub`` is the portal it came to."""

    hub: Any
    method: str
    path: str
    query: Mapping[str, list[str]]
    body: bytes
    params: dict[str, str] = field(default_factory=dict)
    version: str = ""
    shape: Any = object
    token: Any = None
    fault: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> Any:
        return self.hub.portal.kind(self.params["type"])

    @property
    def source(self) -> Any:
        return self.token.source

    @property
    def is_too_long(self) -> bool:
        return len(self.path) + sum(len(value) for values in self.query.values() for value in values) > MAX_URI

    def header(self, name: str) -> str:
        """A header by its lower-case name, whatever case it came in."""
        return next((value for given, value in self.headers.items() if given.lower() == name), "")

    def one(self, name: str, default: str = "") -> str:
        values = self.query.get(name)
        return values[-1] if values else default

    def flag(self, name: str) -> bool:
        return self.one(name).lower() == "true"

    def names(self, name: str) -> list[str] | None:
        """A list parameter, comma-separated or repeated; None when it was not sent."""
        values = self.query.get(name)
        if values is None:
            return None
        return [part.strip() for value in values for part in value.split(",") if part.strip()]

    def number(self, name: str, default: int, most: int) -> int:
        text = self.one(name)
        if not text:
            return default
        if not text.isdecimal():
            raise errors.bad_request(f'Unable to parse value for query parameter "{name}": {text}')
        if not 1 <= int(text) <= most:
            raise errors.bad_request(f"Invalid {name}: {text}. It must be between 1 and {most}.")
        return int(text)

    def json(self) -> Any:
        """The body, which has the shape of its operation."""
        try:
            given = json.loads(self.body)
        except (ValueError, RecursionError) as bad:
            line, column = getattr(bad, "lineno", 1), getattr(bad, "colno", 1)
            raise errors.bad_json(f"Invalid input JSON on line {line}, column {column}: {bad}") from bad
        return shapes.fit(shapes.whole(given, self.body), self.shape)

    def document(self, *required: str) -> dict[str, Any]:
        """The body as an object that holds ``required``."""
        body: dict[str, Any] = self.json()
        missing = [name for name in required if name not in body]
        if missing:
            raise errors.bad_json(
                f"Invalid input JSON on line 1, column 1: Some required fields were not set: [{', '.join(missing)}]"
            )
        return body

    def inputs(self, most: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.document("inputs")["inputs"]
        if len(found) > most:
            raise errors.too_many_inputs(len(found), most)
        return found


def answer(value: Any, status: int = 200) -> Response:
    return Response(status, encode(value).encode("utf-8", "replace"), {"Content-Type": JSON_TYPE})


def page(html: str, status: int = 200) -> Response:
    """An answer for a browser. The policy names no form-action: an agreed form leads on to the app's own site."""
    return Response(status, html.encode("utf-8", "replace"), {"Content-Type": HTML_TYPE, **PAGE_HEADERS})


def redirect(to: str) -> Response:
    return Response(302, b"", {"Location": to, "Cache-Control": "no-store"})


def raw(text: str, status: int = 200) -> Response:
    return Response(status, text.encode("utf-8", "replace"), {"Content-Type": JSON_TYPE})


def nothing() -> Response:
    return Response(204)


def next_page(call: Call, after: str) -> dict[str, Any]:
    """The ``paging`` object that leads to ``after``."""
    query = "&".join(f"{name}={value}" for name, values in call.query.items() if name != "after" for value in values)
    link = f"https://api.hubapi.com{call.path}?after={after}" + (f"&{query}" if query else "")
    return {"next": {"after": after, "link": link}}


def batch(results: list[Any], started: str, failures: list[Any] | None = None, status: int = 200) -> Response:
    """The COMPLETE answer of a batch call; ``failures`` make it a 207."""
    body: dict[str, Any] = {"status": "COMPLETE", "results": results, "startedAt": started, "completedAt": started}
    if failures:
        body.update(numErrors=len(failures), errors=failures)
        status = 207
    return answer(body, status)
