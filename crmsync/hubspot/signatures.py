"""Is this webhook delivery HubSpot's? Signatures v1, v2 and v3. Pure; the clock is passed in.

HubSpot: webhooks, validating requests. The secret is the app's client secret. Only v3 covers the time of
sending, so only v3 protects against replay; v1 and v2 are here for hosts that must take them.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence

from crmsync.hubspot import errors, wire

MAX_AGE_MS = 300_000  # HubSpot: "reject if the timestamp is older than 5 minutes"
MAX_FUTURE_MS = 60_000  # ours: HubSpot sets no limit; a minute covers clocks that differ

# The characters HubSpot decodes in the URI before it signs, and no others (%20 and %25 stay).
_DECODED = {
    "%3A": ":",
    "%2F": "/",
    "%3F": "?",
    "%40": "@",
    "%21": "!",
    "%24": "$",
    "%27": "'",
    "%28": "(",
    "%29": ")",
    "%2A": "*",
    "%2C": ",",
    "%3B": ";",
}
_UPPER_HEX = re.compile("|".join(_DECODED))
_ANY_HEX = re.compile("|".join(_DECODED), re.IGNORECASE)


def verify(
    headers: Mapping[str, str],
    method: str,
    url: str,
    body: bytes,
    secrets: Sequence[str],
    now_ms: int,
    accept: Sequence[str] = ("v3",),
) -> None:
    """Return if HubSpot signed this request with one of ``secrets``, else raise SignatureError.

    ``url`` is the full public URL HubSpot called, as received (not decoded); ``body`` the raw bytes; several
    ``secrets`` while one is being rotated. A delivery that carries a v3 signature is judged by that alone if
    v3 is in ``accept``: a good older signature does not excuse it.
    """
    keys = [secret.encode() for secret in secrets if secret]  # the empty secret is everybody's
    given = wire.header(headers, "X-HubSpot-Signature-v3")
    if "v3" in accept and given:
        timestamp = wire.header(headers, "X-HubSpot-Request-Timestamp")
        _check_age(timestamp, now_ms)
        uris = dict.fromkeys((decode_uri(url), decode_uri(url, lower_case_hex=True)))
        wanted = [sign_v3(key, method, uri, body, timestamp) for key in keys for uri in uris]
    else:
        given = wire.header(headers, "X-HubSpot-Signature")
        version = wire.header(headers, "X-HubSpot-Signature-Version").lower()
        if not given or version not in accept or version not in ("v1", "v2"):
            raise errors.SignatureError("missing")
        wanted = [sign_v1(key, body) if version == "v1" else sign_v2(key, method, url, body) for key in keys]
    if not _matches(given, wanted):
        raise errors.SignatureError("mismatch")


def sign_v1(secret: bytes, body: bytes) -> str:
    """Hex SHA-256 of secret and body; HubSpot sends it with CRM webhooks."""
    return hashlib.sha256(secret + body).hexdigest()


def sign_v2(secret: bytes, method: str, uri: str, body: bytes) -> str:
    """Hex SHA-256 of secret, method, URI and body; workflow webhooks and CRM cards."""
    return hashlib.sha256(secret + _encoded(method + uri) + body).hexdigest()


def sign_v3(secret: bytes, method: str, uri: str, body: bytes, timestamp: str) -> str:
    """Base64 HMAC-SHA256 of method, decoded URI, body and timestamp (text of epoch milliseconds)."""
    signed = _encoded(method + uri) + body + _encoded(timestamp)
    return base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode("ascii")


def decode_uri(uri: str, *, lower_case_hex: bool = False) -> str:
    """The URI as v3 signs it. Whether HubSpot decodes lower-case hex (%3a) too is not documented."""
    pattern = _ANY_HEX if lower_case_hex else _UPPER_HEX
    return pattern.sub(lambda match: _DECODED[match[0].upper()], uri)


def _check_age(timestamp: str, now_ms: int) -> None:
    if not timestamp:
        raise errors.SignatureError("missing")
    if not re.fullmatch(r"\d{1,16}", timestamp, re.ASCII):
        raise errors.SignatureError("mismatch")
    age = now_ms - int(timestamp)
    if age > MAX_AGE_MS:
        raise errors.SignatureError("expired")
    if age < -MAX_FUTURE_MS:
        raise errors.SignatureError("from_future")


def _matches(given: str, wanted: Sequence[str]) -> bool:
    """Compare with every candidate, in constant time, also after one has matched."""
    found = False
    for candidate in wanted:
        found |= hmac.compare_digest(_encoded(given), candidate.encode("ascii"))
    return found


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
