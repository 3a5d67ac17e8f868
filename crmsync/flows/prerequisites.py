"""Rows as the facts that engine.prerequisites judges: what a portal is known to have, what a mapping asks of it."""

from collections import abc
from collections.abc import Iterable, Iterator

from crmsync.engine import across, discovered, prerequisites, terms, tiers
from crmsync.ledger import credentials
from crmsync.models import FieldMapping, Mapping, Portal, RemoteObjectType, RemotePipeline, RemoteProperty

_PIPELINE_PROPERTIES = {"pipeline", "hs_pipeline"}
_STAGE_PROPERTIES = {"dealstage", "hs_pipeline_stage"}

Known = abc.Mapping[str, discovered.PropertyFacts]


def of_portal(portal: Portal, one: credentials.Pass | None) -> prerequisites.PortalFacts:
    """What was discovered and told of a portal; ``one`` is its credential, if it has any."""
    kind = one.kind if one is not None else prerequisites.STATIC
    known = properties(portal)
    custom = RemoteObjectType.objects.filter(portal=portal).values_list("object_type", flat=True)
    return prerequisites.PortalFacts(
        object_types=frozenset(known) | frozenset(custom),
        properties=known,
        pipelines=_pipelines(portal),
        scopes=frozenset(portal.scopes),
        scopes_known=portal.are_scopes_known,
        tier=tiers.guess(portal.burst_limit, portal.daily_limit, kind == prerequisites.OAUTH),
        credential=kind,
        webhook_seen=portal.webhook_at is not None,
    )


def properties(portal: Portal) -> dict[str, dict[str, discovered.PropertyFacts]]:
    """The discovered properties by object type and name, archived ones too."""
    found: dict[str, dict[str, discovered.PropertyFacts]] = {}
    for row in RemoteProperty.objects.filter(portal=portal):
        found.setdefault(row.object_type, {})[row.name] = discovered.PropertyFacts(
            type=row.type,
            options=frozenset(option[0] for option in row.options),
            is_read_only=row.is_read_only,
            exists=not row.is_archived,
            is_unique=row.is_unique,
        )
    return found


def of_mapping(mapping: Mapping, portal: prerequisites.PortalFacts) -> prerequisites.MappingFacts:
    """What a mapping asks of its portal. Fields, match keys and rules had better be prefetched."""
    way = terms.Direction(mapping.direction)
    fields = active_fields(mapping)
    return prerequisites.MappingFacts(
        label=mapping.label,
        object_type=mapping.object_type,
        pushes=way.pushes,
        pulls=way.pulls,
        properties=tuple(_property_uses(mapping, fields)),
        pipelines=tuple(_pipeline_uses(fields, portal.pipelines.get(mapping.object_type, {}))),
        uses_owners=any("owner" in one.remote for one in fields),
        creates_key_property=way.pushes and mapping.creates_remote,
        is_custom_object=mapping.object_type.startswith("2-"),
        wants_webhooks=way.pulls,
        workflows=tuple(_workflows(mapping, fields, portal.properties.get(mapping.object_type, {}))),
    )


def active_fields(mapping: Mapping) -> list[FieldMapping]:
    """The field mappings that are switched on."""
    return [one for one in mapping.fields.all() if one.is_active]


def _pipelines(portal: Portal) -> dict[str, dict[str, frozenset[str]]]:
    found: dict[str, dict[str, frozenset[str]]] = {}
    for row in RemotePipeline.objects.filter(portal=portal):
        found.setdefault(row.object_type, {})[row.pipeline_id] = frozenset(stage[0] for stage in row.stages)
    return found


def _property_uses(mapping: Mapping, fields: Iterable[FieldMapping]) -> Iterable[prerequisites.PropertyUse]:
    """Each property of its own once: first those of fields, then what only match keys name."""
    seen: dict[str, prerequisites.PropertyUse] = {}
    for one in (one for one in fields if not across.is_across(one.remote)):
        pushes = terms.Direction(mapping.direction).pushes and terms.Direction(one.direction).pushes
        before = seen.get(one.remote, prerequisites.PropertyUse(one.remote))
        values = tuple(dict.fromkeys([*before.values, *_values(one)]))
        seen[one.remote] = prerequisites.PropertyUse(one.remote, before.pushes or pushes, values)
    for key in mapping.match_keys.all():
        seen.setdefault(key.remote, prerequisites.PropertyUse(key.remote))
    return seen.values()


def _values(field: FieldMapping) -> list[str]:
    return [entry.remote_value for entry in field.value_map.all()]


def _pipeline_uses(
    fields: Iterable[FieldMapping], known: abc.Mapping[str, frozenset[str]]
) -> list[prerequisites.PipelineUse]:
    """The pipelines and stages that value maps name. A stage that no pipeline has is looked for in the one that
    is in use, else in the account's first."""
    fields = list(fields)
    ids = [value for one in fields if one.remote in _PIPELINE_PROPERTIES for value in _values(one)]
    uses: dict[str, list[str]] = {one: [] for one in ids}
    homeless = []
    for stage in (value for one in fields if one.remote in _STAGE_PROPERTIES for value in _values(one)):
        home = next((one for one, held in known.items() if stage in held), None)
        if home is None:
            homeless.append(stage)
        else:
            uses.setdefault(home, []).append(stage)
    home = next(iter(uses or known), None)
    if homeless and home is not None:
        uses.setdefault(home, []).extend(homeless)
    return [prerequisites.PipelineUse(one, tuple(held)) for one, held in uses.items()]


def _workflows(mapping: Mapping, fields: Iterable[FieldMapping], known: Known) -> Iterator[str]:
    """A rule that waits for a property which the mapping does not write: somebody in HubSpot must set it."""
    written = {one.remote for one in fields}
    for rule in mapping.rules.all():
        for condition in rule.conditions.all():
            found = known.get(condition.field)
            is_theirs = condition.side == terms.SideName.REMOTE and condition.field not in written
            if rule.is_active and is_theirs and not (found is not None and found.is_read_only):
                yield f"sets {condition.field}, for the rule “{rule.name}”"
