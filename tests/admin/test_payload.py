"""Values of records: only for those who may see them, and looking leaves a trace."""

import logging

import pytest

from crmsync.admin import payload
from tests import factories

CHANGES = [{"side": "remote", "field": "firstname", "old": "Augusta", "new": "Ada", "rule": "local_changed"}]


@pytest.fixture
def entry(db):
    return factories.LogEntryFactory(changes=CHANGES, detail='"Augusta" is not an option of firstname: add it.')


@pytest.fixture
def conflict(db):
    return factories.ConflictFactory(local_value="Augusta", remote_value="Ada", base_local="Gusta")


def test_an_auditor_sees_the_changes_of_a_log_entry(staff, pages, entry):
    html = staff("view_logentry", "view_payload").get(pages.of(entry)).content.decode()
    for text in ("firstname", "<td>Augusta</td>", "<td>Ada</td>", "changed in Django", "HubSpot"):
        assert text in html


def test_a_viewer_sees_only_the_names_of_changed_fields(staff, pages, entry):
    viewer = staff("view_logentry")
    html = viewer.get(pages.of(entry)).content.decode() + viewer.get(pages.list("logentry")).content.decode()
    assert "HubSpot: firstname" in html
    assert "is not an option of firstname" in html
    assert "Augusta" not in html
    assert ">Ada<" not in html


def test_an_auditor_sees_the_values_of_a_conflict(staff, pages, conflict):
    html = staff("view_conflict", "view_payload").get(pages.of(conflict)).content.decode()
    assert all(value in html for value in ("Augusta", "Ada", "Gusta"))


def test_a_viewer_does_not_see_the_values_of_a_conflict(staff, pages, conflict):
    viewer = staff("view_conflict")
    html = viewer.get(pages.of(conflict)).content.decode() + viewer.get(pages.list("conflict")).content.decode()
    assert "hidden: needs the permission" in html
    assert not any(value in html for value in ("Augusta", "Gusta"))


def test_looking_at_values_leaves_a_trace_without_them(staff, pages, entry, caplog):
    caplog.set_level(logging.INFO, logger="crmsync")
    staff("view_logentry").get(pages.of(entry))
    assert not caplog.records
    staff("view_logentry", "view_payload").get(pages.of(entry))
    (record,) = caplog.records
    assert (record.model, record.row) == ("crmsync.LogEntry", entry.pk)
    assert "Augusta" not in caplog.text


@pytest.mark.parametrize(
    ("message", "code", "shown"),
    [
        ('No value for "a "b" c": add it.', "field.x", "No value for “•••”: add it."),
        ("Value 'x' is not a valid choice.", "local.validation", "Value “•••” is not a valid choice."),
        ("“x” is bad.", "", "“•••” is bad."),
        ("Mapping “x” is bad.", "mapping.invalid", "Mapping “x” is bad."),
        ("Nothing is quoted here.", "", "Nothing is quoted here."),
    ],
)
def test_everything_quoted_is_taken_out(message, code, shown):
    assert payload.without_values(message, code) == shown


def test_remote_text_is_escaped(staff, pages):
    entry = factories.LogEntryFactory(
        reason="<b>", changes=[{"side": "local", "field": "x", "old": "<img src=x>", "new": None, "rule": "?"}]
    )
    html = staff("view_logentry", "view_payload").get(pages.of(entry)).content.decode()
    assert "<img src=x>" not in html
    assert "&lt;img src=x&gt;" in html
