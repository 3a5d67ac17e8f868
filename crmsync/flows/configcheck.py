"""Finds what of a configuration cannot work in a portal: names it lacks, pairs that cannot be joined."""

from collections.abc import Collection, Iterable, Iterator

from crmsync import adapters
from crmsync.engine import across, combined, config, convert, terms, typed
from crmsync.ledger import book, configs, fieldvalues, fixed, naming, relations, specs
from crmsync.models import Mapping, RemoteProperty


def find_problems(one: config.MappingConfig, names: naming.Names, row: Mapping | None) -> Iterator[config.Problem]:
    """Everything that keeps this mapping (with ids) from being applied to ``row``, or as a new one."""
    for text in (*_ends(one, row), *_name(one, names, row)):
        yield config.Problem(one.name, text)
    adapter = configs.adapter_of(one.model)
    if adapter is None:
        text = f"The model {one.model} is not one that may be mapped. Add it to CRMSYNC['MODELS'], or choose another."
        yield config.Problem(one.name, text)
    properties = names.properties(one.object_type)
    if not properties:
        text = f"The properties of {one.object_type} are not known yet. Run crmsync_discover, then try again."
        yield config.Problem(one.name, text)
        return
    for key in one.match_keys:
        yield from _said(one, f"match key {key.local} = {key.remote}", _side_by_side(adapter, properties, key))
    known = properties | _across(one, names)
    for field in one.fields:
        yield from _said(one, str(field), _field(one, field, adapter, known))
    yield from _members(one, adapter, names)
    for association in one.associations:
        yield from _said(one, str(association), _association(one, association, adapter, names))


def find_cycles(mappings: Collection[config.MappingConfig]) -> Iterator[config.Problem]:
    """Mappings whose records need one another before any of them could be made in Django."""
    needs = [(one.name, each.to) for one in mappings for each in one.associations if _is_needed(one, each)]
    for one in mappings:
        reached: set[str] = set()
        while found := {to for name, to in needs if name in {one.name, *reached}} - reached:
            reached |= found
        if one.name in reached:
            yield config.Problem(one.name, relations.CYCLE)


def _is_needed(mapping: config.MappingConfig, one: config.AssociationConfig) -> bool:
    """Whether a new row must have the other one at once."""
    adapter = configs.adapter_of(mapping.model)
    if adapter is None or not (one.is_active and mapping.direction.pulls and one.direction.pulls):
        return False
    try:
        return relations.is_required(relations.field_of(adapter.model, one.local))
    except relations.RelationError:
        return False


def _members(
    one: config.MappingConfig, adapter: adapters.LocalAdapter | None, names: naming.Names
) -> Iterator[config.Problem]:
    """What decides which records take part."""
    properties = names.properties(one.object_type)
    for rule in one.rules:
        for condition in rule.conditions:
            yield from _said(one, str(rule), _condition(condition, adapter, properties))
    for value in one.fixed_values:
        yield from _said(one, str(value), _fixed(one, value, adapter, properties))
    if stage := fixed.find_stage_fault(names.portal.pk, one.object_type, one.fixed_values):
        yield config.Problem(one.name, stage)


def _said(one: config.MappingConfig, place: str, texts: Iterable[str]) -> Iterator[config.Problem]:
    return (config.Problem(f"{one.name} › {place}", text) for text in texts)


def _ends(one: config.MappingConfig, row: Mapping | None) -> Iterator[str]:
    """Links and cursors belong to both ends of a mapping."""
    if row is None or (row.model_label, row.object_type) == (one.model, one.object_type):
        return
    if terms.MappingState(row.state).is_started or row.links.exists():
        yield (
            f"It joins {row.model_label} and {row.object_type}, and is in use. Give the file's mapping another name,"
            " which makes a new one."
        )


def _name(one: config.MappingConfig, names: naming.Names, row: Mapping | None) -> Iterator[str]:
    other = Mapping.objects.filter(label=one.name).exclude(portal=names.portal).select_related("portal").first()
    if row is None and other is not None:
        yield (
            f"This name is taken by a mapping of the portal “{other.portal.label}”. Give another in the file, or"
            " --suffix, which is put behind every name."
        )
    if row is None and Mapping.objects.filter(label=one.name, portal=names.portal, version_of__isnull=False).exists():
        yield "This name is taken by a new version of a mapping, which no file has. Give another in the file."


def _side_by_side(
    adapter: adapters.LocalAdapter | None,
    properties: dict[str, RemoteProperty],
    one: config.FieldConfig | config.MatchConfig,
) -> Iterator[str]:
    yield from _local(adapter, one.local)
    yield from _remote(properties, one.remote)


def _across(one: config.MappingConfig, names: naming.Names) -> dict[str, RemoteProperty]:
    """By path, the properties of the object types that fields take values over from."""
    types = across.types_of(field.remote for field in one.fields)
    return {across.join(kind, name): row for kind in types for name, row in names.properties(kind).items()}


def _local(adapter: adapters.LocalAdapter | None, path: str) -> Iterator[str]:
    try:
        if adapter is not None:
            adapter.describe(path)
    except adapters.LocalFieldError as error:
        yield str(error)


def _remote(properties: dict[str, RemoteProperty], name: str) -> Iterator[str]:
    if combined.is_combined(name):
        fault = combined.find_fault(name)
        parts = () if fault else combined.parts(name)
        yield from [fault] if fault else []
        yield from (text for one in parts for text in _remote(properties, one))
        return
    if name not in properties:
        yield (
            f"The portal has no property “{name}”. Correct it, or create it in HubSpot and “Refresh fields”;"
            " --create-properties creates what a field is sent to."
        )
    elif properties[name].is_archived:
        yield f"The property “{name}” was archived in HubSpot. Restore it there and “Refresh fields”."


def _field(
    mapping: config.MappingConfig,
    one: config.FieldConfig,
    adapter: adapters.LocalAdapter | None,
    properties: dict[str, RemoteProperty],
) -> Iterator[str]:
    """A field that is switched off may name what is gone, as in the admin."""
    if not one.is_active:
        return
    wrong = list(_side_by_side(adapter, properties, one))
    yield from wrong
    if not wrong and adapter is not None:
        yield from _pair(mapping, one, adapter.describe(one.local), _row(properties, one.remote))


def _row(properties: dict[str, RemoteProperty], name: str) -> RemoteProperty:
    """The property, or the text that several make together."""
    if combined.is_combined(name):
        return RemoteProperty(name=name, type="string", is_read_only=True)
    return properties[name]


def _pair(
    mapping: config.MappingConfig, one: config.FieldConfig, local: adapters.LocalField, row: RemoteProperty
) -> Iterator[str]:
    try:
        kind = book.remote_type(row)
    except specs.SpecError as error:
        yield str(error)
        return
    if not convert.is_possible(local.local_type, kind):
        yield f"{local.local_type.label} cannot be {kind.label}. Choose another property."
    if one.direction.pushes and across.is_across(one.remote):
        yield f"“{one.remote}” is a value of an associated record, which is only read. Set the direction to “pull”."
    elif mapping.direction.pushes and one.direction.pushes and row.is_read_only:
        yield f"HubSpot lets nobody write “{one.remote}”. Set the direction to “pull”."
    if mapping.direction.pulls and one.direction.pulls and not local.is_writable:
        yield f"“{one.local}” cannot be written in Django. Set the direction to “push”."
    yield from _options(one, local, row)


def _options(one: config.FieldConfig, local: adapters.LocalField, row: RemoteProperty) -> Iterator[str]:
    """A value that a map writes must be one that side knows; what is only read may be an old one."""
    options = {str(option[0]) for option in row.options}
    for line in one.value_map:
        if line.direction.pushes and options and line.remote not in options:
            yield f"“{line.remote}” is no option of “{one.remote}”. Known are: {', '.join(sorted(options))}."
        if line.direction.pulls and local.choices and line.local not in local.choices:
            yield f"“{line.local}” is no choice of “{one.local}”. Known are: {', '.join(sorted(local.choices))}."
    yield from _policies(one, local, row)


def _policies(one: config.FieldConfig, local: adapters.LocalField, row: RemoteProperty) -> Iterator[str]:
    """Defaults are checked as lines are; an option is added, and a value moved, only where there are options."""
    options = {str(option[0]) for option in row.options}
    if one.unmapped is terms.UnmappedPolicy.DEFAULT:
        for value, known, name in (
            (one.default_remote, options, one.remote),
            (one.default_local, local.choices, one.local),
        ):
            if value and known and str(value) not in known:
                yield f"The default “{value}” is none of “{name}”. Known are: {', '.join(sorted(known))}."
    kind = book.remote_type(row)
    if one.unmapped is terms.UnmappedPolicy.ADD and not fieldvalues.can_add_options(row, kind):
        yield f"“{one.remote}” has no options of its own that could be added to. Choose another “unmapped”."
    has_order = bool(options) or row.name in fieldvalues.STAGES
    if one.movement is not terms.Movement.ANY and not has_order:
        yield f"“{one.remote}” has no options in an order. Set “movement” to “any”."


def _association(
    mapping: config.MappingConfig,
    one: config.AssociationConfig,
    adapter: adapters.LocalAdapter | None,
    names: naming.Names,
) -> Iterator[str]:
    """The other mapping may be new in the same file; that both fit is found out when they are written."""
    if adapter is not None:
        try:
            relations.field_of(adapter.model, one.local)
        except relations.RelationError as error:
            yield str(error)
    other = Mapping.objects.filter(portal=names.portal, label=one.to).first()
    if one.label and other is not None:
        known = relations.labels_between(names.portal.pk, mapping.object_type, other.object_type)
        if one.label.lower() not in [label.lower() for label in known]:
            yield (
                f"HubSpot has no label “{one.label}” from {mapping.object_type} to {other.object_type}; it has:"
                f" {', '.join(known) or 'none'}."
            )


def _condition(
    one: config.ConditionConfig, adapter: adapters.LocalAdapter | None, properties: dict[str, RemoteProperty]
) -> Iterator[str]:
    wrong = list(_end(one, adapter, properties))
    yield from wrong
    if not wrong and one.value and isinstance(one.value, str):
        fault = typed.find_condition_fault(one.operator, one.value, *_kind(one, adapter, properties))
        yield from [fault] if fault else []


def _fixed(
    mapping: config.MappingConfig,
    one: config.FixedConfig,
    adapter: adapters.LocalAdapter | None,
    properties: dict[str, RemoteProperty],
) -> Iterator[str]:
    wrong = list(_end(one, adapter, properties))
    yield from wrong
    faults = [fixed.find_writer_fault(mapping.direction, one, mapping.fields)]
    if not wrong and isinstance(one.value, str):
        faults.append(typed.find_value_fault(one.value, *_kind(one, adapter, properties)))
        faults.append(_given(mapping, one, adapter, properties))
    yield from (fault for fault in faults if fault)


def _given(
    mapping: config.MappingConfig,
    one: config.FixedConfig,
    adapter: adapters.LocalAdapter | None,
    properties: dict[str, RemoteProperty],
) -> str | None:
    """New records of a side get the value, so it must be writable there."""
    if one.side is terms.SideName.REMOTE:
        if mapping.direction.pushes and properties[one.field].is_read_only:
            return f"HubSpot lets nobody write “{one.field}”, so new records cannot get it. Use a sync rule instead."
    elif adapter is not None and mapping.direction.pulls and not adapter.describe(one.field).is_writable:
        return f"“{one.field}” cannot be written in Django, so new rows cannot get it. Set the mapping to “push”."
    return None


def _end(
    one: config.ConditionConfig | config.FixedConfig,
    adapter: adapters.LocalAdapter | None,
    properties: dict[str, RemoteProperty],
) -> Iterator[str]:
    if one.side is terms.SideName.LOCAL:
        yield from _local(adapter, one.field)
    else:
        yield from _remote(properties, one.field)


def _kind(
    one: config.ConditionConfig | config.FixedConfig,
    adapter: adapters.LocalAdapter | None,
    properties: dict[str, RemoteProperty],
) -> tuple[typed.Kind | None, frozenset[str]]:
    """The type of a field and the values it may have; pipelines and stages were found by their names already."""
    if one.side is terms.SideName.LOCAL:
        local = adapter.describe(one.field) if adapter else None
        return (local.local_type, local.choices - {""}) if local else (None, frozenset())
    row = properties[one.field]
    is_stage = one.field in {*fixed.PIPELINE_OF, *fixed.PIPELINE_OF.values()}
    try:
        return book.remote_type(row), frozenset() if is_stage else frozenset(str(line[0]) for line in row.options)
    except specs.SpecError:
        return None, frozenset()
