"""A person chooses a side of a conflict: fields and associations, judged by Django's rows and the fakehub."""

import pytest

from crmsync.engine.terms import ConflictPolicy, Direction, EdgeState, SideName
from crmsync.flows import choose
from crmsync.models import Conflict, Edge, Link, LogEntry, Mapping, OutboxEntry
from project.demo.models import Organisation, Person
from tests.flows import recipes
from tests.flows.conftest import Sync
from tests.flows.test_edges import PRIMARY, associate, at_rest, companies, make_pair, partners, people, remote_id

__all__ = ["companies", "people"]
SIDES = pytest.mark.parametrize("winner", [SideName.LOCAL, SideName.REMOTE])


@pytest.fixture
def conflict(sync: Sync, ada: Person, ada_id: str) -> Conflict:
    """Ada's city was changed on both sides, and the mapping asks a person."""
    sync.people.fields.filter(local="city").update(conflict=ConflictPolicy.ASK)
    Person.objects.filter(pk=ada.pk).update(city="Paris")
    sync.hub.ui_update("contacts", ada_id, {"city": "Rome"})
    sync.deliver()
    sync.drain()
    return Conflict.objects.get()


@SIDES
def test_the_chosen_value_stands_on_both_sides(sync: Sync, ada: Person, ada_id: str, conflict, winner) -> None:
    """J8: both sides are equal, and stay so."""
    choose.choose(conflict, winner, "ann")
    recipes.settle(sync)
    ada.refresh_from_db()
    wanted = "Paris" if winner is SideName.LOCAL else "Rome"
    assert (ada.city, sync.contact(ada_id)["city"]) == (wanted, wanted)
    at_rest(sync)
    assert Conflict.objects.values_list("winner", "rule").get() == (winner, "by_hand: ann")
    assert LogEntry.objects.filter(reason="by_hand", detail__contains="ann chose").count() == 1


def test_a_value_that_changed_since_is_a_conflict_anew(sync: Sync, ada: Person, ada_id: str, conflict) -> None:
    """J8: nobody's newer value is replaced by a choice that did not know it."""
    sync.hub.ui_update("contacts", ada_id, {"city": "Oslo"})
    choose.choose(conflict, SideName.LOCAL, "ann")
    recipes.settle(sync)
    ada.refresh_from_db()
    assert (ada.city, sync.contact(ada_id)["city"]) == ("Paris", "Oslo")
    assert Conflict.objects.get(winner="").remote_value == "Oslo"


def test_what_came_together_by_hand_is_told_and_not_touched(sync: Sync, ada: Person, ada_id: str, conflict) -> None:
    """J8: a stale choice writes nothing."""
    ada.refresh_from_db()
    ada.city = "Rome"
    ada.save()
    recipes.settle(sync)
    before = sync.writes()
    with pytest.raises(choose.ChoiceError, match="no conflict any more"):
        choose.choose(conflict, SideName.LOCAL, "ann")
    recipes.settle(sync)
    ada.refresh_from_db()
    assert (ada.city, sync.contact(ada_id)["city"], sync.writes()) == ("Rome", "Rome", before)
    assert not choose.waiting().exists()


def test_two_people_who_choose_at_once_do_not_both_win(sync: Sync, conflict) -> None:
    """J8: the second one is told."""
    choose.choose(conflict, SideName.LOCAL, "ann")
    with pytest.raises(choose.ChoiceError, match="decided meanwhile"):
        choose.choose(conflict, SideName.REMOTE, "bob")
    assert Conflict.objects.get().winner == SideName.LOCAL


def test_a_record_that_a_worker_holds_is_left(sync: Sync, conflict) -> None:
    """J8: whoever writes now would not know of the choice."""
    Link.objects.update(lease="x", leased_until="2999-01-01T00:00Z")
    with pytest.raises(choose.ChoiceError, match="right now"):
        choose.choose(conflict, SideName.LOCAL, "ann")
    assert choose.waiting().count() == 1
    assert not OutboxEntry.objects.exists()


def test_a_record_in_an_open_canary_says_what_to_wait_for(sync: Sync, conflict) -> None:
    """J8, F20: that is no matter of a moment, and the sentence names the remedy."""
    Link.objects.update(in_canary=True)
    with pytest.raises(choose.ChoiceError, match="Promote or drop that on"):
        choose.choose(conflict, SideName.LOCAL, "ann")
    assert choose.waiting().count() == 1


# --- Associations -------------------------------------------------------------------------------------------------


def take_back(sync: Sync, people: Mapping, companies: Mapping, *, pulls_company: bool = True):
    """HubSpot takes the primary company away until crmsync asks a person."""
    associate(people, companies, label="Primary", direction=Direction.PUSH)
    person, acme = make_pair(sync)
    if not pulls_company:
        Mapping.objects.filter(pk=companies.pk).update(creates_local=False)
    other = sync.hub.ui_create("companies", {"name": "Other", "domain": "other.com"})
    for _ in range(4):
        sync.hub.ui_associate("contacts", remote_id(people, person), "companies", other, [PRIMARY])
        recipes.settle(sync)
    assert Edge.objects.get().state == EdgeState.REFUSED
    return person, acme, other


def test_djangos_partner_is_associated_again(sync: Sync, people, companies) -> None:
    """J8, F19: the choice settles it: associated in HubSpot, and left alone after that."""
    person, acme, _other = take_back(sync, people, companies)
    choose.choose(Conflict.objects.get(winner=""), SideName.LOCAL, "ann")
    recipes.settle(sync)
    assert PRIMARY in partners(sync, person)[remote_id(companies, acme)]
    assert Edge.objects.get().state == EdgeState.MADE
    at_rest(sync)
    assert not choose.waiting().exists()


def test_hubspots_partner_is_taken_though_the_relation_flows_out_only(sync: Sync, people, companies) -> None:
    """J8, F19: the choice settles it: Django follows once, HubSpot's partners stay, and nothing moves after."""
    person, _acme, other = take_back(sync, people, companies)
    before = partners(sync, person)
    choose.choose(Conflict.objects.get(winner=""), SideName.REMOTE, "ann")
    recipes.settle(sync)
    person.refresh_from_db()
    assert person.organisation == Organisation.objects.get(name="Other")
    assert partners(sync, person) == before
    edge = Edge.objects.get()
    assert (edge.state, edge.remote_id, edge.reason) == (EdgeState.MADE, other, "")
    at_rest(sync)
    assert not choose.waiting().exists()


def test_a_partner_that_is_not_linked_yet_is_waited_for(sync: Sync, people, companies) -> None:
    """J8: the choice is not forgotten while HubSpot's partner comes in."""
    person, _acme, other = take_back(sync, people, companies, pulls_company=False)
    assert not Organisation.objects.filter(name="Other").exists()
    choose.choose(Conflict.objects.get(winner=""), SideName.REMOTE, "ann")
    recipes.settle(sync)
    recipes.settle(sync)
    person.refresh_from_db()
    assert person.organisation == Organisation.objects.get(name="Other")
    assert PRIMARY in partners(sync, person)[other]
    at_rest(sync)


def test_an_association_gone_in_hubspot_is_cleared_in_django(sync: Sync, people, companies) -> None:
    """J8: none at all is a side that can be chosen."""
    associate(people, companies, direction=Direction.PUSH)
    person, acme = make_pair(sync)
    for _ in range(4):
        sync.hub.ui_dissociate("contacts", remote_id(people, person), "companies", remote_id(companies, acme))
        recipes.settle(sync)
    choose.choose(Conflict.objects.get(winner=""), SideName.REMOTE, "ann")
    recipes.settle(sync)
    person.refresh_from_db()
    assert person.organisation is None
    assert partners(sync, person) == {}
    at_rest(sync)
