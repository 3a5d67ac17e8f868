"""Safety: a plan over its limits is refused before anything of it is done."""

from datetime import UTC, datetime

import pytest

from crmsync.engine import changes, errors, plan, record, safety, spec, terms

NOW = datetime(2024, 5, 1, tzinfo=UTC)
NAME = spec.FieldSpec(1, "name", "name")


def make_plan(creates=0, updates=0, archives=0):
    one = spec.MappingSpec(
        1,
        1,
        1,
        "demo.person",
        "contacts",
        terms.Direction.BOTH,
        (NAME,),
        deletes_remote=terms.DeletePolicy.ARCHIVE,
        deletes_local=terms.DeletePolicy.ARCHIVE,
    )
    here = record.Record(record.RecordKey("demo.person", "1"), {"name": "new"})
    there = record.Record(record.RecordKey("contacts", "1"), {"name": "old"})
    link = changes.LinkState(1, {1: changes.BaseValue("old", "old")})
    pairs = [changes.Pair(here, None)] * creates
    pairs += [changes.Pair(here, there, link)] * updates
    pairs += [changes.Pair(None, there, link)] * archives
    return plan.make_plan(one, pairs, NOW)


@pytest.mark.parametrize(
    ("limits", "what", "count", "limit"),
    [
        (safety.Limits(creates=2), "creates", 3, 2),
        (safety.Limits(updates=0), "updates", 4, 0),
        (safety.Limits(archives=4), "archives", 5, 4),
        (safety.Limits(creates=0, updates=0, archives=0), "archives", 5, 0),
    ],
)
def test_a_plan_over_a_limit_is_refused_with_the_numbers(limits, what, count, limit):
    """I13 and feature 10: stops after planning, writes nothing, says how many."""
    with pytest.raises(errors.UnsafePlanError) as caught:
        safety.raise_if_unsafe(make_plan(3, 4, 5), limits)
    assert (caught.value.what, caught.value.count, caught.value.limit) == (what, count, limit)


def test_a_plan_at_its_limits_passes():
    safety.raise_if_unsafe(make_plan(3, 4, 5), safety.Limits(3, 4, 5))
    safety.raise_if_unsafe(make_plan(3, 4, 5), safety.Limits())


@pytest.mark.parametrize(("considered", "limit"), [(0, 20), (1000, 20), (1001, 20), (5000, 100)])
def test_deletions_are_limited_to_twenty_or_two_per_cent(considered, limit):
    assert safety.make_archive_limit(considered) == limit
