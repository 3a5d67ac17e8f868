"""Fields that HubSpot owns, marked in the host's own admin pages."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crmsync.models import FieldMapping, Mapping
from project.demo.models import Person
from tests import factories


@pytest.fixture
def person(db) -> Person:
    mapping = factories.make_mapping(direction="both")
    mapping.fields.filter(local="last_name").update(direction="pull")
    return Person.objects.create(email="p@example.com")


def _html(boss, person: Person) -> str:
    return boss.get(f"/admin/demo/person/{person.pk}/change/").content.decode()


def test_a_field_that_only_comes_from_hubspot_has_a_badge(boss, person):
    """U10: in the label and in words; a field that goes both ways has none."""
    html = _html(boss, person)
    assert html.count("crmsync-hubspot") == 1
    assert "This value comes from HubSpot" in html
    assert "crmsync/admin.css" in html
    label = html[html.index('for="id_last_name"') :]
    assert label.index("crmsync-hubspot") < label.index("</label>")


@pytest.mark.parametrize(
    ("rows", "facts"),
    [(Mapping, {"state": "paused"}), (Mapping, {"direction": "push"}), (FieldMapping, {"is_active": False})],
)
def test_nothing_is_marked_that_hubspot_does_not_write(boss, person, rows, facts):
    """U10"""
    rows.objects.update(**facts)
    assert "crmsync-hubspot" not in _html(boss, person)


def test_a_mapping_that_only_pulls_owns_all_its_fields(boss, person):
    """U10"""
    Mapping.objects.update(direction="pull")
    assert _html(boss, person).count("crmsync-hubspot") == 3


def test_it_costs_one_query(boss, person):
    """U10"""
    with CaptureQueriesContext(connection) as found:
        _html(boss, person)
    assert sum("crmsync_fieldmapping" in one["sql"] for one in found) == 1


def test_an_add_form_is_marked_too(boss, person):
    """U10"""
    assert "crmsync-hubspot" in boss.get("/admin/demo/person/add/").content.decode()
