"""Sync rules: conditions that name fields which exist."""

import pytest

from crmsync.models import Mapping, SyncRule
from tests import factories


def _save(boss, pages, rule, **values):
    data = {f"conditions-0-{name}": value for name, value in values.items()}
    return boss.post(pages.of(rule), pages.fill(boss.get(pages.of(rule)), **data))


@pytest.fixture
def rule(db) -> SyncRule:
    return factories.SyncRuleFactory(mapping=factories.make_mapping())


def test_a_condition_is_saved_and_grows_the_revision(boss, pages, rule):
    values = {"side": "local", "field": "city", "operator": "equals", "value": "Leeds"}
    assert _save(boss, pages, rule, **values).status_code == 302
    assert str(rule.conditions.get()) == "city equals Leeds"
    assert Mapping.objects.get().revision == 2


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"side": "local", "field": "town", "operator": "is_empty"}, "has no field"),
        ({"side": "remote", "field": "town", "operator": "is_empty"}, "have no property “town”"),
        ({"side": "remote", "field": "email", "operator": "equals"}, "Give the value to compare with"),
        ({"side": "local", "field": "status", "operator": "equals", "value": "nobody"}, "is not one of: customer"),
        ({"side": "local", "field": "status", "operator": "in", "value": "lead;nobody"}, "“nobody” is not one of"),
        ({"side": "local", "field": "birth_date", "operator": "next_days", "value": "soon"}, "no number of days"),
        ({"side": "local", "field": "city", "operator": "next_days", "value": "7"}, "needs a date"),
    ],
)
def test_a_condition_that_cannot_work_is_refused(boss, pages, rule, values, words):
    assert words in _save(boss, pages, rule, **values).content.decode()
    assert not rule.conditions.exists()


def test_a_rule_is_added_from_its_mapping(boss, pages):
    mapping = factories.make_mapping()
    assert f"/admin/crmsync/syncrule/add/?mapping={mapping.pk}" in boss.get(pages.of(mapping)).content.decode()
    url = f"{pages.add('syncrule')}?mapping={mapping.pk}"
    data = pages.fill(
        boss.get(url), name="Only Leeds", **{"conditions-0-side": "local", "conditions-0-field": "city"}
    )
    data |= {"conditions-0-operator": "equals", "conditions-0-value": "Leeds"}
    assert boss.post(url, data).status_code == 302
    assert SyncRule.objects.get().mapping == mapping
    assert Mapping.objects.get().revision == 2


def test_a_rule_without_mapping_is_refused_not_a_traceback(boss, pages):
    data = pages.fill(boss.get(pages.add("syncrule")), name="Lost", **{"conditions-0-field": "city"})
    assert boss.post(pages.add("syncrule"), data).status_code == 200


def test_deleting_a_rule_grows_the_revision(boss, pages, rule):
    boss.post(f"{pages.of(rule).removesuffix('change/')}delete/", {"post": "yes"})
    assert Mapping.objects.get().revision == 2


def test_groups_are_shown_in_words(boss, pages, rule):
    """A29: (a and b) or (c), as it is asked."""
    for group, field in ((1, "city"), (1, "job_title"), (2, "bio")):
        factories.RuleConditionFactory(rule=rule, group=group, field=field, operator="next_days", value="7")
    html = boss.get(pages.list("syncrule")).content.decode()
    first = "Django city is within the next 7 days and Django job_title is within the next 7 days"
    assert f"({first}) or (Django bio is within the next 7 days)" in html


def test_the_group_and_what_joins_and_unlinks_are_saved(boss, pages, rule):
    """L13, A29: form-built."""
    values = {"group": 3, "side": "local", "field": "birth_date", "operator": "past_days", "value": "7"}
    data = {f"conditions-0-{name}": value for name, value in values.items()}
    data |= {"groups_join": "all", "unlinks": "on"}
    assert boss.post(pages.of(rule), pages.fill(boss.get(pages.of(rule)), **data)).status_code == 302
    rule.refresh_from_db()
    assert (rule.groups_join, rule.unlinks, rule.conditions.get().group) == ("all", True, 3)
