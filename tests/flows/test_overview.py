"""The object table: every mapping with its arrow, as text for people and as JSON for programs."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from crmsync.flows import overview
from tests import factories


@pytest.fixture
def mappings(db) -> list:
    """One a direction, in two portals; ended links and rows that are off do not count."""
    north, south = factories.PortalFactory(label="North"), factories.PortalFactory(label="South")
    people = factories.make_mapping(portal=north, label="People")
    factories.FieldMappingFactory(mapping=people, local="city", remote="city", direction="push")
    factories.FieldMappingFactory(mapping=people, local="bio", remote="bio", is_active=False)
    factories.LinkFactory.create_batch(2, mapping=people)
    factories.LinkFactory(mapping=people, state="ended")
    deals = factories.MappingFactory(
        portal=north,
        label="Sales",
        model_label="demo.Opportunity",
        object_type="deals",
        direction="push",
        state="draft",
    )
    firms = factories.MappingFactory(
        portal=south, label="Firms", model_label="demo.Organisation", object_type="companies", direction="pull"
    )
    return [people, deals, firms]


def said(*args: str) -> str:
    out = StringIO()
    call_command("crmsync_overview", *args, stdout=out)
    return out.getvalue()


def test_the_table_has_an_arrow_for_each_mapping(mappings) -> None:
    """A31: model, arrow, object type, state, fields each way, links."""
    lines = [line.split() for line in said().splitlines()]
    assert lines[1:] == [
        ["North", "People", "demo.Person", "↔", "contacts", "live", "4", "(→1", "↔3)", "2"],
        ["North", "Sales", "demo.Opportunity", "→", "deals", "draft", "0", "0"],
        ["South", "Firms", "demo.Organisation", "←", "companies", "live", "0", "0"],
    ]
    whole = said().splitlines()
    assert {line.index(arrow) for line, arrow in zip(whole[1:], "↔→←", strict=True)} == {
        whole[0].index("HubSpot") - 3
    }


def test_programs_read_it_as_json(mappings) -> None:
    """A31."""
    found = json.loads(said("--json"))
    assert [(one["model"], one["arrow"], one["object_type"]) for one in found] == [
        ("demo.Person", "↔", "contacts"),
        ("demo.Opportunity", "→", "deals"),
        ("demo.Organisation", "←", "companies"),
    ]
    assert (found[0]["fields"], found[0]["fields_by_direction"], found[0]["links"]) == (
        4,
        {"push": 1, "pull": 0, "both": 3},
        2,
    )


def test_one_portal_alone(mappings) -> None:
    assert [one["mapping"] for one in json.loads(said("South", "--json"))] == ["Firms"]
    with pytest.raises(CommandError, match=r"There is no portal 'West'\. Portals: 'North', 'South'"):
        said("West")


@pytest.mark.django_db
def test_an_empty_table_says_what_to_do() -> None:
    assert "There is no mapping yet. Add one" in said()
    assert json.loads(said("--json")) == []


def test_it_needs_three_queries(mappings, django_assert_num_queries) -> None:
    with django_assert_num_queries(3):
        overview.rows()
