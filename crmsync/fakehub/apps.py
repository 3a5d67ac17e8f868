"""What a grant is made of: the app that asks, the account it asks for, its install there, codes and refresh tokens.

Values only; ``grants`` keeps and changes them. Times are milliseconds since 1970 UTC.
"""

from collections.abc import Iterable
from dataclasses import dataclass

# Scopes of things only an Enterprise account has: custom objects (docs). Which other scopes depend on the tier is
# not told; an account can be planted with any it lacks.
ENTERPRISE_ONLY = ("crm.objects.custom.", "crm.schemas.custom.")
ENTERPRISE_TIERS = {"enterprise", "increased"}
DISTRIBUTIONS = {"private", "marketplace"}
ACCOUNT_TYPES = {"STANDARD", "DEVELOPER_TEST", "SANDBOX", "APP_DEVELOPER"}


@dataclass(slots=True)
class App:
    """An OAuth app. Redirect URIs must be met exactly; ``scopes`` are the required ones it may ask for."""

    client_id: str
    client_secret: str = ""
    app_id: int = 0
    name: str = "Fakehub app"
    redirect_uris: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    optional_scopes: tuple[str, ...] = ()
    distribution: str = "private"

    def __post_init__(self) -> None:
        self.redirect_uris = tuple(self.redirect_uris)
        self.scopes = tuple(self.scopes)
        self.optional_scopes = tuple(self.optional_scopes)
        if self.distribution not in DISTRIBUTIONS:
            raise ValueError(f"unknown distribution: {self.distribution}")

    @property
    def key(self) -> str:
        return self.client_id

    @property
    def is_marketplace(self) -> bool:
        return self.distribution == "marketplace"


@dataclass(slots=True)
class Account:
    """One HubSpot account as a consent page shows it. A ``closed`` one refuses grants with BAD_HUB."""

    hub_id: int
    name: str = ""
    account_type: str = "STANDARD"
    time_zone: str = "US/Eastern"
    currency: str = "USD"
    tier: str = "professional"
    lacks_scopes: tuple[str, ...] = ()
    closed: bool = False

    def __post_init__(self) -> None:
        self.lacks_scopes = tuple(self.lacks_scopes)
        if self.account_type not in ACCOUNT_TYPES:
            raise ValueError(f"unknown account type: {self.account_type}")

    @property
    def key(self) -> int:
        return self.hub_id

    def lacking(self, scopes: Iterable[str]) -> list[str]:
        """Those of ``scopes`` this account cannot grant."""
        return [scope for scope in scopes if scope in self.lacks_scopes or self._is_beyond_tier(scope)]

    def _is_beyond_tier(self, scope: str) -> bool:
        return scope.startswith(ENTERPRISE_ONLY) and self.tier not in ENTERPRISE_TIERS


@dataclass(slots=True)
class Install:
    """One app in one account, from the first token on; ``is_live`` until it is uninstalled."""

    app_id: int
    hub_id: int
    user_id: int
    is_live: bool = True

    @property
    def key(self) -> tuple[int, int]:
        return self.app_id, self.hub_id


@dataclass(slots=True)
class Code:
    """An authorization code: for one use, by one app, with one redirect URI, until ``expires_ms``."""

    value: str
    client_id: str
    redirect_uri: str
    hub_id: int
    user_id: int
    scopes: frozenset[str]
    expires_ms: int
    spent: bool = False

    def __post_init__(self) -> None:
        self.scopes = frozenset(self.scopes)

    @property
    def key(self) -> str:
        return self.value


@dataclass(slots=True)
class Refresh:
    """A refresh token. It has no end of its own; a rotation, revocation or uninstall sets ``dead_from_ms``."""

    value: str
    client_id: str
    app_id: int
    hub_id: int
    user_id: int
    scopes: frozenset[str]
    dead_from_ms: int | None = None

    def __post_init__(self) -> None:
        self.scopes = frozenset(self.scopes)

    @property
    def key(self) -> str:
        return self.value

    def is_live(self, now_ms: int) -> bool:
        return self.dead_from_ms is None or now_ms < self.dead_from_ms


@dataclass(slots=True)
class Settings:
    """How tokens live here: seconds of an access token (less up to ``lifetime_jitter``, and told so), whether a
    refresh kills the refresh token it used (``refresh_grace``: only after a minute), and how likely a call finds
    its access token expired before its time."""

    expires_in: int = 1800
    rotate: bool = True
    lifetime_jitter: int = 0
    refresh_grace: bool = False
    expiry_probability: float = 0.0

    def __post_init__(self) -> None:
        self.expires_in, self.lifetime_jitter = int(self.expires_in), int(self.lifetime_jitter)
        self.expiry_probability = float(self.expiry_probability)
        if self.expires_in < 1 or self.lifetime_jitter < 0:
            raise ValueError("a token lives for a second at least")

    @property
    def key(self) -> str:
        return ""
