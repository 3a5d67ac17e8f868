"""Synced values are ordinary values of the host: seen, changed and queried without a call to HubSpot."""

from datetime import date

from django.db.models import Count, Sum

from crmsync.fakehub.hub import FakeHub
from project.demo import mappings
from project.demo.models import Opportunity, Person
from tests.flows import recipes
from tests.flows.conftest import Sync

SALES = {"pipeline": "default"}


def requests(hub: FakeHub) -> int:
    return len(hub.ledger.requests())


def test_deals_are_viewed_and_changed_here_their_stage_too(sync: Sync) -> None:
    """C3: name, amount and stage as rows, each edit of a row reaches the deal, and the deal's moves come back."""
    deals = sync.mappings[mappings.OPPORTUNITIES]
    deals.direction, deals.creates_local = "both", True
    deals.save()
    key = sync.hub.ui_create(
        "deals", {**SALES, "dealname": "Roof", "amount": "900.5", "dealstage": "appointmentscheduled"}
    )
    recipes.settle(sync)
    deal = Opportunity.objects.get()
    assert (deal.name, str(deal.amount), deal.status) == ("Roof", "900.50", "open")
    deal.amount, deal.status = "1000", "won"
    deal.save()
    recipes.settle(sync)
    found = sync.hub.record("deals", key)["properties"]
    assert (found["amount"], found["dealstage"]) == ("1000", "closedwon")
    sync.hub.ui_update("deals", key, {"dealstage": "closedlost", "dealname": "Old roof"})
    recipes.settle(sync)
    deal.refresh_from_db()
    assert (deal.name, deal.status) == ("Old roof", "lost")


def test_what_came_from_hubspot_is_filtered_counted_and_summed_here(sync: Sync) -> None:
    """U11: segments are ordinary queries over typed columns, answered without HubSpot, and follow its edits."""
    people = [
        {"email": "ann@example.com", "city": "Graz", "demo_credit": "10.5", "demo_birth_date": "1990-05-31"},
        {"email": "bob@example.com", "city": "Graz", "demo_credit": "4", "demo_birth_date": "2001-01-01"},
        {"email": "cem@example.com", "city": "Linz", "demo_credit": "100", "hs_lead_status": "CONNECTED"},
    ]
    keys = [sync.hub.ui_create("contacts", one) for one in people]
    recipes.settle(sync)
    before = requests(sync.hub)
    by_city = Person.objects.values("city").annotate(count=Count("pk"), credit=Sum("credit")).order_by("city")
    assert [(one["city"], one["count"], float(one["credit"])) for one in by_city] == [
        ("Graz", 2, 14.5),
        ("Linz", 1, 100.0),
    ]
    assert list(Person.objects.filter(birth_date__lt=date(2000, 1, 1)).values_list("email", flat=True)) == [
        "ann@example.com"
    ]
    customers = Person.objects.filter(status=Person.Status.CUSTOMER, credit__gte=50)
    assert [one.email for one in customers] == ["cem@example.com"]
    assert requests(sync.hub) == before
    sync.hub.ui_update("contacts", keys[0], {"hs_lead_status": "CONNECTED", "demo_credit": "60"})
    recipes.settle(sync)
    assert {one.email for one in customers.all()} == {"ann@example.com", "cem@example.com"}
