"""The step of a mapping's page that says what happens by itself, and which switch stops it."""

import re

import pytest

from crmsync.models import Mapping
from tests import factories


def lines(client, pages, mapping) -> list[list[str]]:
    """The table's cells without markup: event, what follows, state, switch."""
    html = client.get(pages.of(mapping)).content.decode()
    table = html.partition('aria-label="What happens by itself"')[2].partition("</table>")[0]
    rows = re.findall(r"<tr>(.*?)</tr>", table.partition("<tbody>")[2], re.DOTALL)
    cells = [re.findall(r"<td>(.*?)</td>", row, re.DOTALL) for row in rows]
    return [[" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in row] for row in cells]


@pytest.fixture
def mapping(db) -> Mapping:
    return factories.make_mapping()


def test_every_reaction_in_either_direction_stands_in_one_place(boss, pages, mapping):
    """U18, X9: made, changed, deleted and associated, each side, each with its own switch."""
    found = lines(boss, pages, mapping)
    events = ["made", "changed", "deleted", "associated"]
    assert [row[0] for row in found] == [
        f"is {event} in {side}" for side in ("Django", "HubSpot") for event in events
    ]
    html = boss.get(pages.of(mapping)).content.decode()
    for target in ("id_creates_remote", "id_deletes_remote", "id_deletes_local", "crmsync-step-3", "crmsync-step-6"):
        assert f'href="#{target}"' in html
        assert html.count(f'id="{target}"') == 1


@pytest.mark.parametrize(
    ("facts", "line", "words"),
    [
        ({"creates_remote": False}, 0, "where there is none, nothing is made – off"),
        ({"creates_remote": True}, 0, "where there is none, one is made ✓ on"),
        ({"creates_local": False}, 4, "where there is none, nothing is made – off"),
        ({}, 1, "3 fields follow in HubSpot ✓ on"),
        ({}, 5, "3 fields follow in Django ✓ on"),
        ({"deletes_remote": "unlink", "deletes_local": "archive"}, 2, "its partner in HubSpot stays – off"),
        (
            {"deletes_local": "archive"},
            6,
            "its partner in Django is archived or deleted, unless it was edited since ✓ on",
        ),
        (
            {"direction": "pull"},
            0,
            "is touched in any way in Django nothing: the mapping does not flow this way",
        ),
        ({"state": "draft"}, 1, "3 fields follow in HubSpot … on, once the mapping is live"),
        ({}, 3, "0 relations follow in HubSpot – off"),
    ],
)
def test_it_says_what_follows_as_the_mapping_is_saved(boss, pages, mapping, facts, line, words):
    """X9: on, off, or on once the mapping is live."""
    Mapping.objects.update(**facts)
    assert words in " ".join(lines(boss, pages, mapping)[line])


def test_rows_associations_and_rules_are_counted_as_they_flow(boss, pages, mapping):
    """X9: what is switched off in its own row does not count."""
    mapping.fields.filter(local="email").update(direction="push")
    mapping.fields.filter(local="first_name").update(is_active=False)
    factories.AssociationFactory(mapping=mapping, direction="pull")
    rule = factories.SyncRuleFactory(mapping=mapping, direction="push")
    factories.RuleConditionFactory(rule=rule)
    said = [" ".join(row) for row in lines(boss, pages, mapping)]
    assert "1 sync rule decides for which" in said[0]
    assert "2 fields follow in HubSpot" in said[1]
    assert "0 relations follow in HubSpot" in said[3]
    assert "sync rule" not in said[4]
    assert "1 field follows in Django" in said[5]
    assert "1 relation follows in Django" in said[7]


def test_nothing_syncs_until_it_is_switched_on(boss, pages, mapping):
    """X9: said where the switches are."""
    Mapping.objects.update(state="draft")
    assert "Nothing of it happens until the mapping is switched on" in boss.get(pages.of(mapping)).content.decode()


def test_the_switches_are_also_there_before_it_is_saved(boss, pages, db):
    """U18: the dialog of a new mapping asks in the same order."""
    html = boss.get(pages.add("mapping")).content.decode()
    places = [
        html.index(f'id="id_{name}"') for name in ("direction", "creates_remote", "creates_local", "deletes_remote")
    ]
    assert places == sorted(places)
    assert html.index("6. Associations") < places[1]
