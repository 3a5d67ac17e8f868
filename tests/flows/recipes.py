"""Builds mappings for tests as staff would: fields, value maps, match keys and sync rules, a line each."""

from collections.abc import Iterable

from crmsync.engine.terms import Direction, Normaliser
from crmsync.fakehub import defaults
from crmsync.flows import discover
from crmsync.models import Mapping, SyncRule
from tests import factories
from tests.flows.conftest import Sync

JOBS = "jobs"
_JOB_STAGES = "waiting=Waiting=0.2,working=Working=0.5,invoiced=Invoiced=1.0"


def make(sync: Sync, model_label: str, object_type: str, fields: Iterable[tuple[str, ...]], **facts) -> Mapping:
    """A live mapping; a field is (local, property) or (local, property, direction)."""
    mapping = factories.MappingFactory(portal=sync.portal, model_label=model_label, object_type=object_type, **facts)
    for local, remote, *direction in fields:
        factories.FieldMappingFactory(
            mapping=mapping, local=local, remote=remote, direction=(*direction, Direction.BOTH)[0]
        )
    return mapping


def map_values(mapping: Mapping, remote: str, pairs: Iterable[tuple[str, str]], direction=Direction.BOTH) -> None:
    """Lines of the value map of the field with this property: (local value, HubSpot value)."""
    field = mapping.fields.get(remote=remote)
    for ours, theirs in pairs:
        factories.ValueMapEntryFactory(field=field, local_value=ours, remote_value=theirs, direction=direction)


def match(mapping: Mapping, local: str, remote: str, normaliser: str = Normaliser.TRIMMED) -> None:
    factories.MatchKeyFactory(mapping=mapping, local=local, remote=remote, normaliser=normaliser)


def gate(mapping: Mapping, direction: str, *conditions: tuple, **facts) -> SyncRule:
    """A sync rule; a condition is (side, field, operator, value), and its group behind them if it is not 1."""
    rule = factories.SyncRuleFactory(mapping=mapping, direction=direction, **facts)
    for side, field, operator, value, *group in conditions:
        factories.RuleConditionFactory(
            rule=rule, side=side, field=field, operator=operator, value=value, group=(*group, 1)[0]
        )
    return rule


def fix(mapping: Mapping, side: str, field: str, value: str, *, decides: bool = True) -> None:
    """A fixed value: records of the mapping have it, and new ones get it."""
    factories.FixedValueFactory(mapping=mapping, side=side, field=field, value=value, decides=decides)


def add_jobs(sync: Sync) -> None:
    """A second pipeline of deals beside HubSpot's own."""
    sync.hub.add_pipeline("deals", defaults.deal_pipeline(JOBS, "Jobs", _JOB_STAGES, 1))
    discover.discover(sync.portal)


def add_property(sync: Sync, object_type: str, name: str, kind: str = "string", **facts) -> None:
    sync.hub.add_property(object_type, name, kind, label=name, **facts)
    discover.discover(sync.portal)


def settle(sync: Sync) -> None:
    """Work, hear HubSpot's webhooks, and work again: nothing is left to do."""
    sync.drain()
    sync.deliver()
    sync.drain()


def deals(sync: Sync) -> dict[str, dict[str, str | None]]:
    """The properties of all deals by HubSpot id."""
    return {record["id"]: record["properties"] for record in sync.hub.records("deals")}


def by_pipeline(sync: Sync) -> dict[str, dict[str, str | None]]:
    """The properties of the one deal of each pipeline."""
    found = {one["pipeline"]: one for one in deals(sync).values()}
    assert len(found) == len(deals(sync))
    return found
