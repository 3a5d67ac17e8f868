"""Configuration as text and as a difference. No database."""

import dataclasses
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsync.engine import config, configdiff, configtext, terms

Named, Kind = config.Named, config.NameKind
WON = Named(Kind.STAGE, "Closed won", "Sales")
STATUS = config.FieldConfig(
    "status",
    "dealstage",
    direction=terms.Direction.PUSH,
    value_map=(config.ValueConfig("won", WON), config.ValueConfig("lost", "closedlost")),
)
FRANCE = config.ConditionConfig(terms.SideName.REMOTE, "country", terms.Operator.EQUALS, "France")
TEAM = config.ConditionConfig(
    terms.SideName.REMOTE, "hubspot_owner_id", terms.Operator.IN, (Named(Kind.OWNER, "ann@example.com"),)
)
DEALS = config.MappingConfig(
    "Deals",
    "demo.Opportunity",
    "deals",
    match_keys=(config.MatchConfig("name", "dealname"),),
    fields=(config.FieldConfig("name", "dealname"), STATUS),
    rules=(config.RuleConfig("French", conditions=(FRANCE, TEAM)),),
)
PEOPLE = config.MappingConfig("People", "demo.Person", "contacts", uses_save=False)

FILE = """\
{
  "crmsync": 1,
  "mappings": [
    {
      "fields": [
        {"local": "name", "remote": "dealname"},
        {
          "direction": "push",
          "local": "status",
          "remote": "dealstage",
          "value_map": [
            {"local": "won", "remote": {"pipeline": "Sales", "stage": "Closed won"}},
            {"local": "lost", "remote": "closedlost"}
          ]
        }
      ],
      "match_keys": [
        {"local": "name", "remote": "dealname"}
      ],
      "model": "demo.Opportunity",
      "name": "Deals",
      "object_type": "deals",
      "rules": [
        {
          "conditions": [
            {"field": "country", "side": "remote", "value": "France"},
            {"field": "hubspot_owner_id", "operator": "in", "side": "remote", "value": [{"owner": "ann@example.com"}]}
          ],
          "name": "French"
        }
      ]
    },
    {
      "fields": [],
      "model": "demo.Person",
      "name": "People",
      "object_type": "contacts",
      "uses_save": false
    }
  ]
}
"""


def test_the_documented_file_is_one() -> None:
    """F9: the example of docs/configuration.md, in the very form that export writes."""
    text = (Path(__file__).resolve().parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```json\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    assert configtext.to_text(configtext.from_text(example)) == example


def refused(text: str) -> list[str]:
    with pytest.raises(config.ConfigError) as caught:
        configtext.from_text(text)
    return [str(one) for one in caught.value.problems]


def test_a_file_has_sorted_keys_and_a_row_a_line() -> None:
    """F9: stable and diff-friendly, whatever the order of the mappings."""
    assert configtext.to_text([PEOPLE, DEALS]) == FILE
    assert configtext.to_text([DEALS, PEOPLE]) == FILE


def test_a_file_is_read_as_it_was_written() -> None:
    """F9."""
    assert configtext.from_text(FILE) == (DEALS, PEOPLE)
    assert configtext.from_text("\ufeff" + FILE) == (DEALS, PEOPLE)


texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=40).filter(str.strip)
named = st.builds(Named, st.just(Kind.STAGE), texts, texts) | st.builds(
    Named, st.sampled_from([kind for kind in Kind if kind is not Kind.STAGE]), texts
)
fields = st.builds(
    config.FieldConfig,
    local=texts,
    remote=texts,
    note=st.text("abc ", max_size=20),
    value_map=st.lists(st.builds(config.ValueConfig, texts | named, texts | named), max_size=3, unique=True).map(
        tuple
    ),
    is_active=st.just(False),
)
rules = st.builds(
    config.RuleConfig,
    name=texts,
    conditions=st.lists(
        st.builds(
            config.ConditionConfig, field=texts, value=texts | named | st.lists(texts | named, min_size=1).map(tuple)
        ),
        max_size=3,
    ).map(tuple),
)
mappings = st.builds(
    config.MappingConfig,
    name=texts,
    model=texts,
    object_type=texts,
    fields=st.lists(fields, max_size=3, unique_by=str).map(tuple),
    match_keys=st.just(()),
    rules=st.lists(rules, max_size=2, unique_by=lambda one: one.name).map(tuple),
)


@given(st.lists(mappings, max_size=3, unique_by=lambda one: one.name))
def test_whatever_is_written_is_read_and_written_the_same(given) -> None:
    """F9: the same configuration, the same bytes."""
    text = configtext.to_text(given)
    again = configtext.from_text(text)
    assert sorted(again, key=lambda one: one.name) == sorted(given, key=lambda one: one.name)
    assert configtext.to_text(again) == text
    assert configdiff.compare(given, again, prune=True) == ()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "This is not JSON"),
        ("{", "This is not JSON"),
        ("[" * 100_000, "This is not JSON"),
        ("[]", "This is no configuration of crmsync"),
        ('{"crmsync": true}', "This is no configuration of crmsync"),
        ('{"crmsync": 2, "mappings": []}', "crmsync: The file has format 2"),
        ('{"crmsync": 1, "crmsync": 1}', "The key “crmsync” is there twice"),
        ('{"crmsync": 1, "mappings": {}}', "mappings: A list is wanted here"),
        ('{"crmsync": 1, "mappings": [], "mapping": []}', "mapping: This key is not known"),
        ('{"crmsync": 1}', "mappings: A list is wanted here"),
        ('{"crmsync": 1, "mappings": [7]}', "mappings[1]: An object {…} is wanted here"),
    ],
)
def test_what_is_no_file_is_refused_in_a_sentence(text: str, sentence: str) -> None:
    """F9."""
    (problem,) = refused(text)
    assert problem.startswith(sentence)
    assert "Traceback" not in problem


def test_all_that_is_wrong_is_told_at_once() -> None:
    """F9: with its place, so that one edit mends it."""
    one = {"name": "A", "model": "demo.Person", "object_type": "", "direction": "up", "creates_local": 1, "colour": 1}
    one["fields"] = [{"local": "email"}, {"local": "x" * 151, "remote": "a\x00b"}]
    one["rules"] = [{"name": "R", "conditions": [{"side": "remote", "field": "f", "value": {"stage": "Won"}}]}]
    problems = refused(json.dumps({"crmsync": 1, "mappings": [one]}))
    places = [problem.partition(": ")[0].removeprefix("mappings[1] “A”.") for problem in problems]
    assert places == [
        "colour",
        "object_type",
        "direction",
        "creates_local",
        "fields[1].remote",
        "fields[2].local",
        "fields[2].remote",
        "rules[1] “R”.conditions[1].value",
    ]
    assert '"up" is not one of: push, pull, both.' in problems[2]


def changed(**values: object) -> config.MappingConfig:
    return dataclasses.replace(DEALS, **values)


@pytest.mark.parametrize(
    ("mappings", "sentence"),
    [
        ((PEOPLE, PEOPLE), "Two mappings have this name."),
        ((changed(fields=(STATUS, STATUS)),), "The field status ↔ dealstage is there twice."),
        ((changed(match_keys=DEALS.match_keys * 2),), "The match key name = dealname is there twice."),
        ((changed(rules=DEALS.rules * 2),), "Two sync rules are named “French”."),
        (
            (changed(fields=(config.FieldConfig("a", "x"), config.FieldConfig("a", "y"))),),
            "Two fields write “a” in Django.",
        ),
        (
            (changed(fields=(config.FieldConfig("a", "x"), config.FieldConfig("b", "x"))),),
            "Two fields write “x” in HubSpot.",
        ),
        (
            (changed(rules=(config.RuleConfig("R", conditions=(dataclasses.replace(FRANCE, value=""),)),)),),
            "A condition of the rule “R” on “country” has no value.",
        ),
    ],
)
def test_what_contradicts_itself_is_refused(mappings, sentence: str) -> None:
    """F9: what no portal could take."""
    assert any(sentence in problem for problem in refused(configtext.to_text(mappings)))


def lines(old, new, *, prune: bool = False) -> list[str]:
    return [str(one) for one in configdiff.compare(old, new, prune=prune)]


def test_a_difference_names_exactly_what_differs() -> None:
    """F9: field by field, in both directions."""
    pull = dataclasses.replace(STATUS, direction=terms.Direction.PULL, value_map=STATUS.value_map[1:])
    other = changed(deletes_local=terms.DeletePolicy.ARCHIVE, fields=(DEALS.fields[0], pull), rules=())
    assert lines([DEALS], [other]) == [
        '~ Deals › deletes_local: "unlink" → "archive"',
        '~ Deals › status ↔ dealstage › direction: "push" → "pull"',
        f"- Deals › status ↔ dealstage › value map: {configtext.to_line(STATUS.value_map[0])}",
        f"- Deals › rule “French”: {configtext.to_line(DEALS.rules[0])}",
    ]
    assert [line[0] for line in lines([other], [DEALS])] == ["~", "~", "+", "+"]


def test_a_new_mapping_is_shown_with_all_its_parts() -> None:
    """F9: what apply would make."""
    assert [line.partition(": ")[0] for line in lines([], [DEALS])] == [
        "+ Deals",
        "+ Deals › match key",
        "+ Deals › name ↔ dealname",
        "+ Deals › status ↔ dealstage",
        "+ Deals › rule “French”",
    ]


def test_a_mapping_that_the_file_lacks_is_left_alone() -> None:
    """F9: unless told otherwise."""
    assert lines([DEALS], []) == []
    assert lines([DEALS], [], prune=True) == ["- Deals"]


def test_order_is_a_difference_where_it_decides() -> None:
    """F9: match keys are tried in order; conditions and rules have none."""
    (french,) = DEALS.rules
    turned = dataclasses.replace(french, conditions=french.conditions[::-1])
    assert lines([DEALS], [changed(rules=(turned,))]) == []
    assert lines([DEALS], [changed(fields=DEALS.fields[::-1])]) == [
        "~ Deals › order of the fields: name ↔ dealname, status ↔ dealstage → status ↔ dealstage, name ↔ dealname"
    ]


def test_a_unified_difference_has_both_sides() -> None:
    """F9."""
    (change,) = configdiff.compare([DEALS], [changed(uses_save=False)])
    assert list(change.unified()) == ["-Deals › uses_save: true", "+Deals › uses_save: false"]
