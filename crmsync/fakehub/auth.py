"""Who is asking, and may they: tokens, scopes, and the 401 and 403 bodies."""

from collections.abc import Iterable
from dataclasses import dataclass

from crmsync.fakehub import clock, errors, objecttypes, records

OBJECT_SCOPES = ("contacts", "companies", "deals", "custom")
ALL_SCOPES = (
    "oauth",
    "tickets",
    "crm.objects.owners.read",
    "crm.import",
    "crm.export",
    *(
        f"crm.{family}.{name}.{way}"
        for family in ("objects", "schemas")
        for name in OBJECT_SCOPES
        for way in ("read", "write")
    ),
)
DOCS = "https://developers.hubspot.com/docs/methods/auth/oauth-overview"


KINDS = {"static", "project", "service_key", "oauth", "app"}


@dataclass(slots=True)
class Token:
    """One bearer token; ``expires_ms`` None never ends. Kinds: "static" (a legacy private app's), "project" (a
    project app's static one), "service_key" (no webhooks), "oauth" (no daily headers), "app" (client credentials,
    of no account). ``hub_id`` is its account, ``client_id`` and ``refresh`` say what an OAuth token came from."""

    value: str
    scopes: frozenset[str]
    app_id: int
    user_id: int
    kind: str = "static"
    expires_ms: int | None = None
    revoked: bool = False
    hub_id: int = 0
    client_id: str = ""
    refresh: str = ""

    def __post_init__(self) -> None:
        self.scopes = frozenset(self.scopes)
        if self.kind not in KINDS:
            raise ValueError(f"unknown kind of token: {self.kind}")

    @property
    def key(self) -> str:
        return self.value

    @property
    def is_static(self) -> bool:
        return self.kind in {"static", "project", "service_key"}

    @property
    def source(self) -> records.Source:
        """How writes with this token are signed in history and webhooks."""
        return records.Source("INTEGRATION", str(self.app_id), "Fakehub app")


def authenticate(tokens: dict[str, Token], header: str, now_ms: int) -> Token:
    """The token of an Authorization header, or a 401."""
    scheme, _, value = header.partition(" ")
    token = tokens.get(value.strip()) if scheme.lower() == "bearer" else None
    if token is None or token.revoked:
        raise invalid()
    check_age(token, now_ms)
    return token


def check_age(token: Token, now_ms: int) -> None:
    """Refuse a token that ran out."""
    if token.expires_ms is not None and token.expires_ms <= now_ms:
        raise expired(token.expires_ms, now_ms)


def invalid() -> errors.RefusalError:
    return errors.RefusalError(
        401,
        "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more "
        f"details at {DOCS}",
        "INVALID_AUTHENTICATION",
    )


def expired(at_ms: int, now_ms: int) -> errors.RefusalError:
    minutes = (now_ms - at_ms) // 60_000
    return errors.RefusalError(
        401,
        f"The OAuth token used to make this call expired {minutes} minute(s) ago.",
        "EXPIRED_AUTHENTICATION",
        context={"expire time": [clock.iso(at_ms)]},
    )


def alternatives(scope: str, kinds: Iterable[objecttypes.ObjectType]) -> list[list[str]]:
    """What a route's ``scope`` asks for: of each inner list, one is enough."""
    family, _, way = scope.partition(".")
    if family == "objects":
        return [_object_scopes(kind, way) for kind in kinds]
    if family == "schemas":
        return [_schema_scopes(kind, way) for kind in kinds]
    return [[scope]] if scope else []


def _object_scopes(kind: objecttypes.ObjectType, way: str) -> list[str]:
    return [kind.scope] if kind.scope == "tickets" else [f"{kind.scope}.{way}"]


def _schema_scopes(kind: objecttypes.ObjectType, way: str) -> list[str]:
    if kind.scope == "tickets":
        return ["tickets"]
    schema = f"{kind.scope.replace('.objects.', '.schemas.')}.{way}"
    return [schema, f"{kind.scope}.read"] if way == "read" else [schema]


def demand(token: Token, needed: list[list[str]]) -> None:
    """Refuse with 403 unless the token has one scope of each list."""
    for scopes in needed:
        if token.scopes.isdisjoint(scopes):
            raise errors.RefusalError(
                403,
                "This app hasn't been granted all required scopes to make this call. "
                "Read more about required scopes here: https://developers.hubspot.com/scopes.",
                "MISSING_SCOPES",
                details=[
                    {
                        "message": "One or more of the following scopes are required.",
                        "context": {"requiredGranularScopes": scopes},
                    }
                ],
                links={"scopes": "https://developers.hubspot.com/scopes"},
            )
