"""What HubSpot no longer has: the banner on every page, and the page that puts another property in its place."""

import pytest

from crmsync.admin import banner
from crmsync.models import Portal, RemoteProperty
from tests import factories
from tests.admin.conftest import said


@pytest.fixture
def mapping(db):
    return factories.make_mapping()


def archive(name: str) -> None:
    RemoteProperty.objects.filter(name=name).update(is_archived=True)


def banners(client, pages) -> str:
    html = client.get(pages.list("run")).content.decode()
    return html.partition("crmsync-banners")[2].partition("</ul>")[0]


def test_nothing_is_said_and_nothing_more_is_asked_while_all_is_there(
    boss, pages, mapping, django_assert_num_queries
):
    assert banners(boss, pages) == ""
    with django_assert_num_queries(1):
        assert not any(banner.vanished.with_losses(Portal.objects.all()).values_list("has_losses", flat=True))


def test_a_property_that_is_gone_is_named_with_who_waits_and_what_could_take_its_place(boss, pages, mapping):
    """J14."""
    factories.RemotePropertyFactory(portal=mapping.portal, name="first_name_new", label="Firstname")
    factories.OutboxEntryFactory.create_batch(2, mapping=mapping, state="parked", last_code="field.property_gone")
    archive("firstname")
    row = mapping.fields.get(remote="firstname")
    found = banners(boss, pages)
    assert "The HubSpot property “firstname” of contacts, joined with first_name, is gone" in found
    assert "2 records wait." in found
    assert "Suggested instead: “first_name_new”." in found
    assert pages.at("mapping_replace", mapping.pk, row.pk) in found
    RemoteProperty.objects.filter(name="firstname").delete()
    assert "“firstname” of contacts" in banners(boss, pages)


def test_what_is_off_or_not_started_is_not_told(boss, pages, mapping):
    archive("firstname")
    mapping.fields.filter(remote="firstname").update(is_active=False)
    assert banners(boss, pages) == ""
    mapping.fields.update(is_active=True)
    type(mapping).objects.update(state="draft")
    assert banners(boss, pages) == ""
    type(mapping).objects.update(state="paused")
    assert "firstname" in banners(boss, pages)


def test_what_was_never_discovered_is_not_gone(boss, pages, mapping):
    RemoteProperty.objects.all().delete()
    assert banners(boss, pages) == ""


@pytest.mark.parametrize("value", ["gold", "größe", 'a "b"'])
def test_an_option_that_a_value_map_sends_is_named_once_it_is_gone(boss, pages, mapping, value):
    """J14: and not while it is there, in whatever letters."""
    row = mapping.fields.get(remote="firstname")
    factories.ValueMapEntryFactory(field=row, local_value="x", remote_value=value)
    RemoteProperty.objects.filter(name="firstname").update(options=[[value, "Label"], ["other", "Other"]])
    assert banners(boss, pages) == ""
    RemoteProperty.objects.filter(name="firstname").update(options=[["other", "Other"]])
    found = banners(boss, pages)
    assert "of “firstname” any more, which stands for “x”" in found
    assert pages.of(row) in found


def test_a_stage_that_is_gone_is_named(boss, pages):
    mapping = factories.MappingFactory(object_type="deals", model_label="demo.Opportunity")
    factories.RemotePropertyFactory(portal=mapping.portal, object_type="deals", name="dealstage", type="enumeration")
    pipeline = factories.RemotePipelineFactory(portal=mapping.portal)
    row = factories.FieldMappingFactory(mapping=mapping, local="status", remote="dealstage")
    factories.ValueMapEntryFactory(field=row, local_value="won", remote_value="closedwon")
    assert banners(boss, pages) == ""
    pipeline.stages = [["open", "Open"]]
    pipeline.save()
    assert "no “closedwon” of “dealstage” any more" in banners(boss, pages)


def test_match_keys_and_rules_are_named_too(boss, pages, mapping):
    factories.RuleConditionFactory(rule__mapping=mapping, rule__name="Only some", side="remote", field="badge")
    archive("email")
    found = banners(boss, pages)
    assert "a match key, is gone" in found
    assert "which “Only some” asks for" in found


def test_many_losses_are_counted(boss, pages, mapping):
    for number in range(9):
        factories.FieldMappingFactory(mapping=mapping, local="city", remote=f"gone{number}", direction="push")
    assert "5 more things are gone." in banners(boss, pages)


def test_whoever_may_not_open_the_mapping_is_told_without_a_link(staff, pages, mapping):
    archive("firstname")
    found = banners(staff("view_run"), pages)
    assert "firstname" in found
    assert "<a" not in found


# --- Replace with … ---------------------------------------------------------------------------------------------


@pytest.fixture
def gone(mapping):
    """A row whose property is archived, and one that could take its place."""
    factories.RemotePropertyFactory(portal=mapping.portal, name="given_name", label="Firstname")
    factories.RemotePropertyFactory(portal=mapping.portal, name="made", type="datetime", is_read_only=True)
    archive("firstname")
    return mapping.fields.get(remote="firstname")


def test_the_likeliest_is_offered_shown_and_put_in_its_place_by_post_only(boss, pages, gone):
    """J14: the page that shows what it means writes nothing; the revision grows, and what waited is due again."""
    mapping = gone.mapping
    entry = factories.OutboxEntryFactory(mapping=mapping, state="parked", last_code="field.property_gone")
    url = pages.at("mapping_replace", mapping.pk, gone.pk)
    assert 'value="given_name">Replace with' in boss.get(url).content.decode()
    shown = boss.get(url, {"to": "given_name"}).content.decode()
    assert "it is compared afresh" in shown
    gone.refresh_from_db()
    assert gone.remote == "firstname"
    response = boss.post(url, {"to": "given_name"}, follow=True)
    assert "looked at again: 1." in said(response)
    gone.refresh_from_db()
    mapping.refresh_from_db()
    entry.refresh_from_db()
    assert (gone.remote, mapping.revision, entry.state) == ("given_name", 2, "due")
    assert banners(boss, pages) == ""


@pytest.mark.parametrize(
    ("name", "words"),
    [("nothing", "have no property"), ("made", "lets nobody write"), ("email", "Two rows write “email”")],
)
def test_what_cannot_take_its_place_is_refused(boss, pages, gone, name, words):
    url = pages.at("mapping_replace", gone.mapping.pk, gone.pk)
    for response in (boss.get(url, {"to": name}), boss.post(url, {"to": name})):
        assert words in response.content.decode()
    gone.refresh_from_db()
    assert gone.remote == "firstname"


def test_only_whoever_may_change_the_mapping_may(staff, pages, gone):
    url = pages.at("mapping_replace", gone.mapping.pk, gone.pk)
    assert staff("view_mapping", "operate_sync").get(url).status_code == 403
    assert staff("view_mapping").post(url, {"to": "given_name"}).status_code == 403
    client = staff("view_mapping", "change_mapping")
    assert client.get(url).status_code == 200
    assert client.get(pages.at("mapping_replace", gone.mapping.pk, 999)).status_code == 404
    type(gone.mapping).objects.update(locked_by="people.toml")
    assert client.post(url, {"to": "given_name"}).status_code == 403
