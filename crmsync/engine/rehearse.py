"""Rehearse: what would differ under HubSpot's next API version, for reads repeated and writes made before.

From version 2026-09 on HubSpot holds API writes to the rules an account's admin set. HubSpot: CRM API write
validation enforcement.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from crmsync.engine import canonical, discovered, terms

Rows = Sequence[tuple[str, Mapping[str, str | None]]]
"""Records of a page: (id, property values)."""


class Presence(terms.Term):
    """Stands for a value where a whole record is on one side only."""

    THERE = "there", "there"
    ABSENT = "absent", "not there"


@dataclass(frozen=True, slots=True)
class Difference:
    """``property`` is blank where the whole record is on one side only: then both values are a Presence."""

    id: str
    property: str
    old: str | None
    new: str | None


class FindingKind(terms.Term):
    UNKNOWN_PROPERTY = "unknown_property", "HubSpot has no such property"
    READ_ONLY = "read_only", "HubSpot lets nobody write the property"
    OPTION_UNKNOWN = "option_unknown", "HubSpot has no such option"
    REQUIRED = "required", "a rule of the account requires the property"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a write would meet: which property, what kind of trouble, and a sentence without any value of ours."""

    property: str
    kind: FindingKind
    message: str


@dataclass(frozen=True, slots=True)
class RuleFacts:
    """A rule of the account. ``kind`` REQUIRED or CONDITIONALLY_REQUIRED; others are not judged.

    ``condition``: values by property, any of which brings the rule into force; all properties must agree. Empty:
    always in force.
    """

    property: str
    kind: str = "REQUIRED"
    condition: Mapping[str, frozenset[str]] = field(default_factory=dict)


def compare_pages(old: Rows, new: Rows) -> tuple[Difference, ...]:
    """What differs between two answers to one question, by id and property; neither order counts.

    A property that is absent equals one that is null: HubSpot sends either.
    """
    before, after = dict(old), dict(new)
    found: list[Difference] = []
    for one in sorted(before.keys() | after.keys()):
        if one in before and one in after:
            found += _compare_record(one, before[one], after[one])
        else:
            here, there = (Presence.THERE, Presence.ABSENT) if one in before else (Presence.ABSENT, Presence.THERE)
            found.append(Difference(one, "", here, there))
    return tuple(found)


def check_write(
    values: Mapping[str, str],
    properties: Mapping[str, discovered.PropertyFacts],
    rules: Iterable[RuleFacts],
    *,
    held: Mapping[str, str | None] | None = None,
) -> tuple[Finding, ...]:
    """What writing ``values`` would meet, by property, then by rule.

    ``held``: what the record has already, for an update; None for a create. An update is asked only about rules
    whose property or condition it touches. Without any known property nothing is said about properties.
    """
    found = [one for name in sorted(values) for one in _check_value(name, values[name], properties.get(name))]
    findings = tuple(found) if properties else ()
    return (*findings, *_check_rules(values, rules, held))


def _compare_record(
    record_id: str, old: Mapping[str, str | None], new: Mapping[str, str | None]
) -> Iterator[Difference]:
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            yield Difference(record_id, name, old.get(name), new.get(name))


def _check_value(name: str, value: str, facts: discovered.PropertyFacts | None) -> Iterator[Finding]:
    if facts is None or not facts.exists:
        yield Finding(name, FindingKind.UNKNOWN_PROPERTY, f"HubSpot has no property {name}.")
    elif facts.is_read_only:
        yield Finding(name, FindingKind.READ_ONLY, f"HubSpot lets nobody write {name}.")
    elif _has_unknown_option(value, facts):
        yield Finding(name, FindingKind.OPTION_UNKNOWN, f"A value written to {name} is none of its options.")


def _has_unknown_option(value: str, facts: discovered.PropertyFacts) -> bool:
    """Several options are separated by semicolons; a leading one appends; a blank clears."""
    if not facts.options or value in facts.options:
        return False
    return any(one not in facts.options for one in canonical.split_choices(value))


def _check_rules(
    values: Mapping[str, str], rules: Iterable[RuleFacts], held: Mapping[str, str | None] | None
) -> Iterator[Finding]:
    after = {**(held or {}), **values}
    for rule in rules:
        is_asked = held is None or rule.property in values or not values.keys().isdisjoint(rule.condition)
        if is_asked and rule.kind in _REQUIRING and not after.get(rule.property) and _is_in_force(rule, after):
            yield Finding(rule.property, FindingKind.REQUIRED, _explain(rule))


def _is_in_force(rule: RuleFacts, after: Mapping[str, str | None]) -> bool:
    return all(after.get(name) in wanted for name, wanted in rule.condition.items())


def _explain(rule: RuleFacts) -> str:
    when = " and ".join(
        f"{name} is {' or '.join(f'“{one}”' for one in sorted(wanted))}" for name, wanted in rule.condition.items()
    )
    return f"{rule.property} must have a value{f' when {when}' if when else ''}."


_REQUIRING: Final = frozenset({"REQUIRED", "CONDITIONALLY_REQUIRED"})
