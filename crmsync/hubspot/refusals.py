"""HubSpot's error answers as typed errors: whole answers, and single items of a 207. Pure; no I/O.

HubSpot: error handling ("all fields should be treated as optional in any error parsing"). A code decides
where HubSpot sends one; text is read only for facts that exist nowhere else.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from crmsync.hubspot import errors, shapes

# What an item of a 207 is, by its category; anything else stays a plain HubSpotError.
_STATUS_OF_CATEGORY = {
    "VALIDATION_ERROR": 400,
    "INVALID_AUTHENTICATION": 401,
    "EXPIRED_AUTHENTICATION": 401,
    "MISSING_SCOPES": 403,
    "OBJECT_NOT_FOUND": 404,
    "CONFLICT": 409,
    "OBJECT_ALREADY_EXISTS": 409,
    "RATE_LIMITS": 429,
    "INTERNAL_ERROR": 500,
}
_PLAIN: dict[int, type[errors.HubSpotError]] = {
    401: errors.Unauthorized,
    404: errors.NotFound,
    414: errors.UriTooLong,
    477: errors.Moving,
}
_EXISTING_ID = re.compile(r"Existing ID:\s*(\d+)|(\d+) already has that value")
_DUPLICATE_IDS = re.compile(r"Duplicate IDs found in batch input: \[([^\]]*)\]")
# Oldest texts first matched by what only they contain: "ten_secondly_rolling" also contains "secondly".
_POLICY_WORDS = (("ten_secondly", "TEN_SECONDLY_ROLLING"), ("secondly", "SECONDLY"), ("daily", "DAILY"))
# HubSpot: OAuth tokens, errors. The status word decides: with BAD_REFRESH_TOKEN, ``error`` has been seen as
# invalid_grant and as invalid_request.
_GRANT_STATUS = frozenset(
    {"BAD_REFRESH_TOKEN", "BAD_AUTH_CODE", "BAD_REDIRECT_URI", "BAD_HUB", "BAD_CLIENT_ID", "BAD_CLIENT_SECRET"}
)
_GRANT_ERROR = frozenset({"invalid_grant", "invalid_client"})
LOCK_SECONDS = 2.0  # HubSpot: error handling, 423: "wait at least 2 seconds"


def from_answer(
    status: int, body: bytes, *, correlation_id: str = "", retry_after: float | None = None
) -> errors.HubSpotError:
    """The error of an answer with a status of 400 and up; ``body`` may be anything, also HTML or nothing."""
    raw = _loose_json(body)
    facts: errors.Facts = {
        "status": status,
        "category": _category(raw),
        "sub_category": shapes.word(raw, "subCategory"),
        "correlation_id": shapes.word(raw, "correlationId") or correlation_id,
        "context": _context(raw),
        "retry_after": retry_after,
    }
    return _build(status, raw, facts)


def from_item(raw: Mapping[str, Any], *, correlation_id: str = "") -> errors.HubSpotError:
    """The error of one item in the ``errors`` list of a 207; its class follows from its category."""
    category = _category(raw)
    facts: errors.Facts = {
        "status": 207,
        "category": category,
        "sub_category": shapes.word(raw, "subCategory"),
        "correlation_id": correlation_id,
        "context": _context(raw),
    }
    return _build(_STATUS_OF_CATEGORY.get(category, 0), raw, facts)


def _build(status: int, raw: Mapping[str, Any], facts: errors.Facts) -> errors.HubSpotError:
    message = shapes.word(raw, "message")
    if status in (400, 401) and (reason := _grant_reason(raw)):  # RFC 6749 allows 401 for invalid_client
        facts["context"] = {}  # and no message: HubSpot's words may quote a secret
        return errors.BadGrant(reason=reason, **facts)
    if status in _BUILDERS:
        return _BUILDERS[status](message, raw, facts)
    if status == 408:  # cut off while sending or answering: nobody knows how far it got
        return errors.UnknownOutcome("the request timed out at HubSpot", **facts)
    kind = errors.ServerError if 500 <= status < 600 else _PLAIN.get(status, errors.HubSpotError)
    return kind(message, **facts)


def _grant_reason(raw: Mapping[str, Any]) -> str:
    """The code word of a refusal by the token endpoint, "" for every other answer."""
    status, error = shapes.word(raw, "status"), shapes.word(raw, "error")
    if status in _GRANT_STATUS:
        return status
    if error not in _GRANT_ERROR:
        return ""
    return status if re.fullmatch("BAD_[A-Z_]{1,40}", status) else error


def _validation(message: str, raw: Mapping[str, Any], facts: errors.Facts) -> errors.HubSpotError:
    if _EXISTING_ID.search(message):  # a custom unique property taken: 400 here, 409 there
        return _conflict(message, raw, facts)
    return errors.ValidationError(
        message,
        problems=_problems(message, raw),
        duplicate_ids=_duplicates(message, facts["context"]),
        **facts,
    )


def _missing_scopes(message: str, raw: Mapping[str, Any], facts: errors.Facts) -> errors.HubSpotError:
    contexts = [facts["context"], *(_context(item) for item in shapes.error_items(dict(raw)))]
    scopes = [
        scope
        for context in contexts
        for key in context
        if key.lower().endswith("scopes")
        for scope in shapes.words(context, key)
    ]
    return errors.MissingScopes(message, scopes=tuple(dict.fromkeys(scopes)), **facts)


def _conflict(message: str, raw: Mapping[str, Any], facts: errors.Facts) -> errors.HubSpotError:
    named = shapes.words(facts["context"], "existingId")
    match = _EXISTING_ID.search(message)
    found = (match[1] or match[2]) if match else None
    return errors.Conflict(message, existing_id=named[0] if named else found, **facts)


def _locked(message: str, raw: Mapping[str, Any], facts: errors.Facts) -> errors.HubSpotError:
    facts["retry_after"] = max(LOCK_SECONDS, facts.get("retry_after") or 0.0)
    return errors.Locked(message, **facts)


def _rate_limited(message: str, raw: Mapping[str, Any], facts: errors.Facts) -> errors.HubSpotError:
    text = message.lower()
    by_text = next((policy for part, policy in _POLICY_WORDS if part in text), "")
    policy = shapes.word(raw, "policyName").upper()
    known = policy if policy in {name for _, name in _POLICY_WORDS} else by_text
    return errors.RateLimited(message, policy=known, **facts)


_BUILDERS: dict[int, Callable[[str, Mapping[str, Any], errors.Facts], errors.HubSpotError]] = {
    400: _validation,
    403: _missing_scopes,
    409: _conflict,
    423: _locked,
    429: _rate_limited,
}


def _duplicates(message: str, context: Mapping[str, Any]) -> tuple[str, ...]:
    match = _DUPLICATE_IDS.search(message)
    if match is None:
        return ()
    return shapes.words(context, "ids") or tuple(re.findall(r"[^\s,]+", match[1]))


def _problems(message: str, raw: Mapping[str, Any]) -> tuple[errors.PropertyProblem, ...]:
    """From ``errors`` and from the JSON list inside ``message``; each pair of name and code once."""
    found = [_listed_problem(item) for item in shapes.error_items(dict(raw))]
    found += [_embedded_problem(item) for item in _embedded_list(message)]
    if not found:  # one item of a 207 has no list of its own: its context alone names the properties
        named = [word for key in ("propertyName", "properties") for word in shapes.words(_context(raw), key)]
        found = [errors.PropertyProblem(name, _category(raw), message) for name in named]
    return tuple({(problem.name, problem.code): problem for problem in reversed(found)}.values())[::-1]


def _listed_problem(item: Mapping[str, Any]) -> errors.PropertyProblem:
    name = next(iter(shapes.words(_context(item), "propertyName")), "")
    return errors.PropertyProblem(name, shapes.word(item, "code"), shapes.word(item, "message"))


def _embedded_problem(item: Mapping[str, Any]) -> errors.PropertyProblem:
    code = shapes.word(item, "error") or shapes.word(item, "code")
    return errors.PropertyProblem(shapes.word(item, "name"), code, shapes.word(item, "message"))


def _embedded_list(message: str) -> list[dict[str, Any]]:
    """The JSON list at the end of "Property values were not valid: [...]", [] where there is none."""
    start = message.find("[{")
    if start < 0:
        return []
    try:
        found, _ = json.JSONDecoder().raw_decode(message, start)
    except (ValueError, RecursionError):
        return []
    return [item for item in found if isinstance(item, dict)]


def _category(raw: Mapping[str, Any]) -> str:
    """``category``; OAuth errors put their code into ``status``, rate limits into ``errorType``."""
    named = [shapes.word(raw, key) for key in ("category", "errorType", "status")]
    return next((word for word in named if word not in ("", "error")), "")


def _context(raw: Mapping[str, Any]) -> dict[str, Any]:
    context = raw.get("context")
    return context if isinstance(context, dict) else {}


def _loose_json(body: bytes) -> dict[str, Any]:
    try:
        raw = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return raw if isinstance(raw, dict) else {}
