"""HubSpot's schema moves while work is under way: what it concerns waits with a reason; the rest goes on."""

import pytest

from crmsync.flows import backfill, discover, relearn
from crmsync.models import FieldMapping, InboxEvent, OutboxEntry, choices
from project.demo.models import Person
from tests.flows import recipes
from tests.flows.conftest import Sync

PUSH = choices.RunKind.BACKFILL_PUSH


@pytest.fixture(autouse=True)
def _fresh() -> None:
    relearn._looked.clear()


def make_people(count: int) -> None:
    Person.objects.bulk_create(
        Person(email=f"p{number:03}@example.com", first_name="P", city="Graz", bio="about", lead_source="fair")
        for number in range(count)
    )


def run_with(sync: Sync, change) -> None:
    """A backfill to HubSpot of three pages, with a change of the schema after the first."""
    make_people(250)
    run = backfill.start(sync.people, PUSH)
    for number, _ in enumerate(backfill.pages(run)):
        if number == 0:
            change()
    recipes.settle(sync)


def parked() -> dict[str, str]:
    """Codes and one sentence of what needs attention."""
    return dict(OutboxEntry.objects.filter(state="parked").values_list("last_code", "last_message"))


def archive(sync: Sync, name: str) -> None:
    sync.hub.archive_property("contacts", name)


def bios(sync: Sync) -> int:
    return sum(bool(one["properties"].get("demo_bio")) for one in sync.contacts())


@pytest.mark.parametrize("seen", ["refreshed", "unseen", "seen by another worker"])
def test_an_archived_property_holds_that_field_alone(sync: Sync, seen: str) -> None:
    """Fault 32, F8: the other fields of all records arrive; the property's values wait, the page says which and why,
    and they follow when the property is back. Also where nobody told us: the first refusal makes us look."""

    def change() -> None:
        archive(sync, "demo_bio")
        if seen == "refreshed":
            discover.discover(sync.portal)
        elif seen == "seen by another worker":
            discover.refresh(sync.portal, "contacts")

    run_with(sync, change)
    assert len(sync.contacts()) == 250
    assert all(one["properties"]["city"] == "Graz" for one in sync.contacts())
    assert set(parked()) == {"field.property_gone"}
    assert "demo_bio" in parked()["field.property_gone"]
    assert "Restore it" in parked()["field.property_gone"]
    sync.people.refresh_from_db()
    assert sync.people.state == "live"

    sync.hub.restore_property("contacts", "demo_bio")
    discover.discover(sync.portal)
    recipes.settle(sync)
    assert bios(sync) == 250
    assert parked() == {}


def test_an_edit_of_a_held_field_waits_and_nothing_is_lost(sync: Sync, ada: Person, ada_id: str) -> None:
    """Fault 32, J14: HubSpot shows no value of an archived property: that is no clearing; an edit made meanwhile
    goes out when the property is back."""
    ada.bio = "first"
    ada.save()
    recipes.settle(sync)
    archive(sync, "demo_bio")
    discover.discover(sync.portal)
    sync.hub.ui_update("contacts", ada_id, {"city": "Paris"})
    recipes.settle(sync)
    ada.refresh_from_db()
    assert (ada.city, ada.bio) == ("Paris", "first")

    ada.bio = "second"
    ada.phone = "+43 1 5550100"
    ada.save()
    recipes.settle(sync)
    assert sync.contact(ada_id)["phone"] == "+43 1 5550100"
    sync.hub.restore_property("contacts", "demo_bio")
    discover.discover(sync.portal)
    recipes.settle(sync)
    assert sync.contact(ada_id)["demo_bio"] == "second"


def test_a_removed_option_holds_the_records_that_have_it(sync: Sync) -> None:
    """Fault 32: records with the option keep it back with the reason; once it is an option again they follow."""

    def change() -> None:
        sync.hub.set_options("contacts", "demo_lead_source", ["website", "referral"])

    run_with(sync, change)
    assert len(sync.contacts()) == 250
    assert all(one["properties"]["city"] == "Graz" for one in sync.contacts())
    with_source = sum(bool(one["properties"].get("demo_lead_source")) for one in sync.contacts())
    assert 100 <= with_source < 250
    assert set(parked()) == {"field.option_unknown"}
    assert "fair" in parked()["field.option_unknown"]

    sync.hub.set_options("contacts", "demo_lead_source", ["website", "referral", "fair"])
    discover.discover(sync.portal)
    recipes.settle(sync)
    assert all(one["properties"]["demo_lead_source"] == "fair" for one in sync.contacts())


def test_a_new_required_rule_stops_the_records_that_break_it(sync: Sync) -> None:
    """Fault 32: what HubSpot demands from now on stops those records only; each says the property and the remedy."""

    def change() -> None:
        Person.objects.filter(email__gte="p150").update(job_title="Baker")
        sync.hub.plant_rule("contacts", "jobtitle")

    run_with(sync, change)
    made = {one["properties"]["email"] for one in sync.contacts()}
    assert {f"p{number:03}@example.com" for number in (0, 99, 150, 249)} <= made
    assert "p120@example.com" not in made
    assert set(parked()) == {"remote.rejected"}
    assert "jobtitle" in parked()["remote.rejected"]


def test_a_lost_match_key_lets_linked_records_go_on(sync: Sync, ada: Person, ada_id: str) -> None:
    """F8: without its match key no new record is made or linked, for it could be there; linked ones flow."""
    recipes.add_property(sync, "contacts", "badge")
    FieldMapping.objects.create(mapping=sync.people, local="phone", remote="badge", direction="push", position=90)
    sync.people.match_keys.all().delete()
    recipes.match(sync.people, "phone", "badge")
    archive(sync, "badge")
    discover.discover(sync.portal)
    ada.city = "Wien"
    ada.save()
    Person.objects.create(email="new@example.com")
    sync.hub.ui_create("contacts", {"email": "other@example.com"})
    recipes.settle(sync)
    assert sync.contact(ada_id)["city"] == "Wien"
    assert {one["properties"]["email"] for one in sync.contacts()} == {"ada@example.com", "other@example.com"}
    assert not Person.objects.filter(email="other@example.com").exists()
    assert set(InboxEvent.objects.filter(state="parked").values_list("last_code", flat=True)) == {
        "field.property_gone"
    }
