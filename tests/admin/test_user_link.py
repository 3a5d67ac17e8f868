"""User links: the user is chosen here, everything else comes from HubSpot."""

import pytest

from crmsync.ledger import portals
from crmsync.models import UserLink
from tests import factories


def test_only_the_user_is_edited(boss, pages):
    link = factories.UserLinkFactory(name="Ines")
    user = factories.UserFactory()
    boss.post(pages.of(link), pages.fill(boss.get(pages.of(link)), user=user.pk, name="Other", owner_id="1"))
    link = UserLink.objects.get()
    assert (link.user, link.name) == (user, "Ines")


@pytest.mark.parametrize("before", ["nobody", "somebody"])
def test_what_a_person_chose_or_took_away_is_left_alone_by_matching(boss, pages, before):
    """X6: linked or unlinked by hand; matching by e-mail does not undo it."""
    user = factories.UserFactory(email="ines@example.com")
    link = factories.UserLinkFactory(email="ines@example.com", user=user if before == "somebody" else None)
    chosen = {"nobody": factories.UserFactory(), "somebody": None}[before]
    data = pages.fill(boss.get(pages.of(link)), user=chosen.pk if chosen else "")
    boss.post(pages.of(link), data)
    link = UserLink.objects.get()
    assert (link.user, link.is_by_hand) == (chosen, True)
    portals.store_owners(link.portal, [UserLink(portal=link.portal, owner_id=link.owner_id, email=link.email)])
    assert UserLink.objects.get().user == chosen


def test_a_link_is_given_back_to_matching(boss, pages):
    """X6: the box is cleared without choosing another user."""
    user = factories.UserFactory(email="ines@example.com")
    link = factories.UserLinkFactory(email="ines@example.com", is_by_hand=True)
    boss.post(pages.of(link), pages.fill(boss.get(pages.of(link)), is_by_hand=None))
    portals.store_owners(link.portal, [UserLink(portal=link.portal, owner_id=link.owner_id, email=link.email)])
    assert UserLink.objects.get().user == user


def test_saving_without_a_change_does_not_make_it_ones_own(boss, pages):
    """X6."""
    link = factories.UserLinkFactory(user=factories.UserFactory())
    boss.post(pages.of(link), pages.fill(boss.get(pages.of(link))))
    assert not UserLink.objects.get().is_by_hand


def test_archived_owners_are_shown_as_such(boss, pages):
    """X7: records of the past name them."""
    factories.UserLinkFactory(is_archived=True)
    html = boss.get(pages.list("userlink")).content.decode()
    assert "archived</span>" in html


def test_owners_are_neither_added_nor_deleted_by_hand(boss, pages):
    link = factories.UserLinkFactory()
    assert boss.get(pages.add("userlink")).status_code == 403
    assert boss.post(f"{pages.of(link).removesuffix('change/')}delete/", {"post": "yes"}).status_code == 403


def test_owners_without_user_are_one_filter_away(boss, pages):
    link = factories.UserLinkFactory()
    factories.UserLinkFactory(user=factories.UserFactory())
    found = boss.get(pages.list("userlink"), {"user__isempty": "1"}).context["cl"].result_list
    assert list(found) == [link]
