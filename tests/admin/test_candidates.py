"""The page "Match candidates": who sees it, what it shows, and that what a person chooses is done and remembered."""

import pytest
from django.contrib.admin.models import LogEntry as History

from crmsync.models import Link, LogEntry, OutboxEntry
from project.demo.models import Person
from tests import factories
from tests.admin.conftest import said


@pytest.fixture
def mapping(hubspot):
    """People found by their e-mail, or by their last name."""
    made = factories.make_mapping(portal__hub_id=4242)
    factories.MatchKeyFactory(mapping=made, local="last_name", remote="lastname", normaliser="trimmed", position=1)
    return made


@pytest.fixture
def both(hubspot) -> list[str]:
    """Two contacts of one last name."""
    return hubspot.plant("contacts", [{"email": f"{one}@example.com", "lastname": "Byron"} for one in "ab"])


@pytest.fixture
def entry(mapping, both) -> LogEntry:
    person = Person.objects.create(email="ada@example.com", last_name="byron")
    return factories.LogEntryFactory(
        mapping=mapping,
        local_pk=str(person.pk),
        remote_id="",
        outcome="excluded",
        reason="too_many_candidates",
        detail="2 partners match",
        candidates=[["remote", key] for key in both],
    )


def url(pages) -> str:
    return pages.at("logentry_candidates")


def page_of(client, pages, **query) -> str:
    return client.get(url(pages), query).content.decode()


def press(client, pages, entry, **data):
    return client.post(url(pages), {"entry": entry.pk, **data}, follow=True)


def test_candidates_stand_side_by_side(boss, pages, entry, both) -> None:
    """X10: the record, what matches it, the values that made them match, and a way to each."""
    html = page_of(boss, pages)
    assert f'href="/admin/demo/person/{entry.local_pk}/change/"' in html
    for key in both:
        assert f"https://app.hubspot.com/contacts/4242/record/0-1/{key}" in html
        assert f'name="key" value="{key}"' in html
    for value in ("last_name: byron", "lastname: Byron", "email: a@example.com", "Link with this one", "Leave"):
        assert value in html


def test_values_need_their_permission(staff, pages, entry, both, hubspot) -> None:
    """Without it nothing is read from HubSpot; the keys are shown."""
    before = len(list(hubspot.ledger.requests()))
    html = page_of(staff("view_logentry", "link_record"), pages)
    assert "hidden: needs the permission" in html
    assert both[0] in html
    assert "byron" not in html.lower()
    assert "@example.com" not in html
    assert len(list(hubspot.ledger.requests())) == before


def test_looking_needs_view_and_choosing_needs_link(staff, client, pages, entry, both) -> None:
    """Section 2: a GET changes nothing, a POST asks for link_record."""
    viewer = staff("view_logentry")
    html = page_of(viewer, pages)
    assert "Link with this one" not in html
    assert viewer.post(url(pages), {"entry": entry.pk, "key": both[0]}).status_code == 403
    stranger = staff("link_record")
    assert stranger.get(url(pages)).status_code == 403
    assert stranger.post(url(pages), {"entry": entry.pk, "key": both[0]}).status_code == 403
    assert "/login/" in client.post(url(pages), {"entry": entry.pk, "key": both[0]}).url
    assert viewer.put(url(pages)).status_code == 405
    assert not Link.objects.exists()


def test_linking_is_done_and_remembered(staff, pages, entry, both, mapping) -> None:
    """X10: with the name of who did it, in the log and in the mapping's history."""
    linker = staff("view_logentry", "link_record")
    text = said(press(linker, pages, entry, key=both[1]))
    assert f"{entry.local_pk} is linked with {both[1]}." in text
    assert Link.objects.values_list("local_pk", "remote_id").get() == (entry.local_pk, both[1])
    assert OutboxEntry.objects.get().local_pk == entry.local_pk
    assert LogEntry.objects.get(reason="by_hand").detail.startswith("Linked by user")
    assert both[1] in History.objects.get(object_id=str(mapping.pk)).change_message
    assert "No record waits for a choice." in page_of(linker, pages)


def test_a_linked_one_is_shown_with_its_place_and_refused(boss, pages, entry, both, mapping) -> None:
    """Fault 40: the page offers no button for it, and the button of an old page is refused."""
    factories.LinkFactory(mapping=mapping, local_pk="777", remote_id=both[0])
    html = page_of(boss, pages)
    assert "linked to 777 in Django" in html
    assert f'name="key" value="{both[0]}"' not in html
    assert f"HubSpot record {both[0]} is linked to 777 in Django" in said(press(boss, pages, entry, key=both[0]))
    assert Link.objects.count() == 1


def test_creating_and_leaving(boss, pages, entry, mapping) -> None:
    assert "is made in HubSpot by the next push" in said(press(boss, pages, entry, what="create"))
    assert (Link.objects.get().state, OutboxEntry.objects.get().is_asked) == ("creating", True)
    Link.objects.all().delete()
    LogEntry.objects.filter(reason="by_hand").delete()
    assert "is left without a partner" in said(press(boss, pages, entry, what="leave"))
    assert "No record waits for a choice." in page_of(boss, pages)
    assert not Link.objects.exists()


def test_who_comes_late_is_told(boss, pages, entry, both) -> None:
    """Two people press at once; and numbers that are none."""
    press(boss, pages, entry, what="leave")
    assert "does not wait any more" in said(press(boss, pages, entry, key=both[0]))
    for number in ("", "x", "9" * 40):
        assert "does not wait any more" in said(boss.post(url(pages), {"entry": number}, follow=True))
    assert not Link.objects.exists()


def test_one_mapping_at_a_time(boss, pages, entry, mapping) -> None:
    other = factories.MappingFactory()
    assert f'name="entry" value="{entry.pk}"' in page_of(boss, pages, mapping=mapping.pk)
    assert "No record waits for a choice." in page_of(boss, pages, mapping=other.pk)


def test_a_portal_that_cannot_be_asked_says_why(boss, pages, entry, both, mapping) -> None:
    """The records are listed all the same, and can be left."""
    mapping.portal.state = "revoked"
    mapping.portal.save()
    html = page_of(boss, pages)
    assert "HubSpot no longer accepts the access token" in html
    assert both[0] in html


def test_the_list_the_log_and_the_mapping_lead_here(boss, pages, entry, both, mapping) -> None:
    """Fault 40: the log names the candidates, with a way to each and what to do."""
    assert url(pages) in boss.get(pages.list("logentry")).content.decode()
    assert f"{url(pages)}?mapping={mapping.pk}" in boss.get(pages.of(mapping)).content.decode()
    for html in (boss.get(pages.of(entry)).content.decode(), boss.get(pages.list("logentry")).content.decode()):
        assert f"https://app.hubspot.com/contacts/4242/record/0-1/{both[0]}" in html
    assert f"{url(pages)}?mapping={mapping.pk}" in boss.get(pages.of(entry)).content.decode()


def test_the_page_asks_once_whatever_it_lists(
    boss, pages, entry, both, mapping, django_assert_max_num_queries
) -> None:
    """House: no query a record."""
    for number in range(15):
        factories.LogEntryFactory(
            mapping=mapping,
            local_pk=str(9000 + number),
            remote_id="",
            outcome="excluded",
            reason="too_many_candidates",
            candidates=[["remote", both[0]], ["remote", both[1]]],
        )
    with django_assert_max_num_queries(40):
        assert len(boss.get(url(pages)).context["cases"]) == 16
