"""Sync rules: groups, gates that flip, links that end and begin again, dates that come near by themselves."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from crmsync.engine import terms
from crmsync.engine.terms import Direction
from crmsync.flows import timed
from crmsync.models import Cursor, InboxEvent, Link, LogEntry, OutboxEntry
from project.demo.models import Opportunity, Person
from tests.flows import recipes
from tests.flows.conftest import Sync

_LOCAL_READY = ("local", "city", "equals", "Leeds")


def emails(sync: Sync) -> set[str | None]:
    return {one["properties"]["email"] for one in sync.contacts()}


# --- Groups -------------------------------------------------------------------------------------------------------


def test_groups_of_conditions_are_joined(sync: Sync) -> None:
    """A29: (status is prospect and city is Leeds) or (status is customer): fields combined, out and in."""
    ours = [("local", "status", "equals", "prospect", 1), ("local", "city", "equals", "Leeds", 1)]
    recipes.gate(sync.people, Direction.PUSH, *ours, ("local", "status", "equals", "customer", 2))
    theirs = [("remote", "jobtitle", "equals", "Baker", 1), ("remote", "city", "equals", "Leeds", 1)]
    recipes.gate(sync.people, Direction.PULL, *theirs, ("remote", "city", "equals", "York", 2))
    for n, (status, city) in enumerate([("prospect", "Leeds"), ("prospect", "York"), ("customer", "York")]):
        Person.objects.create(email=f"{n}@example.com", status=status, city=city)
    for n, (title, city) in enumerate([("Baker", "Leeds"), ("Baker", "Hull"), ("", "York")]):
        sync.hub.ui_create("contacts", {"email": f"hub{n}@example.com", "jobtitle": title, "city": city})
    recipes.settle(sync)
    assert {one for one in emails(sync) if "hub" not in str(one)} == {"0@example.com", "2@example.com"}
    pulled = Person.objects.filter(email__startswith="hub").values_list("email", flat=True)
    assert set(pulled) == {"hub0@example.com", "hub2@example.com"}


# --- A gate that flips --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["webhook", "bulk pull"])
def test_a_gate_opens_when_the_property_flips(sync: Sync, by: str) -> None:
    """A7, L11: kept out by a live change and by a bulk pull alike; in with the very change that fits."""
    recipes.add_property(sync, "contacts", "qualification")
    recipes.gate(sync.people, Direction.PULL, ("remote", "qualification", "equals", "Qualified"))
    if by == "bulk pull":
        sync.hub.set_webhooks(lose=1.0)
    key = sync.hub.ui_create("contacts", {"email": "new@example.com", "qualification": "Open"})
    for value, expected in (("Open", 0), ("Qualified", 1)):
        sync.hub.ui_update("contacts", key, {"qualification": value, "city": f"of {value}"})
        if by == "bulk pull":
            sync.backfill("backfill_pull")
        recipes.settle(sync)
        assert Person.objects.count() == expected
    assert Person.objects.get().city == "of Qualified"
    assert Link.objects.get().remote_id == key


# --- Rules that unlink --------------------------------------------------------------------------------------------


@pytest.fixture
def leaving(sync: Sync) -> Person:
    """Somebody of Leeds who is linked by a rule that unlinks."""
    recipes.gate(sync.people, Direction.PUSH, _LOCAL_READY, unlinks=True)
    row = Person.objects.create(email="p@example.com", city="Leeds", phone="1")
    recipes.settle(sync)
    return row


def move(sync: Sync, row: Person, city: str, **values: str) -> None:
    Person.objects.filter(pk=row.pk).update(**values)
    row.refresh_from_db()
    row.city = city
    row.save()
    recipes.settle(sync)


def test_a_record_that_stops_matching_is_unlinked(sync: Sync, leaving: Person) -> None:
    """L13: both records stay as they are, edits cross no more, and it is told once with the value that failed."""
    move(sync, leaving, "York", phone="2")
    (contact,) = sync.contacts()
    sync.hub.ui_update("contacts", contact["id"], {"jobtitle": "Baker"})
    recipes.settle(sync)
    move(sync, leaving, "Hull")
    sent = sync.contact(contact["id"])
    leaving.refresh_from_db()
    assert (sent["city"], sent["phone"], leaving.job_title) == ("Leeds", "1", "")
    assert Link.objects.get().state == "ended"
    told = LogEntry.objects.exclude(outcome="created")
    assert [(one.outcome, one.reason) for one in told] == [("unlinked", "filter")]
    assert 'city is "York"' in told.get().detail
    assert sync.queued() == (0, 0)


def test_it_is_linked_again_when_it_matches_again(sync: Sync, leaving: Person) -> None:
    """L13: the same two records, no second contact; what changed meanwhile crosses."""
    move(sync, leaving, "York", phone="2")
    move(sync, leaving, "Leeds")
    (contact,) = sync.contacts()
    assert contact["properties"]["phone"] == "2"
    assert Link.objects.get().state == "linked"
    sync.hub.ui_update("contacts", contact["id"], {"jobtitle": "Baker"})
    recipes.settle(sync)
    leaving.refresh_from_db()
    assert leaving.job_title == "Baker"
    assert Person.objects.count() == 1


@pytest.mark.parametrize("kind", ["backfill_pull", "backfill_push"])
def test_a_bulk_run_leaves_unlinked_records_apart(sync: Sync, leaving: Person, kind: str) -> None:
    """L11, L13: what a rule unlinked is neither made anew nor linked by a bulk run."""
    move(sync, leaving, "York")
    writes = sync.writes()
    assert sync.backfill(kind) == {"excluded": 1}
    assert sync.writes() == writes
    assert (Person.objects.count(), len(sync.contacts())) == (1, 1)
    assert Link.objects.get().state == "ended"


def test_a_hubspot_value_unlinks_as_well(sync: Sync) -> None:
    """L13: a pull rule on a property ends the link of a record that both sides may write."""
    recipes.gate(sync.people, Direction.PULL, ("remote", "jobtitle", "not_equals", "Left"), unlinks=True)
    key = sync.hub.ui_create("contacts", {"email": "p@example.com", "jobtitle": "Baker"})
    recipes.settle(sync)
    for title, state in (("Left", "ended"), ("Baker", "linked")):
        sync.hub.ui_update("contacts", key, {"jobtitle": title})
        recipes.settle(sync)
        assert Link.objects.get().state == state


# --- Relative dates -----------------------------------------------------------------------------------------------


def pass_time(monkeypatch: pytest.MonkeyPatch, **span: float) -> None:
    """Let crmsync's clock run ahead of where it is."""
    later = timezone.now() + timedelta(**span)
    monkeypatch.setattr(timezone, "now", lambda: later)


def look(sync: Sync) -> int:
    put = timed.look_due()
    sync.drain()
    return put


def test_a_local_date_comes_near_without_an_edit(sync: Sync, monkeypatch: pytest.MonkeyPatch) -> None:
    """C4: pushed once the moment is within the next two days; nobody saved the row meanwhile."""
    deals = sync.mappings["Opportunities"]
    recipes.gate(deals, Direction.PUSH, ("local", "close_at", "next_days", "2"))
    Opportunity.objects.create(name="Near", close_at=timezone.now() + timedelta(days=1))
    Opportunity.objects.create(name="Later", close_at=timezone.now() + timedelta(days=4))
    Opportunity.objects.create(name="Never")
    sync.drain()
    assert [one["dealname"] for one in recipes.deals(sync).values()] == ["Near"]
    look(sync)
    pass_time(monkeypatch, days=2, hours=1)
    assert look(sync) >= 1
    assert {one["dealname"] for one in recipes.deals(sync).values()} == {"Near", "Later"}


def test_a_hubspot_date_comes_near_without_an_edit(sync: Sync, monkeypatch: pytest.MonkeyPatch) -> None:
    """C4: "close date within the next 7 days" of a deal; HubSpot sends no event when a day comes near."""
    deals = sync.mappings["Opportunities"]
    deals.direction, deals.creates_local = Direction.BOTH, True
    deals.save()
    recipes.gate(deals, Direction.PULL, ("remote", "closedate", "next_days", "7"))
    for name, days in (("Near", 5), ("Later", 10)):
        at = (timezone.now() + timedelta(days=days)).isoformat()
        sync.hub.ui_create("deals", {"dealname": name, "closedate": at, "dealstage": "closedwon"})
    recipes.settle(sync)
    assert list(Opportunity.objects.values_list("name", flat=True)) == ["Near"]
    look(sync)
    pass_time(monkeypatch, days=4)
    assert look(sync) >= 1
    assert set(Opportunity.objects.values_list("name", flat=True)) == {"Near", "Later"}


def test_a_day_comes_near_on_its_day(sync: Sync, monkeypatch: pytest.MonkeyPatch) -> None:
    """C4: a date has no hour: it changes its answer with UTC's midnight, and only then is it looked at again."""
    recipes.gate(sync.people, Direction.PUSH, ("local", "birth_date", "past_days", "0"))
    noon = datetime(2026, 2, 28, 12, tzinfo=UTC)
    monkeypatch.setattr(timezone, "now", lambda: noon)
    Cursor.objects.all().delete()
    Person.objects.create(email="leap@example.com", birth_date="2026-03-01")
    sync.drain()
    look(sync)
    for hours, expected in ((11, 0), (13, 1)):
        monkeypatch.setattr(timezone, "now", lambda hours=hours: noon + timedelta(hours=hours))
        look(sync)
        assert len(sync.contacts()) == expected


def test_a_linked_record_is_unlinked_when_its_date_is_past(sync: Sync, monkeypatch: pytest.MonkeyPatch) -> None:
    """C4, L13: time alone ends a link, and nothing is written to either record."""
    recipes.gate(sync.people, Direction.PUSH, ("local", "last_seen_at", "past_days", "30"), unlinks=True)
    Person.objects.create(email="p@example.com", last_seen_at=timezone.now() - timedelta(days=29))
    recipes.settle(sync)
    look(sync)
    writes = sync.writes()
    pass_time(monkeypatch, days=3)
    look(sync)
    assert Link.objects.get().state == "ended"
    assert sync.writes() == writes


def test_it_looks_once_an_hour_and_only_where_a_rule_asks(sync: Sync, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mapping without relative dates costs no call; one with them is looked at hour by hour."""
    calls = len(sync.hub.ledger.requests())
    assert timed.look_due() == -1
    assert len(sync.hub.ledger.requests()) == calls
    recipes.gate(sync.people, Direction.PULL, ("remote", "createdate", "after_days", "3"))
    assert timed.look_due() >= 0
    assert timed.look_due() == -1
    pass_time(monkeypatch, minutes=61)
    assert timed.look_due() >= 0
    assert len(sync.hub.ledger.requests()) == calls + 2


def test_a_look_that_fails_is_taken_up_where_it_was(sync: Sync, monkeypatch: pytest.MonkeyPatch) -> None:
    """HubSpot away: nothing is skipped, the next look covers the whole time."""
    recipes.gate(sync.people, Direction.PULL, ("remote", "demo_last_seen", "next_days", "1"))
    Cursor.objects.filter(kind="timed").delete()
    timed.look_due()
    before = Cursor.objects.get(kind="timed").position
    pass_time(monkeypatch, hours=2)
    sync.hub.plant_fault("status", status=503, times=None)
    assert timed.look_due() == 0
    cursor = Cursor.objects.get(kind="timed")
    assert (cursor.position, bool(cursor.last_message), cursor.lease) == (before, True, "")


def test_no_operator_is_forgotten(sync: Sync) -> None:
    """Every relative operator makes its mapping one that is looked at."""
    for operator in ("next_days", "past_days", "after_days", "before_days"):
        Cursor.objects.filter(kind="timed").delete()
        sync.people.rules.all().delete()
        recipes.gate(sync.people, Direction.BOTH, ("local", "last_seen_at", terms.Operator(operator), "1"))
        assert timed.look_due() == 0
    assert (OutboxEntry.objects.count(), InboxEvent.objects.count()) == (0, 0)
