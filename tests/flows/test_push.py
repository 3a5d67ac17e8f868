"""Saves in Django reach HubSpot: created once, changed by field, never written when nothing changed."""

import datetime
from decimal import Decimal

from crmsync.models import Conflict, Link, OutboxEntry
from project.demo.models import Opportunity, Organisation, Person


def test_a_new_row_becomes_a_contact(sync) -> None:
    """A1, C26, L1: a local row is created in HubSpot with its standard and custom fields."""
    Person.objects.create(
        first_name="Grace",
        last_name="Hopper",
        email="Grace@Example.com",
        status="prospect",
        birth_date=datetime.date(1906, 12, 9),
        last_seen_at=datetime.datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=datetime.UTC),
        credit=Decimal("1200.50"),
        newsletter=True,
        bio="Zwei\nZeilen 👩‍💻",
    )
    sync.drain()
    (record,) = sync.contacts()
    values = record["properties"]
    assert values["email"] == "grace@example.com"
    assert values["hs_lead_status"] == "IN_PROGRESS"
    assert values["demo_birth_date"] == "1906-12-09"
    assert values["demo_last_seen"].startswith("2026-03-01T12:30:15.123")
    assert Decimal(values["demo_credit"]) == Decimal("1200.5")
    assert values["demo_newsletter"] == "true"
    assert values["demo_bio"] == "Zwei\nZeilen 👩‍💻"
    assert sync.queued() == (0, 0)


def test_only_the_changed_property_is_sent(sync, ada, ada_id) -> None:
    """A14: an edit sends that property alone, and a save that changes nothing sends nothing."""
    before = sync.writes()
    ada.save()
    sync.drain()
    assert sync.writes() == before
    ada.city = "Ockham"
    ada.save()
    sync.drain()
    sent = list(sync.hub.ledger.writes())[-1].body
    assert sync.writes() == before + 1
    assert '"city":"Ockham"' in sent.replace(": ", ":")
    assert "firstname" not in sent
    assert sync.contact(ada_id)["city"] == "Ockham"


def test_the_echo_of_our_own_write_writes_nothing(sync, ada) -> None:
    """I8: HubSpot's webhooks about what we wrote end in no write on either side."""
    ada.job_title = "Countess"
    ada.save()
    sync.drain()
    before, stamp = sync.writes(), Person.objects.get().updated_at
    assert sync.deliver() > 0
    sync.drain()
    assert sync.writes() == before
    assert Person.objects.get().updated_at == stamp
    assert sync.queued() == (0, 0)


def test_many_saves_are_one_write(sync, ada, ada_id) -> None:
    """Coalesced: ten saves before the worker comes are one update."""
    before = sync.writes()
    for number in range(10):
        ada.city = f"City {number}"
        ada.save()
    assert OutboxEntry.objects.count() == 1
    sync.drain()
    assert sync.writes() == before + 1
    assert sync.contact(ada_id)["city"] == "City 9"


def test_one_way_mapping_creates_and_updates_deals(sync) -> None:
    """A4, A9: local rows become deals in the stage their status stands for."""
    deal = Opportunity.objects.create(name="Fleet", amount=Decimal("100.00"), status="quoted")
    sync.drain()
    (record,) = sync.hub.records("deals")
    assert record["properties"]["dealstage"] == "presentationscheduled"
    deal.status = "won"
    deal.save()
    sync.drain()
    assert sync.hub.record("deals", record["id"])["properties"]["dealstage"] == "closedwon"


def test_a_change_of_a_deal_alters_no_row(sync) -> None:
    """A25, A6: where the mapping only pushes, HubSpot's edits leave Django alone."""
    Opportunity.objects.create(name="Fleet", amount=Decimal("100.00"))
    sync.drain()
    (record,) = sync.hub.records("deals")
    sync.hub.ui_update("deals", record["id"], {"dealname": "Renamed by sales"})
    sync.deliver()
    sync.drain()
    assert Opportunity.objects.get().name == "Fleet"
    assert sync.hub.record("deals", record["id"])["properties"]["dealname"] == "Renamed by sales"


def test_an_existing_contact_is_adopted_not_doubled(sync) -> None:
    """I7, U3: a contact with the same e-mail is linked, and its other values come in."""
    key = sync.hub.ui_create("contacts", {"email": "alan@example.com", "jobtitle": "Fellow"})
    Person.objects.create(first_name="Alan", email="ALAN@example.com")
    sync.drain()
    assert [record["id"] for record in sync.contacts()] == [key]
    assert sync.contact(key)["firstname"] == "Alan"
    assert Person.objects.get().job_title == "Fellow"


def test_a_secondary_address_is_adopted_through_the_conflict(sync) -> None:
    """I7, Fault 40: HubSpot refuses a second contact for a secondary e-mail and names the first."""
    first = sync.hub.ui_create("contacts", {"email": "main@example.com"})
    second = sync.hub.ui_create("contacts", {"email": "other@example.com"})
    survivor = sync.hub.ui_merge("contacts", first, second) or first
    person = Person.objects.create(first_name="Mary", email="other@example.com")
    for _ in range(3):
        sync.drain()
    assert len(sync.contacts()) == 1
    assert Link.objects.get(local_pk=str(person.pk)).remote_id == str(survivor)


def test_two_rows_with_one_partner_take_none(sync) -> None:
    """X10: several matches leave it unlinked, with the reason."""
    for name in ("First", "Second"):
        sync.hub.ui_create("companies", {"name": name, "domain": "twins.example.com"})
    Organisation.objects.create(name="Twins", domain="twins.example.com")
    sync.drain()
    assert Link.objects.filter(object_type="companies").count() == 0
    assert len(list(sync.hub.records("companies"))) == 2


def test_a_rolled_back_save_sends_nothing(sync) -> None:
    """Fault 4: no mark and no call."""
    from django.db import transaction

    class Undo(Exception):
        pass

    try:
        with transaction.atomic():
            Person.objects.create(email="ghost@example.com")
            raise Undo
    except Undo:
        pass
    assert OutboxEntry.objects.count() == 0
    sync.drain()
    assert sync.contacts() == []


def test_an_inactive_field_is_left_alone(sync, ada, ada_id) -> None:
    """X12: a switched-off field is neither sent nor taken."""
    sync.people.fields.filter(local="city").update(is_active=False)
    ada.city = "Nowhere"
    ada.save()
    sync.drain()
    assert sync.contact(ada_id)["city"] == "London"
    sync.hub.ui_update("contacts", ada_id, {"city": "Elsewhere"})
    sync.deliver()
    sync.drain()
    assert Person.objects.get().city == "Nowhere"


def test_both_changed_one_field(sync, ada, ada_id) -> None:
    """I10: the policy decides, and the value that lost is in the conflict log."""
    Person.objects.filter(pk=ada.pk).update(city="Wien")
    sync.hub.ui_update("contacts", ada_id, {"city": "Roma"})
    sync.deliver()
    sync.drain()
    assert Person.objects.get().city == "Roma"
    (row,) = Conflict.objects.filter(field="city|city")
    assert (row.local_value, row.remote_value, row.winner) == ("Wien", "Roma", "remote")


def test_both_changed_different_fields(sync, ada, ada_id) -> None:
    """U1, C1: changes of different fields merge without a conflict."""
    ada.phone = "+44 1"
    ada.save()
    sync.hub.ui_update("contacts", ada_id, {"lastname": "King"})
    sync.deliver()
    sync.drain()
    assert Person.objects.get().last_name == "King"
    assert Person.objects.get().phone == "+44 1"
    assert sync.contact(ada_id)["phone"] == "+44 1"
    assert Conflict.objects.count() == 0
