"""Links: ways to both records, syncing one now, unlinking it."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry as History
from django.utils import timezone

from crmsync.models import InboxEvent, Link, LogEntry, OutboxEntry
from tests import factories
from tests.admin.conftest import said


def test_both_records_are_one_click_away(boss, pages):
    factories.LinkFactory(local_pk="7", remote_id="512", mapping__portal__hub_id=4242)
    html = boss.get(pages.list("link")).content.decode()
    assert 'href="/admin/demo/person/7/change/"' in html
    assert 'href="https://app.hubspot.com/contacts/4242/record/0-1/512"' in html
    assert 'rel="noopener noreferrer"' in html


def test_the_address_in_hubspot_follows_the_account(boss, pages):
    mapping = factories.MappingFactory(object_type="2-77", portal__ui_domain="app-eu1.hubspot.com", portal__hub_id=5)
    link = factories.LinkFactory(mapping=mapping, remote_id="9")
    assert "https://app-eu1.hubspot.com/contacts/5/record/2-77/9" in boss.get(pages.of(link)).content.decode()


def test_what_is_no_domain_is_never_linked_to(boss, pages):
    link = factories.LinkFactory(mapping__portal__ui_domain='evil"><script>', mapping__portal__hub_id=5)
    html = boss.get(pages.of(link)).content.decode()
    assert 'evil"><script>' not in html
    assert "https://app.hubspot.com/contacts/5/" in html


@pytest.mark.parametrize("key", ["local_pk", "remote_id"])
def test_a_link_is_found_by_either_id(boss, pages, key):
    wanted, _other = factories.LinkFactory(), factories.LinkFactory()
    found = boss.get(pages.list("link"), {"q": getattr(wanted, key)}).context["cl"].result_list
    assert list(found) == [wanted]


def test_links_are_filtered_by_mapping_state_and_outcome(boss, pages):
    wanted = factories.LinkFactory(state="ended", outcome="failed")
    factories.LinkFactory()
    for filters in (
        {"mapping__id__exact": wanted.mapping_id},
        {"state__exact": "ended"},
        {"outcome__exact": "failed"},
    ):
        assert list(boss.get(pages.list("link"), filters).context["cl"].result_list) == [wanted]


def test_syncing_now_goes_through_the_outbox_where_the_mapping_pushes(boss, pages):
    link = factories.LinkFactory()
    assert "1 record is due now" in said(pages.act(boss, "sync_now", link, sure=False))
    assert OutboxEntry.objects.values_list("mapping", "local_pk").get() == (link.mapping_id, link.local_pk)


def test_syncing_now_goes_through_the_inbox_where_it_only_pulls(boss, pages):
    link = factories.LinkFactory(mapping__direction="pull")
    pages.act(boss, "sync_now", link)
    assert InboxEvent.objects.values_list("mapping", "remote_id").get() == (link.mapping_id, link.remote_id)


def test_syncing_again_makes_the_same_row_due(boss, pages):
    link = factories.LinkFactory()
    factories.OutboxEntryFactory(mapping=link.mapping, local_pk=link.local_pk, state="parked")
    pages.act(boss, "sync_now", link)
    assert OutboxEntry.objects.get().state == "due"


def test_unlinking_is_asked_and_keeps_both_records(boss, pages):
    link = factories.LinkFactory()
    asked = pages.act(boss, "unlink", link, sure=False, tool=True).content.decode()
    assert "Both records are kept" in asked
    assert "cannot be undone" in asked
    response = pages.act(boss, "unlink", link, tool=True)
    assert not Link.objects.exists()
    assert response.redirect_chain[-1][0] == pages.list("link")
    assert History.objects.get().is_deletion()
    assert LogEntry.objects.values_list("outcome", "local_pk").get() == ("unlinked", link.local_pk)


def test_a_link_that_a_worker_holds_is_not_unlinked(boss, pages):
    held = factories.LinkFactory(lease="x", leased_until=timezone.now() + timedelta(seconds=30))
    assert "try again in a moment" in said(pages.act(boss, "unlink", held))
    assert Link.objects.exists()


def test_linked_fields_are_named_without_their_values(boss, pages):
    link = factories.LinkFactory(base={"email|email": ["ada@example.com", "ada@example.com"]})
    html = boss.get(pages.of(link)).content.decode()
    assert "email ↔ email" in html
    assert "ada@example.com" not in html
