"""How HubSpot signs the webhooks it sends: versions 1 and 3, as its "Validating requests" page describes them."""

import base64
import hashlib
import hmac

# The only escapes that are undone before signing; all others stay as they are.
DECODED = {
    "%3A": ":", "%2F": "/", "%3F": "?", "%40": "@", "%21": "!", "%24": "$", "%27": "'", "%28": "(", "%29": ")",
    "%2A": "*", "%2C": ",", "%3B": ";",
}  # fmt: skip


def decode_uri(uri: str) -> str:
    for escape, character in DECODED.items():
        uri = uri.replace(escape, character)
    return uri


def sign_v1(secret: str, body: bytes) -> str:
    return hashlib.sha256(secret.encode() + body).hexdigest()


def sign_v3(secret: str, method: str, uri: str, body: bytes, timestamp: str) -> str:
    message = method.encode() + decode_uri(uri).encode() + body + timestamp.encode()
    return base64.b64encode(hmac.new(secret.encode(), message, hashlib.sha256).digest()).decode()


def headers(secret: str, uri: str, body: bytes, timestamp_ms: int) -> dict[str, str]:
    """All headers of one webhook request."""
    return {
        "Content-Type": "application/json",
        "User-Agent": "HubSpot Connect 2.0 (http://dev.hubspot.com/) (namespace: webhooks-nio-http-client)",
        "X-HubSpot-Signature": sign_v1(secret, body),
        "X-HubSpot-Signature-Version": "v1",
        "X-HubSpot-Signature-v3": sign_v3(secret, "POST", uri, body, str(timestamp_ms)),
        "X-HubSpot-Request-Timestamp": str(timestamp_ms),
    }
