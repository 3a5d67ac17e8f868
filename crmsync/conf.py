"""Typed, lazy settings: one dict ``CRMSYNC`` in Django's settings, the default and its reason beside each key."""

from dataclasses import dataclass, field, fields
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


@dataclass(frozen=True, slots=True)
class Options:
    """Every key of ``CRMSYNC``. All are optional; times are seconds unless the name says otherwise."""

    # Where HubSpot is. A deploy setting, never typed by staff: tests and the demo point it to the fakehub.
    API_URL: str = "https://api.hubapi.com"
    # Where people authorise an OAuth app: HubSpot's own page, or the fakehub's in tests and the demo.
    AUTHORIZE_URL: str = "https://app.hubspot.com/oauth/authorize"
    # The OAuth app of portals that name none of their own: one app of a product serves all its portals.
    OAUTH_CLIENT_ID: str = ""
    OAUTH_CLIENT_SECRET: str = field(default="", repr=False)
    # What this installation is, such as "production" or "staging". Any name but "production" refuses all
    # HubSpot accounts but test accounts. Empty: only a copied or moved database is noticed.
    ENVIRONMENT: str = ""
    # A rehearsal against a real account: HubSpot is read and Django written, HubSpot is never written.
    READ_ONLY: bool = False
    # HubSpot's date version for portals that do not name one; 2026-09 is current until March 2027.
    API_VERSION: str = "2026-09"
    # Models staff may map, as "app_label.Model". Nothing is mapped unless named here: deny by default.
    MODELS: tuple[str, ...] = ()
    # Tables of values, as {"app_label.Model": "its field"}: a relation to one is read and written as that value.
    CATEGORIES: dict[str, str] = field(default_factory=dict)
    # Those of them to which values that HubSpot sends may be added. None: a list of statuses is somebody's decision.
    CATEGORIES_CREATE: tuple[str, ...] = ()
    # "rq": work is rung through django-rq. "database": only `crmsync_worker` drains, no Redis needed.
    RUNNER: str = "rq"
    # Properties that crmsync creates in HubSpot are called this, the model's name and the field's: whoever meets one
    # there sees where it comes from, and it meets no name of HubSpot's or of another app.
    PROPERTY_PREFIX: str = "django_"
    # The property group they are put into; it is created where it is missing.
    PROPERTY_GROUP: str = "crmsync"
    # The RQ queue used. One is enough: jobs carry ids only and lanes are kept in the database.
    QUEUE: str = "crmsync"
    # The public base URL HubSpot calls (scheme and host), used to verify signatures behind proxies.
    # Empty: the request's own absolute URI, which is right only without a rewriting proxy.
    PUBLIC_URL: str = ""
    # How long a worker may hold a record without renewing. Longer than one call's time-out, short
    # enough that a killed worker's records move again soon.
    LEASE_SECONDS: int = 30
    # How often the dispatcher looks for due or expired rows: what a lost Redis can delay work by.
    SWEEP_SECONDS: int = 5
    # The fast delta: what webhooks missed is seen after at most this long (A19: default 5 minutes).
    POLL_SECONDS: int = 300
    # The fast pass re-reads this far back, because HubSpot's index lags its records.
    POLL_OVERLAP_SECONDS: int = 60
    # The delayed pass is the complete one: recent reads are not monotonic in modified time.
    FULL_POLL_SECONDS: int = 1800
    FULL_POLL_OVERLAP_SECONDS: int = 900
    # A changed association that no webhook told is found after at most this long: no modified date moves with it, so
    # all linked records are asked about, a thousand a call. 0: never.
    EDGE_POLL_SECONDS: int = 21_600
    # HubSpot's burst limit per 10 seconds for this app; 100 is the Free and Starter tier. 0: nothing is paced.
    BURST_PER_10_SECONDS: int = 100
    # The account's search limit is 5 a second for all apps; one is left to others. 0: as the burst.
    SEARCH_PER_SECOND: int = 4
    # The share of the account's daily calls that crmsync may use up; the rest stays for its other apps.
    DAILY_SHARE: float = 0.9
    # After a webhook secret was changed, the old one is accepted this long: deliveries are retried for a day.
    SECRET_OVERLAP_HOURS: int = 24
    # A token older than this is due for a change; HubSpot advises every six months.
    TOKEN_AGE_DAYS: int = 180
    # HubSpot's fields are read again this often, so that what was changed there is noticed.
    DISCOVER_HOURS: int = 24
    # Connect and read time-out of every call; HubSpot's own gateway gives up after 100 s.
    CONNECT_TIMEOUT: float = 3.05
    READ_TIMEOUT: float = 20.0
    # After an update, read the property history back, so that a HubSpot user's edit that fell between
    # our read and our write is found and logged. Costs one or two calls per 100 updated records.
    VERIFY_WRITES: bool = True
    # A record that failed this often is parked until a person retries it (or it changes again).
    MAX_ATTEMPTS: int = 8
    # Webhook bodies: at most 100 events of a few hundred bytes; below Django's own 2.5 MB limit.
    MAX_WEBHOOK_BYTES: int = 2_000_000
    # How long split deliveries and log entries are kept.
    KEEP_DELIVERIES_DAYS: int = 7
    KEEP_LOG_DAYS: int = 90
    # How long the daily counts of API calls are kept: two years show the seasons.
    KEEP_USAGE_DAYS: int = 730
    # How many edits of each mapping, with the configuration it had then, can be looked at and restored.
    KEEP_REVISIONS: int = 50
    # A mapping goes live only when somebody approved it who neither edited nor tested it. Off: one person may do all.
    TWO_PERSON_APPROVAL: bool = False

    @property
    def secret_overlap(self) -> timedelta:
        """How long a replaced webhook secret goes on verifying."""
        return timedelta(hours=self.SECRET_OVERLAP_HOURS)


_memo: tuple[object, Options] | None = None


def current() -> Options:
    """The options now in force; respects ``override_settings``."""
    global _memo  # noqa: PLW0603  (one cell, replaced whole: the settings object it was made of, and its options)
    raw = getattr(settings, "CRMSYNC", {})
    if _memo is None or _memo[0] is not raw:
        _memo = (raw, make_options(raw))
    return _memo[1]


def make_options(raw: dict[str, object]) -> Options:
    """Options from a raw dict; unknown keys are left to the system checks, wrong types are refused."""
    known = {one.name: one.type for one in fields(Options)}
    values: dict[str, object] = {}
    for key in known.keys() & raw.keys():
        value, default = raw[key], getattr(Options(), key)
        values[key] = tuple(value) if isinstance(default, tuple) and isinstance(value, list) else value
        if not _fits(values[key], default):
            raise ImproperlyConfigured(
                f"CRMSYNC[{key!r}] must be {type(default).__name__}, not {type(value).__name__}."
            )
    return Options(**values)  # type: ignore[arg-type]


def _fits(value: object, default: object) -> bool:
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(value, bool) and isinstance(default, bool)
    if isinstance(default, float):
        return isinstance(value, int | float)
    return isinstance(value, type(default))


def unknown_keys() -> list[str]:
    """Keys of ``CRMSYNC`` that crmsync does not know."""
    return sorted(set(getattr(settings, "CRMSYNC", {})) - {one.name for one in fields(Options)})
