"""The wire without I/O: what a request is, what an answer says, what the rate headers tell."""

import email.utils
import json
import re
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, Protocol

from crmsync.hubspot import errors, refusals, shapes, versions

Lane = Literal["burst", "search", "associations"]

# HubSpot: error handling, 477: Retry-After may be "up to 24 hours". A longer wait is no wait but a mistake.
LONGEST_WAIT = 86_400.0


@dataclass(frozen=True, slots=True, repr=False)
class Request:
    """One call. ``json`` and ``form`` exclude each other; ``lane`` is the budget it counts against.

    ``reads``: it changes nothing at HubSpot (also batch read and search, which are POSTs), so it may be made
    twice. ``shown_path`` stands for ``path`` in logs where that carries a person's value. ``bodyless``: the
    status says it all, so a 2xx with an empty or unreadable body is a yes.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    json: shapes.Json | list[shapes.Json] | None = None
    form: Mapping[str, str] | None = None
    lane: Lane = "burst"
    reads: bool = False
    shown_path: str = ""
    bodyless: bool = False

    def __repr__(self) -> str:
        return f"Request({self.method} {self.loggable_path})"

    def __post_init__(self) -> None:
        if not self.path.startswith("/"):  # it would become a part of the host name
            raise ValueError("a path starts with a slash")

    @property
    def loggable_path(self) -> str:
        return self.shown_path or self.path

    @property
    def target(self) -> str:
        """Path and query as they go into the URL."""
        query = urllib.parse.urlencode(self.query, quote_via=urllib.parse.quote)
        return f"{self.path}?{query}" if query else self.path

    def payload(self) -> tuple[bytes | None, str]:
        """Body and content type, (None, "") where there is none."""
        if self.form is not None:
            return urllib.parse.urlencode(self.form).encode("ascii"), "application/x-www-form-urlencoded"
        return (None, "") if self.json is None else (encode_json(self.json), "application/json")


class Sender(Protocol):
    """What the API families need: the paths of a version, and someone who sends.

    ``send`` returns the decoded JSON object, or None for 204, and raises HubSpotError.
    """

    @property
    def paths(self) -> versions.Paths: ...

    def send(self, request: Request) -> shapes.Json | None: ...


@dataclass(frozen=True, slots=True)
class RateState:
    """The rate headers of one answer; None where HubSpot did not send one. HubSpot: usage guidelines.

    ``limit`` and ``remaining`` count calls in the rolling window of ``interval_ms``.
    """

    limit: int | None = None
    remaining: int | None = None
    interval_ms: int | None = None
    daily_limit: int | None = None
    daily_remaining: int | None = None


def get(path: str, *query: tuple[str, str], lane: Lane = "burst", shown_path: str = "") -> Request:
    """A GET."""
    return Request("GET", path, query, lane=lane, reads=True, shown_path=shown_path)


def post(path: str, json: shapes.Json, *query: tuple[str, str], lane: Lane = "burst", reads: bool = False) -> Request:
    """A POST with a JSON object."""
    return Request("POST", path, query, json=json, lane=lane, reads=reads)


def post_form(path: str, form: Mapping[str, str], *, reads: bool = False, bodyless: bool = False) -> Request:
    """A POST with a form, as the token endpoint takes it. The form may hold secrets: nothing prints it."""
    return Request("POST", path, form=form, reads=reads, bodyless=bodyless)


def encode_json(value: object) -> bytes:
    """Compact JSON; ValueError for NaN and infinity, which JSON has not."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode("ascii")


def decode(status: int, headers: Mapping[str, str], body: bytes, *, bodyless: bool = False) -> shapes.Json | None:
    """The JSON object of a successful answer, None for 204; every other answer raises its HubSpotError.

    A 2xx that is empty, cut off, HTML, or JSON but no object is UnknownOutcome: HubSpot may have done it.
    ``bodyless``: None for every 2xx, its body is not looked at.
    """
    if status in (204, 205) or (bodyless and 200 <= status < 300):
        return None
    if 200 <= status < 300:
        return _success(status, headers, body)
    if 300 <= status < 400:
        host = urllib.parse.urlsplit(header(headers, "Location")).hostname or "an unnamed address"
        raise errors.Redirected(f"to {host}", status=status)
    raise refusals.from_answer(status, body, correlation_id=correlation_id(headers), retry_after=retry_after(headers))


def rate_state(headers: Mapping[str, str]) -> RateState | None:
    """The rate headers, None where there are none (search, errors of a proxy)."""
    state = RateState(
        limit=_count(headers, "X-HubSpot-RateLimit-Max"),
        remaining=_count(headers, "X-HubSpot-RateLimit-Remaining"),
        interval_ms=_count(headers, "X-HubSpot-RateLimit-Interval-Milliseconds"),
        daily_limit=_count(headers, "X-HubSpot-RateLimit-Daily"),
        daily_remaining=_count(headers, "X-HubSpot-RateLimit-Daily-Remaining"),
    )
    return None if state == RateState() else state


def header(headers: Mapping[str, str], name: str) -> str:
    """A header by name, whatever its case, "" where it is absent."""
    wanted = name.lower()
    return next((value for key, value in headers.items() if key.lower() == wanted), "")


def correlation_id(headers: Mapping[str, str]) -> str:
    """HubSpot's id of the call, which its support asks for."""
    return header(headers, "X-HubSpot-Correlation-Id")


def served_at(headers: Mapping[str, str]) -> datetime | None:
    """HubSpot's clock when it answered (Date header), aware UTC."""
    return _http_date(header(headers, "Date"))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Retry-After in seconds, between 0 and a day; a date is counted from the answer's own Date header."""
    text = header(headers, "Retry-After").strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text, re.ASCII):
        return min(float(text), LONGEST_WAIT)
    until, sent = _http_date(text), served_at(headers)
    if until is None or sent is None:
        return None
    return min(max((until - sent).total_seconds(), 0.0), LONGEST_WAIT)


def _success(status: int, headers: Mapping[str, str], body: bytes) -> shapes.Json:
    facts: errors.Facts = {"status": status, "correlation_id": correlation_id(headers)}
    if not body.strip():
        raise errors.UnknownOutcome("the answer is empty", **facts)
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):  # outside of the handler: the cause would quote the body
        raise errors.UnknownOutcome("the answer is no JSON object", **facts)
    return found


def _count(headers: Mapping[str, str], name: str) -> int | None:
    text = header(headers, name).strip()
    return int(text) if re.fullmatch(r"\d{1,12}", text, re.ASCII) else None


def _http_date(text: str) -> datetime | None:
    try:
        parsed = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
