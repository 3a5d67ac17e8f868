"""A field mapping's own page: its values on both sides and its value map."""

import pytest

from crmsync.admin import field_mapping
from crmsync.models import FieldMapping, Mapping, ValueMapEntry
from tests import factories


@pytest.fixture
def row(db) -> FieldMapping:
    """A status with choices here, a stage with options there."""
    mapping = factories.make_mapping()
    options = [["lead", "Lead"], ["customer", "Customer"]]
    factories.RemotePropertyFactory(portal=mapping.portal, name="stage", type="enumeration", options=options)
    return factories.FieldMappingFactory(mapping=mapping, local="status", remote="stage", position=9)


def _save(boss, pages, row, **values):
    return boss.post(pages.of(row), pages.fill(boss.get(pages.of(row)), **values))


def test_the_values_of_both_sides_are_listed(boss, pages, row):
    html = boss.get(pages.of(row)).content.decode()
    assert "<td>former</td><td>Former customer</td>" in html
    assert "<td>customer</td><td>Customer</td>" in html


def test_a_value_map_line_is_saved_and_grows_the_revision(boss, pages, row):
    line = {
        "value_map-0-local_value": "former",
        "value_map-0-remote_value": "customer",
        "value_map-0-direction": "push",
    }
    assert _save(boss, pages, row, **line).status_code == 302
    assert ValueMapEntry.objects.values_list("local_value", "remote_value").get() == ("former", "customer")
    assert Mapping.objects.get().revision == 2


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ({"local_value": "lead", "remote_value": "Lead"}, "“Lead” is not one of: customer, lead."),
        ({"local_value": "Lead", "remote_value": "lead"}, "“Lead” is not one of: customer, former, lead, prospect."),
    ],
)
def test_a_value_that_no_side_knows_is_refused(boss, pages, row, line, words):
    data = {f"value_map-0-{name}": value for name, value in line.items()}
    assert words in _save(boss, pages, row, **data).content.decode()
    assert not ValueMapEntry.objects.exists()


def test_an_old_value_may_still_be_understood(boss, pages, row):
    line = {
        "value_map-2-0-local_value": "lead",
        "value_map-2-0-remote_value": "OLD",
        "value_map-2-0-direction": "pull",
    }
    assert _save(boss, pages, row, **line).status_code == 302
    assert ValueMapEntry.objects.values_list("local_value", "remote_value", "direction").get() == (
        "lead",
        "OLD",
        "pull",
    )


def test_stages_are_the_values_of_a_stage_property(boss, pages):
    mapping = factories.make_mapping(object_type="deals", model_label="demo.Opportunity", state="draft")
    factories.RemotePipelineFactory(portal=mapping.portal, label="Sales")
    factories.RemotePropertyFactory(portal=mapping.portal, object_type="deals", name="dealstage", type="enumeration")
    row = factories.FieldMappingFactory(mapping=mapping, local="status", remote="dealstage")
    assert "<td>closedwon</td><td>Sales: Won</td>" in boss.get(pages.of(row)).content.decode()


def test_an_edit_that_cannot_work_is_refused(boss, pages, row):
    assert "has no field" in _save(boss, pages, row, local="nothing").content.decode()
    assert Mapping.objects.get().revision == 1


def test_an_edit_grows_the_revision_and_none_does_not(boss, pages, row):
    _save(boss, pages, row)
    assert Mapping.objects.get().revision == 1
    _save(boss, pages, row, note="Asked by sales.")
    assert Mapping.objects.get().revision == 2


def test_deleting_rows_grows_the_revision_once(boss, pages, row):
    pages.act(boss, "delete_selected", row, row.mapping.fields.exclude(pk=row.pk).first())
    assert Mapping.objects.get().revision == 2
    assert FieldMapping.objects.count() == 2


def test_a_viewer_sees_the_row_without_inputs(staff, pages, row):
    html = staff("view_fieldmapping").get(pages.of(row)).content.decode()
    assert 'name="local"' not in html
    assert "stage" in html


def test_the_mappings_page_leads_to_the_value_map(boss, pages, row):
    factories.ValueMapEntryFactory(field=row)
    html = boss.get(pages.of(row.mapping)).content.decode()
    assert f'<a href="{pages.of(row)}" title="Value map of this row">1 mapped</a>' in html


# --- Two tables, and what they lack -----------------------------------------------------------------------------


def test_each_direction_has_its_own_table(boss, pages, row):
    """L5, L7, X15: on one screen, what is written chosen from what there is, with its labels."""
    factories.ValueMapEntryFactory(field=row, local_value="lead", remote_value="lead", direction="push")
    factories.ValueMapEntryFactory(field=row, local_value="former", remote_value="customer", direction="pull")
    response = boss.get(pages.of(row))
    sets = [one.formset for one in response.context["inline_admin_formsets"]]
    shown = [[form.instance.local_value for form in one.initial_forms] for one in sets]
    assert shown == [["lead"], ["former"]]
    html = response.content.decode()
    assert '<option value="customer">Customer</option>' in html
    assert '<option value="former" selected>' in html or '<option selected value="former">' in html
    assert '<datalist id="crmsync-local_value">' in html


def test_choices_without_a_line_are_named(boss, pages, row):
    """L9, X15: of each direction, with their labels, so that a new status is seen at once."""
    factories.ValueMapEntryFactory(field=row, local_value="lead", remote_value="lead", direction="both")
    html = boss.get(pages.of(row)).content.decode()
    assert "not mapped: Prospect (prospect), Customer (customer), Former customer (former)" in html
    assert "not mapped: Customer (customer)</div>" in html


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"unmapped": "default", "default_local": "lead"}, "default_remote", "Give the value"),
        ({"unmapped": "default", "default_remote": "lead", "default_local": "odd"}, "default_local", "is not one of"),
        ({"unmapped": "add", "direction": "pull"}, "unmapped", "sends nothing there"),
        ({"unmapped": "add", "remote": "email"}, "unmapped", "no options of its own"),
        ({"movement": "forward", "remote": "email"}, "movement", "no options in an order"),
        ({"throttle_minutes": "5", "direction": "pull"}, "throttle_minutes", "Only what is sent"),
    ],
)
def test_a_policy_that_cannot_work_is_refused_beside_its_field(boss, pages, row, values, field, words):
    """X14, A17, L15"""
    row.mapping.fields.filter(remote="email").delete()
    errors = _save(boss, pages, row, **values).context["adminform"].form.errors
    assert any(words in text for text in errors.get(field, [])), errors


def test_policies_are_saved(boss, pages, row):
    """X14, A17, L15"""
    values = {"unmapped": "default", "default_remote": "lead", "default_local": "former", "movement": "forward"}
    assert _save(boss, pages, row, **values, throttle_minutes="15").status_code == 302
    row.refresh_from_db()
    assert (row.unmapped, row.default_remote) == ("default", "lead")
    assert (row.movement, row.throttle_minutes) == ("forward", 15)


def test_a_combined_path_is_typed_and_its_combinations_are_offered(boss, pages, row):
    """A29, L9"""
    values = {"local": "status+lead_source", "direction": "push"}
    assert _save(boss, pages, row, **values).status_code == 302
    html = boss.get(pages.of(row)).content.decode()
    assert "<td>lead + fair</td><td>Lead + Trade fair</td>" in html


@pytest.mark.parametrize(
    ("path", "words"), [("status+nothing", "nothing"), ("status+", "blank part"), ("status+status", "twice")]
)
def test_a_combined_path_is_checked_part_by_part(boss, pages, row, path, words):
    """A29"""
    errors = _save(boss, pages, row, local=path, direction="push").context["adminform"].form.errors
    assert words in str(errors["local"])


def test_a_combination_is_only_read(boss, pages, row):
    """A29"""
    values = {"local": "status+lead_source", "direction": "both"}
    assert "cannot be written in Django" in str(_save(boss, pages, row, **values).context["adminform"].form.errors)
    values = {"remote": "stage+email", "direction": "push"}
    assert "lets nobody write" in str(_save(boss, pages, row, **values).context["adminform"].form.errors)


def test_a_note_is_shown_where_the_row_is(boss, pages, row):
    """C35: in the list of rows, and on the mapping's page."""
    FieldMapping.objects.filter(pk=row.pk).update(note="Asked by sales.")
    assert "Asked by sales." in boss.get(pages.list("fieldmapping")).content.decode()
    assert "Asked by sales." in boss.get(pages.of(row.mapping)).content.decode()


@pytest.mark.parametrize(
    ("whole", "own", "word"),
    [("push", "both", "Django"), ("pull", "both", "HubSpot"), ("both", "both", "both"), ("both", "push", "Django")],
)
def test_a_field_belongs_to_the_side_that_may_write_it(whole, own, word) -> None:
    """U10: a mapping that flows one way says so of each of its fields."""
    row = FieldMapping(mapping=Mapping(direction=whole), direction=own)
    assert word in field_mapping.owner_badge(row)


def test_defaults_are_suggested_and_combining_is_explained(boss, pages, row) -> None:
    """F6: the values of both sides are offered for the defaults, too."""
    shown = boss.get(pages.of(row)).content.decode()
    assert 'list="crmsync-local_value"' in shown.partition('name="default_local"')[2].partition(">")[0]
    assert "kind+status" in shown


@pytest.mark.parametrize(("query", "goes_to"), [("", "mapping"), ("?_changelist_filters=is_active%3D1", "list")])
def test_saving_a_row_leads_back_to_where_it_was_opened(boss, pages, row, query, goes_to):
    """L16: from the mapping's steps to a row and back; from a filtered list to that list."""
    url = pages.of(row) + query
    response = boss.post(url, pages.fill(boss.get(url), note="Why"))
    places = {"mapping": pages.of(row.mapping), "list": pages.list("fieldmapping") + "?is_active=1"}
    assert response.url == places[goes_to]
