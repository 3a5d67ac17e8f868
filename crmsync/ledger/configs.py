"""Mappings' rows -> configuration, with the ids of their portal or by names, as files have them."""

import dataclasses
from collections.abc import Callable, Iterable

from crmsync import adapters
from crmsync.engine import config, terms
from crmsync.ledger import naming, specs
from crmsync.models import (
    FieldMapping,
    Mapping,
    Portal,
    SyncRule,
)


def rows_of(portal: Portal, chosen: Iterable[str] = (), *, lock: bool = False) -> list[Mapping]:
    """The mappings of a portal, or those of these names, with all their parts."""
    rows = Mapping.objects.filter(portal=portal)
    if names := list(chosen):
        rows = rows.filter(label__in=names)
    if lock:
        rows = rows.select_for_update()
    return list(
        rows.prefetch_related(
            "match_keys", "fields__value_map", "rules__conditions", "fixed_values", "associations__to_mapping"
        )
    )


def read(mapping: Mapping) -> config.MappingConfig:
    """A mapping as its rows have it: ids, not names."""
    return config.MappingConfig(
        name=mapping.label,
        model=mapping.model_label,
        object_type=mapping.object_type,
        direction=terms.Direction(mapping.direction),
        creates_remote=mapping.creates_remote,
        creates_local=mapping.creates_local,
        deletes_remote=terms.DeletePolicy(mapping.deletes_remote),
        deletes_local=terms.DeletePolicy(mapping.deletes_local),
        uses_save=mapping.uses_save,
        match_keys=tuple(
            config.MatchConfig(one.local, one.remote, terms.Normaliser(one.normaliser))
            for one in mapping.match_keys.all()
        ),
        fields=tuple(map(read_field, mapping.fields.all())),
        rules=tuple(map(read_rule, sorted(mapping.rules.all(), key=lambda one: (one.name, one.pk)))),
        fixed_values=tuple(
            config.FixedConfig(terms.SideName(one.side), one.field, one.value, one.decides)
            for one in sorted(mapping.fixed_values.all(), key=lambda one: (one.side, one.field))
        ),
        associations=tuple(
            config.AssociationConfig(
                one.local,
                one.to_mapping.label,
                one.label,
                terms.Direction(one.direction),
                one.brings,
                one.is_active,
                one.note,
            )
            for one in mapping.associations.all()
        ),
    )


def read_field(one: FieldMapping) -> config.FieldConfig:
    """A field with its value map."""
    return config.FieldConfig(
        local=one.local,
        remote=one.remote,
        direction=terms.Direction(one.direction),
        write_mode=terms.WriteMode(one.write_mode),
        conflict=terms.ConflictPolicy(one.conflict),
        blanks=terms.BlankPolicy(one.blanks),
        unmapped=terms.UnmappedPolicy(one.unmapped),
        default_local=one.default_local,
        default_remote=one.default_remote,
        movement=terms.Movement(one.movement),
        throttle_minutes=one.throttle_minutes,
        is_active=one.is_active,
        note=one.note,
        value_map=tuple(
            config.ValueConfig(line.local_value, line.remote_value, terms.Direction(line.direction))
            for line in one.value_map.all()
        ),
    )


def read_rule(one: SyncRule) -> config.RuleConfig:
    """A rule with its conditions."""
    return config.RuleConfig(
        name=one.name,
        direction=terms.Direction(one.direction),
        join=terms.Join(one.join),
        groups_join=terms.Join(one.groups_join),
        gates_updates=one.gates_updates,
        unlinks=one.unlinks,
        is_active=one.is_active,
        conditions=tuple(
            config.ConditionConfig(terms.SideName(c.side), c.field, terms.Operator(c.operator), c.value, c.group)
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

    def field(f: config.FieldConfig) -> config.FieldConfig:
        return dataclasses.replace(
            f,
            value_map=tuple(line(f, entry) for entry in f.value_map),
            default_local=value(names.local_kind(adapter, f.local), f.default_local),
            default_remote=value(names.remote_kind(object_type, f.remote), f.default_remote),
        )

    def fixed(f: config.FixedConfig) -> config.FixedConfig:
        is_local = f.side is terms.SideName.LOCAL
        what = names.local_kind(adapter, f.field) if is_local else names.remote_kind(object_type, f.field)
        return dataclasses.replace(f, value=value(what, f.value))

    def condition(c: config.ConditionConfig) -> config.ConditionConfig:
        is_local = c.side is terms.SideName.LOCAL
        what = names.local_kind(adapter, c.field) if is_local else names.remote_kind(object_type, c.field)
        return dataclasses.replace(c, value=values(what, c.operator, c.value))

    return dataclasses.replace(
        one,
        fields=tuple(map(field, one.fields)),
        fixed_values=tuple(map(fixed, one.fixed_values)),
        rules=tuple(dataclasses.replace(r, conditions=tuple(condition(c) for c in r.conditions)) for r in one.rules),
    )
