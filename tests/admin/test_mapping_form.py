"""The mapping's form: what can be chosen, what is refused in which words, and when the revision grows."""

import pytest
from django.contrib.admin.models import LogEntry as History

from crmsync.models import FieldMapping, Mapping, RemoteProperty
from tests import factories
from tests.admin.conftest import said


@pytest.fixture
def portal(db):
    portal = factories.PortalFactory()
    for name in ("email", "firstname"):
        factories.RemotePropertyFactory(portal=portal, name=name)
    factories.RemotePropertyFactory(portal=portal, name="createdate", type="datetime", is_read_only=True)
    factories.RemotePropertyFactory(portal=portal, name="num_notes", type="number")
    factories.RemotePropertyFactory(portal=portal, name="odd", type="json")
    return portal


def _new(pages, boss, portal, *rows, **values):
    """A filled-in add form; rows are dicts of the fields of one field mapping."""
    data = pages.fill(
        boss.get(pages.add("mapping")),
        label="People",
        portal=portal.pk,
        model_label="demo.Person",
        object_type="contacts",
    )
    for number, row in enumerate(rows):
        data |= {f"fields-{number}-{name}": value for name, value in row.items()}
    return {name: value for name, value in (data | values).items() if value is not None}


def _row_errors(response) -> dict:
    """Field -> sentence of the first row that has errors."""
    formset = response.context["inline_admin_formsets"][1].formset
    return next({name: next(iter(texts)) for name, texts in errors.items()} for errors in formset.errors if errors)


def test_a_draft_is_saved_with_valid_rows(boss, pages, portal):
    data = _new(
        pages, boss, portal, {"local": "email", "remote": "email"}, {"local": "first_name", "remote": "firstname"}
    )
    assert boss.post(pages.add("mapping"), data).status_code == 302
    mapping = Mapping.objects.get()
    assert (mapping.state, mapping.revision, mapping.model_label) == ("draft", 1, "demo.Person")
    assert list(mapping.fields.values_list("local", "remote")) == [("email", "email"), ("first_name", "firstname")]


def test_a_draft_may_be_saved_without_rows(boss, pages, portal):
    assert boss.post(pages.add("mapping"), _new(pages, boss, portal)).status_code == 302
    assert Mapping.objects.exists()


@pytest.mark.parametrize(
    ("row", "field", "words"),
    [
        ({"local": "nickname", "remote": "email"}, "local", "has no field 'nickname'"),
        ({"local": "organisation", "remote": "email"}, "local", "Map a field of it, such as organisation__name"),
        ({"local": "email", "remote": "mail"}, "remote", "have no property “mail”"),
        ({"local": "email", "remote": "odd"}, "remote", "cannot be synced"),
        ({"local": "birth_date", "remote": "num_notes"}, "remote", "one cannot become the other"),
        ({"local": "last_seen_at", "remote": "createdate"}, "direction", "HubSpot lets nobody write “createdate”"),
        ({"local": "organisation__name", "remote": "email"}, "direction", "cannot be written in Django"),
    ],
)
def test_a_row_that_cannot_work_is_refused_beside_its_field(boss, pages, portal, row, field, words):
    response = boss.post(pages.add("mapping"), _new(pages, boss, portal, row))
    assert response.status_code == 200
    assert words in _row_errors(response)[field]
    assert not Mapping.objects.exists()


@pytest.mark.parametrize(
    "row",
    [
        {"local": "last_seen_at", "remote": "createdate", "direction": "pull"},
        {"local": "organisation__name", "remote": "email", "direction": "push"},
    ],
)
def test_a_one_way_row_may_read_what_nobody_may_write(boss, pages, portal, row):
    assert boss.post(pages.add("mapping"), _new(pages, boss, portal, row)).status_code == 302


def test_a_switched_off_row_may_be_impossible_for_now(boss, pages, portal):
    row = {"local": "birth_date", "remote": "num_notes", "is_active": None}
    assert boss.post(pages.add("mapping"), _new(pages, boss, portal, row)).status_code == 302


def test_unknown_properties_of_a_type_say_what_to_press(boss, pages, portal):
    data = _new(pages, boss, portal, {"local": "email", "remote": "email"}, object_type="tickets")
    assert "press “Refresh fields”" in _row_errors(boss.post(pages.add("mapping"), data))["remote"]


def test_two_rows_must_not_write_the_same_field(boss, pages, portal):
    rows = [{"local": "first_name", "remote": "firstname"}, {"local": "first_name", "remote": "email"}]
    html = boss.post(pages.add("mapping"), _new(pages, boss, portal, *rows)).content.decode()
    assert "Two rows write “first_name” in Django" in html
    assert not Mapping.objects.exists()


def test_a_match_key_names_fields_that_exist(boss, pages, portal):
    data = _new(pages, boss, portal) | {"match_keys-0-local": "mail", "match_keys-0-remote": "email"}
    html = boss.post(pages.add("mapping"), data).content.decode()
    assert "has no field &#x27;mail&#x27;" in html


def test_a_custom_object_is_named_by_its_id(boss, pages, portal):
    data = _new(pages, boss, portal, object_type="", custom_type="2-123456")
    assert boss.post(pages.add("mapping"), data).status_code == 302
    assert Mapping.objects.get().object_type == "2-123456"


def test_an_object_type_must_be_chosen(boss, pages, portal):
    html = boss.post(pages.add("mapping"), _new(pages, boss, portal, object_type="")).content.decode()
    assert "Choose an object type" in html


def test_only_models_of_the_settings_can_be_chosen(boss, pages, portal):
    response = boss.post(pages.add("mapping"), _new(pages, boss, portal, model_label="auth.User"))
    assert response.status_code == 200
    assert not Mapping.objects.exists()


def test_fields_and_properties_are_offered(boss, pages):
    mapping = factories.make_mapping()
    factories.RemotePropertyFactory(portal=mapping.portal, name="createdate", label="Create date", is_read_only=True)
    html = boss.get(pages.of(mapping)).content.decode()
    assert '<option value="organisation__name">organisation → name (read-only)</option>' in html
    assert '<option value="createdate">Create date (createdate) – read-only</option>' in html
    assert "owner__password" not in html


def test_before_anything_is_chosen_fields_are_suggested(boss, pages, portal):
    html = boss.get(pages.add("mapping")).content.decode()
    assert '<option value="job_title">' in html
    assert html.count("<datalist") == 2


def test_a_property_that_is_gone_stays_visible(boss, pages):
    mapping = factories.make_mapping()
    factories.FieldMappingFactory(mapping=mapping, local="city", remote="town")
    assert '<option value="town" selected>town (not found)</option>' in boss.get(pages.of(mapping)).content.decode()


def test_fields_that_hubspot_owns_are_marked(boss, pages):
    mapping = factories.make_mapping()
    mapping.fields.filter(local="email").update(direction="pull")
    assert "crmsync-hubspot" in boss.get(pages.of(mapping)).content.decode()


def test_every_input_of_a_row_has_a_name_for_those_who_hear_the_page(boss, pages):
    html = boss.get(pages.of(factories.make_mapping())).content.decode()
    assert html.count('aria-label="HubSpot property"') >= 4
    assert html.count('aria-label="When both changed"') + html.count('aria-label="when both changed"') >= 4


# --- Revision ---------------------------------------------------------------------------------------------------


def _save(boss, pages, mapping, **values):
    response = boss.post(pages.of(mapping), pages.fill(boss.get(pages.of(mapping)), **values), follow=True)
    mapping.refresh_from_db()
    return response


def test_an_edit_of_the_mapping_grows_its_revision(boss, pages):
    mapping = factories.make_mapping()
    _save(boss, pages, mapping, label="New name")
    assert (mapping.label, mapping.revision) == ("New name", 2)


def test_an_edit_of_a_row_grows_the_revision(boss, pages):
    mapping = factories.make_mapping(problem="Old trouble.")
    _save(boss, pages, mapping, **{"fields-1-direction": "push"})
    assert (mapping.revision, mapping.problem) == (2, "")
    assert mapping.fields.get(local="first_name").direction == "push"


def test_deleting_a_row_grows_the_revision(boss, pages):
    mapping = factories.make_mapping()
    _save(boss, pages, mapping, **{"fields-1-DELETE": "on"})
    assert mapping.revision == 2
    assert not mapping.fields.filter(local="first_name").exists()


def test_saving_without_a_change_keeps_the_revision(boss, pages):
    mapping = factories.make_mapping()
    _save(boss, pages, mapping)
    assert mapping.revision == 1


def test_saving_leaves_alone_what_a_worker_wrote_meanwhile(boss, pages):
    mapping = factories.make_mapping()
    data = pages.fill(boss.get(pages.of(mapping)), label="New name")
    Mapping.objects.update(state="paused", is_provisioned=True)
    boss.post(pages.of(mapping), data)
    mapping.refresh_from_db()
    assert (mapping.label, mapping.state, mapping.is_provisioned) == ("New name", "paused", True)


def test_a_form_opened_before_somebody_elses_edit_is_refused(boss, pages):
    mapping = factories.make_mapping()
    stale = pages.fill(boss.get(pages.of(mapping)), label="Mine")
    _save(boss, pages, mapping, label="Theirs")
    assert "Somebody else changed this mapping" in boss.post(pages.of(mapping), stale).content.decode()
    mapping.refresh_from_db()
    assert mapping.label == "Theirs"


def test_both_ends_are_fixed_once_there_are_links(boss, pages):
    draft = factories.make_mapping(state="draft")
    assert 'name="model_label"' in boss.get(pages.of(draft)).content.decode()
    factories.LinkFactory(mapping=draft)
    html = boss.get(pages.of(draft)).content.decode()
    assert 'name="model_label"' not in html
    assert 'name="custom_type"' not in html
    _save(boss, pages, draft, label="New", model_label="demo.Organisation")
    assert (draft.label, draft.model_label) == ("New", "demo.Person")


def test_the_state_is_not_an_input(boss, pages):
    mapping = factories.make_mapping(state="draft")
    _save(boss, pages, mapping, label="New", state="live")
    assert mapping.state == "draft"


def test_the_history_says_who_changed_what(boss, pages):
    mapping = factories.make_mapping()
    _save(boss, pages, mapping, label="New name", **{"fields-1-direction": "push"})
    message = History.objects.get().get_change_message()
    assert "Name" in message
    assert "first_name ↔ firstname" in message


# --- Many rows --------------------------------------------------------------------------------------------------


@pytest.fixture
def large(db) -> Mapping:
    mapping = factories.make_mapping()
    names = [f"p{number}" for number in range(300)]
    RemoteProperty.objects.bulk_create(
        RemoteProperty(portal=mapping.portal, object_type="contacts", name=name, type="string") for name in names
    )
    FieldMapping.objects.bulk_create(
        FieldMapping(mapping=mapping, local="city", remote=name, direction="push", position=9) for name in names
    )
    return mapping


def test_300_rows_open_in_few_queries(boss, pages, large, django_assert_max_num_queries):
    with django_assert_max_num_queries(15):
        response = boss.get(pages.of(large))
    assert response.content.decode().count("city ↔ p") == 300


def test_300_rows_are_linked_to_their_pages_and_the_form_still_saves(boss, pages, large, settings):
    shown = boss.get(pages.of(large))
    data = pages.fill(shown, **{"fields-0-local": "job_title", "fields-0-remote": "p7", "fields-0-direction": "pull"})
    assert len(data) < settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
    assert boss.post(pages.of(large), data).status_code == 302
    assert large.fields.count() == 304


def test_a_row_added_to_300_must_not_write_what_another_writes(boss, pages, large):
    row = {"fields-0-local": "job_title", "fields-0-remote": "p7", "fields-0-direction": "push"}
    html = boss.post(pages.of(large), pages.fill(boss.get(pages.of(large)), **row)).content.decode()
    assert "Two rows write “p7” in HubSpot" in html


def test_a_live_mapping_whose_hidden_rows_broke_is_paused_when_edited(boss, pages, large):
    RemoteProperty.objects.filter(name="p9").delete()
    response = _save(boss, pages, large, label="New name")
    assert large.state == "paused"
    assert "names the HubSpot property 'p9'" in large.problem
    assert "The mapping was paused." in said(response)


def test_where_the_host_allows_more_inputs_300_rows_are_one_form(boss, pages, large, settings):
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000
    shown = boss.get(pages.of(large))
    assert shown.content.decode().count('list="crmsync-remote"') >= 300
    row = next(
        form for form in shown.context["inline_admin_formsets"][1].formset.forms if form.initial["remote"] == "p9"
    )
    response = boss.post(pages.of(large), pages.fill(shown, **{row.add_prefix("local"): "job_title"}), follow=True)
    assert "was changed successfully" in said(response)
    assert large.fields.get(remote="p9").local == "job_title"
