"""Rows -> MappingSpec: a mapping with all it needs of the discovered schema, frozen for one batch."""

from collections.abc import Iterable

from crmsync import adapters, conf
from crmsync.engine import combined, objecttypes, spec, terms
from crmsync.ledger import book, fieldspecs, fixed, newer, readers, relations, specerror
from crmsync.models import (
    FieldMapping,
    FixedValue,
    Mapping,
    MatchKey,
    SyncRule,
)

# Contacts alone keep their modified time under this name; filtering them by hs_lastmodifieddate silently
# returns wrong results (HubSpot: CRM search, default properties).
_CONTACT_MODIFIED = "lastmodifieddate"
# As callers know them: whoever opens a mapping catches these.
SpecError = specerror.SpecError
FieldError = specerror.FieldError


def check(mapping: Mapping) -> spec.MappingSpec:
    """As ``load``, for a mapping about to be switched on: SpecError also where a single field or association could
    not work."""
    loaded = load(mapping)
    for one in loaded.fields:
        if one.held is not None:
            raise FieldError(one.held.code, one.held.message, one.held.side)
    for each in loaded.associations:
        if each.held is not None:
            raise SpecError(each.held.message)
    if loaded.unmatched:
        raise SpecError(loaded.unmatched)
    return loaded


def load(mapping: Mapping) -> spec.MappingSpec:
    """The mapping frozen; fields and associations that cannot work at present are held, so that the others go on.

    SpecError where nothing can work; BehindError where only newer code can. Heals readers after bulk edits.
    """
    if why := objecttypes.refuse(mapping.object_type):
        raise SpecError(f"Mapping “{mapping}” cannot run. {why}")
    fields = list(mapping.fields.filter(is_active=True).prefetch_related("value_map"))
    keys = list(mapping.match_keys.all())
    rules = list(mapping.rules.filter(is_active=True).prefetch_related("conditions"))
    values = list(mapping.fixed_values.all())
    adapter = adapter_of(mapping)
    read = _paths(fields, keys, rules) | fixed.local_paths(values)
    newer.refuse(mapping, adapter, [*read, *(one.local for one in fields)])
    readers.heal(mapping, read)
    names = {part for one in (*fields, *keys) for part in combined.parts(one.remote)}
    names |= {one.field for one in values} | set(_asked(rules))
    properties = book.Book(mapping, names)
    _check_keys(mapping, keys, adapter)
    given = _fixed(mapping, values, fields, adapter, properties)
    return spec.MappingSpec(
        id=mapping.pk,
        revision=mapping.revision,
        portal_id=mapping.portal_id,
        local_model=adapter.model._meta.label,
        object_type=mapping.object_type,
        direction=terms.Direction(mapping.direction),
        fields=fieldspecs.load(mapping, fields, adapter, properties),
        match=tuple(
            spec.MatchSpec(
                k.local, k.remote, terms.Normaliser(k.normaliser), unique_remote=properties.is_unique(k.remote)
            )
            for k in keys
        ),
        rules=(*fixed.make_rule(zip(values, given, strict=True)), *(_rule(one) for one in rules)),
        fixed=given,
        associations=_associations(mapping, adapter),
        unmatched=_find_unmatched(mapping, keys, rules, properties),
        creates_remote=mapping.creates_remote,
        creates_local=mapping.creates_local,
        deletes_remote=terms.DeletePolicy(mapping.deletes_remote),
        deletes_local=terms.DeletePolicy(mapping.deletes_local),
        modified_property=_CONTACT_MODIFIED if mapping.object_type == "contacts" else "hs_lastmodifieddate",
    )


def find_holds(mapping: Mapping) -> dict[int, spec.EdgeHold]:
    """Why associations of a mapping cannot work at present, by their row's id; empty where the mapping cannot run."""
    try:
        model = adapter_of(mapping).model
    except SpecError:
        return {}
    rows = mapping.associations.filter(is_active=True).select_related("to_mapping")
    return {one.id: one.held for one in relations.load_rows(mapping, rows, model) if one.held is not None}


def _associations(mapping: Mapping, adapter: adapters.LocalAdapter) -> tuple[spec.AssociationSpec, ...]:
    try:
        return relations.load(mapping, adapter.model)
    except relations.RelationError as error:
        raise SpecError(str(error)) from error


def _paths(fields: Iterable[FieldMapping], keys: Iterable[MatchKey], rules: Iterable[SyncRule]) -> set[str]:
    """The local paths that are read to push a record."""
    return {
        *(one.local for one in fields if terms.Direction(one.direction).pushes),
        *(one.local for one in keys),
        *(c.field for rule in rules for c in rule.conditions.all() if c.side == terms.SideName.LOCAL),
    }


def _check_keys(mapping: Mapping, keys: Iterable[MatchKey], adapter: adapters.LocalAdapter) -> None:
    for one in keys:
        if not adapter.is_stored(one.local):
            raise SpecError(
                f"Mapping “{mapping}” matches by {one.local!r}, which is computed: it cannot be looked up. Match by a"
                " stored field."
            )


def _asked(rules: Iterable[SyncRule]) -> list[str]:
    """The properties that rules ask about."""
    return [c.field for rule in rules for c in rule.conditions.all() if c.side == terms.SideName.REMOTE]


def _find_unmatched(
    mapping: Mapping, keys: Iterable[MatchKey], rules: Iterable[SyncRule], properties: book.Book
) -> str:
    """Why records that have no partner yet must wait: without a key or a rule they would be made twice, or let in.

    SpecError where a rule that also judges linked records cannot be asked.
    """
    for name in (key.remote for key in keys):
        if not properties.has(name):
            return f"Mapping “{mapping}” matches by the HubSpot property {name!r}, which is gone. {_UNMATCHED}"
    for rule in rules:
        for name in _asked([rule]):
            if properties.has(name):
                continue
            text = f"The sync rule “{rule}” of mapping “{mapping}” asks for {name!r}, which HubSpot no longer has."
            if rule.gates_updates or rule.unlinks:
                raise SpecError(f"{text} Change the rule, or restore the property and press “Refresh fields”.")
            return f"{text} {_UNMATCHED}"
    return ""


_UNMATCHED = (
    "Linked records go on; new ones wait. Restore the property in HubSpot and press “Refresh fields”, or change the"
    " mapping."
)


def adapter_of(mapping: Mapping) -> adapters.LocalAdapter:
    """The mapping's adapter; SpecError where its model is gone or not allowed."""
    allowed = {label.lower() for label in conf.current().MODELS}
    if mapping.model_label.lower() not in allowed:
        raise SpecError(
            f"Mapping “{mapping}” names the model {mapping.model_label!r}, which CRMSYNC['MODELS'] does not allow."
            " Add it there, or choose another model."
        )
    try:
        return adapters.adapter_for(mapping.model_label)
    except (LookupError, ValueError) as error:
        raise SpecError(
            f"Mapping “{mapping}” names the model {mapping.model_label!r}, which does not exist."
            " Choose a model listed in CRMSYNC['MODELS']."
        ) from error


def _rule(one: SyncRule) -> spec.RuleSpec:
    return spec.RuleSpec(
        id=one.pk,
        name=one.name,
        direction=terms.Direction(one.direction),
        join=terms.Join(one.join),
        conditions=tuple(
            spec.ConditionSpec(terms.SideName(c.side), c.field, terms.Operator(c.operator), c.value, c.group)
            for c in one.conditions.all()
        ),
        gates_updates=one.gates_updates,
        groups_join=terms.Join(one.groups_join),
        unlinks=one.unlinks,
    )


def _fixed(
    mapping: Mapping,
    values: list[FixedValue],
    fields: list[FieldMapping],
    adapter: adapters.LocalAdapter,
    properties: book.Book,
) -> tuple[spec.FixedSpec, ...]:
    """Every fixed value as its side holds it, in the order of the rows."""
    whole = terms.Direction(mapping.direction)
    faults = (fixed.find_writer_fault(whole, one, fields) for one in values)
    stage = fixed.find_stage_fault(mapping.portal_id, mapping.object_type, values)
    if fault := next((one for one in faults if one), stage):
        raise SpecError(f"Mapping “{mapping}”: {fault}")
    found = []
    for one in values:
        try:
            if one.side == terms.SideName.LOCAL:
                found.append(fixed.of_local(one, adapter, is_given=whole.pulls))
                continue
            row = properties.get(one.field)
            found.append(
                fixed.of_remote(one, row, book.remote_type(row), properties.options(row), is_given=whole.pushes)
            )
        except fixed.FixedError as error:
            raise SpecError(f"Mapping “{mapping}”: {error}") from error
    return tuple(found)
