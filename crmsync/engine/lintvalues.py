"""Lint of one row's values: types that lose, options and choices without a partner, texts that are too long."""

from collections.abc import Collection, Iterable, Iterator
from typing import Final

from crmsync.engine import contract, findings, terms

Code = findings.Code
Said = findings.Said


def of_types(row: contract.Row, ours: terms.LocalType, theirs: terms.RemoteType) -> Iterator[Said]:
    pair = f"{row.local} holds {ours.label}, {row.remote} holds {theirs.label}"
    if row.pushes and (ours, theirs) in _PUSH_LOSES:
        yield Said(Code.TYPE_LOSSY, f"{pair}: what {theirs.label} cannot say does not reach HubSpot.", row)
    if row.pulls and (theirs, ours) in _PULL_LOSES:
        yield Said(Code.TYPE_LOSSY, f"{pair}: what {ours.label} cannot say does not reach Django.", row)
    if row.pulls and ours is terms.LocalType.INTEGER and theirs is terms.RemoteType.NUMBER:
        yield Said(Code.TYPE_NARROW, f"{row.remote} may hold decimals, {row.local} cannot.", row)


def of_choices(row: contract.Row, column: contract.Column, found: contract.Property) -> Iterator[Said]:
    options = found.options if found.kind in _CHOSEN else frozenset()
    yield from _elsewhere(row, found)
    if row.pushes:
        yield from _outgoing(row, column, options, found)
    if row.pulls:
        yield from _incoming(row, column, options)
        yield from _lengths(row, column, found, options)


def _elsewhere(row: contract.Row, found: contract.Property) -> Iterator[Said]:
    """HubSpot refuses a stage that is not of the record's pipeline, and never shows one."""
    named = {*(row.to_remote.values() if row.pushes else ()), *(row.to_local if row.pulls else ())}
    if others := named & found.elsewhere:
        sentence = f"The value map names {quoted(others)}, of a pipeline that the mapping's records are never in."
        yield Said(Code.STAGE_ELSEWHERE, sentence, row)


def _outgoing(
    row: contract.Row, column: contract.Column, options: frozenset[str], found: contract.Property
) -> Iterator[Said]:
    gone = {one for one in row.to_remote.values() if one not in options} - found.elsewhere if options else set()
    if gone:
        is_stage = found.is_stage
        what, code = ("pipeline or stage", Code.STAGE_MISSING) if is_stage else ("option", Code.OPTION_MISSING)
        yield Said(code, f"The value map sends {quoted(gone)}; {row.remote} has no such {what}.", row)
    known: Collection[str] = row.to_remote if row.has_map else options
    lost = column.choices.difference(known) if row.has_map or options else frozenset()
    if row.unmapped is not terms.UnmappedPolicy.HOLD:
        lost = _refused(lost, options, row.unmapped)
    if lost:
        what = "has no line in the value map" if row.has_map else f"is no option of {row.remote}"
        yield Said(Code.CHOICE_UNMAPPED, f"What {row.local} may hold {what}: {quoted(lost)}.", row)


def _incoming(row: contract.Row, column: contract.Column, options: frozenset[str]) -> Iterator[Said]:
    if row.has_map:
        lost = options.difference(row.to_local)
        wrong = set(row.to_local.values()) - column.choices if column.choices else set()
        if wrong:
            sentence = f"The value map leads to {quoted(wrong)}, which {row.local} does not take."
            yield Said(Code.OPTION_UNMAPPED, sentence, row)
    else:
        lost = options - column.choices if column.choices else frozenset()
    if row.unmapped is not terms.UnmappedPolicy.HOLD:
        is_added = row.unmapped is terms.UnmappedPolicy.ADD  # to HubSpot, never to Django
        lost = _refused(lost, column.choices, terms.UnmappedPolicy.PASS if is_added else row.unmapped)
    if lost:
        what = "have no line in the value map" if row.has_map else f"are no choices of {row.local}"
        yield Said(Code.OPTION_UNMAPPED, f"Options of {row.remote} {what}: {quoted(lost)}.", row)


def _refused(lost: frozenset[str], known: frozenset[str], policy: terms.UnmappedPolicy) -> frozenset[str]:
    """What of the values without a line is held back all the same: what passes unchanged must be known over there."""
    return lost - known if policy is terms.UnmappedPolicy.PASS and known else frozenset()


def _lengths(
    row: contract.Row, column: contract.Column, found: contract.Property, options: frozenset[str]
) -> Iterator[Said]:
    most = column.max_length
    if most is None or column.local_type is not terms.LocalType.TEXT or column.choices:
        return
    values: Collection[str] = row.to_local.values() if row.has_map else options
    long = {one for one in values if len(one) > most}
    if long:
        yield Said(Code.VALUE_TOO_LONG, f"{row.local} holds {most} characters, too few for {quoted(long)}.", row)
    is_free = not values and found.kind in _FREE and (found.max_length is None or found.max_length > most)
    if is_free:
        yield Said(Code.LENGTH, f"{row.local} holds {most} characters, {row.remote} may hold more.", row)


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
