"""The mapping's form: what can be chosen, what is refused in which words, and when the revision grows."""

import pytest
from django.contrib.admin.models import LogEntry as History
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext

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


@pytest.mark.parametrize("values", [{"object_type": "emails"}, {"object_type": "", "custom_type": "quotes"}])
def test_an_unsupported_object_type_is_said_to_be(boss, pages, portal, values):
    """C33: typed as a custom object, or sent by hand; even where its properties were read once."""
    factories.RemotePropertyFactory(portal=portal, object_type="emails", name="hs_email_subject")
    assert 'value="emails"' not in boss.get(pages.add("mapping")).content.decode()
    text = boss.post(pages.add("mapping"), _new(pages, boss, portal, **values)).content.decode()
    assert "supported" in text
    assert "contacts, companies, deals" in text
    assert not Mapping.objects.exists()


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
    assert '<option value="createdate">Create date (createdate), string – read-only</option>' in html
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
    """L17: with every inline, the contract, the verdicts and the banner; the next 300 rows, or associations, cost
    none more. Nothing is known beforehand, not even Django's content types."""
    factories.FixedValueFactory(mapping=large)
    for label in ("", "Primary", "Unheard of", "Unknown"):
        factories.AssociationFactory(mapping=large, label=label)
    ContentType.objects.clear_cache()
    with django_assert_max_num_queries(14):
        response = boss.get(pages.of(large))
    html = response.content.decode()
    assert html.count('list="crmsync-remote"') >= 300
    assert html.count("</span> safe</span>") >= 300


def _inputs_of(shown, remote: str) -> str:
    """The prefix of a property's row."""
    formset = shown.context["inline_admin_formsets"][1].formset
    return next(form.prefix for form in formset.forms if form.initial.get("remote") == remote)


def test_one_of_300_rows_is_saved_and_no_other_is_asked_about(boss, pages, large):
    """L17: one form, one POST, one UPDATE of a row; the queries do not grow with the rows."""
    shown = boss.get(pages.of(large))
    data = pages.fill(shown, **{f"{_inputs_of(shown, 'p9')}-local": "job_title"})
    with CaptureQueriesContext(connection) as seen:
        response = boss.post(pages.of(large), data)
    assert response.status_code == 302
    assert large.fields.get(remote="p9").local == "job_title"
    assert large.fields.filter(local="city").count() == 299
    sql = [one["sql"] for one in seen.captured_queries]
    assert sum('UPDATE "crmsync_fieldmapping"' in one or "UPDATE `crmsync_fieldmapping`" in one for one in sql) == 1
    assert len(sql) < 70


def test_a_row_of_another_mapping_is_refused(boss, pages, large):
    """The ids in a form are looked up among the mapping's own rows."""
    other = factories.FieldMappingFactory(local="city", remote="town")
    shown = boss.get(pages.of(large))
    data = pages.fill(shown, **{f"{_inputs_of(shown, 'p9')}-id": other.pk, f"{_inputs_of(shown, 'p9')}-local": "bio"})
    assert boss.post(pages.of(large), data).status_code == 200
    other.refresh_from_db()
    assert other.local == "city"


@pytest.fixture
def tight(large, settings) -> Mapping:
    """Where the host allows as few inputs as Django by itself."""
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
    return large


def test_more_rows_than_a_form_may_hold_are_linked_and_the_form_still_saves(boss, pages, tight, settings):
    shown = boss.get(pages.of(tight))
    assert "Set DATA_UPLOAD_MAX_NUMBER_FIELDS to 3486 or more" in shown.content.decode()
    assert shown.content.decode().count("city ↔ p") == 300
    data = pages.fill(shown, **{"fields-0-local": "job_title", "fields-0-remote": "p7", "fields-0-direction": "pull"})
    assert len(data) < settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
    assert boss.post(pages.of(tight), data).status_code == 302
    assert tight.fields.count() == 304


def test_a_row_added_to_hidden_ones_must_not_write_what_another_writes(boss, pages, tight):
    row = {"fields-0-local": "job_title", "fields-0-remote": "p7", "fields-0-direction": "push"}
    html = boss.post(pages.of(tight), pages.fill(boss.get(pages.of(tight)), **row)).content.decode()
    assert "Two rows write “p7” in HubSpot" in html


def test_a_live_mapping_whose_hidden_row_broke_goes_on_and_says_so(boss, pages, tight):
    """J14: the field waits alone."""
    RemoteProperty.objects.filter(name="p9").delete()
    _save(boss, pages, tight, label="New name")
    assert tight.state == "live"
    assert "no property p9 in HubSpot" in boss.get(pages.of(tight)).content.decode()


def test_a_live_mapping_that_cannot_work_at_all_is_paused_when_edited(boss, pages, tight, settings):
    settings.CRMSYNC = {**settings.CRMSYNC, "MODELS": ["demo.Organisation"]}
    response = _save(boss, pages, tight, label="New name")
    assert tight.state == "paused"
    assert "CRMSYNC['MODELS'] does not allow" in tight.problem
    assert "The mapping was paused." in said(response)


# --- Steps and verdicts -----------------------------------------------------------------------------------------


def test_the_steps_are_in_order_and_reached_by_anchors(boss, pages):
    """L16, U18: objects, match, fields, statuses, rules, associations, events, review; each inline in its step."""
    html = boss.get(pages.of(factories.make_mapping())).content.decode()
    names = ["Objects", "Match", "Fields", "Statuses", "Rules", "Associations", "Events", "Review"]
    places = [html.index(f">{number}. {name}</a>") for number, name in enumerate(names, 1)]
    assert places == sorted(places)
    steps = [html.index(f'id="crmsync-step-{number}"') for number in range(1, 9)]
    groups = {"fixed_values": 0, "match_keys": 1, "fields": 2, "associations": 5}
    for name, number in groups.items():
        assert steps[number] < html.index(f'id="{name}-group"') < steps[number + 1]
    assert html.index("Round-trip proof: every kind of value") > steps[7]


def _cells(response, name: str) -> dict[str, str]:
    """A readonly cell of each row, by property."""
    formset = response.context["inline_admin_formsets"][1]
    return {
        one.form.initial["remote"]: str(getattr(formset.opts, name)(one.form.instance))
        for one in formset
        if one.form.instance.pk
    }


def test_each_pair_shows_whether_it_is_safe_lossy_or_impossible_and_why(boss, pages, portal):
    """J2, X14, C35: in a sign and in words, with what both ends are; the note is beside it."""
    factories.RemotePropertyFactory(portal=portal, name="day", type="date", group="extra", is_unique=True)
    mapping = factories.MappingFactory(portal=portal, state="draft")
    rows = [("email", "email", True), ("last_seen_at", "day", True), ("birth_date", "num_notes", False)]
    for local, remote, is_active in rows:
        factories.FieldMappingFactory(
            mapping=mapping, local=local, remote=remote, is_active=is_active, direction="push", note=f"Why {local}"
        )
    shown = boss.get(pages.of(mapping))
    found = _cells(shown, "verdict")
    assert "✓</span> safe" in found["email"]
    assert "⚠</span> types differ" in found["day"]
    assert "does not reach HubSpot" in found["day"]
    for words in ("date and time", "↔ date", "group extra", "unique in HubSpot"):
        assert words in found["day"]
    assert "✗</span> off: impossible" in found["num_notes"]
    assert "Why email" in _cells(shown, "values")["email"]


def test_statuses_that_have_no_partner_are_counted(boss, pages, portal):
    """L16, X15: each field with choices on both sides, with the way to its value map."""
    options = [["LEAD", "Lead"], ["WON", "Won"]]
    factories.RemotePropertyFactory(portal=portal, name="hs_lead_status", type="enumeration", options=options)
    mapping = factories.MappingFactory(portal=portal, state="draft")
    row = factories.FieldMappingFactory(mapping=mapping, local="status", remote="hs_lead_status")
    factories.ValueMapEntryFactory(field=row, local_value="lead", remote_value="LEAD")
    html = boss.get(pages.of(mapping)).content.decode()
    step = html[html.index('id="crmsync-step-4"') : html.index('id="crmsync-step-5"')]
    assert f'<a href="{pages.of(row)}">status ↔ hs_lead_status</a>' in step
    assert "3 values" in step
    assert "customer, former, prospect: hold it back" in step
    assert "1 value" in step


def test_an_edit_of_a_live_mapping_says_what_changed_and_whom_it_concerns(boss, pages):
    """L16: the new revision, the change in words, the number of linked records."""
    mapping = factories.make_mapping()
    factories.LinkFactory.create_batch(3, mapping=mapping)
    _save(boss, pages, mapping, label="New name")
    response = _save(boss, pages, mapping, **{"fields-1-direction": "push"})
    assert "Revision 3: " in said(response)
    assert "first_name ↔ firstname › direction" in said(response)
    assert "3 linked records" in said(response)
    assert "3 linked records" in response.content.decode()


def test_every_automatic_flow_shows_its_switch(boss, pages):
    """X9: mapping, directions, fields, rules and associations."""
    mapping = factories.make_mapping(state="paused", held="push")
    mapping.fields.filter(local="email").update(is_active=False)
    factories.SyncRuleFactory(mapping=mapping, is_active=False)
    factories.AssociationFactory(mapping=mapping)
    html = boss.get(pages.of(mapping)).content.decode()
    for words in ("Fields switched on: 2 of 3", "pushes held", "paused", 'name="associations-0-is_active"'):
        assert words in html
    assert "–</span> off" in html[html.index('id="crmsync-step-5"') : html.index('id="crmsync-step-6"')]


def test_a_new_row_of_a_lifecycle_stage_moves_forward_only(boss, pages, portal):
    """A17"""
    options = [["lead", "Lead"], ["customer", "Customer"]]
    factories.RemotePropertyFactory(portal=portal, name="lifecyclestage", type="enumeration", options=options)
    rows = [{"local": "status", "remote": "lifecyclestage"}, {"local": "email", "remote": "email"}]
    assert boss.post(pages.add("mapping"), _new(pages, boss, portal, *rows)).status_code == 302
    found = dict(FieldMapping.objects.values_list("remote", "movement"))
    assert found == {"lifecyclestage": "forward", "email": "any"}
