"""HubSpot's date versions, and the path of every API family in each of them.

HubSpot: developer platform, versioning. A dated version is current for 6 months and unsupported after 18, so
the version is one setting of the client and no path is spelled anywhere else.
"""

import calendar
import re
import urllib.parse
from dataclasses import dataclass
from datetime import date

from crmsync.hubspot import errors

CURRENT = "2026-09"
SUPPORTED = (CURRENT, "2026-03")
# When each version became generally available. HubSpot: versioning; changelog "CRM API write validation
# enforcement", which says that 2026-09 ships on September 8.
RELEASED: dict[str, date] = {"2026-03": date(2026, 3, 30), "2026-09": date(2026, 9, 8)}
CURRENT_MONTHS = 6
SUPPORT_MONTHS = 18

# How the paths of each family begin; no beginning is the beginning of another.
_FAMILIES = (
    ("/crm/objects/", "objects"),
    ("/crm/associations/", "associations"),
    ("/crm/properties/", "properties"),
    ("/crm/property-validations/", "validations"),
    ("/crm/pipelines/", "pipelines"),
    ("/crm/owners/", "owners"),
    ("/crm/limits/", "limits"),
    ("/crm-object-schemas/", "schemas"),
    ("/account-info/", "account"),
    ("/oauth/", "oauth"),
    ("/appinstalls/", "oauth"),
)
_VERSION = re.compile(r"v\d|\d{4}-\d{2}")


@dataclass(frozen=True, slots=True)
class Paths:
    """Paths of one version; each method takes further path segments, which are percent-encoded."""

    version: str

    def objects(self, *segments: str) -> str:
        return _join(f"/crm/objects/{self.version}", segments)

    def associations(self, *segments: str) -> str:
        return _join(f"/crm/associations/{self.version}", segments)

    def properties(self, *segments: str) -> str:
        return _join(f"/crm/properties/{self.version}", segments)

    def property_validations(self, *segments: str) -> str:
        return _join(f"/crm/property-validations/{self.version}", segments)

    def schemas(self, *segments: str) -> str:
        return _join(f"/crm-object-schemas/{self.version}/schemas", segments)

    def pipelines(self, *segments: str) -> str:
        return _join(f"/crm/pipelines/{self.version}", segments)

    def owners(self, *segments: str) -> str:
        return _join(f"/crm/owners/{self.version}", segments)

    def lists(self, *segments: str) -> str:
        return _join(f"/crm/lists/{self.version}", segments)

    def limits(self, *segments: str) -> str:
        return _join(f"/crm/limits/{self.version}", segments)

    def imports(self, *segments: str) -> str:
        return _join(f"/crm/imports/{self.version}", segments)

    def exports(self, *segments: str) -> str:
        return _join(f"/crm/exports/{self.version}/export/async", segments)

    def account_info(self, *segments: str) -> str:
        return _join(f"/account-info/{self.version}", segments)

    def oauth_token(self, *segments: str) -> str:
        return _join(f"/oauth/{self.version}/token", segments)

    def app_installs(self, *segments: str) -> str:
        return _join(f"/appinstalls/{self.version}", segments)

    def timeline(self, *segments: str) -> str:
        return _join(f"/integrators/timeline/{self.version}", segments)

    def webhooks_journal(self, *segments: str) -> str:
        """``segments`` start with journal, subscriptions or snapshots, which stand before the version."""
        return _join(f"/webhooks-journal/{segments[0]}/{self.version}", segments[1:])

    def app_webhooks(self, *segments: str) -> str:
        """Webhook settings of an app; the family was renamed with 2026-09."""
        family = "webhooks" if self.version == "2026-03" else "app-webhooks"
        return _join(f"/{family}/{self.version}", segments)

    def static_token_info(self) -> str:
        """Introspection of a static token; no dated path of it is known."""
        return "/oauth/v2/private-apps/get/access-token-info"


def paths(version: str) -> Paths:
    """The paths of ``version``; ConfigError naming the supported versions for any other."""
    if version not in SUPPORTED:
        known = ", ".join(SUPPORTED)
        raise errors.ConfigError(f"API version {version!r} is not supported, use one of {known}")
    return Paths(version)


def support_ends(version: str) -> date:
    """The first day without support: 18 months after the release. ConfigError for a version we do not know."""
    return _months_later(_released(version), SUPPORT_MONTHS)


def is_current(version: str, today: date) -> bool:
    """Is this the newest version on that day, and not older than 6 months?

    Six months on HubSpot has a newer one, whether this package knows it or not. ConfigError for a version we
    do not know.
    """
    since = _released(version)
    newest = max((day for day in RELEASED.values() if day <= today), default=None)
    return since == newest and today < _months_later(since, CURRENT_MONTHS)


def next_after(version: str) -> str | None:
    """The next newer version this package can speak, None for the newest. ConfigError for one it does not know."""
    since = _released(version)
    return min((one for one in SUPPORTED if RELEASED[one] > since), default=None)


def family_of(path: str) -> tuple[str, str]:
    """Family and version of a path, for the books: ("objects", "2026-09"); ("other", "") for an unknown one.

    Search and the associations of a record are families of their own, though their paths are of objects.
    """
    version = next((part for part in path.split("/") if _VERSION.fullmatch(part)), "")
    family = next((name for root, name in _FAMILIES if path.startswith(root)), "other")
    below = path.split("/")[5:]  # after "", crm, objects, the version and the object type
    if family == "objects" and below == ["search"]:
        return "search", version
    if family == "objects" and below[1:2] == ["associations"]:
        return "associations", version
    return family, version


def _released(version: str) -> date:
    return RELEASED[paths(version).version]


def _months_later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _join(root: str, segments: tuple[str, ...]) -> str:
    """``root`` and the segments, each encoded; ValueError for one that would lead to another path."""
    for segment in segments:
        if segment in ("", ".", ".."):
            raise ValueError("a path segment may not be empty, '.' or '..'")
    return "/".join((root, *(urllib.parse.quote(segment, safe="") for segment in segments)))
