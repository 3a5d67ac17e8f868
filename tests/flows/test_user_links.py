"""User links: HubSpot's owners and local users, matched, changed by hand, and converted both ways."""

import pytest
from django.contrib.auth import get_user_model

from crmsync.flows import discover
from crmsync.models import OutboxEntry, UserLink
from project.demo.models import Person

ADA, BOB, GONE = "9001", "9002", "9003"


@pytest.fixture
def owners(sync):
    """Three owners in HubSpot, one archived; users for two of them."""
    sync.hub.add_owner(ADA, "ada@example.com", first="Ada", last="L", user_id=77)
    sync.hub.add_owner(BOB, "bob@example.com", first="Bob", last="B", user_id=78)
    sync.hub.add_owner(GONE, "gone@example.com", first="Gone", last="G", user_id=79, archived=True)
    users = get_user_model()
    users.objects.create(username="ada", email="ADA@example.com")
    users.objects.create(username="gone", email="gone@example.com")
    discover.discover(sync.portal)
    return sync


def user(name: str):
    return get_user_model().objects.get(username=name)


def link(owner_id: str) -> UserLink:
    return UserLink.objects.get(owner_id=owner_id)


def test_equal_addresses_are_matched(owners) -> None:
    """X5: whatever their case; both of HubSpot's numbers are kept, archived owners too."""
    assert link(ADA).user == user("ada")
    assert link(BOB).user is None
    assert (link(GONE).user, link(GONE).is_archived) == (user("gone"), True)
    assert (link(ADA).owner_id, link(ADA).hubspot_user_id) == (ADA, "77")


def test_what_was_set_by_hand_is_left_alone(owners) -> None:
    """X6: unlinking by hand survives every refresh; a user who comes later is matched where nobody decided."""
    UserLink.objects.filter(owner_id=ADA).update(user=None, is_by_hand=True)
    bob = get_user_model().objects.create(username="bob", email="bob@example.com")
    discover.discover(owners.portal)
    assert link(ADA).user is None
    assert link(BOB).user == bob


def test_an_owner_who_leaves_is_kept(owners) -> None:
    """X8: records of the past still name an owner whom HubSpot has archived since."""
    owners.hub.add_owner(ADA, "ada@example.com", first="Ada", last="L", user_id=77, archived=True)
    discover.discover(owners.portal)
    assert link(ADA).is_archived
    assert link(ADA).user == user("ada")
    assert link(ADA).hubspot_user_id == "77"


def test_an_assignment_in_hubspot_reaches_django(owners, ada, ada_id) -> None:
    """A16, X8: by the owner's id, through the link."""
    owners.hub.ui_update("contacts", ada_id, {"hubspot_owner_id": ADA})
    owners.deliver()
    owners.drain()
    ada.refresh_from_db()
    assert ada.owner == user("ada")


def test_an_assignment_in_django_reaches_hubspot(owners, ada, ada_id) -> None:
    """A16: the owner's id is sent, never the user's."""
    ada.owner = user("ada")
    ada.save()
    owners.drain()
    assert owners.contact(ada_id)["hubspot_owner_id"] == ADA


def test_nobody_is_guessed(owners, ada, ada_id) -> None:
    """X7: without a service user, an owner without a user is a problem with its remedy, and other fields go on."""
    owners.hub.ui_update("contacts", ada_id, {"hubspot_owner_id": BOB, "city": "Paris"})
    owners.deliver()
    owners.drain()
    ada.refresh_from_db()
    assert (ada.owner, ada.city) == (None, "Paris")


def test_the_service_user_stands_for_owners_without_a_user(owners, ada, ada_id) -> None:
    """X7: in the pull; and nothing is written back for it, also not with the next save."""
    robot = get_user_model().objects.create(username="robot")
    owners.portal.service_user = robot
    owners.portal.save()
    owners.hub.ui_update("contacts", ada_id, {"hubspot_owner_id": BOB})
    owners.deliver()
    owners.drain()
    ada.refresh_from_db()
    assert ada.owner == robot
    before = owners.writes()
    ada.save()
    owners.drain()
    assert owners.writes() == before
    assert owners.contact(ada_id)["hubspot_owner_id"] == BOB


def test_the_service_users_owner_stands_for_users_without_an_owner(owners, ada, ada_id) -> None:
    """X7: in the push; it is stable, whoever looks again."""
    owners.portal.service_user = user("ada")
    owners.portal.save()
    ada.owner = get_user_model().objects.create(username="temp")
    ada.save()
    owners.drain()
    assert owners.contact(ada_id)["hubspot_owner_id"] == ADA
    before = owners.writes()
    owners.deliver()
    ada.save()
    owners.drain()
    ada.refresh_from_db()
    assert ada.owner.username == "temp"
    assert owners.writes() == before
    assert not OutboxEntry.objects.exists()


def test_an_archived_owner_is_not_assigned(owners, ada) -> None:
    """HubSpot would refuse it: the problem is shown, and the record's other fields go on."""
    ada.owner = user("gone")
    ada.city = "Rome"
    ada.save()
    owners.drain()
    assert owners.contacts()[0]["properties"]["city"] == "Rome"
    assert Person.objects.get(pk=ada.pk).owner == user("gone")
    assert OutboxEntry.objects.get().state == "parked"
