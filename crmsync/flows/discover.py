"""Reads what a portal has, from object types to validation rules, and says what is new, changed and gone."""

import dataclasses
import itertools
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from django.utils import timezone
from fernet_fields import DecryptionError

from crmsync import conf
from crmsync.engine import spec
from crmsync.flows import access, environment, failures, meter
from crmsync.hubspot import associations, errors, owners, pipelines, properties, schemas, types, validations
from crmsync.hubspot import client as hubspot_client
from crmsync.ledger import portals, schema
from crmsync.models import Portal, RemoteLabel, RemoteObjectType, RemotePipeline, RemoteProperty, RemoteRule, UserLink
from crmsync.sides import remote

logger = logging.getLogger(__name__)

OBJECT_TYPES = ("contacts", "companies", "deals")
_WITH_PIPELINES = ("deals", "tickets")
_SENSITIVE = ("sensitive", "highly_sensitive")


class DiscoveryError(Exception):
    """Why a portal's fields could not be read: one sentence with the remedy."""


@dataclass(slots=True)
class Report:
    """By kind of thing and object type what was added, changed and removed; ``missing``: what could not be read,
    and which scope would allow it."""

    object_types: schema.Diff = field(default_factory=dict)
    properties: dict[str, schema.Diff] = field(default_factory=dict)
    pipelines: dict[str, schema.Diff] = field(default_factory=dict)
    labels: dict[str, schema.Diff] = field(default_factory=dict)
    rules: dict[str, schema.Diff] = field(default_factory=dict)
    owners: dict[str, int] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def news(self) -> Iterator[tuple[str, str, str, list[str]]]:
        """(kind, object type, added | changed | removed, names), only where there are some."""
        parts = {"property": self.properties, "pipeline": self.pipelines, "label": self.labels, "rule": self.rules}
        diffs = [("object type", "", self.object_types)]
        diffs += [(kind, name, diff) for kind, by_type in parts.items() for name, diff in by_type.items()]
        for kind, name, diff in diffs:
            for word, names in diff.items():
                if names:
                    yield kind, name, word, names


def discover(portal: Portal, object_types: Iterable[str] = (), *, by_hand: bool = True) -> Report:
    """Discover the standard types, the account's custom ones, the given ones and those that mappings use.

    DiscoveryError says why it was not possible; what one scope is missing for is left as it was.
    """
    client = remote.client_for(access.access_of(portal, by_hand=by_hand))
    report = Report()
    try:
        _discover(portal, client, report, tuple(object_types))
    except (errors.HubSpotError, DecryptionError) as error:
        verdict = failures.classify(error)
        failures.note(portal, verdict)
        raise DiscoveryError(verdict.message) from error
    schema.stamp(portal, dataclasses.asdict(report), timezone.now())
    meter.write()
    return report


def discover_due() -> int:
    """Discover the portal that waited longest, if its time has come; how many were."""
    before = timezone.now() - timedelta(hours=conf.current().DISCOVER_HOURS)
    for portal in schema.due_for_discovery(before)[:1]:
        try:
            discover(portal, by_hand=False)
        except DiscoveryError as error:
            logger.warning("fields were not discovered", extra={"portal": portal.pk})
            schema.postpone(portal, timezone.now(), str(error))
        return 1
    return 0


def _discover(portal: Portal, client: hubspot_client.Client, report: Report, given: tuple[str, ...]) -> None:
    _degrade(report, "custom object types", lambda: _object_types(report, portal, client))
    mapped = portal.mappings.order_by("object_type").values_list("object_type", flat=True).distinct()
    custom = RemoteObjectType.objects.filter(portal=portal).values_list("object_type", flat=True)
    kinds = tuple(dict.fromkeys([*OBJECT_TYPES, *custom, *mapped, *given]))
    for kind in kinds:
        _degrade(report, kind, lambda kind=kind: _properties(report, portal, client, kind))
        _degrade(report, f"{kind} rules", lambda kind=kind: _rules(report, portal, client, kind))
        if kind in _WITH_PIPELINES or kind in custom:
            _degrade(report, f"{kind} pipelines", lambda kind=kind: _pipelines(report, portal, client, kind))
    for one, other in itertools.permutations(kinds, 2):
        what = f"labels of {one} to {other}"
        _degrade(report, what, lambda one=one, other=other: _labels(report, portal, client, one, other))
    _degrade(report, "owners", lambda: _owners(report, portal, client))


def _degrade(report: Report, what: str, step) -> None:
    """A missing scope, or a thing this account does not have, makes that part unavailable, not the discovery."""
    try:
        step()
    except errors.MissingScopes as error:
        report.missing[what] = ", ".join(error.scopes) or str(error)
    except errors.NotFound:
        logger.info("HubSpot has no such list", extra={"what": what})


def _object_types(report: Report, portal: Portal, client: hubspot_client.Client) -> None:
    rows = [
        RemoteObjectType(
            portal=portal,
            object_type=one.object_type_id,
            name=one.name,
            label=one.singular,
            plural=one.plural,
            display_property=one.primary_display_property,
            required=list(one.required_properties),
        )
        for one in schemas.list_all(client)
    ]
    report.object_types = schema.replace(RemoteObjectType, {"portal": portal}, rows)


def _properties(report: Report, portal: Portal, client: hubspot_client.Client, object_type: str) -> None:
    found = list(properties.list_all(client, object_type))
    if any(".sensitive." in scope for scope in portal.scopes):
        for sensitivity in _SENSITIVE:
            found += properties.list_all(client, object_type, sensitivity=sensitivity)
    present = {one.name for one in found}
    found += [one for one in properties.list_all(client, object_type, archived=True) if one.name not in present]
    for one in found:
        if one.name == spec.KEY_PROPERTY and (other := environment.other_install(one.description)):
            portals.see_other_install(portal.pk, other)
    rows = [_property(portal, object_type, one) for one in found]
    within = {"portal": portal, "object_type": object_type}
    report.properties[object_type] = schema.replace(RemoteProperty, within, rows)


def _property(portal: Portal, object_type: str, one: types.Property) -> RemoteProperty:
    return RemoteProperty(
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
        is_calculated=one.is_calculated,
        is_archived=one.is_archived,
        has_external_options=one.has_external_options,
        referenced_object_type=one.referenced_object_type,
        sensitivity=one.sensitivity,
    )


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
    within = {"portal": portal, "object_type": object_type}
    report.pipelines[object_type] = schema.replace(RemotePipeline, within, rows)


def _labels(report: Report, portal: Portal, client: hubspot_client.Client, one: str, other: str) -> None:
    rows = [
        RemoteLabel(
            portal=portal, object_type=one, to_type=other, key=f"{label.category}:{label.type_id}", label=label.label
        )
        for label in associations.list_labels(client, one, other)
    ]
    within = {"portal": portal, "object_type": one, "to_type": other}
    report.labels[f"{one} → {other}"] = schema.replace(RemoteLabel, within, rows)


def _rules(report: Report, portal: Portal, client: hubspot_client.Client, object_type: str) -> None:
    rows = {}
    for one in validations.list_rules(client, object_type):
        key = f"{one.property}:{one.kind}"
        facts = {"property": one.property, "kind": one.kind, "arguments": list(one.arguments)}
        rows[key] = RemoteRule(portal=portal, object_type=object_type, key=key, facts=facts)
    within = {"portal": portal, "object_type": object_type}
    report.rules[object_type] = schema.replace(RemoteRule, within, list(rows.values()))


def _owners(report: Report, portal: Portal, client: hubspot_client.Client) -> None:
    rows = [
        UserLink(
            portal=portal,
            owner_id=one.id,
            hubspot_user_id=str(one.user_id or one.user_id_including_inactive or ""),
            email=one.email,
            name=f"{one.first_name} {one.last_name}".strip(),
            is_archived=one.archived,
        )
        for one in owners.iter_all(client)
    ]
    report.owners = portals.store_owners(portal, rows)
