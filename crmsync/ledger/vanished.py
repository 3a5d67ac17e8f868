"""Vanished: what started mappings use and HubSpot no longer has, asked of the rows as they are now."""

import json
from collections.abc import Iterable
from typing import NamedTuple

from django.db import models
from django.db.models import Exists, OuterRef, Q, Value
from django.db.models.functions import Cast, Coalesce, Concat

from crmsync.engine import across, combined, terms
from crmsync.models import (
    FieldMapping,
    FixedValue,
    InboxEvent,
    Mapping,
    MatchKey,
    OutboxEntry,
    Portal,
    RemotePipeline,
    RemoteProperty,
    RuleCondition,
    ValueMapEntry,
)

FIELD, KEY, RULE, FIXED, VALUE = "field", "key", "rule", "fixed", "value"
WAITING = ("field.property_gone", "field.option_unknown")
_STARTED = [one.value for one in terms.MappingState if one.is_started]
_PIPELINES, _STAGES = ("pipeline", "hs_pipeline"), ("dealstage", "hs_pipeline_stage")
_SENT = [terms.Direction.PUSH.value, terms.Direction.BOTH.value]


class Loss(NamedTuple):
    """A property, or with ``value`` an option, pipeline or stage, that is gone. ``row_id`` is the field mapping's for
    fields and values; ``owner`` is what it is joined with or asked by; ``waiting`` records of the mapping."""

    portal_id: int
    mapping_id: int
    mapping: str
    object_type: str
    kind: str
    row_id: int
    owner: str
    name: str
    value: str
    waiting: int


def with_losses(portals: models.QuerySet[Portal]) -> models.QuerySet[Portal]:
    """Portals that say whether there are any, so that nobody asks which while there are none."""
    found = [Exists(rows.filter(**{f"{prefix}portal": OuterRef("pk")})) for prefix, rows in _sources().values()]
    first, *others = (Q(one) for one in found)
    for one in others:
        first |= one
    return portals.annotate(has_losses=models.ExpressionWrapper(first, output_field=models.BooleanField()))


def find(mappings: Iterable[int] | None = None) -> list[Loss]:
    """All that is gone, or what some mappings miss; one query, and one more to read options that seem to be gone."""
    selects = [_select(kind, prefix, rows, mappings) for kind, (prefix, rows) in _sources().items()]
    found = [Loss._make(one) for one in selects[0].union(*selects[1:], all=True)]
    kept = _kept_options([one for one in found if one.kind == VALUE])
    found = [one for one in found if (one.portal_id, one.object_type, one.name, one.value) not in kept]
    return sorted(found, key=lambda one: (one.mapping, one.kind, one.name, one.value))


def _sources() -> dict[str, tuple[str, models.QuerySet]]:
    """By kind: the way to the mapping, and the rows whose property or value is gone."""
    remote = {"side": terms.SideName.REMOTE}
    rules = RuleCondition.objects.filter(rule__is_active=True, **remote)
    return {
        FIELD: ("mapping__", _lost("mapping__", "remote", FieldMapping.objects.filter(is_active=True))),
        KEY: ("mapping__", _lost("mapping__", "remote", MatchKey.objects.all())),
        RULE: ("rule__mapping__", _lost("rule__mapping__", "field", rules)),
        FIXED: ("mapping__", _lost("mapping__", "field", FixedValue.objects.filter(**remote))),
        VALUE: ("field__mapping__", _lost_values()),
    }


_COLUMNS = {
    FIELD: ("pk", "local", "remote", None),
    KEY: (None, "local", "remote", None),
    RULE: (None, "rule__name", "field", None),
    FIXED: (None, "field", "field", None),
    VALUE: ("field_id", "local_value", "field__remote", "remote_value"),
}


def _select(kind: str, prefix: str, rows: models.QuerySet, mappings: Iterable[int] | None) -> models.QuerySet:
    row_id, owner, name, value = _COLUMNS[kind]
    if mappings is not None:
        rows = rows.filter(**{f"{prefix}pk__in": list(mappings)})
    return rows.order_by().values_list(
        *(f"{prefix}{one}" for one in ("portal_id", "pk", "label", "object_type")),
        Value(kind, models.CharField()),
        models.F(row_id) if row_id else Value(0, models.IntegerField()),
        owner,
        name,
        models.F(value) if value else Value("", models.CharField()),
        _waiting(OutboxEntry, prefix) + _waiting(InboxEvent, prefix),
    )


def _waiting(model: type[models.Model], prefix: str) -> Coalesce:
    mine = model._default_manager.filter(mapping=OuterRef(f"{prefix}pk"), last_code__in=WAITING).order_by()
    counted = mine.values("mapping").annotate(n=models.Count("pk")).values("n")
    return Coalesce(models.Subquery(counted, output_field=models.IntegerField()), 0)


def _mine(prefix: str) -> dict[str, OuterRef]:
    return {"portal": OuterRef(f"{prefix}portal"), "object_type": OuterRef(f"{prefix}object_type")}


def _lost(prefix: str, name: str, rows: models.QuerySet) -> models.QuerySet:
    """Of started mappings, those that name a property which is archived or not there; a name that only a reader of
    associated records or of several properties understands is left to the contract."""
    mine = RemoteProperty.objects.filter(**_mine(prefix))
    plain = rows.exclude(**{f"{name}__contains": across.MARK}).exclude(**{f"{name}__contains": combined.SIGN})
    there = mine.filter(name=OuterRef(name), is_archived=False)
    return plain.filter(Exists(mine), ~Exists(there), **{f"{prefix}state__in": _STARTED})


def _lost_values() -> models.QuerySet:
    """Lines of value maps that send what is no option, pipeline or stage any more, as far as texts can tell."""
    prefix = "field__mapping__"
    rows = ValueMapEntry.objects.filter(
        direction__in=_SENT, field__is_active=True, **{f"{prefix}state__in": _STARTED}
    ).exclude(remote_value="")
    quoted = Concat(Value('"'), OuterRef("remote_value"), Value('"'), output_field=models.TextField())
    mine = RemoteProperty.objects.filter(**_mine(prefix), name=OuterRef("field__remote"), is_archived=False)
    has_options = mine.exclude(options=[]).exclude(name__in=_PIPELINES + _STAGES)
    in_options = mine.annotate(text=Cast("options", models.TextField())).filter(text__contains=quoted)
    pipelines = RemotePipeline.objects.filter(**_mine(prefix))
    in_stages = pipelines.annotate(text=Cast("stages", models.TextField())).filter(text__contains=quoted)
    return rows.filter(
        (Q(Exists(has_options)) & ~Q(Exists(in_options)))
        | (Q(field__remote__in=_STAGES) & Q(Exists(pipelines)) & ~Q(Exists(in_stages)))
        | (
            Q(field__remote__in=_PIPELINES)
            & Q(Exists(pipelines))
            & ~Q(Exists(pipelines.filter(pipeline_id=OuterRef("remote_value"))))
        )
    )


def _kept_options(suspects: list[Loss]) -> set[tuple[int, str, str, str]]:
    """(portal, object type, property, value) of those that are options after all: databases write letters of other
    alphabets in JSON each in its own way."""
    names = {one.name for one in suspects if not one.value.isascii() or json.dumps(one.value) != f'"{one.value}"'}
    if not names:
        return set()
    rows = RemoteProperty.objects.filter(name__in=names, is_archived=False)
    found = rows.values_list("portal_id", "object_type", "name", "options")
    return {(*key, option[0]) for *key, options in found for option in options}


def of_mapping(mapping: Mapping) -> list[Loss]:
    """What one mapping misses; nothing before it was started."""
    return find([mapping.pk])
