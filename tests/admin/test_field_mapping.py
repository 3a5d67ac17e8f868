"""A field mapping's own page: its values on both sides and its value map."""

import pytest

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
    line = {"value_map-0-local_value": "lead", "value_map-0-remote_value": "OLD", "value_map-0-direction": "pull"}
    assert _save(boss, pages, row, **line).status_code == 302


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
