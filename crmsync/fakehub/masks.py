"""What of a request may stand in the ledger: no secret, code or token, whatever form it came in.

Bodies under the OAuth paths keep the values of the names below and nothing else; CRM bodies are kept as they are,
since no HubSpot call puts a secret there.
"""

import json
import re
import urllib.parse

MASK = "***"
SECRET = {"client_secret", "code", "code_verifier", "refresh_token", "access_token", "token", "tokenKey", "hapikey"}
SHOWN = {
    "grant_type", "client_id", "redirect_uri", "scope", "optional_scope", "token_type_hint", "state", "hub_id",
    "decision",
}  # fmt: skip
GUARDED = ("/oauth", "/appinstalls")
WORDS = re.compile(
    r"oauth|authorize|token|introspect|revoke|access-tokens|refresh-tokens|private-apps|get|access-token-info"
    r"|appinstalls|external-install|v\d|\d{4}-\d\d"
)


def is_guarded(path: str) -> bool:
    return any(part in path for part in GUARDED)


def path(text: str) -> str:
    """A path; under the OAuth paths only its known words are kept, for a token may be one of its parts."""
    if not is_guarded(text):
        return text
    return "/".join(part if not part or WORDS.fullmatch(part) else MASK for part in text.split("/"))


def query(text: str, where: str) -> str:
    """The query of a request to path ``where``."""
    if not text or (not is_guarded(where) and not any(name in text for name in SECRET)):
        return text
    return "&".join(_pair(one, is_guarded(where)) for one in text.split("&"))


def body(data: bytes, where: str, *, is_known: bool = True) -> str:
    """The body of a request to path ``where``; one that was sent to no known place is not trusted either."""
    text = data.decode("utf-8", "replace")
    if not text or (is_known and not is_guarded(where)):
        return text
    if not text.lstrip().startswith(("{", "[")):
        return "&".join(_pair(one, True) for one in text.split("&"))
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        return MASK
    if not isinstance(given, dict):
        return MASK
    known = {name: value for name, value in given.items() if name in SHOWN | SECRET}
    return json.dumps(
        {name: value if name in SHOWN and isinstance(value, str) else MASK for name, value in known.items()}
    )


def _pair(text: str, strictly: bool) -> str:
    """One ``name=value``; where it counts, a name nobody knows may itself be a piece of a secret."""
    name, equals, _ = text.partition("=")
    known = urllib.parse.unquote_plus(name)
    if known in SHOWN or (not strictly and known not in SECRET):
        return text
    return f"{name if known in SECRET else MASK}{equals}{MASK if equals else ''}"
