"""Which API version a portal is called under, and for how long HubSpot supports it; no query."""

from datetime import date

from crmsync.flows import rehearse
from crmsync.models import Portal


def supported() -> tuple[str, ...]:
    """The versions that crmsync speaks, newest first."""
    return rehearse.versions.SUPPORTED


def present(portal: Portal) -> str:
    """The version a portal is called under."""
    return rehearse.version_of(portal)


def ends(portal: Portal, today: date) -> tuple[date | None, int | None]:
    """(first day without support, days until then), both None for a version crmsync does not speak."""
    version = present(portal)
    if version not in supported():
        return None, None
    day = rehearse.versions.support_ends(version)
    return day, (day - today).days
