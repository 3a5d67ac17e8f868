"""Statuses and sync rules: many to one both ways, echoes that move nothing, rules for each direction."""

import pytest

from crmsync.engine.terms import Direction, Outcome
from crmsync.flows import lint
from crmsync.models import Link, LogEntry
from project.demo.models import Person
from tests.flows import recipes
from tests.flows.conftest import Sync


@pytest.fixture
def shared(sync: Sync) -> Sync:
    """Lead and prospect are both NEW in HubSpot, which is lead here; OPEN and IN_PROGRESS are both prospect here."""
    sync.people.fields.get(local="status").value_map.all().delete()
    out = [("lead", "NEW"), ("prospect", "NEW"), ("customer", "CONNECTED"), ("former", "UNQUALIFIED")]
    back = [("lead", "NEW"), ("prospect", "OPEN"), ("prospect", "IN_PROGRESS"), ("customer", "CONNECTED")]
    recipes.map_values(sync.people, "hs_lead_status", out, Direction.PUSH)
    recipes.map_values(sync.people, "hs_lead_status", back, Direction.PULL)
    return sync


def rest(sync: Sync) -> int:
    """Everything that could bring an echo, twice; how many writes it came to."""
    writes = sync.writes()
    for _ in range(2):
        recipes.settle(sync)
        sync.backfill("backfill_pull")
        sync.backfill("backfill_push")
    return sync.writes() - writes


def statuses() -> dict[str, str]:
    return dict(Person.objects.values_list("email", "status"))


# --- Status maps --------------------------------------------------------------------------------------------------


def test_several_hubspot_statuses_are_one_of_ours(shared: Sync) -> None:
    """L6: each comes in as the same status, and none is turned into its sibling by our answer."""
    for status in ("OPEN", "IN_PROGRESS"):
        shared.hub.ui_create("contacts", {"email": f"{status}@example.com".lower(), "hs_lead_status": status})
    recipes.settle(shared)
    assert set(statuses().values()) == {"prospect"}
    rest(shared)  # our column's default of another field goes out with it
    assert not any("hs_lead_status" in (one.body or "") for one in shared.hub.ledger.writes())
    assert rest(shared) == 0
    found = {one["properties"]["hs_lead_status"] for one in shared.contacts()}
    assert found == {"OPEN", "IN_PROGRESS"}


def test_several_of_ours_are_one_hubspot_status(shared: Sync) -> None:
    """L7, L8: both go out as NEW; the echo of NEW, which is lead on the way in, moves neither of them."""
    for status in ("lead", "prospect"):
        Person.objects.create(email=f"{status}@example.com", status=status)
    shared.drain()
    assert [one["properties"]["hs_lead_status"] for one in shared.contacts()] == ["NEW", "NEW"]
    assert rest(shared) == 0
    assert statuses() == {"lead@example.com": "lead", "prospect@example.com": "prospect"}


def test_an_edit_of_another_field_moves_no_status(shared: Sync) -> None:
    """L8: nor does a change that comes from HubSpot, or goes there, in another field of the record."""
    row = Person.objects.create(email="p@example.com", status="prospect")
    recipes.settle(shared)
    (contact,) = shared.contacts()
    shared.hub.ui_update("contacts", contact["id"], {"jobtitle": "Baker"})
    recipes.settle(shared)
    row.refresh_from_db()
    assert (row.job_title, row.status) == ("Baker", "prospect")
    row.city = "Leeds"
    row.save()
    recipes.settle(shared)
    assert (shared.contact(contact["id"])["hs_lead_status"], statuses()) == ("NEW", {"p@example.com": "prospect"})


def test_a_real_change_still_crosses(shared: Sync) -> None:
    """L6, L7: the two tables are used each in its direction, for changes of either side."""
    row = Person.objects.create(email="p@example.com", status="prospect")
    recipes.settle(shared)
    (contact,) = shared.contacts()
    shared.hub.ui_update("contacts", contact["id"], {"hs_lead_status": "CONNECTED"})
    recipes.settle(shared)
    row.refresh_from_db()
    assert row.status == "customer"
    row.status = "former"
    row.save()
    recipes.settle(shared)
    assert shared.contact(contact["id"])["hs_lead_status"] == "UNQUALIFIED"


def test_a_status_of_the_model_without_a_line_is_named(sync: Sync) -> None:
    """L9, for choices: what the model offers and the map lacks is found by the model's own choices."""
    sync.people.fields.get(local="status").value_map.filter(local_value="former").delete()
    assert any("former" in str(one) for one in lint.of_mapping(sync.people))


# --- Rules --------------------------------------------------------------------------------------------------------

_LOCAL_READY = ("local", "city", "equals", "Leeds")
_REMOTE_READY = ("remote", "jobtitle", "not_empty", "")


def test_rules_are_apart_for_each_direction(sync: Sync) -> None:
    """L10, L12: what restricts pushes lets every pull in, and the other way round."""
    recipes.gate(sync.people, Direction.PUSH, _LOCAL_READY)
    recipes.gate(sync.people, Direction.PULL, _REMOTE_READY)
    Person.objects.create(email="here@example.com", city="Leeds")
    Person.objects.create(email="far@example.com", city="York")
    sync.hub.ui_create("contacts", {"email": "titled@example.com", "jobtitle": "Baker", "city": "York"})
    sync.hub.ui_create("contacts", {"email": "plain@example.com", "city": "Leeds"})
    recipes.settle(sync)
    assert set(statuses()) == {"here@example.com", "far@example.com", "titled@example.com"}
    found = {one["properties"]["email"] for one in sync.contacts()}
    assert found == {"here@example.com", "titled@example.com", "plain@example.com"}
    excluded = LogEntry.objects.filter(outcome=Outcome.EXCLUDED, reason="filter")
    assert any("city" in one.detail for one in excluded)


@pytest.mark.parametrize("by", ["webhook", "bulk pull"])
def test_a_pull_rule_holds_for_every_way_in(sync: Sync, by: str) -> None:
    """L11: a bulk pull and a single change meet the same rule."""
    recipes.gate(sync.people, Direction.PULL, _REMOTE_READY)
    if by == "bulk pull":
        sync.hub.set_webhooks(lose=1.0)
    sync.hub.ui_create("contacts", {"email": "in@example.com", "jobtitle": "Baker"})
    sync.hub.ui_create("contacts", {"email": "out@example.com"})
    if by == "bulk pull":
        assert sync.backfill("backfill_pull") == {"created": 1, "excluded": 1}
    recipes.settle(sync)
    assert set(statuses()) == {"in@example.com"}


@pytest.mark.parametrize("gates_updates", [False, True])
def test_a_rule_gates_creation_and_updates_only_when_told(sync: Sync, gates_updates: bool) -> None:
    """L13: once linked, edits of both sides flow although the rule fails now; the switch holds them back."""
    recipes.gate(sync.people, Direction.PUSH, _LOCAL_READY, gates_updates=gates_updates)
    recipes.gate(sync.people, Direction.PULL, ("local", "city", "equals", "Leeds"), gates_updates=gates_updates)
    row = Person.objects.create(email="p@example.com", city="Leeds", phone="1")
    recipes.settle(sync)
    (contact,) = sync.contacts()
    row.city, row.phone = "York", "2"
    row.save()
    recipes.settle(sync)
    sync.hub.ui_update("contacts", contact["id"], {"jobtitle": "Baker"})
    recipes.settle(sync)
    row.refresh_from_db()
    sent = sync.contact(contact["id"])
    if gates_updates:
        assert (sent["city"], sent["phone"], row.job_title) == ("Leeds", "1", "")
    else:
        assert (sent["city"], sent["phone"], row.job_title) == ("York", "2", "Baker")
    assert Link.objects.get().state == "linked"
