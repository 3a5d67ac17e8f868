"""Mappings' rows <-> configuration: rows are read and written with the ids of their portal, files go by name."""

import dataclasses
from collections.abc import Callable, Iterable, Sequence

from django.db import models, transaction

from crmsync import adapters
from crmsync.engine import config, terms
from crmsync.ledger import naming, portals, specs
from crmsync.models import FieldMapping, Mapping, MatchKey, Portal, RuleCondition, SyncRule, ValueMapEntry

# Attributes that rows and files call the same.
_SWITCHES = ("direction", "creates_remote", "creates_local", "deletes", "uses_save")
_OF_FIELD = ("local", "remote", "direction", "write_mode", "conflict", "blanks", "is_active", "note")
_OF_RULE = ("name", "direction", "join", "gates_updates", "is_active")


def rows_of(portal: Portal, chosen: Iterable[str] = (), *, lock: bool = False) -> list[Mapping]:
    """The mappings of a portal, or those of these names, with all their parts."""
    rows = Mapping.objects.filter(portal=portal)
    if names := list(chosen):
        rows = rows.filter(label__in=names)
    if lock:
        rows = rows.select_for_update()
    return list(rows.prefetch_related("match_keys", "fields__value_map", "rules__conditions"))


def read(mapping: Mapping) -> config.MappingConfig:
    """A mapping as its rows have it: ids, not names."""
    return config.MappingConfig(
        name=mapping.label,
        model=mapping.model_label,
        object_type=mapping.object_type,
        direction=terms.Direction(mapping.direction),
        creates_remote=mapping.creates_remote,
        creates_local=mapping.creates_local,
        deletes=terms.DeletePolicy(mapping.deletes),
        uses_save=mapping.uses_save,
        match_keys=tuple(
            config.MatchConfig(one.local, one.remote, terms.Normaliser(one.normaliser))
            for one in mapping.match_keys.all()
        ),
        fields=tuple(map(_read_field, mapping.fields.all())),
        rules=tuple(map(_read_rule, sorted(mapping.rules.all(), key=lambda one: (one.name, one.pk)))),
    )


def _read_field(one: FieldMapping) -> config.FieldConfig:
    return config.FieldConfig(
        local=one.local,
        remote=one.remote,
        direction=terms.Direction(one.direction),
        write_mode=terms.WriteMode(one.write_mode),
        conflict=terms.ConflictPolicy(one.conflict),
        blanks=terms.BlankPolicy(one.blanks),
        is_active=one.is_active,
        note=one.note,
        value_map=tuple(
            config.ValueConfig(line.local_value, line.remote_value, terms.Direction(line.direction))
            for line in one.value_map.all()
        ),
    )


def _read_rule(one: SyncRule) -> config.RuleConfig:
    return config.RuleConfig(
        name=one.name,
        direction=terms.Direction(one.direction),
        join=terms.Join(one.join),
        gates_updates=one.gates_updates,
        is_active=one.is_active,
        conditions=tuple(
            config.ConditionConfig(terms.SideName(c.side), c.field, terms.Operator(c.operator), c.value)
            for c in one.conditions.all()
        ),
    )


# --- Ids and names ------------------------------------------------------------------------------------------------

Change = Callable[[naming.Kind | None, config.Value], config.Value]
ChangeAll = Callable[[naming.Kind | None, terms.Operator, config.Values], config.Values]


def by_name(one: config.MappingConfig, names: naming.Names) -> config.MappingConfig:
    """Ids -> names, as a file has them."""
    kind = one.object_type
    return dataclasses.replace(
        _changed(
            one,
            kind,
            names,
            lambda what, value: names.to_value(what, kind, str(value)),
            lambda what, operator, value: names.to_values(what, kind, operator, str(value)),
        ),
        object_type=names.name_type(kind),
    )


def by_id(one: config.MappingConfig, names: naming.Names) -> tuple[config.MappingConfig, list[config.Problem]]:
    """Names -> ids of this portal, and every name that it could not be done for."""
    problems: list[config.Problem] = []

    def tried(step: Callable[[], str]) -> str:
        try:
            return step()
        except naming.NamingError as error:
            problems.append(config.Problem(one.name, str(error)))
            return ""

    kind = tried(lambda: names.find_type(one.object_type))
    if not kind:
        return one, problems
    found = _changed(
        one,
        kind,
        names,
        lambda what, value: tried(lambda: names.to_id(what, kind, value)),
        lambda what, operator, value: tried(lambda: names.to_text(what, kind, operator, value)),
    )
    return dataclasses.replace(found, object_type=kind), problems


def adapter_of(model: str) -> adapters.LocalAdapter | None:
    """The adapter of a model that may be mapped; None where it may not."""
    try:
        return specs.adapter_of(Mapping(label="", model_label=model))
    except specs.SpecError:
        return None


def _changed(
    one: config.MappingConfig, object_type: str, names: naming.Names, value: Change, values: ChangeAll
) -> config.MappingConfig:
    """A mapping with all its values put through ``value``, those of conditions through ``values``."""
    adapter = adapter_of(one.model)

    def line(field: config.FieldConfig, entry: config.ValueConfig) -> config.ValueConfig:
        local = value(names.local_kind(adapter, field.local), entry.local)
        return dataclasses.replace(
            entry, local=local, remote=value(names.remote_kind(object_type, field.remote), entry.remote)
        )

    def condition(c: config.ConditionConfig) -> config.ConditionConfig:
        is_local = c.side is terms.SideName.LOCAL
        what = names.local_kind(adapter, c.field) if is_local else names.remote_kind(object_type, c.field)
        return dataclasses.replace(c, value=values(what, c.operator, c.value))

    return dataclasses.replace(
        one,
        fields=tuple(
            dataclasses.replace(f, value_map=tuple(line(f, entry) for entry in f.value_map)) for f in one.fields
        ),
        rules=tuple(dataclasses.replace(r, conditions=tuple(condition(c) for c in r.conditions)) for r in one.rules),
    )


# --- Writing ------------------------------------------------------------------------------------------------------


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
        is_same = row.pk is not None and _read_field(row) == one
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
        if row.pk is not None and _read_rule(row) == one:
            continue
        _set(row, one, _OF_RULE)
        row.save()
        row.conditions.all().delete()
        RuleCondition.objects.bulk_create(
            RuleCondition(rule=row, side=c.side, field=c.field, operator=c.operator, value=str(c.value))
            for c in one.conditions
        )


def _set(row: models.Model, one: object, names: Iterable[str]) -> None:
    for name, value in _values(one, names).items():
        setattr(row, name, value)


def _values(one: object, names: Iterable[str]) -> dict[str, object]:
    return {name: getattr(one, name) for name in names}


def keep_in(mappings: Iterable[Mapping], file: str) -> None:
    """Mark mappings as kept in a file ("" for none): the admin shows them only."""
    Mapping.objects.filter(pk__in=[one.pk for one in mappings]).update(locked_by=file)
