"""Recipes: pipelines by value maps and rules alone, gates, one-way mappings; with fixed values see test_members."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from crmsync.engine.terms import Direction
from crmsync.models import FieldMapping, Link, LogEntry, Mapping
from project.demo.models import Opportunity, Person
from tests.flows import recipes
from tests.flows.conftest import Sync

# Without a fixed value the pipeline can still be one that every status stands for (X16).
_DEAL = (("name", "dealname"), ("amount", "amount"), ("status", "dealstage"), ("status", "pipeline", "push"))
_STATUSES = ("open", "quoted", "won", "lost")
_JOB_STAGES = (("open", "waiting"), ("quoted", "working"), ("won", "invoiced"), ("lost", "waiting"))
_SALES_STAGES = (
    ("open", "appointmentscheduled"),
    ("quoted", "presentationscheduled"),
    ("won", "closedwon"),
    ("lost", "closedlost"),
)


@pytest.fixture
def bare(make_sync: Callable[..., Sync]) -> Sync:
    """A portal whose demo mappings are drafts, so that only a test's own mappings run."""
    return make_sync("draft")


def deals_in(sync: Sync, pipeline: str, stages, **facts) -> Mapping:
    """Opportunities to deals of one pipeline, each status a stage."""
    mapping = recipes.make(sync, "demo.Opportunity", "deals", _DEAL, direction=Direction.PUSH, **facts)
    recipes.map_values(mapping, "dealstage", stages)
    recipes.map_values(mapping, "pipeline", [(status, pipeline) for status in _STATUSES], Direction.PUSH)
    return mapping


# --- Deals and pipelines ------------------------------------------------------------------------------------------


def test_a_quote_is_made_in_the_pipeline_of_its_mapping(bare: Sync) -> None:
    """A9, X16: with several pipelines, the mapping names the one, and the stage."""
    recipes.add_jobs(bare)
    deals_in(bare, recipes.JOBS, _JOB_STAGES)
    Opportunity.objects.create(name="Fence", status="quoted")
    bare.drain()
    (deal,) = recipes.deals(bare).values()
    assert (deal["pipeline"], deal["dealstage"]) == ("jobs", "working")


def test_stages_are_kept_for_each_pipeline(bare: Sync) -> None:
    """A10: one status is another stage in another pipeline; the linked deal moves to it."""
    recipes.add_jobs(bare)
    for pipeline, stages, operator in (("default", _SALES_STAGES, "greater"), ("jobs", _JOB_STAGES, "less")):
        recipes.gate(deals_in(bare, pipeline, stages), Direction.PUSH, ("local", "amount", operator, "1000"))
    rows = [Opportunity.objects.create(name=f"Of {n}", amount=Decimal(n), status="quoted") for n in (10, 5000)]
    recipes.settle(bare)
    for row in rows:
        row.status = "won"
        row.save()
    recipes.settle(bare)
    found = recipes.by_pipeline(bare)
    assert {name: deal["dealstage"] for name, deal in found.items()} == {"default": "closedwon", "jobs": "invoiced"}


def test_conditions_are_combined(bare: Sync) -> None:
    """A29, its first half: both fields must fit. (A stage keyed on the combination takes one mapping a type.)"""
    mapping = deals_in(bare, "default", _SALES_STAGES)
    both = [("local", "description", "equals", "Quote"), ("local", "status", "equals", "won")]
    recipes.gate(mapping, Direction.PUSH, *both, join="all")
    for kind, status in (("Quote", "won"), ("Quote", "open"), ("Task", "won")):
        Opportunity.objects.create(name=f"{kind} {status}", description=kind, status=status)
    bare.drain()
    assert [deal["dealname"] for deal in recipes.deals(bare).values()] == ["Quote won"]


# --- What HubSpot may do ------------------------------------------------------------------------------------------


def test_an_ignored_change_is_in_the_log(bare: Sync) -> None:
    """A6: a one-way mapping alters no row, and the log names the field and the direction, once a change."""
    mapping = deals_in(bare, "default", _SALES_STAGES)
    row = Opportunity.objects.create(name="Fleet", status="open")
    recipes.settle(bare)
    (key,) = recipes.deals(bare)
    stamp = Opportunity.objects.get().updated_at
    bare.hub.ui_update("deals", key, {"dealname": "By sales"})
    recipes.settle(bare)
    recipes.settle(bare)
    assert (Opportunity.objects.get().name, Opportunity.objects.get().updated_at) == ("Fleet", stamp)
    (entry,) = LogEntry.objects.filter(mapping=mapping, reason="direction")
    assert (entry.local_pk, entry.remote_id, entry.outcome) == (str(row.pk), key, "unchanged")
    assert "name ↔ dealname: Changed in HubSpot, but the field flows to HubSpot only" in entry.detail


def test_a_default_of_ours_is_not_called_a_change(sync: Sync) -> None:
    """A6: a row made of a HubSpot record has defaults where HubSpot is blank; nobody changed those in Django."""
    sync.people.direction = Direction.PULL
    sync.people.save()
    key = sync.hub.ui_create("contacts", {"email": "new@example.com"})
    recipes.settle(sync)
    sync.hub.ui_update("contacts", key, {"city": "Leeds"})
    recipes.settle(sync)
    recipes.settle(sync)
    row = Person.objects.get()
    assert (row.city, row.newsletter, row.status) == ("Leeds", False, "lead")
    assert [entry.outcome for entry in LogEntry.objects.order_by("id")] == ["created", "updated"]
    assert not any("Changed in Django" in entry.detail for entry in LogEntry.objects.all())
    sync.hub.ui_update("contacts", key, {"demo_newsletter": "true", "hs_lead_status": "CONNECTED"})
    recipes.settle(sync)
    row.refresh_from_db()
    assert (row.newsletter, row.status) == (True, "customer")


def test_what_hubspot_may_change_is_said_by_each_mapping(sync: Sync) -> None:
    """A25: in one portal, people may be changed from HubSpot, opportunities may not."""
    person = Person.objects.create(email="ada@example.com", city="London")
    deal = Opportunity.objects.create(name="Fleet")
    recipes.settle(sync)
    (contact,), (key,) = sync.contacts(), recipes.deals(sync)
    sync.hub.ui_update("contacts", contact["id"], {"city": "Turin"})
    sync.hub.ui_update("deals", key, {"dealname": "By sales"})
    recipes.settle(sync)
    person.refresh_from_db()
    deal.refresh_from_db()
    assert (person.city, deal.name) == ("Turin", "Fleet")


def test_a_gate_opens_when_the_property_flips(sync: Sync) -> None:
    """A7: kept out with the reason until the property says so; then the row is there with that very change."""
    recipes.add_property(sync, "contacts", "qualification")
    recipes.gate(sync.people, Direction.PULL, ("remote", "qualification", "equals", "Qualified"))
    key = sync.hub.ui_create("contacts", {"email": "new@example.com", "qualification": "Open"})
    recipes.settle(sync)
    assert not Person.objects.exists()
    entry = LogEntry.objects.get(mapping=sync.people, remote_id=key)
    assert (entry.outcome, entry.reason) == ("excluded", "filter")
    assert 'qualification is "Open"' in entry.detail
    sync.hub.ui_update("contacts", key, {"qualification": "Qualified"})
    recipes.settle(sync)
    assert Person.objects.get().email == "new@example.com"
    assert Link.objects.get().remote_id == key


def test_a_field_is_added_by_rows_alone(sync: Sync, ada: Person, ada_id: str) -> None:
    """A24: a custom property that was made just now joins a live mapping: one row, no code, no restart."""
    recipes.add_property(sync, "contacts", "nickname")
    FieldMapping.objects.create(mapping=sync.people, local="bio", remote="nickname")
    sync.people.fields.get(remote="demo_bio").delete()
    ada.bio = "Countess"
    ada.save()
    recipes.settle(sync)
    assert sync.contact(ada_id)["nickname"] == "Countess"
    sync.hub.ui_update("contacts", ada_id, {"nickname": "Enchantress"})
    recipes.settle(sync)
    ada.refresh_from_db()
    assert ada.bio == "Enchantress"
