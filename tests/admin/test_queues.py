"""Outbox and inbox: why something waits, retrying it, skipping it."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry as History
from django.utils import timezone

from crmsync import jobs
from crmsync.models import Delivery, InboxEvent, OutboxEntry
from tests import factories
from tests.admin.conftest import said

QUOTES = 'The value map has no HubSpot value for "Ada Lovelace": add a line for it.'
BOTH = pytest.mark.parametrize(
    ("model", "make"), [(OutboxEntry, factories.OutboxEntryFactory), (InboxEvent, factories.InboxEventFactory)]
)


@BOTH
def test_retrying_makes_a_parked_row_due_and_rings(boss, pages, monkeypatch, model, make):
    rings = []
    monkeypatch.setattr(jobs, "ring", lambda: rings.append(True))
    row = make(state="parked", attempts=8, due_at=timezone.now() + timedelta(days=1))
    assert "1 entry is due now" in said(pages.act(boss, "retry_now", row, sure=False))
    row = model.objects.get()
    assert (row.state, row.attempts) == ("due", 0)
    assert row.due_at <= timezone.now()
    assert rings
    assert "Retried: 1" in History.objects.get().change_message


@BOTH
def test_skipping_is_asked_deletes_the_row_and_is_remembered(boss, pages, model, make):
    row = make(state="parked")
    assert "these changes are not synced" in pages.act(boss, "skip", row, sure=False).content.decode()
    assert model.objects.exists()
    pages.act(boss, "skip", row)
    assert not model.objects.exists()
    assert {one.action_flag for one in History.objects.all()} == {2, 3}


def test_retrying_several_is_asked_first(boss, pages):
    rows = factories.OutboxEntryFactory.create_batch(2, state="parked")
    pages.act(boss, "retry_now", *rows, sure=False)
    assert OutboxEntry.objects.filter(state="parked").count() == 2


def test_all_rows_of_a_filtered_list_are_retried(boss, pages):
    mapping = factories.make_mapping()
    factories.OutboxEntryFactory.create_batch(3, mapping=mapping, state="parked")
    other = factories.OutboxEntryFactory(state="parked")
    url = f"{pages.list('outboxentry')}?mapping__id__exact={mapping.pk}"
    data = {"action": "retry_now", "_selected_action": [0], "select_across": "1", "post": "yes"}
    boss.post(url, data)
    assert OutboxEntry.objects.get(state="parked") == other


def test_the_list_says_why_a_row_waits(boss, pages):
    factories.OutboxEntryFactory(last_code="field.option_unknown", last_message=QUOTES)
    factories.OutboxEntryFactory(mapping__state="paused")
    factories.OutboxEntryFactory(mapping__portal__state="revoked")
    html = boss.get(pages.list("outboxentry")).content.decode()
    assert "Ada Lovelace" in html
    assert "The mapping is not live: it is paused." in html
    assert "The portal is not ready: access revoked." in html


def test_what_keeps_a_whole_direction_waiting_is_told(boss, pages, settings):
    """J13: held, read-only, and a quota that is used up; the other direction says nothing of it."""
    later = timezone.now() + timedelta(hours=1)
    for make in (factories.OutboxEntryFactory, factories.InboxEventFactory):
        make(mapping__held="push")
        make(mapping__portal__held="push")
    factories.InboxEventFactory(mapping__portal__waits_until=later, mapping__portal__waits_code="portal.quota_day")
    outbox, inbox = (boss.get(pages.list(name)).content.decode() for name in ("outboxentry", "inboxevent"))
    assert outbox.count("release it on the page of the mapping or its portal.") == 2
    assert "This direction is held" not in inbox
    assert "No call is made to the portal for now (portal.quota_day)." in inbox
    settings.CRMSYNC = {**settings.CRMSYNC, "READ_ONLY": True}
    factories.OutboxEntryFactory()
    assert "nothing is sent to HubSpot" in boss.get(pages.list("outboxentry")).content.decode()


def test_a_value_in_a_message_needs_the_permission_to_see_it(staff, pages):
    row = factories.OutboxEntryFactory(last_code="field.option_unknown", last_message=QUOTES)
    viewer = staff("view_outboxentry")
    for url in (pages.list("outboxentry"), pages.of(row)):
        html = viewer.get(url).content.decode()
        assert "Ada Lovelace" not in html
        assert "The value map has no HubSpot value for" in html


def test_the_name_of_a_mapping_is_no_value(staff, pages):
    factories.OutboxEntryFactory(last_code="mapping.invalid", last_message="Mapping “People” names 'town'.")
    assert "Mapping “People” names" in staff("view_outboxentry").get(pages.list("outboxentry")).content.decode()


def test_a_record_is_found_by_its_key_and_rows_by_their_state(boss, pages):
    one, two = (
        factories.OutboxEntryFactory(local_pk="71"),
        factories.OutboxEntryFactory(local_pk="711", state="parked"),
    )
    found = boss.get(pages.list("outboxentry"), {"q": "71"}).context["cl"].result_list
    assert list(found) == [one]
    found = boss.get(pages.list("outboxentry"), {"state__exact": "parked"}).context["cl"].result_list
    assert list(found) == [two]


def test_the_body_of_a_delivery_needs_the_permission_to_see_values(boss, staff, pages):
    row = factories.DeliveryFactory(body='[{"propertyValue": "Ada Lovelace"}]')
    assert "Ada Lovelace" in boss.get(pages.of(row)).content.decode()
    assert "Ada Lovelace" not in staff("view_delivery").get(pages.of(row)).content.decode()


def test_deliveries_show_whether_they_were_split(boss, pages):
    factories.DeliveryFactory()
    factories.DeliveryFactory(split_at=timezone.now(), events=2)
    factories.DeliveryFactory(split_at=timezone.now(), note="not a list")
    html = boss.get(pages.list("delivery")).content.decode()
    for word in ("waiting", "split", "rejected"):
        assert f"</span> {word}</span>" in html
    assert Delivery.objects.count() == 3
