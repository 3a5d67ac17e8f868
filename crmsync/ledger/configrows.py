"""Configuration -> rows: makes a mapping's rows what a file with the ids of its portal says, and no others."""

from collections.abc import Iterable, Sequence

from django.db import models, transaction

from crmsync.engine import config
from crmsync.ledger import configs, portals
from crmsync.models import (
    Association,
    FieldMapping,
    FixedValue,
    Mapping,
    MatchKey,
    Portal,
    RuleCondition,
    SyncRule,
    ValueMapEntry,
)

# Attributes that rows and files call the same.
_SWITCHES = ("direction", "creates_remote", "creates_local", "deletes_remote", "deletes_local", "uses_save")
_OF_FIELD = (
    "local",
    "remote",
    "direction",
    "write_mode",
    "conflict",
    "blanks",
    "unmapped",
    "default_local",
    "default_remote",
    "movement",
    "throttle_minutes",
    "is_active",
    "note",
)
_OF_RULE = ("name", "direction", "join", "groups_join", "gates_updates", "unlinks", "is_active")
_OF_FIXED = ("side", "field", "value", "decides")
_OF_ASSOCIATION = ("local", "label", "direction", "brings", "is_active", "note")


def write(portal: Portal, mapping: Mapping | None, wanted: config.MappingConfig) -> Mapping:
    """Make the rows of a mapping what a configuration with ids says; a new one is a draft. Its revision grows."""
    with transaction.atomic():
        is_new = mapping is None
        row = mapping or Mapping(portal=portal, label=wanted.name)
        row.model_label, row.object_type = wanted.model, wanted.object_type
        for name in _SWITCHES:
            setattr(row, name, getattr(wanted, name))
        row.save(update_fields=None if is_new else ["model_label", "object_type", *_SWITCHES])
        _write_matches(row, wanted.match_keys)
        _write_fields(row, wanted.fields)
        _write_rules(row, wanted.rules)
        _write_fixed(row, wanted.fixed_values)
        portals.bump(row)  # its save also finds out anew which related rows are read
    return row


def _write_matches(mapping: Mapping, wanted: Sequence[config.MatchConfig]) -> None:
    rows = [(one.local, one.remote, one.normaliser) for one in mapping.match_keys.all()]
    if rows != [(one.local, one.remote, one.normaliser) for one in wanted]:
        mapping.match_keys.all().delete()
        MatchKey.objects.bulk_create(
            MatchKey(mapping=mapping, position=position, **_values(one, ("local", "remote", "normaliser")))
            for position, one in enumerate(wanted)
        )


def _write_fields(mapping: Mapping, wanted: Sequence[config.FieldConfig]) -> None:
    known = {(one.local, one.remote): one for one in mapping.fields.all()}
    gone = known.keys() - {(one.local, one.remote) for one in wanted}
    FieldMapping.objects.filter(pk__in=[known[key].pk for key in gone]).delete()
    for position, one in enumerate(wanted):
        row = known.get((one.local, one.remote)) or FieldMapping(mapping=mapping)
        is_same = row.pk is not None and configs.read_field(row) == one
        if is_same and row.position == position:
            continue
        _set(row, one, _OF_FIELD)
        row.position = position
        row.save()
        if not is_same:
            row.value_map.all().delete()
            ValueMapEntry.objects.bulk_create(
                ValueMapEntry(field=row, direction=v.direction, local_value=str(v.local), remote_value=str(v.remote))
                for v in one.value_map
            )


def _write_rules(mapping: Mapping, wanted: Sequence[config.RuleConfig]) -> None:
    known = {one.name: one for one in mapping.rules.all()}
    kept = {one.pk for name, one in known.items() if name in {rule.name for rule in wanted}}
    mapping.rules.exclude(pk__in=kept).delete()
    for one in wanted:
        row = known.get(one.name) or SyncRule(mapping=mapping)
        if row.pk is not None and configs.read_rule(row) == one:
            continue
        _set(row, one, _OF_RULE)
        row.save()
        row.conditions.all().delete()
        RuleCondition.objects.bulk_create(
            RuleCondition(
                rule=row, group=c.group, side=c.side, field=c.field, operator=c.operator, value=str(c.value)
            )
            for c in one.conditions
        )


def _write_fixed(mapping: Mapping, wanted: Sequence[config.FixedConfig]) -> None:
    rows = [_values(one, _OF_FIXED) for one in mapping.fixed_values.order_by("side", "field")]
    if rows != [_values(one, _OF_FIXED) for one in sorted(wanted, key=lambda one: (one.side, one.field))]:
        mapping.fixed_values.all().delete()
        FixedValue.objects.bulk_create(FixedValue(mapping=mapping, **_values(one, _OF_FIXED)) for one in wanted)


def write_associations(mapping: Mapping, wanted: Sequence[config.AssociationConfig]) -> None:
    """Make a mapping's associations what a configuration says, once all mappings it names have rows."""
    others = {one.label: one for one in Mapping.objects.filter(portal=mapping.portal_id)}
    known = {(one.local, one.to_mapping.label, one.label): one for one in mapping.associations.all()}
    gone = known.keys() - {(one.local, one.to, one.label) for one in wanted}
    Association.objects.filter(pk__in=[known[key].pk for key in gone]).delete()
    for position, one in enumerate(wanted):
        row = known.get((one.local, one.to, one.label)) or Association(mapping=mapping, to_mapping=others[one.to])
        if (
            row.pk is None
            or row.position != position
            or _values(row, _OF_ASSOCIATION) != _values(one, _OF_ASSOCIATION)
        ):
            _set(row, one, _OF_ASSOCIATION)
            row.position = position
            row.save()


def _set(row: models.Model, one: object, names: Iterable[str]) -> None:
    for name, value in _values(one, names).items():
        setattr(row, name, value)


def _values(one: object, names: Iterable[str]) -> dict[str, object]:
    return {name: getattr(one, name) for name in names}


def keep_in(mappings: Iterable[Mapping], file: str) -> None:
    """Mark mappings as kept in a file ("" for none): the admin shows them only."""
    Mapping.objects.filter(pk__in=[one.pk for one in mappings]).update(locked_by=file)
