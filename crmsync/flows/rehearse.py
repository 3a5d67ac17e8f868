"""How long a portal's API version is supported, and what another one would change: tried by reads, no write is sent.

HubSpot: developer platform, versioning; CRM API write validation enforcement.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from django.utils import timezone
from fernet_fields import DecryptionError

from crmsync import conf
from crmsync.engine import across
from crmsync.engine import rehearse as judge
from crmsync.flows import access, failures, meter, prerequisites, recheck
from crmsync.hubspot import client as hubspot_client
from crmsync.hubspot import errors, objects, versions
from crmsync.ledger import portals, usage
from crmsync.models import Mapping, Portal
from crmsync.sides import remote

# Over so many days it is told which endpoints are used: what a month's work needs shows in a month.
_DAYS = 30
# Differences listed for an object type: more say nothing more, and the report is kept in one row.
_LISTED = 200
# What one object type cannot do says nothing of the next one; anything else would meet them all.
_LOCAL_TROUBLE = {failures.Kind.CONFIG, failures.Kind.PARK}


@dataclass(frozen=True, slots=True)
class VersionState:
    """``support_ends`` is the first day without support, ``days_left`` until then (negative: so long ago).

    ``endpoints``: (family, version, calls, failed) of the last 30 days, most called first.
    """

    version: str
    is_current: bool
    support_ends: date
    days_left: int
    next_version: str | None
    endpoints: tuple[tuple[str, str, int, int], ...]


def version_of(portal: Portal) -> str:
    """The API version a portal is called under."""
    return portal.api_version or conf.current().API_VERSION


def state(portal: Portal, today: date) -> VersionState:
    """How a portal's version stands on a day; ValueError where it is none that crmsync speaks."""
    version = _checked(version_of(portal))
    ends = versions.support_ends(version)
    return VersionState(
        version=version,
        is_current=versions.is_current(version, today),
        support_ends=ends,
        days_left=(ends - today).days,
        next_version=versions.next_after(version),
        endpoints=tuple(usage.by_family(portal.pk, today - timedelta(days=_DAYS))),
    )


def switch(portal: Portal, version: str) -> None:
    """Call a portal under another version from now on; ValueError names those that crmsync speaks."""
    portals.speak(portal, _checked(version))


def _checked(version: str) -> str:
    if version not in versions.SUPPORTED:
        known = ", ".join(versions.SUPPORTED)
        raise ValueError(f"API version {version!r} is not supported, use one of {known}")
    return version


# --- The rehearsal ----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Trial:
    portal: Portal
    version: str
    clients: list[hubspot_client.Client] = field(default_factory=list)
    reads: dict[str, dict[str, Any]] = field(default_factory=dict)
    writes: recheck.Recheck = field(default_factory=recheck.Recheck)
    problems: list[str] = field(default_factory=list)

    @property
    def present(self) -> hubspot_client.Client:
        return self.clients[0]

    @property
    def other(self) -> hubspot_client.Client:
        return self.clients[1]

    def open(self) -> None:
        self.clients = [_reader(self.portal, one) for one in (version_of(self.portal), self.version)]

    def check_writes(self, object_type: str, mappings: list[Mapping]) -> None:
        recheck.check(self.writes, self.other, self.portal, object_type, mappings)

    def attempt(self, what: str, step: Callable[[], None]) -> bool:
        """Take a step; whether the next one makes sense. The portal's state is left alone: this is a rehearsal."""
        try:
            step()
        except (errors.HubSpotError, DecryptionError) as error:
            verdict = failures.classify(error)
            self.problems.append(f"{what}: {verdict.message}")
            return verdict.kind in _LOCAL_TROUBLE
        return True


def rehearse(portal: Portal, version: str) -> dict[str, Any]:
    """What another version would change for this portal, kept in ``portal.rehearsal``; ValueError if unsupported.

    ``reads``: by object type, one page under both versions: {"compared": records, "differences": [{"id",
    "property"}]}, the property blank where one version has no such record. ``writes``: {"checked": records,
    "findings": [{"mapping", "id", "property", "kind", "message", "when", "count"}]}: what sending again the
    values of each mapping's last 100 synced records would meet, ``when`` as an "update" or as a "create".
    ``problems``: sentences about what could not be tried. No value of a record is in it.
    """
    trial = _Trial(portal, _checked(version))
    trial.attempt("the connection", trial.open)
    for object_type, mappings in (_by_type(portal) if trial.clients else {}).items():
        steps = (
            (object_type, lambda kind=object_type, some=mappings: _compare(trial, kind, some)),
            (f"writes of {object_type}", lambda kind=object_type, some=mappings: trial.check_writes(kind, some)),
        )
        if not all(trial.attempt(what, step) for what, step in steps):
            break
    for client in trial.clients:
        client.close()
    meter.write()
    report = {
        "version": version,
        "at": timezone.now().isoformat(),
        "reads": trial.reads,
        "writes": {"checked": trial.writes.checked, "findings": list(trial.writes.findings.values())},
        "problems": [*trial.problems, *trial.writes.problems],
    }
    portals.store_rehearsal(portal, report)
    return report


def _reader(portal: Portal, version: str) -> hubspot_client.Client:
    """A client of its own that refuses to send a write, whatever asks it to."""
    one = access.access_of(portal, by_hand=True)
    return remote.client_for(replace(one, key="", version=version, is_read_only=lambda: True))


def _by_type(portal: Portal) -> dict[str, list[Mapping]]:
    found: dict[str, list[Mapping]] = {}
    rows = Mapping.objects.filter(portal=portal).order_by("object_type", "label")
    for mapping in rows.prefetch_related("fields", "match_keys"):
        found.setdefault(mapping.object_type, []).append(mapping)
    return found


def _names(mappings: Iterable[Mapping]) -> list[str]:
    """The properties that these mappings read of their own records."""
    fields = {one.remote for mapping in mappings for one in prerequisites.active_fields(mapping)}
    fields = {name for name in fields if not across.is_across(name)}
    return sorted(fields | {key.remote for mapping in mappings for key in mapping.match_keys.all()})


def _compare(trial: _Trial, object_type: str, mappings: list[Mapping]) -> None:
    names = _names(mappings)
    old, new = _page(trial.present, object_type, names), _page(trial.other, object_type, names)
    found = judge.compare_pages(old, new)
    if found:  # somebody may have edited a record between the two reads
        moved = {one.id for one in judge.compare_pages(old, _page(trial.present, object_type, names))}
        found = tuple(one for one in found if one.id not in moved)
    listed = [{"id": one.id, "property": one.property} for one in found[:_LISTED]]
    trial.reads[object_type] = {"compared": len(old), "differences": listed}
    if len(found) > len(listed):
        trial.problems.append(f"{object_type}: {len(found)} differences, of which {len(listed)} are listed.")


def _page(client: hubspot_client.Client, object_type: str, names: list[str]) -> list[tuple[str, dict[str, Any]]]:
    page = objects.list_page(client, object_type, names)
    return [(one.id, dict(one.properties)) for one in page.records]
