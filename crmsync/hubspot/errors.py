"""HubSpotError and its children: everything that can go wrong between us and HubSpot.

HubSpotError            any answer without a class of its own (405, 415, a 207 item of an unknown category)
├── ConfigError         our own set-up: plain-http base URL, malformed token, unsupported API version
├── Unreachable         no connection (DNS, refused, TLS), or never sent: certainly not applied
├── UnknownOutcome      time-out or reset after sending, or a 2xx nobody can read: may have been applied
├── Redirected          3xx: never followed
├── Unauthorized        401: expired
├── BadGrant            the token endpoint refuses a code, a refresh token or the app itself: reason
├── MissingScopes       403, and every other 403: scopes (alternatives), empty where HubSpot names none
├── NotFound            404, OBJECT_NOT_FOUND
├── Conflict            409, or "<id> already has that value": existing_id
├── ValidationError     400: problems, duplicate_ids
├── UriTooLong          414
├── Locked              423: retry_after is at least 2 s
├── RateLimited         429: policy, retry_after
├── Moving              477, the account changes data centre: retry_after, up to a day
├── ServerError         5xx and 52x: may have been applied
├── SignatureError      a webhook delivery that is not proven to be HubSpot's: reason
└── BodyError           a webhook body that is no list of events: reason

``str(error)`` is one sentence that may be logged and shown: no token, no property value. ``message`` and
``context`` are HubSpot's own words and may quote a person's values: never log them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypedDict, Unpack


@dataclass(frozen=True, slots=True)
class PropertyProblem:
    """One property HubSpot refused; ``name`` is "" where it names none, ``message`` may quote the value."""

    name: str
    code: str
    message: str


class Facts(TypedDict, total=False):
    """What every error may know."""

    status: int
    category: str
    sub_category: str
    correlation_id: str
    context: Mapping[str, Any]
    retry_after: float | None


class HubSpotError(Exception):
    """``status`` is the HTTP status, 0 where there was no answer; ``retry_after`` is in seconds or None."""

    says: ClassVar[str] = "HubSpot refused the request"
    maybe_applied: ClassVar[bool] = False
    own_words: ClassVar[bool] = False

    def __init__(self, message: str = "", **facts: Unpack[Facts]) -> None:
        super().__init__()  # no args: repr() and a traceback must not print HubSpot's message
        self.message = message
        self.status = facts.get("status", 0)
        self.category = facts.get("category", "")
        self.sub_category = facts.get("sub_category", "")
        self.correlation_id = facts.get("correlation_id", "")
        self.context: dict[str, Any] = dict(facts.get("context", {}))
        self.retry_after = facts.get("retry_after")

    def __str__(self) -> str:
        facts = [f"status {self.status}"] if self.status else []
        facts += [word for word in (_word(self.category), _word(self.sub_category)) if word]
        facts += [f"correlation id {_word(self.correlation_id)}"] if self.correlation_id else []
        detail = self.message if self.own_words else self._detail()
        return self.says + (f": {detail}" if detail else "") + (f" ({', '.join(facts)})." if facts else ".")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def _detail(self) -> str:
        return ""


class ConfigError(HubSpotError):
    says = "crmsync is not set up to talk to HubSpot"
    own_words = True


class Unreachable(HubSpotError):
    says = "HubSpot could not be reached, nothing was changed"
    own_words = True


class UnknownOutcome(HubSpotError):
    says = "HubSpot gave no usable answer, the change may have happened"
    maybe_applied = True
    own_words = True


class Redirected(HubSpotError):
    says = "HubSpot's address answered with a redirect, which is never followed"
    own_words = True


class Unauthorized(HubSpotError):
    """``expired``: HubSpot says so itself (EXPIRED_AUTHENTICATION); False means that it did not say."""

    says = "HubSpot refused the token: it is expired, revoked or of another account"

    def __init__(self, message: str = "", *, expired: bool = False, **facts: Unpack[Facts]) -> None:
        super().__init__(message, **facts)
        self.expired = expired or self.category == "EXPIRED_AUTHENTICATION"


class BadGrant(HubSpotError):
    """The token endpoint says no for good: asking again with the same values changes nothing.

    ``reason`` is its code word: BAD_REFRESH_TOKEN, BAD_AUTH_CODE, BAD_REDIRECT_URI, BAD_HUB, BAD_CLIENT_ID,
    BAD_CLIENT_SECRET, or invalid_grant and invalid_client where HubSpot sends only the OAuth word.
    HubSpot: OAuth tokens, errors; BAD_CLIENT_ID and BAD_CLIENT_SECRET are known from third parties only.
    """

    says = "HubSpot did not grant a token"

    def __init__(self, message: str = "", *, reason: str = "", **facts: Unpack[Facts]) -> None:
        super().__init__(message, **facts)
        self.reason = reason

    @property
    def is_revoked(self) -> bool:
        """The account took the connection back: only a person can connect it again.

        False for a wrong client id, secret or redirect URI: that is our set-up, and the connections of all
        accounts are still good once it is mended.
        """
        return self.reason in ("BAD_REFRESH_TOKEN", "BAD_HUB", "invalid_grant")

    def _detail(self) -> str:
        return "" if self.reason == self.category else _word(self.reason)


class MissingScopes(HubSpotError):
    says = "HubSpot forbids this to the connected app"

    def __init__(self, message: str = "", *, scopes: tuple[str, ...] = (), **facts: Unpack[Facts]) -> None:
        super().__init__(message, **facts)
        self.scopes = scopes

    def _detail(self) -> str:
        return "one of these scopes is needed: " + ", ".join(map(_word, self.scopes)) if self.scopes else ""


class NotFound(HubSpotError):
    says = "HubSpot has no such record: deleted, merged, or in another account"


class Conflict(HubSpotError):
    """``existing_id`` is the record that holds the value already, None where HubSpot does not name it."""

    says = "Another record in HubSpot has the same unique value"

    def __init__(self, message: str = "", *, existing_id: str | None = None, **facts: Unpack[Facts]) -> None:
        super().__init__(message, **facts)
        self.existing_id = existing_id

    def _detail(self) -> str:
        return f"record {_word(self.existing_id)}" if self.existing_id else ""


class ValidationError(HubSpotError):
    """``problems`` name the refused properties; ``duplicate_ids`` the ids sent twice in one batch."""

    says = "HubSpot did not accept the values"

    def __init__(
        self,
        message: str = "",
        *,
        problems: tuple[PropertyProblem, ...] = (),
        duplicate_ids: tuple[str, ...] = (),
        **facts: Unpack[Facts],
    ) -> None:
        super().__init__(message, **facts)
        self.problems = problems
        self.duplicate_ids = duplicate_ids

    def _detail(self) -> str:
        named = [f"{_word(p.name) or 'unnamed'} {_word(p.code)}".strip() for p in self.problems]
        named += [f"{len(self.duplicate_ids)} ids sent twice"] if self.duplicate_ids else []
        return ", ".join(named)


class UriTooLong(HubSpotError):
    says = "The address of the request was too long for HubSpot"


class Locked(HubSpotError):
    says = "HubSpot has locked the record for a moment"


class RateLimited(HubSpotError):
    """``policy`` is TEN_SECONDLY_ROLLING, SECONDLY (search), DAILY, or "" where HubSpot does not say."""

    says = "HubSpot's rate limit is reached"

    def __init__(self, message: str = "", *, policy: str = "", **facts: Unpack[Facts]) -> None:
        super().__init__(message, **facts)
        self.policy = policy

    def _detail(self) -> str:
        return _word(self.policy)


class Moving(HubSpotError):
    says = "HubSpot is moving the account to another data centre"


class ServerError(HubSpotError):
    says = "HubSpot had an error of its own, the change may have happened"
    maybe_applied = True


class SignatureError(HubSpotError):
    """``reason``: missing, expired, from_future or mismatch."""

    says = "The webhook delivery is not proven to come from HubSpot"
    own_words = True

    def __init__(self, reason: str = "", **facts: Unpack[Facts]) -> None:
        super().__init__(reason, **facts)
        self.reason = reason


class BodyError(HubSpotError):
    """``reason``: not_utf8, not_json, too_deep, bad_number, not_array, too_many, not_object or bad_field."""

    says = "The webhook body is no list of HubSpot events"
    own_words = True

    def __init__(self, reason: str = "", *, field: str = "", **facts: Unpack[Facts]) -> None:
        super().__init__(f"{reason} {field}".strip(), **facts)
        self.reason = reason
        self.field = field


def _word(text: str) -> str:
    """``text`` cut down to what codes, ids and property names are made of: no sentence slips through."""
    return re.sub(r"[^A-Za-z0-9_.:-]", "", text)[:120]
