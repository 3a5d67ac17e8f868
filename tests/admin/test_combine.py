"""Combined value maps: the fields chosen by name, and one line a combination."""

import re

import pytest
from django.contrib.admin.models import LogEntry as History

from crmsync.models import FieldMapping, Mapping, ValueMapEntry
from tests import factories
from tests.admin.conftest import said


@pytest.fixture
def row(db) -> FieldMapping:
    """A status with choices here, a stage with options there."""
    mapping = factories.make_mapping()
    options = [["lead", "Lead"], ["customer", "Customer"]]
    factories.RemotePropertyFactory(portal=mapping.portal, name="stage", type="enumeration", options=options)
    return factories.FieldMappingFactory(mapping=mapping, local="status", remote="stage", position=9)


PARTS = {"part": ["status", "lead_source"]}


def url_of(pages, row) -> str:
    return pages.at("fieldmapping_combine", row.pk)


def send(client, pages, row, *lines: tuple[str, ...], parts=("status", "lead_source"), **more):
    """Post lines (value, value, target) as the form would."""
    row.mapping.refresh_from_db()
    data = {"part": list(parts), "revision": str(row.mapping.revision), **more}
    for number, (*values, target) in enumerate(lines):
        data |= {f"value-{number}-{place}": value for place, value in enumerate(values)}
        data[f"to-{number}"] = target
    return client.post(url_of(pages, row), data, follow=True)


def stored(row) -> set[tuple[str, str, str]]:
    return set(row.value_map.values_list("local_value", "remote_value", "direction"))


def test_fields_are_chosen_by_name_and_each_line_has_a_select_for_each(boss, pages, row):
    """A29, L9: nothing is typed where the values are known, and nothing needs JavaScript."""
    html = boss.get(url_of(pages, row), PARTS).content.decode()
    assert html.count('<select name="part"') == 3
    assert re.search(r'<option selected value="lead_source">', html)
    for name, label in (
        ("value-0-0", "status, line 1"),
        ("value-0-1", "lead_source, line 1"),
        ("to-0", "stage, line 1"),
    ):
        assert f'<select name="{name}" aria-label="{label}">' in html
    assert '<option value="fair">Trade fair</option>' in html
    assert '<option value="customer">Customer</option>' in html
    assert not FieldMapping.objects.get(pk=row.pk).value_map.exists()


def test_a_line_for_every_combination_is_offered(boss, pages, row):
    """A29"""
    shown = boss.get(url_of(pages, row), {**PARTS, "every": "1"})
    count = shown.context["count"]
    assert count > 4
    assert len(shown.context["rows"]) == count + 3
    assert f"There are {count} combinations, {count} of them have no line." in shown.content.decode()


def test_the_table_is_stored_as_one_edit(boss, pages, row):
    """A29, P7: the fields, their lines and the direction; the revision grows once, with the person."""
    before = row.mapping.revision
    answer = send(boss, pages, row, ("lead", "fair", "lead"), ("customer", "", "customer"), ("", "", ""))
    assert "2 combinations" in said(answer)
    row.refresh_from_db()
    assert (row.local, row.direction) == ("status+lead_source", "push")
    assert stored(row) == {("lead + fair", "lead", "push"), ("customer +", "customer", "push")}
    mapping = Mapping.objects.get()
    assert mapping.revision == before + 1
    assert mapping.steps.first().by_id == int(boss.session["_auth_user_id"])
    assert History.objects.filter(object_id=str(row.pk)).count() == 1


def test_stored_lines_are_shown_again_and_can_go(boss, pages, row):
    """A29: also one with a blank part; a line without a target is not stored; what stays is not made anew."""
    send(boss, pages, row, ("lead", "fair", "lead"), ("customer", "", "customer"))
    kept = ValueMapEntry.objects.get(remote_value="lead").pk
    shown = boss.get(url_of(pages, row))
    cells = [[cell.value for cell in line] for line in shown.context["rows"]]
    assert cells[:2] == [["lead", "fair", "lead"], ["customer", "", "customer"]]
    send(boss, pages, row, ("lead", "fair", "lead"), ("customer", "", ""))
    assert stored(row) == {("lead + fair", "lead", "push")}
    assert ValueMapEntry.objects.get().pk == kept


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([("lead", "fair", "nowhere")], "Line 1: “nowhere” is not one of: customer, lead."),
        ([("lead", "fair", "lead"), ("lead", "fair", "customer")], "Line 2: “lead + fair” is there twice."),
        ([("", "", "lead")], "Line 1: choose the values that become “lead”."),
    ],
)
def test_a_line_that_cannot_be_is_told_and_nothing_is_stored(boss, pages, row, lines, words):
    html = send(boss, pages, row, *lines).content.decode()
    assert words in html
    assert 'role="alert"' in html
    row.refresh_from_db()
    assert (row.local, row.value_map.count(), row.mapping.revision) == ("status", 0, 1)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (("status", "nothing"), "nothing"),
        (("status", "lead_source", "email", "city"), "Combine at most 3"),
    ],
)
def test_fields_that_cannot_be_combined_are_refused(boss, pages, row, parts, words):
    """A29"""
    assert words in boss.get(url_of(pages, row), {"part": parts}).content.decode()
    assert words in send(boss, pages, row, parts=parts).content.decode()
    row.refresh_from_db()
    assert row.local == "status"


def test_lines_of_other_fields_are_named_before_they_go(boss, pages, row):
    factories.ValueMapEntryFactory(field=row, local_value="former", remote_value="lead")
    html = boss.get(url_of(pages, row), PARTS).content.decode()
    assert "go when the table is saved: former" in html


def test_lines_from_hubspot_stay(boss, pages, row):
    factories.ValueMapEntryFactory(field=row, local_value="former", remote_value="lead", direction="pull")
    send(boss, pages, row, ("lead", "fair", "lead"))
    assert ("former", "lead", "pull") in stored(row)


def test_an_edit_by_somebody_else_meanwhile_is_not_overwritten(boss, pages, row):
    html = send(boss, pages, row, ("lead", "fair", "lead"), revision="0").content.decode()
    assert "Somebody else changed this mapping" in html
    assert not row.value_map.exists()


def test_it_needs_the_permission_to_change_the_row(staff, pages, row):
    viewer = staff("view_fieldmapping")
    assert viewer.get(url_of(pages, row)).status_code == 403
    assert send(viewer, pages, row, ("lead", "fair", "lead")).status_code == 403
    assert url_of(pages, row) not in viewer.get(pages.of(row)).content.decode()
    assert url_of(pages, row) in staff("view_fieldmapping", "change_fieldmapping").get(pages.of(row)).content.decode()


def test_a_mapping_kept_in_a_file_is_not_edited_here(boss, pages, row):
    Mapping.objects.update(locked_by="crm.json")
    assert boss.get(url_of(pages, row)).status_code == 403


def test_the_page_of_a_row_says_where_it_is_done(boss, pages, row):
    """A29"""
    assert f'href="{url_of(pages, row)}"' in boss.get(pages.of(row)).content.decode()
