"""Members: the plans of records that do not take part: another mapping's by their fixed values, or not any more."""

from datetime import datetime

from crmsync.engine import changes, record, rules, spec, terms


def find_outsider(
    mapping: spec.MappingSpec,
    pair: changes.Pair,
    local: record.Record | None,
    remote: record.Record | None,
    *,
    now: datetime,
) -> changes.PairPlan | None:
    """Nothing is written to a record whose fixed values are another mapping's; a link that is there stays."""
    result = rules.decide_membership(mapping, local, remote, now=now)
    return None if result.passed else exclude(pair, result)


def find_unlinking(
    mapping: spec.MappingSpec,
    pair: changes.Pair,
    local: record.Record,
    remote: record.Record,
    *,
    now: datetime,
) -> changes.PairPlan | None:
    """The end of a link whose records fail a rule that unlinks; records apart already, or not linked yet, stay so."""
    result = rules.decide_unlinking(mapping, local, remote, now=now)
    if result.passed:
        return None
    if pair.link is None or pair.link.ended:
        return exclude(pair, result)
    return changes.PairPlan(pair, terms.Outcome.UNLINKED, result.reason.value, result.detail, unlinks=True)


def exclude(pair: changes.Pair, result: rules.RuleResult) -> changes.PairPlan:
    """The record is left alone, with what kept it out."""
    return changes.PairPlan(pair, terms.Outcome.EXCLUDED, result.reason.value, result.detail)
