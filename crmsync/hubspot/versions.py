"""HubSpot's date versions, and the path of every API family in each of them.

HubSpot: developer platform, versioning. A dated version is current for 6 months and unsupported after 18, so
the version is one setting of the client and no path is spelled anywhere else.
"""

import urllib.parse
from dataclasses import dataclass

from crmsync.hubspot import errors

CURRENT = "2026-09"
SUPPORTED = (CURRENT, "2026-03")


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


def _join(root: str, segments: tuple[str, ...]) -> str:
    """``root`` and the segments, each encoded; ValueError for one that would lead to another path."""
    for segment in segments:
        if segment in ("", ".", ".."):
            raise ValueError("a path segment may not be empty, '.' or '..'")
    return "/".join((root, *(urllib.parse.quote(segment, safe="") for segment in segments)))
