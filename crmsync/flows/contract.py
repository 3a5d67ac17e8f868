"""What a mapping uses of both sides, as the facts that engine.lint judges.

Three queries for each portal and object type, however many rows there are, one for each field that is read by a table
of values, and some for each mapping that has associations: the page of a mapping asks, too.
"""

from collections.abc import Iterable, Iterator, Sequence

from crmsync import adapters
from crmsync.engine import across, contract, scopes, spec, terms, typed
from crmsync.flows import contractedges, contractparts, contractschema
from crmsync.ledger import columns, specs
from crmsync.models import Mapping, Portal

Part = contractparts.Part
Parts = contractparts.Parts


def of_group(
    portal: Portal,
    object_type: str,
    group: Sequence[Mapping],
    known: contractschema.Known | None = None,
    edges: contractedges.Read | None = None,
) -> tuple[list[contract.MappingFacts], contract.Schema]:
    """The facts of some of a portal's mappings of one object type, in their order, and of the object type.

    ``known``: all properties of some object types, where the caller has read them; ``edges``: of the only mapping.
    """
    parts = contractparts.read(portal.pk, object_type, [one.pk for one in group])
    fields = [part for (kind, _), several in parts.items() if kind == "field" for part in several]
    others = across.types_of(part.three for part in fields)
    schema = contractschema.of_type(portal.pk, object_type, others, known or {})
    facts = [_facts(one, portal, parts) for one in group]
    return contractedges.add(facts, group, parts, edges), schema


def _facts(mapping: Mapping, portal: Portal, parts: Parts) -> contract.MappingFacts:
    whole = terms.Direction(mapping.direction)
    adapter, refusal = _adapter(mapping)
    fields = parts.get(("field", mapping.pk), ())
    members = parts.get(("member", mapping.pk), ())
    missing, optional = _missing_scopes(mapping, portal, fields, parts.get(("edge", mapping.pk), ()))
    others = _others(mapping, parts)
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
        fixed=tuple(_fixed(adapter, [*members, *parts.get(("first", mapping.pk), ())])),
        members={part.two: part.three for part in members if part.one == terms.SideName.REMOTE},
        model_refusal=refusal,
        local_required=tuple(columns.required(adapter.model)) if adapter else (),
        others=_names(others.values()),
        rivals=_names([held for pk, held in others.items() if _gates(parts, pk) == _gates(parts, mapping.pk)]),
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
    whole: terms.Direction, part: Part, adapter: adapters.LocalAdapter | None, values: Iterable[Part]
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
        column=_column(local, adapter) if local else None,
        refusal=refusal,
        to_remote={one.two: one.three for one in values if terms.Direction(one.one).pushes},
        to_local=to_local,
        unmapped=terms.UnmappedPolicy(part.four),
        only_new=part.five == terms.WriteMode.IF_NEW,
    )


def _column(local: adapters.LocalField, adapter: adapters.LocalAdapter | None = None) -> contract.Column:
    choices = local.choices - {""}
    if adapter and local.category and not local.adds_choices:  # a table that grows takes any value
        choices = frozenset(value for value, _label in adapter.choices(local.path))
    return contract.Column(local.local_type, local.is_writable, choices, local.max_length)


def _keys(adapter: adapters.LocalAdapter | None, parts: Iterable[Part]) -> Iterator[contract.Named]:
    for part in parts:
        owner = f"{part.one} = {part.two}"
        yield contract.Named(owner, terms.SideName.LOCAL, part.one, _describe(adapter, part.one)[1])
        yield contract.Named(owner, terms.SideName.REMOTE, part.two)


def _conditions(adapter: adapters.LocalAdapter | None, parts: Iterable[Part]) -> Iterator[contract.Named]:
    for part in parts:
        yield _asked(adapter, part.three, part, terms.Operator(part.four), part.five)


def _fixed(adapter: adapters.LocalAdapter | None, parts: Iterable[Part]) -> Iterator[contract.Named]:
    for part in parts:
        yield _asked(adapter, f"fixed value {part.two}", part, terms.Operator.EQUALS, part.three)


def _asked(
    adapter: adapters.LocalAdapter | None, owner: str, part: Part, operator: terms.Operator, value: str
) -> contract.Named:
    side = terms.SideName(part.one)
    if side is terms.SideName.REMOTE:
        return contract.Named(owner, side, part.two, "", operator, value)
    local, refusal = _describe(adapter, part.two)
    if local is not None:
        fault = typed.find_condition_fault(operator, value, local.local_type, local.choices - {""})
        refusal = f"{part.two}: {fault}" if fault else ""
    return contract.Named(owner, side, part.two, refusal, operator, value)


def _others(mapping: Mapping, parts: Parts) -> dict[int, tuple[str, list[str]]]:
    """By id, the name of each other mapping that is started, and the properties that it pushes to linked records."""
    found, mine = {}, (mapping.pk, mapping.version_of_id)
    for (kind, pk), (other, *_) in parts.items():
        if kind != "mapping" or pk in mine or not terms.MappingState(other.three).is_started:
            continue
        rows = parts.get(("field", pk), ()) if terms.Direction(other.one).pushes else ()
        sent = [row for row in rows if terms.Direction(row.one).pushes and row.five != terms.WriteMode.IF_NEW]
        found[pk] = (other.two, [row.three for row in sent])
    return found


def _names(others: Iterable[tuple[str, list[str]]]) -> dict[str, tuple[str, ...]]:
    """By property, the names of the mappings that push it."""
    found: dict[str, tuple[str, ...]] = {}
    for label, properties in others:
        for name in properties:
            found[name] = (*found.get(name, ()), label)
    return found


def _gates(parts: Parts, pk: int) -> set[tuple[str, ...]]:
    """What lets records into a mapping, without the names of its rules."""
    members, conditions = parts.get(("member", pk), ()), parts.get(("condition", pk), ())
    found = {(part.one, part.two, terms.Operator.EQUALS.value, part.three) for part in members}
    return found | {(part.one, part.two, part.four, part.five) for part in conditions}


def _missing_scopes(
    mapping: Mapping, portal: Portal, fields: Iterable[Part], edges: Iterable[Part]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(needed, optional): those not granted, where HubSpot tells, and those it refused a call for."""
    pushes = terms.Direction(mapping.direction).pushes
    use = scopes.Use(
        mapping=mapping.label,
        object_type=mapping.object_type,
        reads=True,
        writes=pushes,
        creates_properties=pushes and mapping.creates_remote,
        adds_options=pushes and any(_adds_options(part) for part in fields),
        offers_properties=pushes,
        uses_owners=any("owner" in part.three for part in fields),
        takes_from=across.types_of(part.three for part in fields),
        associates=tuple((part.two, pushes and terms.Direction(part.one).pushes) for part in edges),
    )
    granted = set(portal.scopes) - set(portal.missing_scopes)
    lacking = [
        one
        for one in scopes.needed([use])
        if one.scope in portal.missing_scopes or (portal.are_scopes_known and not one.is_met(granted))
    ]
    needed = tuple(one.scope for one in lacking if not one.is_optional)
    return needed, tuple(one.scope for one in lacking if one.is_optional)


def _adds_options(part: Part) -> bool:
    return terms.Direction(part.one).pushes and part.four == terms.UnmappedPolicy.ADD
