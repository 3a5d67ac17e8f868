"""Sync rules: does this record take part? Conditions over both sides' fields, with the values that failed.

Values are compared as what both texts look like: numbers, then days or moments, else text without case. A
blank value equals only a blank; it is never greater, less, part of anything or within some days; it passes "does
not equal" and "is none of".
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from crmsync.engine import canonical, record, relative, spec, terms

_NUMBER: Final = re.compile(r"-?(0|[1-9]\d{0,99})(\.\d{1,99})?([eE][+-]?\d{1,3})?", re.ASCII)  # not 007 or +61


@dataclass(frozen=True, slots=True)
class FailedCondition:
    """A condition and the value it met, as canonical text."""

    condition: spec.ConditionSpec
    actual: str | None


@dataclass(frozen=True, slots=True)
class RuleResult:
    """``failed`` holds what kept the record out, ``rule`` the rule that did; empty and None when it passed."""

    passed: bool
    failed: tuple[FailedCondition, ...] = ()
    rule: spec.RuleSpec | None = None

    @property
    def detail(self) -> str:
        """The failed conditions in words."""
        return "; ".join(_make_sentence(one) for one in self.failed)

    @property
    def reason(self) -> terms.Reason:
        """Why the record is kept out: a rule, or fixed values that are another mapping's."""
        is_other = self.rule is not None and self.rule.is_membership
        return terms.Reason.OTHER_MAPPING if is_other else terms.Reason.FILTER


PASSED: Final = RuleResult(True)


def decide(
    rule: spec.RuleSpec, local: record.Record | None, remote: record.Record | None, *, now: datetime
) -> RuleResult:
    """Whether one rule lets a record in; a record that is not there has blanks; to membership it passes."""
    failed: list[FailedCondition] = []
    for group in _groups(rule):
        kept_out = _decide_group(rule, group, local, remote, now)
        if not kept_out and rule.groups_join is terms.Join.ANY:
            return PASSED
        failed += kept_out
    return RuleResult(False, tuple(failed), rule) if failed else PASSED


def decide_all(
    mapping: spec.MappingSpec,
    direction: terms.Direction,
    local: record.Record | None,
    remote: record.Record | None,
    is_update: bool = False,
    *,
    now: datetime,
) -> RuleResult:
    """Whether every rule for push or pull lets a record in; updates meet only rules that gate them."""
    for rule in mapping.rules:
        if _applies(rule, direction) and (rule.gates_updates or not is_update):
            result = decide(rule, local, remote, now=now)
            if not result.passed:
                return result
    return PASSED


def decide_membership(
    mapping: spec.MappingSpec, local: record.Record | None, remote: record.Record | None, *, now: datetime
) -> RuleResult:
    """Whether a pair's records have the fixed values of this mapping, as far as they are there."""
    return _first_failure((one for one in mapping.rules if one.is_membership), local, remote, now)


def decide_unlinking(
    mapping: spec.MappingSpec, local: record.Record | None, remote: record.Record | None, *, now: datetime
) -> RuleResult:
    """Whether a linked pair may stay linked: it fails a rule that unlinks, in a direction the mapping flows."""
    unlinking = (one for one in mapping.rules if one.unlinks and _flows(mapping, one))
    return _first_failure(unlinking, local, remote, now)


def _first_failure(
    some: Iterable[spec.RuleSpec], local: record.Record | None, remote: record.Record | None, now: datetime
) -> RuleResult:
    results = (decide(rule, local, remote, now=now) for rule in some)
    return next((result for result in results if not result.passed), PASSED)


def _groups(rule: spec.RuleSpec) -> Iterable[list[spec.ConditionSpec]]:
    groups: dict[int, list[spec.ConditionSpec]] = {}
    for condition in rule.conditions:
        groups.setdefault(condition.group, []).append(condition)
    return groups.values()


def _decide_group(
    rule: spec.RuleSpec,
    group: list[spec.ConditionSpec],
    local: record.Record | None,
    remote: record.Record | None,
    now: datetime,
) -> list[FailedCondition]:
    """What a group of conditions fails by; nothing when it lets the record in."""
    failed = []
    for condition in group:
        found = local if condition.side is terms.SideName.LOCAL else remote
        if found is None and rule.is_membership:
            continue
        actual = None if found is None else canonical.plain_text(found.values.get(condition.field))
        if not _is_met(condition, actual, now):
            failed.append(FailedCondition(condition, actual))
        elif rule.join is terms.Join.ANY:
            return []
    return failed


def _is_met(condition: spec.ConditionSpec, actual: str | None, now: datetime) -> bool:
    if condition.operator in relative.OPERATORS:
        return relative.is_met(condition.operator, actual, condition.value, now)
    return _OPERATORS[condition.operator](actual, condition.value)


def _flows(mapping: spec.MappingSpec, rule: spec.RuleSpec) -> bool:
    both = mapping.direction
    return (both.pushes and rule.direction.pushes) or (both.pulls and rule.direction.pulls)


def _applies(rule: spec.RuleSpec, direction: terms.Direction) -> bool:
    return rule.direction.pushes if direction is terms.Direction.PUSH else rule.direction.pulls


def _make_sentence(one: FailedCondition) -> str:
    wanted = one.condition
    actual = "blank" if one.actual is None else f'"{one.actual[:80]}"'
    return f"{wanted.side.label} {wanted.field} is {actual}; wanted: {say_operator(wanted.operator, wanted.value)}"


def say_operator(operator: terms.Operator, value: str) -> str:
    """An operator with its value, in words."""
    if operator in relative.OPERATORS:
        return operator.label.replace("…", value[:80].strip())
    return f'{operator.label} "{value[:80]}"' if value else operator.label


def _equals(actual: str | None, wanted: str) -> bool:
    if actual is None or not wanted:
        return actual is None and not wanted
    return _compare(actual, wanted) == 0


def _is_in(actual: str | None, wanted: str) -> bool:
    return any(_equals(actual, one.strip()) for one in canonical.split_choices(wanted))


def _contains(actual: str | None, wanted: str) -> bool:
    return bool(actual and wanted) and wanted.casefold() in (actual or "").casefold()


def _starts_with(actual: str | None, wanted: str) -> bool:
    return bool(actual and wanted) and (actual or "").casefold().startswith(wanted.casefold())


def _order(actual: str | None, wanted: str) -> int | None:
    return _compare(actual, wanted) if actual and wanted else None


def _compare(actual: str, wanted: str) -> int | None:
    """-1, 0 or 1; None where the two are of different kinds, as a number and a word are."""
    read = _find_reader(actual)
    if read is not _find_reader(wanted):
        return None
    if read is canonical.parse_datetime and (canonical.is_day(actual) or canonical.is_day(wanted)):
        read = canonical.parse_date
    left, right = read(actual), read(wanted)
    return int(left > right) - int(left < right)


def _find_reader(text: str) -> Callable[[str], Any]:
    if _NUMBER.fullmatch(text):
        return canonical.parse_number
    try:
        if canonical.is_day(text[:10]):
            canonical.parse_datetime(text)
            return canonical.parse_datetime
    except ValueError:
        pass
    return str.casefold


_OPERATORS: Final[dict[terms.Operator, Callable[[str | None, str], bool]]] = {
    terms.Operator.EQUALS: _equals,
    terms.Operator.NOT_EQUALS: lambda actual, wanted: not _equals(actual, wanted),
    terms.Operator.IN: _is_in,
    terms.Operator.NOT_IN: lambda actual, wanted: not _is_in(actual, wanted),
    terms.Operator.CONTAINS: _contains,
    terms.Operator.STARTS_WITH: _starts_with,
    terms.Operator.GREATER: lambda actual, wanted: _order(actual, wanted) == 1,
    terms.Operator.LESS: lambda actual, wanted: _order(actual, wanted) == -1,
    terms.Operator.IS_EMPTY: lambda actual, wanted: actual is None,
    terms.Operator.NOT_EMPTY: lambda actual, wanted: actual is not None,
}
