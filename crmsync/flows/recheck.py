"""Holds what the mappings would send again against the properties and rules of another API version; sends nothing.

HubSpot: property validations API; CRM API write validation enforcement (from version 2026-09 on).
"""

from collections import abc
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from crmsync.engine import across, convert, discovered, record, rehearse, spec, terms
from crmsync.engine import errors as engine_errors
from crmsync.flows import prerequisites
from crmsync.hubspot import client as hubspot_client
from crmsync.hubspot import errors, objects, properties, validations
from crmsync.ledger import links, specs
from crmsync.models import Link, Mapping, Portal, RemoteProperty
from crmsync.sides import local

# One batch read of HubSpot's, for each mapping.
_LINKS = 100
_REQUIRING = {"REQUIRED", "CONDITIONALLY_REQUIRED"}
_SENSITIVE = ("sensitive", "highly_sensitive")


@dataclass(slots=True)
class Recheck:
    """``checked`` records, what sending them again would meet, and sentences about what could not be judged."""

    checked: int = 0
    findings: dict[tuple[str, ...], dict[str, Any]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Law:
    """What an object type demands under the other version."""

    properties: dict[str, discovered.PropertyFacts]
    rules: tuple[rehearse.RuleFacts, ...]

    @property
    def names(self) -> set[str]:
        """The properties that rules ask about."""
        return {name for rule in self.rules for name in (rule.property, *rule.condition)}


def check(
    done: Recheck, client: hubspot_client.Client, portal: Portal, object_type: str, mappings: Iterable[Mapping]
) -> None:
    """Add to ``done`` what the pushing mappings of an object type would meet; ``client`` speaks the other version.

    Asked are the last 100 synced records of each mapping, as an update and, where the mapping makes records, as a
    create. Raises a HubSpotError where the version does not tell what it demands.
    """
    pushing = [one for one in mappings if terms.Direction(one.direction).pushes]
    if not pushing:
        return
    law = _Law(_properties(client, portal, object_type), tuple(_rules(done, client, object_type)))
    for mapping in pushing:
        try:
            _check_mapping(done, client, mapping, law)
        except specs.SpecError as error:
            done.problems.append(str(error))


def _properties(
    client: hubspot_client.Client, portal: Portal, object_type: str
) -> dict[str, discovered.PropertyFacts]:
    """As the other version has them; sensitive ones, which need a scope of their own, as they were discovered."""
    stored = RemoteProperty.objects.filter(portal=portal, object_type=object_type, sensitivity__in=_SENSITIVE)
    known = prerequisites.properties(portal).get(object_type, {})
    found = {name: known[name] for name in stored.values_list("name", flat=True)}
    for one in properties.list_all(client, object_type):
        found[one.name] = discovered.PropertyFacts(
            type=one.type,
            options=frozenset(option.value for option in one.options),
            is_read_only=not one.is_writable,
            exists=not one.is_archived,
            is_unique=one.is_unique,
        )
    return found


def _rules(done: Recheck, client: hubspot_client.Client, object_type: str) -> Iterator[rehearse.RuleFacts]:
    """The rules that can be judged. HubSpot publishes no shape of a condition: "name=value;value" is a guess."""
    unjudged = set()
    for one in validations.list_rules(client, object_type):
        parts = [argument.partition("=") for argument in one.arguments]
        if one.kind in _REQUIRING and all(sign for _, sign, _ in parts):
            yield rehearse.RuleFacts(one.property, one.kind, {name: frozenset(v.split(";")) for name, _, v in parts})
        else:
            unjudged.add(f"{one.property} ({one.kind})")
    if unjudged:
        done.problems.append(f"{object_type}: rules that are not judged here: {', '.join(sorted(unjudged))}.")


def _check_mapping(done: Recheck, client: hubspot_client.Client, mapping: Mapping, law: _Law) -> None:
    one = specs.load(mapping)
    rows = Link.objects.filter(mapping=mapping, state=links.State.LINKED, synced_at__isnull=False)
    rows = rows.exclude(remote_id=None).order_by("-synced_at")[:_LINKS]
    by_local = dict(rows.values_list("local_pk", "remote_id"))
    names = sorted({f.remote for f in one.fields if not across.is_across(f.remote)} | law.names)
    held = _held(client, mapping.object_type, list(by_local.values()), names)
    for key, row in local.LocalSide(one, specs.adapter_of(mapping)).read(by_local).items():
        remote_id = by_local[key]
        if remote_id not in held:
            continue
        done.checked += 1
        values = _values(one, row)
        again = rehearse.check_write(values, law.properties, law.rules, held=held[remote_id])
        _note(done, mapping, remote_id, "update", again)
        if one.creates_remote:
            _note(done, mapping, remote_id, "create", rehearse.check_write(values, {}, law.rules))


def _held(
    client: hubspot_client.Client, object_type: str, ids: list[str], names: list[str]
) -> dict[str, abc.Mapping[str, str | None]]:
    """What HubSpot has of these records; one that is gone is missing."""
    settled = objects.read_batch(client, object_type, ids, names)
    for error in settled.failed.values():
        if not isinstance(error, errors.NotFound):
            raise error
    return {key: one.properties for key, one in settled.done.items()}


def _values(one: spec.MappingSpec, row: record.Record) -> dict[str, str]:
    """What the mapping would send for a record now; a value that cannot be sent has its own problem already."""
    found = {}
    for one_field in (f for f in one.fields if one.pushes(f)):
        try:
            said = convert.to_remote(row.values.get(one_field.local), one_field)
        except engine_errors.ConvertError:
            continue
        if said or one_field.blanks is terms.BlankPolicy.CLEAR:
            found[one_field.remote] = said
    return found


def _note(done: Recheck, mapping: Mapping, remote_id: str, when: str, found: Iterable[rehearse.Finding]) -> None:
    """The same trouble of many records is one finding, with the first of them."""
    for one in found:
        first = {
            "mapping": mapping.label,
            "id": remote_id,
            "property": one.property,
            "kind": str(one.kind),
            "message": one.message,
            "when": when,
            "count": 0,
        }
        done.findings.setdefault((mapping.label, when, one.property, one.message), first)["count"] += 1
