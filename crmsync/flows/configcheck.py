"""Finds what of a configuration cannot work in a portal: names it lacks, pairs that cannot be joined."""

from collections.abc import Iterable, Iterator

from crmsync import adapters
from crmsync.engine import config, convert, terms
from crmsync.ledger import configs, naming, specs
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
    for field in one.fields:
        yield from _said(one, str(field), _field(one, field, adapter, properties))
    for rule in one.rules:
        for condition in rule.conditions:
            yield from _said(one, str(rule), _condition(condition, adapter, properties))


def _said(one: config.MappingConfig, place: str, texts: Iterable[str]) -> Iterator[config.Problem]:
    return (config.Problem(f"{one.name} › {place}", text) for text in texts)


def _ends(one: config.MappingConfig, row: Mapping | None) -> Iterator[str]:
    """Links and cursors belong to both ends of a mapping."""
    if row is None or (row.model_label, row.object_type) == (one.model, one.object_type):
        return
    if row.state != terms.MappingState.DRAFT or row.links.exists():
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


def _side_by_side(
    adapter: adapters.LocalAdapter | None,
    properties: dict[str, RemoteProperty],
    one: config.FieldConfig | config.MatchConfig,
) -> Iterator[str]:
    yield from _local(adapter, one.local)
    yield from _remote(properties, one.remote)


def _local(adapter: adapters.LocalAdapter | None, path: str) -> Iterator[str]:
    try:
        if adapter is not None:
            adapter.describe(path)
    except adapters.LocalFieldError as error:
        yield str(error)


def _remote(properties: dict[str, RemoteProperty], name: str) -> Iterator[str]:
    if name not in properties:
        yield f"The portal has no property “{name}”. Correct it, or create it in HubSpot and “Refresh fields”."
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
        yield from _pair(mapping, one, adapter.describe(one.local), properties[one.remote])


def _pair(
    mapping: config.MappingConfig, one: config.FieldConfig, local: adapters.LocalField, row: RemoteProperty
) -> Iterator[str]:
    try:
        kind = specs.remote_type(row)
    except specs.SpecError as error:
        yield str(error)
        return
    if not convert.is_possible(local.local_type, kind):
        yield f"{local.local_type.label} cannot be {kind.label}. Choose another property."
    if mapping.direction.pushes and one.direction.pushes and row.is_read_only:
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


def _condition(
    one: config.ConditionConfig, adapter: adapters.LocalAdapter | None, properties: dict[str, RemoteProperty]
) -> Iterator[str]:
    if one.side is terms.SideName.LOCAL:
        yield from _local(adapter, one.field)
    else:
        yield from _remote(properties, one.field)
