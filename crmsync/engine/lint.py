"""Lint: a mapping's contract held against what was discovered of the portal, as findings with their remedies.

It never says "missing" of what nobody looked at.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from crmsync.engine import contract, convert, findings, terms

Code = findings.Code


class _Said(NamedTuple):
    code: Code
    sentence: str
    row: contract.Row | None = None
    about: str = ""


def check(mapping: contract.MappingFacts, schema: contract.Schema) -> tuple[findings.Finding, ...]:
    """Every finding of a mapping, the worst first, then in the order of its rows."""
    said = [*_whole(mapping, schema), *_rows(mapping, schema), *_named(mapping, schema), *_demands(mapping, schema)]
    found = [_finding(mapping, one) for one in said]
    return tuple(sorted(found, key=lambda one: list(findings.Severity).index(one.severity)))


def _finding(mapping: contract.MappingFacts, one: _Said) -> findings.Finding:
    severity, effect, remedy = findings.MEANING[one.code]
    row = one.row
    about = one.about or (f"{row.local} ↔ {row.remote}" if row else "")
    row_id = row.id if row else None
    return findings.Finding(
        one.code, severity, mapping.label, mapping.id, row_id, about, one.sentence, effect, remedy
    )


# --- The mapping as a whole -------------------------------------------------------------------------------------


def _whole(mapping: contract.MappingFacts, schema: contract.Schema) -> Iterator[_Said]:
    if mapping.model_refusal:
        yield _Said(Code.MODEL, mapping.model_refusal)
    if not schema.properties:
        yield _Said(Code.NOT_DISCOVERED, f"The properties of {mapping.object_type} were not read yet.")
    if not any(one.pushes or one.pulls for one in mapping.rows):
        yield _Said(Code.NOTHING_MAPPED, "No active row flows in a direction that the mapping has.")
    for scope in mapping.missing_scopes:
        yield _Said(Code.SCOPE, f"The portal lacks the scope {scope}.", about=scope)
    for scope in mapping.missing_optional:
        yield _Said(Code.SCOPE_OPTIONAL, f"The portal lacks the scope {scope}.", about=scope)
    yield from _local_required(mapping)
    yield from _key_property(mapping, schema)


def _local_required(mapping: contract.MappingFacts) -> Iterator[_Said]:
    filled = {one.local for one in mapping.rows if one.pulls}
    for name in mapping.local_required if mapping.pulls and mapping.creates_local else ():
        if name not in filled:
            yield _Said(Code.LOCAL_REQUIRED, f"No row from HubSpot fills {name}, which must be given.", about=name)


def _key_property(mapping: contract.MappingFacts, schema: contract.Schema) -> Iterator[_Said]:
    name = mapping.key_property
    if not (mapping.pushes and mapping.creates_remote and name and schema.properties):
        return
    found = schema.properties.get(name)
    if found is None or not found.exists:
        if mapping.is_key_made:
            yield _Said(Code.KEY_PROPERTY, f"HubSpot has no property {name} any more.", about=name)
    elif not found.is_unique:
        yield _Said(Code.KEY_PROPERTY, f"The values of {name} need not be unique in HubSpot.", about=name)


# --- Its rows ---------------------------------------------------------------------------------------------------


def _rows(mapping: contract.MappingFacts, schema: contract.Schema) -> Iterator[_Said]:
    seen: set[tuple[str, str]] = set()
    for row in mapping.rows:
        yield from _twice(mapping, row, seen)
        if row.refusal:
            yield _Said(Code.LOCAL_FIELD, row.refusal, row)
        elif row.column and row.pulls and not row.column.is_writable:
            yield _Said(Code.LOCAL_READ_ONLY, f"{row.local} cannot be written in Django.", row)
        if not schema.properties:
            continue
        found = schema.properties.get(row.remote)
        gone = list(_gone(mapping, row, found))
        yield from gone
        if found is not None and not gone:
            yield from _property(row, found)


def _twice(mapping: contract.MappingFacts, row: contract.Row, seen: set[tuple[str, str]]) -> Iterator[_Said]:
    for flows, side, name in ((row.pushes, "HubSpot", row.remote), (row.pulls, "Django", row.local)):
        if flows and (side, name) in seen:
            yield _Said(Code.WRITTEN_TWICE, f"Another row writes {name} in {side}, too.", row)
        if flows:
            seen.add((side, name))
    if row.pushes and mapping.others.get(row.remote):
        names = quoted(mapping.others[row.remote])
        yield _Said(Code.SHARED_TARGET, f"{row.remote} of {mapping.object_type} is written by {names}, too.", row)


def _gone(mapping: contract.MappingFacts, row: contract.Row, found: contract.Property | None) -> Iterator[_Said]:
    if found is None:
        yield _Said(Code.PROPERTY_MISSING, f"{mapping.object_type} have no property {row.remote} in HubSpot.", row)
    elif not found.exists:
        yield _Said(Code.PROPERTY_ARCHIVED, f"{row.remote} was archived in HubSpot.", row)
    elif found.kind is None:
        yield _Said(Code.TYPE_UNKNOWN, f"{row.remote} is of a type that cannot be synced.", row)


def _property(row: contract.Row, found: contract.Property) -> Iterator[_Said]:
    if row.pushes and found.is_read_only:
        yield _Said(Code.READ_ONLY, f"HubSpot lets nobody write {row.remote}.", row)
    elif row.pushes and found.is_calculated:
        yield _Said(Code.CALCULATED, f"HubSpot calculates {row.remote}.", row)
    if row.column is None or found.kind is None:
        return
    if not convert.is_possible(row.column.local_type, found.kind):
        sentence = f"{row.local} holds {row.column.local_type.label}, {row.remote} holds {found.kind.label}."
        yield _Said(Code.TYPE_IMPOSSIBLE, sentence, row)
        return
    if not row.has_map:
        yield from _losses(row, row.column.local_type, found.kind)
    if row.column.local_type is not terms.LocalType.USER:
        yield from _values(row, row.column, found)


def _losses(row: contract.Row, ours: terms.LocalType, theirs: terms.RemoteType) -> Iterator[_Said]:
    pair = f"{row.local} holds {ours.label}, {row.remote} holds {theirs.label}"
    if row.pushes and (ours, theirs) in _PUSH_LOSES:
        yield _Said(Code.TYPE_LOSSY, f"{pair}: what {theirs.label} cannot say does not reach HubSpot.", row)
    if row.pulls and (theirs, ours) in _PULL_LOSES:
        yield _Said(Code.TYPE_LOSSY, f"{pair}: what {ours.label} cannot say does not reach Django.", row)
    if row.pulls and ours is terms.LocalType.INTEGER and theirs is terms.RemoteType.NUMBER:
        yield _Said(Code.TYPE_NARROW, f"{row.remote} may hold decimals, {row.local} cannot.", row)


def _values(row: contract.Row, column: contract.Column, found: contract.Property) -> Iterator[_Said]:
    options = found.options if found.kind in _CHOSEN else frozenset()
    if row.pushes:
        yield from _outgoing(row, column, options, is_stage=found.is_stage)
    if row.pulls:
        yield from _incoming(row, column, options)
        yield from _lengths(row, column, found, options)


def _outgoing(
    row: contract.Row, column: contract.Column, options: frozenset[str], *, is_stage: bool
) -> Iterator[_Said]:
    gone = {one for one in row.to_remote.values() if one not in options} if options else set()
    if gone:
        what, code = ("pipeline or stage", Code.STAGE_MISSING) if is_stage else ("option", Code.OPTION_MISSING)
        yield _Said(code, f"The value map sends {quoted(gone)}; {row.remote} has no such {what}.", row)
    known: Collection[str] = row.to_remote if row.has_map else options
    lost = column.choices.difference(known) if row.has_map or options else frozenset()
    if lost:
        what = "has no line in the value map" if row.has_map else f"is no option of {row.remote}"
        yield _Said(Code.CHOICE_UNMAPPED, f"What {row.local} may hold {what}: {quoted(lost)}.", row)


def _incoming(row: contract.Row, column: contract.Column, options: frozenset[str]) -> Iterator[_Said]:
    if row.has_map:
        lost = options.difference(row.to_local)
        wrong = set(row.to_local.values()) - column.choices if column.choices else set()
        if wrong:
            sentence = f"The value map leads to {quoted(wrong)}, which {row.local} does not take."
            yield _Said(Code.OPTION_UNMAPPED, sentence, row)
    else:
        lost = options - column.choices if column.choices else frozenset()
    if lost:
        what = "have no line in the value map" if row.has_map else f"are no choices of {row.local}"
        yield _Said(Code.OPTION_UNMAPPED, f"Options of {row.remote} {what}: {quoted(lost)}.", row)


def _lengths(
    row: contract.Row, column: contract.Column, found: contract.Property, options: frozenset[str]
) -> Iterator[_Said]:
    most = column.max_length
    if most is None or column.local_type is not terms.LocalType.TEXT or column.choices:
        return
    values: Collection[str] = row.to_local.values() if row.has_map else options
    long = {one for one in values if len(one) > most}
    if long:
        yield _Said(Code.VALUE_TOO_LONG, f"{row.local} holds {most} characters, too few for {quoted(long)}.", row)
    is_free = not values and found.kind in _FREE and (found.max_length is None or found.max_length > most)
    if is_free:
        yield _Said(Code.LENGTH, f"{row.local} holds {most} characters, {row.remote} may hold more.", row)


# --- Match keys, sync rules and what HubSpot demands ----------------------------------------------------------


def _named(mapping: contract.MappingFacts, schema: contract.Schema) -> Iterator[_Said]:
    for code, named in ((Code.MATCH_KEY, mapping.keys), (Code.CONDITION, mapping.conditions)):
        for one in named:
            if one.refusal:
                yield _Said(code, one.refusal, about=one.owner)
            elif one.side is terms.SideName.REMOTE and schema.properties:
                found = schema.properties.get(one.name)
                if found is None or not found.exists:
                    yield _Said(code, f"{mapping.object_type} have no property {one.name}.", about=one.owner)
                elif code is Code.MATCH_KEY and not found.is_unique:
                    sentence = f"HubSpot lets several {mapping.object_type} have the same {one.name}."
                    yield _Said(Code.MATCH_NOT_UNIQUE, sentence, about=one.owner)


def _demands(mapping: contract.MappingFacts, schema: contract.Schema) -> Iterator[_Said]:
    creates = mapping.pushes and mapping.creates_remote
    rules = [one for one in schema.rules if one.property not in mapping.pushed]
    always = [(one.property,) for one in rules if one.kind == "REQUIRED"]
    for group in dict.fromkeys([*schema.required, *always]) if creates else ():
        if mapping.pushed.isdisjoint(group):
            sentence = f"HubSpot demands {' or '.join(group)} of every new record, and no row fills it."
            yield _Said(Code.REQUIRED, sentence, about=" or ".join(group))
    for one in rules:
        is_met = creates or not mapping.pushed.isdisjoint(one.condition)
        if one.kind == "CONDITIONALLY_REQUIRED" and mapping.pushes and is_met:
            sentence = f"HubSpot demands {one.property} {_when(one.condition)}, and no row fills it."
            yield _Said(Code.REQUIRED_WHEN, sentence, about=one.property)


def _when(condition: Mapping[str, Iterable[str]]) -> str:
    parts = [f"{name} is {quoted(values, ' or ')}" for name, values in condition.items()]
    return f"when {' and '.join(parts)}" if parts else "under a condition that it does not tell"


def quoted(values: Iterable[str], by: str = ", ") -> str:
    """Values in quotation marks, sorted; of many only the first."""
    ordered = sorted(values)
    more = f" and {len(ordered) - _SHOWN} more" if len(ordered) > _SHOWN else ""
    return by.join(f"“{one}”" for one in ordered[:_SHOWN]) + more


_SHOWN: Final = 6  # a country property has 250 options: nobody reads them all in a sentence
_CHOSEN: Final = frozenset({terms.RemoteType.ENUMERATION, terms.RemoteType.CHECKBOXES})
_FREE: Final = frozenset({terms.RemoteType.STRING, terms.RemoteType.PHONE_NUMBER})
_OURS, _THEIRS = terms.LocalType, terms.RemoteType
# Not every value of the left can be said by the right: the others are held back one by one (see convert).
_PUSH_LOSES: Final = frozenset(
    {
        (_OURS.DATETIME, _THEIRS.DATE),
        (_OURS.TEXT, _THEIRS.NUMBER),
        (_OURS.TEXT, _THEIRS.BOOL),
        (_OURS.TEXT, _THEIRS.DATE),
        (_OURS.TEXT, _THEIRS.DATETIME),
    }
)
_PULL_LOSES: Final = frozenset(
    {
        (_THEIRS.DATETIME, _OURS.DATE),
        (_THEIRS.STRING, _OURS.INTEGER),
        (_THEIRS.STRING, _OURS.DECIMAL),
        (_THEIRS.STRING, _OURS.FLOAT),
        (_THEIRS.STRING, _OURS.BOOLEAN),
        (_THEIRS.STRING, _OURS.DATE),
        (_THEIRS.STRING, _OURS.DATETIME),
    }
)
