"""Lint: a mapping's contract held against what was discovered of the portal, as findings with their remedies.

It never says "missing" of what nobody looked at.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping

from crmsync.engine import (
    across,
    combined,
    contract,
    convert,
    findings,
    lintvalues,
    prerequisites,
    stages,
    terms,
    typed,
)

Code = findings.Code
Said = findings.Said


def check(mapping: contract.MappingFacts, schema: contract.Schema) -> tuple[findings.Finding, ...]:
    """Every finding of a mapping, the worst first, then in the order of its rows."""
    schema = stages.narrow(mapping, schema)
    said = [*_whole(mapping, schema), *_rows(mapping, schema), *_named(mapping, schema), *_demands(mapping, schema)]
    said += _relations(mapping)
    found = [_finding(mapping, one) for one in said]
    return tuple(sorted(found, key=lambda one: list(findings.Severity).index(one.severity)))


def _finding(mapping: contract.MappingFacts, one: Said) -> findings.Finding:
    severity, effect, remedy = findings.MEANING[one.code]
    row = one.row
    about = one.about or (f"{row.local} ↔ {row.remote}" if row else "")
    row_id = row.id if row else None
    return findings.Finding(
        one.code, severity, mapping.label, mapping.id, row_id, about, one.sentence, effect, remedy
    )


# --- The mapping as a whole -------------------------------------------------------------------------------------


def _whole(mapping: contract.MappingFacts, schema: contract.Schema) -> Iterator[Said]:
    if mapping.model_refusal:
        yield Said(Code.MODEL, mapping.model_refusal)
    if not schema.properties:
        yield Said(Code.NOT_DISCOVERED, f"The properties of {mapping.object_type} were not read yet.")
    if not any(one.pushes or one.pulls for one in mapping.rows):
        yield Said(Code.NOTHING_MAPPED, "No active row flows in a direction that the mapping has.")
    for scope in mapping.missing_scopes:
        yield Said(Code.SCOPE, f"The portal lacks the scope {scope}.", about=scope)
    for scope in mapping.missing_optional:
        yield Said(Code.SCOPE_OPTIONAL, f"The portal lacks the scope {scope}.", about=scope)
    yield from _local_required(mapping)
    yield from _key_property(mapping, schema)


def _local_required(mapping: contract.MappingFacts) -> Iterator[Said]:
    filled = {one.local for one in mapping.rows if one.pulls}
    filled |= {one.name for one in mapping.fixed if one.side is terms.SideName.LOCAL}
    for name in mapping.local_required if mapping.pulls and mapping.creates_local else ():
        if name not in filled:
            yield Said(Code.LOCAL_REQUIRED, f"No row from HubSpot fills {name}, which must be given.", about=name)


def _key_property(mapping: contract.MappingFacts, schema: contract.Schema) -> Iterator[Said]:
    name = mapping.key_property
    if not (mapping.pushes and mapping.creates_remote and name and schema.properties):
        return
    found = schema.properties.get(name)
    if found is None or not found.exists:
        if mapping.is_key_made:
            yield Said(Code.KEY_PROPERTY, f"HubSpot has no property {name} any more.", about=name)
        elif len(schema.unique) >= prerequisites.UNIQUE_SLOTS:
            yield Said(Code.NO_UNIQUE_LEFT, no_unique_left(mapping.object_type, schema.unique), about=name)
    elif not found.is_unique:
        yield Said(Code.KEY_PROPERTY, f"The values of {name} need not be unique in HubSpot.", about=name)


def no_unique_left(object_type: str, used: Iterable[str]) -> str:
    """What to say where every slot for unique properties is taken, with the names to choose from."""
    slots, names = prerequisites.UNIQUE_SLOTS, ", ".join(sorted(used))
    return f"HubSpot lets {object_type} have {slots} unique properties, and all are in use: {names}."


# --- Its rows ---------------------------------------------------------------------------------------------------


def _rows(mapping: contract.MappingFacts, schema: contract.Schema) -> Iterator[Said]:
    seen: set[tuple[str, str]] = set()
    for row in mapping.rows:
        yield from _twice(mapping, row, seen)
        if row.refusal:
            yield Said(Code.LOCAL_FIELD, row.refusal, row)
        elif row.column and row.pulls and not row.column.is_writable:
            yield Said(Code.LOCAL_READ_ONLY, f"{row.local} cannot be written in Django.", row)
        if not schema.properties:
            continue
        if combined.is_combined(row.remote):
            yield from _combined(mapping, row, schema)
            continue
        found = schema.properties.get(row.remote)
        if found is None and not _is_read(schema, across.split(row.remote)[0]):
            continue
        gone = list(_gone(mapping, row, found))
        yield from gone
        if found is not None and not gone:
            yield from _property(row, found)


def _combined(mapping: contract.MappingFacts, row: contract.Row, schema: contract.Schema) -> Iterator[Said]:
    """Several properties as one text: each must be there, and nobody can write them together."""
    for name in combined.parts(row.remote):
        yield from _gone(mapping, dataclasses.replace(row, remote=name), schema.properties.get(name))
    if row.pushes:
        yield Said(Code.READ_ONLY, f"{row.remote} is a combination, which is only read.", row)


def _twice(mapping: contract.MappingFacts, row: contract.Row, seen: set[tuple[str, str]]) -> Iterator[Said]:
    for flows, side, name in ((row.pushes, "HubSpot", row.remote), (row.pulls, "Django", row.local)):
        if flows and (side, name) in seen:
            yield Said(Code.WRITTEN_TWICE, f"Another row writes {name} in {side}, too.", row)
        if flows:
            seen.add((side, name))
    if not row.pushes or row.only_new:
        return
    if rivals := mapping.rivals.get(row.remote):
        sentence = f"{lintvalues.quoted(rivals)} writes {row.remote} of the same {mapping.object_type}, too."
        yield Said(Code.RIVALS, sentence, row)
    elif mapping.others.get(row.remote) and not mapping.is_told_apart:
        names = lintvalues.quoted(mapping.others[row.remote])
        yield Said(Code.SHARED_TARGET, f"{row.remote} of {mapping.object_type} is written by {names}, too.", row)


def _is_read(schema: contract.Schema, other: str) -> bool:
    """Whether the properties of an associated object type were read at all; "" is the mapping's own type."""
    return not other or any(name.startswith(across.join(other, "")) for name in schema.properties)


def _gone(mapping: contract.MappingFacts, row: contract.Row, found: contract.Property | None) -> Iterator[Said]:
    owners, name = across.split(row.remote)
    if found is None:
        sentence = f"{owners or mapping.object_type} have no property {name} in HubSpot."
        yield Said(Code.PROPERTY_MISSING, sentence, row)
    elif not found.exists:
        yield Said(Code.PROPERTY_ARCHIVED, f"{row.remote} was archived in HubSpot.", row)
    elif found.kind is None:
        yield Said(Code.TYPE_UNKNOWN, f"{row.remote} is of a type that cannot be synced.", row)


def _property(row: contract.Row, found: contract.Property) -> Iterator[Said]:
    if row.pushes and across.is_across(row.remote):
        yield Said(Code.READ_ONLY, f"{row.remote} is a value of an associated record, which is only read.", row)
    elif row.pushes and found.is_read_only:
        yield Said(Code.READ_ONLY, f"HubSpot lets nobody write {row.remote}.", row)
    elif row.pushes and found.is_calculated:
        yield Said(Code.CALCULATED, f"HubSpot calculates {row.remote}.", row)
    if row.column is None or found.kind is None:
        return
    if not convert.is_possible(row.column.local_type, found.kind):
        sentence = f"{row.local} holds {row.column.local_type.label}, {row.remote} holds {found.kind.label}."
        yield Said(Code.TYPE_IMPOSSIBLE, sentence, row)
        return
    if not row.has_map:
        yield from lintvalues.of_types(row, row.column.local_type, found.kind)
    if row.column.local_type is not terms.LocalType.USER:
        yield from lintvalues.of_choices(row, row.column, found)


# --- Match keys, sync rules and what HubSpot demands ----------------------------------------------------------


def _named(mapping: contract.MappingFacts, schema: contract.Schema) -> Iterator[Said]:
    asked = (*mapping.conditions, *mapping.fixed)
    for code, named in ((Code.MATCH_KEY, mapping.keys), (Code.CONDITION, asked)):
        for one in named:
            if one.refusal:
                yield Said(code, one.refusal, about=one.owner)
            elif one.side is terms.SideName.REMOTE and schema.properties:
                found = schema.properties.get(one.name)
                if found is None or not found.exists:
                    yield Said(code, f"{mapping.object_type} have no property {one.name}.", about=one.owner)
                elif code is Code.MATCH_KEY and not found.is_unique:
                    sentence = f"HubSpot lets several {mapping.object_type} have the same {one.name}."
                    yield Said(Code.MATCH_NOT_UNIQUE, sentence, about=one.owner)
                elif fault := _condition_fault(one, found):
                    yield Said(code, f"{one.name}: {fault}", about=one.owner)


def _condition_fault(one: contract.Named, found: contract.Property) -> str | None:
    """A rule may ask for a stage of any pipeline."""
    return typed.find_condition_fault(one.operator, one.value, found.kind, found.options | found.elsewhere)


def _relations(mapping: contract.MappingFacts) -> Iterator[Said]:
    for one in mapping.relations:
        if one.held is not None:
            is_label = one.held.code is terms.EdgeProblem.LABEL_GONE
            code = Code.LABEL_MISSING if is_label else Code.ASSOCIATION
            yield Said(code, one.held.message, about=one.owner)
        elif one.unlinked:
            code, word = (Code.TARGET_NEXT, "not live yet") if one.is_next else (Code.TARGET_NOT_LIVE, "not live")
            sentence = f"{one.owner} leads to the mapping “{one.unlinked}”, which is {word}."
            yield Said(code, sentence, about=one.owner)


def _demands(mapping: contract.MappingFacts, schema: contract.Schema) -> Iterator[Said]:
    creates = mapping.pushes and mapping.creates_remote
    rules = [one for one in schema.rules if one.property not in mapping.pushed]
    always = [(one.property,) for one in rules if one.kind == "REQUIRED"]
    for group in dict.fromkeys([*schema.required, *always]) if creates else ():
        if mapping.pushed.isdisjoint(group):
            sentence = f"HubSpot demands {' or '.join(group)} of every new record, and no row fills it."
            yield Said(Code.REQUIRED, sentence, about=" or ".join(group))
    for one in rules:
        is_met = creates or not mapping.pushed.isdisjoint(one.condition)
        if one.kind == "CONDITIONALLY_REQUIRED" and mapping.pushes and is_met:
            sentence = f"HubSpot demands {one.property} {_when(one.condition)}, and no row fills it."
            yield Said(Code.REQUIRED_WHEN, sentence, about=one.property)


def _when(condition: Mapping[str, Iterable[str]]) -> str:
    parts = [f"{name} is {lintvalues.quoted(values, ' or ')}" for name, values in condition.items()]
    return f"when {' and '.join(parts)}" if parts else "under a condition that it does not tell"
