"""User links: the user is chosen here, everything else comes from HubSpot."""

from crmsync.models import UserLink
from tests import factories


def test_only_the_user_is_edited(boss, pages):
    link = factories.UserLinkFactory(name="Ines")
    user = factories.UserFactory()
    boss.post(pages.of(link), pages.fill(boss.get(pages.of(link)), user=user.pk, name="Other", owner_id="1"))
    link = UserLink.objects.get()
    assert (link.user, link.name) == (user, "Ines")


def test_owners_are_neither_added_nor_deleted_by_hand(boss, pages):
    link = factories.UserLinkFactory()
    assert boss.get(pages.add("userlink")).status_code == 403
    assert boss.post(f"{pages.of(link).removesuffix('change/')}delete/", {"post": "yes"}).status_code == 403


def test_owners_without_user_are_one_filter_away(boss, pages):
    link = factories.UserLinkFactory()
    factories.UserLinkFactory(user=factories.UserFactory())
    found = boss.get(pages.list("userlink"), {"user__isempty": "1"}).context["cl"].result_list
    assert list(found) == [link]
