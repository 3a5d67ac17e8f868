"""Reads a portal's properties, pipelines and owners, and says what was added, changed and removed."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.utils import timezone

from crmsync.flows import scope
from crmsync.hubspot import client as hubspot_client
from crmsync.hubspot import errors, owners, pipelines, properties
from crmsync.ledger import portals
from crmsync.models import Portal, RemotePipeline, RemoteProperty, UserLink
from crmsync.sides import remote

OBJECT_TYPES = ("contacts", "companies", "deals")
_WITH_PIPELINES = ("deals", "tickets")


@dataclass(slots=True)
class Report:
    """By object type what changed; ``missing`` says what could not be read and which scope would allow it."""

    properties: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    pipelines: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    owners: dict[str, int] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)


def discover(portal: Portal, object_types: Iterable[str] = ()) -> Report:
    """Discover the standard types, the given ones and those that mappings use."""
    client = remote.client_for(scope.access_of(portal))
    mapped = portal.mappings.values_list("object_type", flat=True)
    report = Report()
    for object_type in dict.fromkeys([*OBJECT_TYPES, *mapped, *object_types]):
        _degrade(report, object_type, lambda kind=object_type: _properties(report, portal, client, kind))
        if object_type in _WITH_PIPELINES:
            _degrade(
                report, f"{object_type} pipelines", lambda kind=object_type: _pipelines(report, portal, client, kind)
            )
    _degrade(report, "owners", lambda: _owners(report, portal, client))
    portals.stamp_discovered(portal, timezone.now())
    return report


def _degrade(report: Report, what: str, step) -> None:
    """A missing scope makes that part unavailable, not the whole discovery."""
    try:
        step()
    except errors.MissingScopes as error:
        report.missing[what] = ", ".join(error.scopes) or str(error)


def _properties(report: Report, portal: Portal, client: hubspot_client.Client, object_type: str) -> None:
    rows = [
        RemoteProperty(
            portal=portal,
            object_type=object_type,
            name=one.name,
            label=one.label,
            description=one.description,
            group=one.group,
            type=one.type,
            field_type=one.field_type,
            options=[[option.value, option.label] for option in one.options],
            is_read_only=not one.is_writable,
            is_unique=one.is_unique,
            is_hidden=one.is_hidden,
            has_external_options=one.has_external_options,
            referenced_object_type=one.referenced_object_type,
        )
        for one in properties.list_all(client, object_type)
    ]
    report.properties[object_type] = portals.replace_properties(portal, object_type, rows)


def _pipelines(report: Report, portal: Portal, client: hubspot_client.Client, object_type: str) -> None:
    rows = [
        RemotePipeline(
            portal=portal,
            object_type=object_type,
            pipeline_id=one.id,
            label=one.label,
            stages=[[stage.id, stage.label] for stage in one.stages],
        )
        for one in pipelines.list_all(client, object_type)
    ]
    report.pipelines[object_type] = portals.replace_pipelines(portal, object_type, rows)


def _owners(report: Report, portal: Portal, client: hubspot_client.Client) -> None:
    rows = [
        UserLink(
            portal=portal,
            owner_id=one.id,
            hubspot_user_id=str(one.user_id or ""),
            email=one.email,
            name=f"{one.first_name} {one.last_name}".strip(),
            is_archived=one.archived,
        )
        for one in owners.iter_all(client)
    ]
    report.owners = portals.store_owners(portal, rows)
