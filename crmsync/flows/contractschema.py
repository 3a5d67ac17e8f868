"""What was discovered of an object type of HubSpot's, as the facts that engine.lint holds a mapping against."""

from collections import abc, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from django.db.models import CharField, Value

from crmsync.engine import across, contract, rehearse, stages
from crmsync.ledger import book, specs
from crmsync.models import Portal, RemoteObjectType, RemotePipeline, RemoteProperty, RemoteRule

_REQUIRING = {"REQUIRED", "CONDITIONALLY_REQUIRED"}
_SCHEMA = (
    "object_type", "name", "type", "field_type", "referenced_object_type", "options",
    "is_read_only", "is_calculated", "is_archived", "is_unique",
)  # fmt: skip
# All properties of some object types, by type.
Known = abc.Mapping[str, Sequence[RemoteProperty]]


def of_type(portal_id: int, object_type: str, others: Sequence[str], known: Known) -> contract.Schema:
    """``others``: object types of which values are taken over; their properties are named by path."""
    within = {"portal": portal_id, "object_type": object_type}
    rules = RemoteRule.objects.filter(**within).order_by()
    pipelines = RemotePipeline.objects.filter(**within).order_by()
    types = RemoteObjectType.objects.filter(**within).order_by()
    told = rules.values_list(Value("rule", CharField()), "key", "facts").union(
        pipelines.values_list(Value("pipeline", CharField()), "pipeline_id", "stages"),
        types.values_list(Value("type", CharField()), "object_type", "required"),
        all=True,
    )
    by_kind: dict[str, list[tuple[str, object]]] = defaultdict(list)
    for kind, key, facts in told:
        by_kind[kind].append((key, facts))
    said = [facts for _, facts in sorted(by_kind["rule"])]
    staged = {key: frozenset(stage[0] for stage in held) for key, held in by_kind["pipeline"]}
    ends = {name: frozenset(staged) for name in stages.PIPELINE_OF.values()}
    ends |= {name: frozenset[str]().union(*staged.values()) for name in stages.PIPELINE_OF}
    longest = {one["property"]: int(one["arguments"][0]) for one in said if _limits(one)}
    custom = tuple((name,) for _, names in by_kind["type"] for name in names)
    placed = contract.DEMANDED_OF_SEVERAL.get(object_type, ()) if len(staged) > 1 else ()
    properties, unique = {}, []
    for row in _discovered(portal_id, {object_type, *others}, known):
        if row.object_type == object_type:
            unique += [row.name] if _takes_slot(row) else []
            properties[row.name] = _property(row, ends.get(row.name), longest.get(row.name))
        if row.object_type in others:
            found = replace(_property(row, None, None), is_read_only=True)
            properties[across.join(row.object_type, row.name)] = found
    return contract.Schema(
        properties=properties,
        rules=tuple(_rule(one) for one in said if one["kind"] in _REQUIRING),
        required=(*contract.DEMANDED.get(object_type, ()), *placed, *custom),
        unique=tuple(unique),
        pipelines=staged,
    )


def _discovered(portal_id: int, types: set[str], known: Known) -> Iterable[RemoteProperty]:
    if types <= known.keys():
        return [row for one in types for row in known[one]]
    return RemoteProperty.objects.filter(portal=portal_id, object_type__in=types).only(*_SCHEMA).order_by()


def _property(row: RemoteProperty, ids: frozenset[str] | None, max_length: int | None) -> contract.Property:
    """``ids``: of the pipelines or stages that the property's values are; None for any other property."""
    try:
        kind = book.remote_type(row)
    except specs.SpecError:
        kind = None
    return contract.Property(
        kind=kind,
        options=frozenset(option[0] for option in row.options) if ids is None else ids,
        is_read_only=row.is_read_only,
        is_calculated=row.is_calculated,
        exists=not row.is_archived,
        # HubSpot looks contacts up by their e-mail address as by a unique property, and does not mark it as one.
        is_unique=row.is_unique or (row.object_type == "contacts" and row.name == "email"),
        is_stage=ids is not None,
        max_length=max_length,
    )


def unique_properties(portal: Portal, object_type: str) -> list[str]:
    """The names of the properties that take one of HubSpot's slots for unique ones, as discovered."""
    rows = RemoteProperty.objects.filter(portal=portal, object_type=object_type, is_unique=True).order_by("name")
    return [row.name for row in rows if _takes_slot(row)]


def _takes_slot(row: RemoteProperty) -> bool:
    """HubSpot's own ids are unique as well, and take none of the slots."""
    return row.is_unique and not row.is_archived and not row.name.startswith("hs_")


def _limits(rule: abc.Mapping[str, object]) -> bool:
    arguments = rule["arguments"]
    return rule["kind"] == "MAX_LENGTH" and bool(arguments) and str(arguments[0]).isdecimal()


def _rule(one: abc.Mapping[str, object]) -> rehearse.RuleFacts:
    """HubSpot publishes no shape of a condition: "name=value;value" is a guess (as in flows.recheck). A condition
    that does not look like that is kept as one that nobody knows."""
    parts = [str(argument).partition("=") for argument in one["arguments"]]
    condition = {name: frozenset(values.split(";")) for name, sign, values in parts if sign}
    return rehearse.RuleFacts(one["property"], one["kind"], condition)
