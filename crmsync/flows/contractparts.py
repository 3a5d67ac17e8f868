"""The rows of which a mapping's contract is made, read by one query, however many tables and rows there are."""

from collections import abc, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from django.db import models
from django.db.models import CharField, IntegerField, Value

from crmsync.models import (
    Association,
    FieldMapping,
    FixedValue,
    Mapping,
    MatchKey,
    RuleCondition,
    ValueMapEntry,
)


class Part(NamedTuple):
    """A row of one of six tables: ``owner`` is what it belongs to, the texts are as ``read`` says."""

    kind: str
    owner: int
    position: int
    id: int
    one: str
    two: str
    three: str
    four: str
    five: str


Parts = abc.Mapping[tuple[str, int], Sequence[Part]]


def read(portal_id: int, object_type: str, ids: Sequence[int]) -> Parts:
    """Rows by kind and owner, in their order: all mappings, active fields, conditions and fixed values of the
    portal's object type, and the value maps, match keys and associations of those that are asked about."""
    within = {"portal": portal_id, "object_type": object_type}
    whole = {f"mapping__{name}": value for name, value in within.items()}
    ruled = {f"rule__{name}": value for name, value in whole.items()}
    rules = RuleCondition.objects.filter(**ruled, rule__is_active=True)
    values = ValueMapEntry.objects.filter(field__mapping__in=ids, field__is_active=True)
    fixed = FixedValue.objects.filter(**whole)
    edges = Association.objects.filter(mapping__in=ids, is_active=True)
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
            "unmapped",
            "write_mode",
        ),
        _select("value", values, "field_id", none, "direction", "local_value", "remote_value"),
        _select(
            "key", MatchKey.objects.filter(mapping__in=ids), "mapping_id", "position", "local", "remote", "remote"
        ),
        _select(
            "condition", rules, "rule__mapping_id", "rule_id", "side", "field", "rule__name", "operator", "value"
        ),
        _select("member", fixed.filter(decides=True), "mapping_id", none, "side", "field", "value"),
        _select("first", fixed.filter(decides=False), "mapping_id", none, "side", "field", "value"),
        _select("edge", edges, "mapping_id", "position", "direction", "to_mapping__object_type"),
    )
    found: dict[tuple[str, int], list[Part]] = defaultdict(list)
    for part in sorted(map(Part._make, first.union(*others, all=True)), key=lambda one: (one.position, one.id)):
        found[part.kind, part.owner].append(part)
    return found


def _select(kind: str, rows: models.QuerySet, owner: str, position: object, *texts: str) -> models.QuerySet:
    padding = [Value("", CharField())] * (5 - len(texts))
    return rows.order_by().values_list(Value(kind, CharField()), owner, position, "pk", *texts, *padding)
