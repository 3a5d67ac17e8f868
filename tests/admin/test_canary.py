"""Versions and canaries in the admin and by command: who prepares, tries, promotes and drops, and what they read."""

from io import StringIO
from json import loads

import pytest
from django.core.management import CommandError, call_command

from crmsync.flows import canary, lifecycle, versions
from crmsync.ledger import canaries
from crmsync.models import Canary, Link, Mapping
from project.demo.models import Person
from tests import factories
from tests.admin.conftest import said


@pytest.fixture
def live(db, hubspot) -> Mapping:
    made = factories.make_mapping(label="People")
    lifecycle.note_edit(made, None)
    return made


@pytest.fixture
def people(live, hubspot) -> list[Person]:
    """Three linked pairs; the last name is in Django only."""
    found = []
    for name in ("ada", "bob", "eve"):
        person = Person.objects.create(first_name=name, last_name=f"{name}son", email=f"{name}@example.com")
        contact = hubspot.ui_create("contacts", {"firstname": name, "email": person.email})
        base = {"first_name|firstname": [name, name], "email|email": [person.email, person.email]}
        Link.objects.create(
            mapping=live,
            portal=live.portal,
            object_type="contacts",
            local_pk=str(person.pk),
            remote_id=contact,
            create_key=name,
            base=base,
        )
        found.append(person)
    return found


@pytest.fixture
def version(live) -> Mapping:
    return versions.prepare(live, None)


def contact_of(hubspot, person: Person) -> dict:
    return hubspot.record("contacts", Link.objects.get(local_pk=person.pk).remote_id)["properties"]


def start(version: Mapping, *people: Person) -> Canary:
    return canary.start(version, canary.choose(version, [f"django:{one.pk}" for one in people]).links, None)


# --- Versions -----------------------------------------------------------------------------------------------------


def test_a_live_mapping_has_a_button_that_prepares_a_version(boss, pages, live):
    """F20: an edit makes a new version."""
    html = boss.get(pages.of(live)).content.decode()
    assert "Prepare a new version" in html
    response = boss.post(pages.at("mapping_version", live.pk), follow=True)
    version = Mapping.objects.get(version_of=live)
    assert response.redirect_chain[-1][0] == pages.of(version)
    assert "goes on as it is" in said(response)
    assert "Prepare a new version" not in boss.get(pages.of(live)).content.decode()
    assert pages.of(version) in boss.get(pages.of(live)).content.decode()


def test_preparing_by_get_does_nothing(boss, pages, live):
    """P7."""
    assert boss.get(pages.at("mapping_version", live.pk)).status_code == 405
    assert Mapping.objects.count() == 1


def test_a_version_says_what_it_is_and_cannot_be_switched_on(boss, pages, live, version):
    html = boss.get(pages.of(version)).content.decode()
    assert "never runs by itself" in html
    assert "Switch on" not in html
    assert "version of People" in boss.get(pages.list("mapping")).content.decode()


def test_a_version_is_no_end_of_an_association(boss, pages, live, version):
    other = factories.MappingFactory(portal=live.portal, label="Other", state="draft")
    html = boss.get(pages.of(other)).content.decode()
    assert "People</option>" in html
    assert "People (new version)</option>" not in html


def test_a_version_is_deleted_by_whoever_prepares_it(staff, pages, live, version):
    client = staff("view_mapping", "change_mapping")
    assert "goes on as it is" in client.get(pages.at("mapping_discard", version.pk)).content.decode()
    client.post(pages.at("mapping_discard", version.pk))
    assert list(Mapping.objects.all()) == [live]


# --- The canary ---------------------------------------------------------------------------------------------------


def test_records_are_chosen_shown_and_tried_by_post_only(boss, pages, hubspot, people, version):
    """F20: by key, confirmed; the results say before, after and the side, record by record."""
    url = pages.at("mapping_canary", version.pk)
    shown = boss.get(url, {"keys": f"django:{people[0].pk}, nobody"})
    html = shown.content.decode()
    assert "nobody: It is not linked by this mapping" in html
    assert not Canary.objects.exists()
    keys = [row[0] for row in shown.context["rows"]]
    assert keys == [Link.objects.get(local_pk=people[0].pk).pk]
    html = boss.post(url, {"link": keys}, follow=True).content.decode()
    assert contact_of(hubspot, people[0])["lastname"] == "adason"
    assert "lastname" not in contact_of(hubspot, people[1])
    assert all(text in html for text in ("1 updated", "adason", "lastname", "leaves these records alone"))


def test_records_are_drawn_at_random(boss, pages, people, version):
    shown = boss.get(pages.at("mapping_canary", version.pk), {"count": "25"})
    assert len(shown.context["rows"]) == 3


def test_a_record_without_changes_says_so(boss, pages, hubspot, people, version):
    hubspot.ui_update("contacts", Link.objects.get(local_pk=people[0].pk).remote_id, {"lastname": "adason"})
    start(version, people[0])
    assert "written nothing" in boss.get(pages.at("mapping_canary", version.pk)).content.decode()


def test_values_are_hidden_without_the_permission_to_see_them(staff, pages, people, version):
    start(version, people[0])
    html = staff("view_mapping", "operate_sync").get(pages.at("mapping_canary", version.pk)).content.decode()
    assert "adason" not in html
    assert "•••" in html


def test_both_mappings_say_that_a_canary_is_open(boss, pages, live, people, version):
    """F20: the page says so, and how long it has been open."""
    start(version, people[0])
    for row in (live, version):
        html = boss.get(pages.of(row)).content.decode()
        assert "left alone until it is promoted or dropped" in html
        assert "just now" in html


def test_a_version_whose_canary_is_open_is_shown_only(boss, pages, people, version):
    start(version, people[0])
    response = boss.get(pages.of(version))
    assert not response.context["has_change_permission"]
    assert "stays as it was tried" in response.content.decode()
    boss.post(pages.at("mapping_discard", version.pk))
    assert Mapping.objects.filter(pk=version.pk).exists()


def test_dropping_is_asked_and_puts_back(boss, pages, hubspot, people, version):
    """F20: undoing; the version is kept."""
    start(version, *people)
    url = pages.at("mapping_drop", version.pk)
    assert "put back where it was written" in boss.get(url).content.decode()
    assert Canary.objects.exists()
    hubspot.ui_update("contacts", Link.objects.get(local_pk=people[1].pk).remote_id, {"lastname": "mine"})
    response = boss.post(url, follow=True)
    assert "3 records were put back" in said(response)
    assert "edited since" in said(response)
    assert [contact_of(hubspot, one).get("lastname") or None for one in people] == [None, "mine", None]
    assert Mapping.objects.filter(pk=version.pk).exists()


def test_promoting_shows_what_changes_first(boss, pages, live, people, version):
    """F20: the difference, how many are planned again, and the way back."""
    version.fields.filter(local="last_name").update(direction="push")
    lifecycle.note_edit(version, None)
    start(version, people[0])
    url = pages.at("mapping_promote", version.pk)
    shown = boss.get(url)
    html = shown.content.decode()
    assert "last_name ↔ lastname › direction" in html
    assert "At most 3 records are planned again at once" in html
    response = boss.post(url, {"seen": shown.context["found"].seen}, follow=True)
    assert "is at revision 3 now" in said(response)
    assert live.fields.get(local="last_name").direction == "push"
    assert not Mapping.objects.filter(pk=version.pk).exists()


def test_promoting_what_was_not_looked_at_is_refused(boss, pages, live, version):
    response = boss.post(pages.at("mapping_promote", version.pk), follow=True)
    assert "edited meanwhile" in said(response)
    assert Mapping.objects.filter(pk=version.pk).exists()


def test_promoting_needs_an_approval_or_an_approver(staff, pages, version):
    """F20, A32: as going live does."""
    client = staff("view_mapping", "change_mapping")
    shown = client.get(pages.at("mapping_promote", version.pk))
    assert "Can approve mappings" in shown.content.decode()
    client.post(pages.at("mapping_promote", version.pk), {"seen": shown.context["found"].seen})
    assert Mapping.objects.filter(pk=version.pk).exists()


# --- The command --------------------------------------------------------------------------------------------------


def run(*args: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("crmsync_canary", *args, stdout=out)
    except SystemExit as end:
        return end.code, out.getvalue()
    return 0, out.getvalue()


def test_the_command_tries_shows_and_drops(hubspot, people, version):
    """F20: by the name of either mapping; a dry run writes nothing."""
    key = f"django:{people[0].pk}"
    code, text = run("start", "People", "--records", key, "--dry-run")
    assert (code, Canary.objects.count()) == (3, 0)
    assert "Would try" in text
    code, text = run("start", "People", "--records", key, "--json")
    assert (code, [one["outcome"] for one in loads(text)["records"]]) == (0, ["updated"])
    assert run("show", version.label)[1].strip().endswith("HubSpot: last_name ↔ lastname")
    assert run("drop", "People", "--dry-run")[0] == 3
    assert contact_of(hubspot, people[0])["lastname"] == "adason"
    code, text = run("drop", "People", "--delete", "--json")
    assert (code, loads(text)["done"]) == (0, 1)
    assert not contact_of(hubspot, people[0]).get("lastname")
    assert not Mapping.objects.filter(pk=version.pk).exists()


def test_the_command_promotes(people, live, version):
    version.fields.filter(local="last_name").update(direction="push")
    lifecycle.note_edit(version, None)
    assert run("promote", "People", "--dry-run")[0] == 3
    assert Mapping.objects.filter(pk=version.pk).exists()
    assert run("promote", "People")[0] == 0
    assert live.fields.get(local="last_name").direction == "push"


def test_the_command_says_what_was_left(hubspot, people, version):
    start(version, people[0])
    hubspot.ui_update("contacts", Link.objects.get(local_pk=people[0].pk).remote_id, {"lastname": "mine"})
    code, text = run("drop", "People")
    assert code == 2
    assert "edited since" in text
    assert canaries.find_open(version) is None


@pytest.mark.parametrize(
    ("args", "why"),
    [
        (("show", "Nobody"), "There is no mapping"),
        (("show", "People"), "No canary of"),
        (("start", "People"), "Name the records"),
        (("start", "People", "--records", "nobody"), "It is not linked"),
    ],
)
def test_the_command_refuses_with_the_remedy(version, args, why):
    with pytest.raises(CommandError, match=why):
        run(*args)


def test_the_command_wants_a_version(live):
    with pytest.raises(CommandError, match="has no new version"):
        run("show", "People")
