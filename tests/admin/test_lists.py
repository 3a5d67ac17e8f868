"""The changelists: few queries with many rows, bounded counts, and empty ones that teach."""

import pytest

from crmsync.admin import paging
from crmsync.models import Link
from tests import factories
from tests.admin.test_permissions import BY_NAME, MODELS

BIG = ["link", "logentry", "outboxentry", "inboxevent", "conflict", "delivery"]


@BY_NAME
def test_a_list_needs_few_queries_however_many_rows(boss, pages, name, django_assert_max_num_queries):
    for _ in range(12):
        MODELS[name]()
    with django_assert_max_num_queries(15):
        response = boss.get(pages.list(name))
    assert len(response.context["cl"].result_list) >= 12


@BY_NAME
def test_an_empty_list_says_what_it_is_for_and_what_to_do_next(boss, pages, name):
    html = boss.get(pages.list(name)).content.decode()
    assert 'class="crmsync-empty"' in html
    assert len(html.split('class="crmsync-empty"')[1].split("</p>")[0]) > 60


def test_a_search_without_result_does_not_teach(boss, pages):
    assert "crmsync-empty" not in boss.get(pages.list("link"), {"q": "nothing"}).content.decode()


@pytest.mark.parametrize("name", BIG)
def test_no_page_counts_a_whole_big_table(boss, pages, name, monkeypatch, django_assert_max_num_queries):
    monkeypatch.setattr(paging, "MOST", 3)
    for _ in range(5):
        MODELS[name]()
    with django_assert_max_num_queries(15) as seen:
        html = boss.get(pages.list(name)).content.decode()
    counts = [
        one["sql"] for one in seen.captured_queries if "COUNT(" in one["sql"] and f"crmsync_{name}" in one["sql"]
    ]
    assert counts
    assert all("LIMIT" in sql for sql in counts)
    assert "Only the first 3 are listed" in html


def test_a_mapping_shows_its_direction_and_counts_that_lead_to_their_rows(boss, pages):
    mapping = factories.make_mapping(direction="pull", problem="Property gone.")
    factories.LinkFactory.create_batch(2, mapping=mapping)
    factories.OutboxEntryFactory(mapping=mapping, state="parked")
    factories.InboxEventFactory.create_batch(3, mapping=mapping)
    html = boss.get(pages.list("mapping")).content.decode()
    assert 'aria-label="from HubSpot">←</span> contacts' in html
    assert f'<a href="/admin/crmsync/link/?mapping__id__exact={mapping.pk}">2</a>' in html
    assert ">1 need attention</a>" in html
    assert ">3 waiting</a>" in html
    assert "Property gone." in html


@pytest.mark.parametrize(("direction", "arrow"), [("push", "→"), ("pull", "←"), ("both", "↔")])
def test_each_direction_has_its_arrow(boss, pages, direction, arrow):
    factories.make_mapping(direction=direction)
    assert arrow in boss.get(pages.list("mapping")).content.decode()


def test_a_list_filtered_by_portal_names_it(boss, pages):
    mapping = factories.make_mapping()
    factories.make_mapping()
    response = boss.get(pages.list("mapping"), {"portal__id__exact": mapping.portal_id})
    assert list(response.context["cl"].result_list) == [mapping]
    assert str(mapping.portal) in response.content.decode()


def test_times_are_relative_with_the_moment_on_hover(boss, pages):
    factories.LinkFactory()
    html = boss.get(pages.list("link")).content.decode()
    assert ">just now</time>" in html
    assert 'UTC">' in html


def test_pages_hold_no_inline_script_or_style(boss, pages):
    factories.LinkFactory()
    html = boss.get(pages.list("link")).content.decode()
    own = html.split('id="content-main"')[1]
    assert "<script>" not in own
    assert "style=" not in own
    assert Link.objects.exists()
