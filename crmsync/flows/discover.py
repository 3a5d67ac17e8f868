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
from crmsync.engine import across, spec, terms
from crmsync.flows import access, environment, failures, meter
from crmsync.hubspot import (
    associations,
    errors,
    object_types,
    owners,
    pipelines,
    properties,
    schemas,
    types,
    validations,
)
from crmsync.hubspot import client as hubspot_client
from crmsync.ledger import edgelabels, portals, schema
from crmsync.models import (
    FieldMapping,
    Portal,
    RemoteLabel,
    RemoteObjectType,
    RemotePipeline,
    RemoteProperty,
    RemoteRule,
    UserLink,
)
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
    _wake(portal, report)
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


def refresh(portal: Portal, object_type: str) -> bool:
    """Read one object type's properties, pipelines and rules again; whether anything was not as known.

    For a worker whose write was refused; HubSpotErrors are the caller's.
    """
    client = remote.client_for(access.access_of(portal))
    report = Report()
    _degrade(report, object_type, lambda: _properties(report, portal, client, object_type))
    _degrade(report, "rules", lambda: _rules(report, portal, client, object_type))
    if object_type in _WITH_PIPELINES:
        _degrade(report, "pipelines", lambda: _pipelines(report, portal, client, object_type))
    return _wake(portal, report)


def remember(portal: Portal, object_type: str, one: types.Property) -> None:
    """Know a property that was just read or made as if it had been discovered, until the next discovery."""
    RemoteProperty.objects.bulk_create([_property(portal, object_type, one)], ignore_conflicts=True)


def refresh_labels(portal: Portal, object_type: str, to_type: str) -> bool:
    """Read the labels from one object type to another again; whether they were not as known."""
    client = remote.client_for(access.access_of(portal))
    report = Report()
    what = f"labels of {object_type} to {to_type}"
    _degrade(report, what, lambda: _labels(report, portal, client, object_type, to_type))
    return _wake(portal, report)


# What waited for a property, an option, a label or a rule of HubSpot's is looked at again once those changed.
_SCHEMA_CODES = (
    "field.property_gone",
    "field.retyped",
    "field.read_only",
    "field.option_unknown",
    "remote.rejected",
    *(one.value for one in terms.EdgeProblem),
)


def _wake(portal: Portal, report: Report) -> bool:
    """Look again at what waited for the schema to change, if it did."""
    is_changed = any(True for _ in report.news())
    if is_changed:
        portals.retry_for(portal, _SCHEMA_CODES)
    return is_changed


def _discover(portal: Portal, client: hubspot_client.Client, report: Report, given: tuple[str, ...]) -> None:
    _degrade(report, schema.CUSTOM_TYPES, lambda: _object_types(report, portal, client))
    mapped = portal.mappings.order_by("object_type").values_list("object_type", flat=True).distinct()
    custom = RemoteObjectType.objects.filter(portal=portal).values_list("object_type", flat=True)
    kinds = tuple(dict.fromkeys([*OBJECT_TYPES, *custom, *mapped, *_taken_from(portal), *given]))
    for kind in kinds:
        _degrade(report, kind, lambda kind=kind: _properties(report, portal, client, kind))
        _degrade(report, f"{kind} rules", lambda kind=kind: _rules(report, portal, client, kind))
        if kind in _WITH_PIPELINES or kind in custom:
            _degrade(report, f"{kind} pipelines", lambda kind=kind: _pipelines(report, portal, client, kind))
    for one, other in itertools.product(kinds, repeat=2):
        what = f"labels of {one} to {other}"
        _degrade(report, what, lambda one=one, other=other: _labels(report, portal, client, one, other))
    _degrade(report, "owners", lambda: _owners(report, portal, client))


def _taken_from(portal: Portal) -> list[str]:
    """The object types of which mappings take values over, but for names that no type has."""
    rows = FieldMapping.objects.filter(mapping__portal=portal, is_active=True, remote__contains=across.MARK)
    named = across.types_of(rows.values_list("remote", flat=True))
    return [one for one in named if one in object_types.NAMES.values() or one.startswith("2-")]


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
        options=[[option.value, option.label] for option in sorted(one.options, key=_place)],
        is_read_only=not one.is_writable,
        is_unique=one.is_unique,
        is_hidden=one.is_hidden,
        is_calculated=one.is_calculated,
        is_archived=one.is_archived,
        has_external_options=one.has_external_options,
        referenced_object_type=one.referenced_object_type,
        sensitivity=one.sensitivity,
    )


def _place(one: types.Option | types.Stage) -> float:
    """Where HubSpot shows it; what has no place comes last, in the order of the answer."""
    return one.display_order if one.display_order >= 0 else float("inf")


def _pipelines(report: Report, portal: Portal, client: hubspot_client.Client, object_type: str) -> None:
    rows = [
        RemotePipeline(
            portal=portal,
            object_type=object_type,
            pipeline_id=one.id,
            label=one.label,
            stages=[[stage.id, stage.label] for stage in sorted(one.stages, key=_place)],
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
    before = edgelabels.named(portal.pk, one, other)
    diff = report.labels[f"{one} → {other}"] = schema.replace(RemoteLabel, within, rows)
    edgelabels.lose(portal.pk, one, other, {before[key] for key in diff["removed"] if key in before})
    if any(diff.values()):
        edgelabels.wake(portal.pk, one, other, timezone.now())


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
