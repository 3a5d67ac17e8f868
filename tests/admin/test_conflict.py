"""Conflicts in words, and the choice of a side."""

import pytest
from django.contrib.admin.models import LogEntry as History

from crmsync.models import Conflict, Link, OutboxEntry
from tests import factories
from tests.admin.conftest import said


@pytest.fixture
def conflict(db) -> Conflict:
    """The city was changed on both sides, and a person is asked."""
    mapping = factories.make_mapping(portal__hub_id=4242)
    factories.LinkFactory(mapping=mapping, local_pk="7", remote_id="512", base={"city|city": ["London", "London"]})
    return factories.ConflictFactory(
        mapping=mapping,
        local_pk="7",
        remote_id="512",
        field="city|city",
        base_local="London",
        base_remote="London",
        local_value="Paris",
        remote_value="Rome",
        winner="",
        rule="ask",
    )


def test_the_list_is_in_words_with_ways_to_both_records(boss, pages, conflict):
    """J8: field, values, rule and both records; no codes."""
    html = boss.get(pages.list("conflict")).content.decode()
    for shown in ("city ↔ city", "Paris", "Rome", "a person must choose"):
        assert shown in html
    assert 'href="/admin/demo/person/7/change/"' in html
    assert "/contacts/4242/record/0-1/512" in html
    assert "city|city" not in html


def test_what_waits_for_a_person_is_one_click_away(boss, pages, conflict):
    """J8, P2"""
    decided = factories.ConflictFactory(mapping=conflict.mapping)
    for waits, row in (("1", conflict), ("0", decided)):
        assert list(boss.get(pages.list("conflict"), {"waits": waits}).context["cl"].result_list) == [row]
    assert "both changed: HubSpot wins" in boss.get(pages.list("conflict"), {"waits": "0"}).content.decode()


def test_values_are_masked_without_the_permission_to_see_them(staff, pages, conflict):
    client = staff("view_conflict")
    for url in (pages.list("conflict"), pages.of(conflict)):
        html = client.get(url).content.decode()
        assert "city ↔ city" in html
        assert not any(value in html for value in ("London", "Paris", "Rome"))
    assert "•••" in client.get(pages.list("conflict")).content.decode()


def test_the_page_shows_base_and_both_values(boss, pages, conflict):
    """J8: what both sides last agreed on, and what each has."""
    html = boss.get(pages.of(conflict)).content.decode()
    buttons = ("Django&#x27;s side stands", "HubSpot&#x27;s side stands")
    for shown in ("last agreed on", "London", "Paris", "Rome", *buttons):
        assert shown in html


@pytest.mark.parametrize(
    ("action", "winner", "base"),
    [("take_local", "local", ["London", "Rome"]), ("take_remote", "remote", ["Paris", "London"])],
)
def test_a_choice_is_asked_about_and_logged_with_the_person(boss, pages, conflict, action, winner, base):
    """J8, P7: confirmed, then the record is due, and the history says who."""
    question = pages.act(boss, action, conflict, sure=False, tool=True)
    assert "replaces what is there" in question.content.decode()
    assert Conflict.objects.get().winner == ""
    answer = pages.act(boss, action, conflict, tool=True)
    assert "1 conflict was decided" in said(answer)
    row = Conflict.objects.get()
    assert row.winner == winner
    assert Link.objects.get().base == {"city|city": base}
    assert OutboxEntry.objects.filter(mapping=row.mapping, local_pk="7").exists()
    entry = History.objects.get(object_id=str(row.pk))
    assert entry.user_id == int(boss.session["_auth_user_id"])
    html = boss.get(pages.list("conflict")).content.decode()
    assert f"chosen by {entry.user.username}" in html


def test_one_choice_for_several(boss, pages, conflict):
    """J8: the same for similar ones."""
    same = {"mapping": conflict.mapping, "field": "city|city", "winner": "", "rule": "ask"}
    other = factories.ConflictFactory(local_pk="8", **same)
    factories.LinkFactory(mapping=conflict.mapping, local_pk="8", base={})
    assert "2 conflicts were decided" in said(pages.act(boss, "take_remote", conflict, other))
    assert set(Conflict.objects.values_list("winner", flat=True)) == {"remote"}


def test_what_is_decided_has_no_buttons_and_stays(boss, pages):
    """P7: repeat-safe."""
    row = factories.ConflictFactory()
    assert "side stands" not in boss.get(pages.of(row)).content.decode()
    assert "nothing is left to choose" in said(pages.act(boss, "take_local", row))
    assert Conflict.objects.get().winner == "remote"


def test_choosing_needs_the_permission_to_operate(staff, pages, conflict):
    assert pages.act(staff("view_conflict"), "take_local", conflict).status_code == 403
    assert Conflict.objects.get().winner == ""
    assert "side stands" not in staff("view_conflict").get(pages.of(conflict)).content.decode()
    pages.act(staff("view_conflict", "operate_sync"), "take_local", conflict)
    assert Conflict.objects.get().winner == "local"


def test_an_association_names_both_partners(boss, pages, conflict):
    """J8: base, Django and HubSpot, by key; keys are no values, so everybody sees them."""
    Conflict.objects.update(
        field="organisation|companies", base_local="3", base_remote="901", local_value="3", remote_value="902"
    )
    html = boss.get(pages.of(conflict)).content.decode()
    for shown in ("organisation ↔ companies", "association", "901", "902"):
        assert shown in html
