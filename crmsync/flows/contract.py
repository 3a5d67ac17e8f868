"""What a mapping uses of both sides, and what was discovered of HubSpot's, as the facts that engine.lint judges.

Three queries for each portal and object type, however many rows there are: the page of a mapping asks, too.
"""

from collections import abc, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from django.db import models
from django.db.models import CharField, IntegerField, Value

from crmsync import adapters
from crmsync.engine import contract, rehearse, scopes, spec, terms
from crmsync.ledger import specs
from crmsync.models import (
    FieldMapping,
    Mapping,
    MatchKey,
    Portal,
    RemoteObjectType,
    RemotePipeline,
    RemoteProperty,
    RemoteRule,
    RuleCondition,
    ValueMapEntry,
)

_PIPELINES = {"pipeline", "hs_pipeline"}
_STAGES = {"dealstage", "hs_pipeline_stage"}
_REQUIRING = {"REQUIRED", "CONDITIONALLY_REQUIRED"}
_SCHEMA = (
    "object_type", "name", "type", "field_type", "referenced_object_type", "options",
    "is_read_only", "is_calculated", "is_archived", "is_unique",
)  # fmt: skip


class _Part(NamedTuple):
    """A row of one of five tables: ``owner`` is what it belongs to, the texts are as ``_parts`` says."""

    kind: str
    owner: int
    position: int
    id: int
    one: str
    two: str
    three: str


_Parts = abc.Mapping[tuple[str, int], Sequence[_Part]]


def of_group(
    portal: Portal, object_type: str, group: Sequence[Mapping]
) -> tuple[list[contract.MappingFacts], contract.Schema]:
    """The facts of some of a portal's mappings of one object type, in their order, and of the object type."""
    parts = _parts(portal.pk, object_type, [one.pk for one in group])
    return [_facts(one, portal, parts) for one in group], _schema(portal.pk, object_type)


# --- What the mappings say ----------------------------------------------------------------------------------


def _parts(portal_id: int, object_type: str, ids: Sequence[int]) -> _Parts:
    """Rows by kind and owner, in their order: all mappings and active fields of the portal's object type, and the
    value maps, match keys and conditions of those that are asked about."""
    within = {"portal": portal_id, "object_type": object_type}
    whole = {f"mapping__{name}": value for name, value in within.items()}
    rules = RuleCondition.objects.filter(rule__mapping__in=ids, rule__is_active=True)
    values = ValueMapEntry.objects.filter(field__mapping__in=ids, field__is_active=True)
    none = Value(0, IntegerField())
    first, *others = (
        _select("mapping", Mapping.objects.filter(**within), "pk", none, "direction", "label", "state"),
        _select(
            "field",
            FieldMapping.objects.filter(**whole, is_active=True),
            "mapping_id",
            "position",
            "direction",
            "local",
            "remote",
        ),
        _select("value", values, "field_id", none, "direction", "local_value", "remote_value"),
        _select(
            "key", MatchKey.objects.filter(mapping__in=ids), "mapping_id", "position", "local", "remote", "remote"
        ),
        _select("condition", rules, "rule__mapping_id", "rule_id", "side", "field", "rule__name"),
    )
    found: dict[tuple[str, int], list[_Part]] = defaultdict(list)
    for part in sorted(map(_Part._make, first.union(*others, all=True)), key=lambda one: (one.position, one.id)):
        found[part.kind, part.owner].append(part)
    return found


def _select(kind: str, rows: models.QuerySet, owner: str, position: object, *texts: str) -> models.QuerySet:
    return rows.order_by().values_list(Value(kind, CharField()), owner, position, "pk", *texts)


def _facts(mapping: Mapping, portal: Portal, parts: _Parts) -> contract.MappingFacts:
    whole = terms.Direction(mapping.direction)
    adapter, refusal = _adapter(mapping)
    fields = parts.get(("field", mapping.pk), ())
    missing, optional = _missing_scopes(mapping, portal, fields)
    return contract.MappingFacts(
        id=mapping.pk,
        label=mapping.label,
        object_type=mapping.object_type,
        pushes=whole.pushes,
        pulls=whole.pulls,
        creates_remote=mapping.creates_remote,
        creates_local=mapping.creates_local,
        rows=tuple(_row(whole, part, adapter, parts.get(("value", part.id), ())) for part in fields),
        keys=tuple(_keys(adapter, parts.get(("key", mapping.pk), ()))),
        conditions=tuple(_conditions(adapter, parts.get(("condition", mapping.pk), ()))),
        model_refusal=refusal,
        local_required=tuple(_required(adapter.model)) if adapter else (),
        others=_others(mapping, parts),
        missing_scopes=missing,
        missing_optional=optional,
        key_property=spec.KEY_PROPERTY,
        is_key_made=mapping.is_provisioned,
    )


def _adapter(mapping: Mapping) -> tuple[adapters.LocalAdapter | None, str]:
    try:
        return specs.adapter_of(mapping), ""
    except specs.SpecError as error:
        return None, str(error)


def _describe(adapter: adapters.LocalAdapter | None, path: str) -> tuple[adapters.LocalField | None, str]:
    """(the field, "") or (None, why it cannot be used); without a model nothing is said of its fields."""
    if adapter is None:
        return None, ""
    try:
        return adapter.describe(path), ""
    except adapters.LocalFieldError as error:
        return None, str(error)


def _row(
    whole: terms.Direction, part: _Part, adapter: adapters.LocalAdapter | None, values: Iterable[_Part]
) -> contract.Row:
    own = terms.Direction(part.one)
    local, refusal = _describe(adapter, part.two)
    values = list(values)
    to_local: dict[str, str] = {}
    for one in values:
        if terms.Direction(one.one).pulls:
            to_local.setdefault(one.three, one.two)
    return contract.Row(
        id=part.id,
        local=part.two,
        remote=part.three,
        pushes=whole.pushes and own.pushes,
        pulls=whole.pulls and own.pulls,
        column=_column(local) if local else None,
        refusal=refusal,
        to_remote={one.two: one.three for one in values if terms.Direction(one.one).pushes},
        to_local=to_local,
    )


def _column(local: adapters.LocalField) -> contract.Column:
    return contract.Column(local.local_type, local.is_writable, local.choices - {""}, local.max_length)


def _keys(adapter: adapters.LocalAdapter | None, parts: Iterable[_Part]) -> Iterator[contract.Named]:
    for part in parts:
        owner = f"{part.one} = {part.two}"
        yield contract.Named(owner, terms.SideName.LOCAL, part.one, _describe(adapter, part.one)[1])
        yield contract.Named(owner, terms.SideName.REMOTE, part.two)


def _conditions(adapter: adapters.LocalAdapter | None, parts: Iterable[_Part]) -> Iterator[contract.Named]:
    for part in parts:
        side = terms.SideName(part.one)
        refusal = _describe(adapter, part.two)[1] if side is terms.SideName.LOCAL else ""
        yield contract.Named(part.three, side, part.two, refusal)


def _others(mapping: Mapping, parts: _Parts) -> dict[str, tuple[str, ...]]:
    """By property, the names of the mappings that push it as well; a draft pushes nothing yet."""
    found: dict[str, tuple[str, ...]] = {}
    for (kind, pk), (other, *_) in parts.items():
        if kind != "mapping" or pk == mapping.pk or other.three == terms.MappingState.DRAFT:
            continue
        for part in parts.get(("field", pk), ()):
            if terms.Direction(other.one).pushes and terms.Direction(part.one).pushes:
                found[part.three] = (*found.get(part.three, ()), other.two)
    return found


def _required(model: type[models.Model]) -> Iterator[str]:
    """Columns that the database, or its own uniqueness, refuses to leave out; blank text can be stored once."""
    for field in model._meta.concrete_fields:
        is_parent = field.is_relation and field.remote_field.parent_link
        is_made = isinstance(field, models.AutoField) or field.generated or is_parent
        has_default = field.has_default() or field.db_default is not models.NOT_PROVIDED
        is_timed = getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False)
        can_be_blank = field.null or (field.empty_strings_allowed and not field.unique)
        if not (is_made or has_default or is_timed or can_be_blank):
            yield field.name


def _missing_scopes(
    mapping: Mapping, portal: Portal, fields: Iterable[_Part]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(needed, optional): those not granted, where HubSpot tells, and those it refused a call for."""
    pushes = terms.Direction(mapping.direction).pushes
    use = scopes.Use(
        mapping=mapping.label,
        object_type=mapping.object_type,
        reads=True,
        writes=pushes,
        creates_properties=pushes and mapping.creates_remote,
        uses_owners=any("owner" in part.three for part in fields),
    )
    granted = set(portal.scopes) - set(portal.missing_scopes)
    lacking = [
        one
        for one in scopes.needed([use])
        if one.scope in portal.missing_scopes or (portal.are_scopes_known and not one.is_met(granted))
    ]
    needed = tuple(one.scope for one in lacking if not one.is_optional)
    return needed, tuple(one.scope for one in lacking if one.is_optional)


# --- What was discovered --------------------------------------------------------------------------------------


def _schema(portal_id: int, object_type: str) -> contract.Schema:
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
    stages = {stage[0] for _, held in by_kind["pipeline"] for stage in held}
    ends = {name: frozenset(key for key, _ in by_kind["pipeline"]) for name in _PIPELINES}
    ends |= {name: frozenset(stages) for name in _STAGES}
    longest = {one["property"]: int(one["arguments"][0]) for one in said if _limits(one)}
    custom = tuple((name,) for _, names in by_kind["type"] for name in names)
    return contract.Schema(
        properties={
            row.name: _property(row, ends.get(row.name), longest.get(row.name))
            for row in RemoteProperty.objects.filter(**within).only(*_SCHEMA).order_by()
        },
        rules=tuple(_rule(one) for one in said if one["kind"] in _REQUIRING),
        required=(*contract.DEMANDED.get(object_type, ()), *custom),
    )


def _property(row: RemoteProperty, ids: frozenset[str] | None, max_length: int | None) -> contract.Property:
    """``ids``: of the pipelines or stages that the property's values are; None for any other property."""
    try:
        kind = specs.remote_type(row)
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


def _limits(rule: abc.Mapping[str, object]) -> bool:
    arguments = rule["arguments"]
    return rule["kind"] == "MAX_LENGTH" and bool(arguments) and str(arguments[0]).isdecimal()


def _rule(one: abc.Mapping[str, object]) -> rehearse.RuleFacts:
    """HubSpot publishes no shape of a condition: "name=value;value" is a guess (as in flows.recheck). A condition
    that does not look like that is kept as one that nobody knows."""
    parts = [str(argument).partition("=") for argument in one["arguments"]]
    condition = {name: frozenset(values.split(";")) for name, sign, values in parts if sign}
    return rehearse.RuleFacts(one["property"], one["kind"], condition)
