"""Lint: each finding from the least facts that make it, and no finding of what fits or was not looked at."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from crmsync.engine import contract, findings, lint, rehearse, spec, terms
from crmsync.engine.findings import Code

PROBLEMS = Path(__file__).resolve().parents[2] / "docs" / "problems.md"
LOCAL, REMOTE = terms.LocalType, terms.RemoteType
TEXT = contract.Column(LOCAL.TEXT)
STRING = contract.Property(REMOTE.STRING)
STATUS = contract.Column(LOCAL.TEXT, choices=frozenset({"lead", "customer"}))
OPTIONS = contract.Property(REMOTE.ENUMERATION, options=frozenset({"NEW", "OPEN"}))
FULL_MAP = {"to_remote": {"lead": "NEW", "customer": "OPEN"}, "to_local": {"NEW": "lead", "OPEN": "customer"}}


def row(**facts: object) -> contract.Row:
    return contract.Row(**{"id": 7, "local": "city", "remote": "town", "column": TEXT, **facts})


def mapping(*rows: contract.Row, **facts: object) -> contract.MappingFacts:
    return contract.MappingFacts(**{"id": 1, "label": "People", "object_type": "contacts", "rows": rows, **facts})


def schema(town: contract.Property | None = STRING, **facts: object) -> contract.Schema:
    """``town`` and one more property, so that the object type was looked at."""
    known = {"email": contract.Property(REMOTE.STRING, is_unique=True)} | ({"town": town} if town else {})
    return contract.Schema(**{"properties": known, **facts})


def asked(name: str, operator: terms.Operator, value: str) -> contract.Named:
    """A condition or fixed value on a property."""
    return contract.Named("r", terms.SideName.REMOTE, name, "", operator, value)


def codes(one: contract.MappingFacts, known: contract.Schema) -> list[Code]:
    return [found.code for found in lint.check(one, known)]


def test_what_fits_has_no_finding() -> None:
    assert lint.check(mapping(row()), schema()) == ()


# --- Rows -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("town", "code"),
    [
        (None, Code.PROPERTY_MISSING),
        (replace(STRING, exists=False), Code.PROPERTY_ARCHIVED),
        (contract.Property(None), Code.TYPE_UNKNOWN),
        (replace(STRING, is_read_only=True), Code.READ_ONLY),
        (replace(STRING, is_calculated=True), Code.CALCULATED),
    ],
)
def test_a_property_that_cannot_be_used_is_an_error(town: contract.Property | None, code: Code) -> None:
    """F8, Fault 32: with the row that names it."""
    (found,) = lint.check(mapping(row()), schema(town))
    assert (found.code, found.severity, found.field_id, found.field) == (code, "error", 7, "city ↔ town")


def test_a_read_only_property_may_be_pulled() -> None:
    assert codes(mapping(row(pushes=False)), schema(replace(STRING, is_read_only=True))) == []


@pytest.mark.parametrize(
    ("column", "town", "code"),
    [
        (LOCAL.DATE, REMOTE.NUMBER, Code.TYPE_IMPOSSIBLE),
        (LOCAL.DATETIME, REMOTE.DATE, Code.TYPE_LOSSY),
        (LOCAL.DATE, REMOTE.DATETIME, Code.TYPE_LOSSY),
        (LOCAL.DECIMAL, REMOTE.STRING, Code.TYPE_LOSSY),
        (LOCAL.TEXT, REMOTE.NUMBER, Code.TYPE_LOSSY),
        (LOCAL.INTEGER, REMOTE.NUMBER, Code.TYPE_NARROW),
    ],
)
def test_types_that_differ(column: terms.LocalType, town: terms.RemoteType, code: Code) -> None:
    """X14, Fault 32: impossible pairs and pairs that hold values back."""
    assert codes(mapping(row(column=contract.Column(column))), schema(contract.Property(town))) == [code]


@pytest.mark.parametrize(("column", "town"), [(LOCAL.DATETIME, REMOTE.DATE), (LOCAL.TEXT, REMOTE.NUMBER)])
def test_only_the_direction_that_loses_is_told(column: terms.LocalType, town: terms.RemoteType) -> None:
    """X14: HubSpot's date fits a date and time, and its number a text."""
    assert codes(mapping(row(column=contract.Column(column), pushes=False)), schema(contract.Property(town))) == []


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"column": None, "refusal": "There is no field city."}, Code.LOCAL_FIELD),
        ({"column": contract.Column(LOCAL.TEXT, is_writable=False)}, Code.LOCAL_READ_ONLY),
    ],
)
def test_a_django_field_that_cannot_be_used(facts: dict[str, object], code: Code) -> None:
    assert codes(mapping(row(**facts)), schema()) == [code]


def test_a_full_value_map_has_no_finding() -> None:
    assert codes(mapping(row(column=STATUS, **FULL_MAP)), schema(OPTIONS)) == []


@pytest.mark.parametrize(
    ("maps", "options", "expected"),
    [
        (FULL_MAP, {"OPEN"}, [Code.OPTION_MISSING]),
        (FULL_MAP, {"NEW", "OPEN", "BAD"}, [Code.OPTION_UNMAPPED]),
        ({**FULL_MAP, "to_remote": {"lead": "NEW"}}, {"NEW", "OPEN"}, [Code.CHOICE_UNMAPPED]),
        ({**FULL_MAP, "to_local": {"NEW": "lead", "OPEN": "gone"}}, {"NEW", "OPEN"}, [Code.OPTION_UNMAPPED]),
        ({}, {"lead", "customer"}, []),
        ({}, {"lead"}, [Code.CHOICE_UNMAPPED]),
        ({}, {"lead", "customer", "BAD"}, [Code.OPTION_UNMAPPED]),
    ],
)
def test_options_and_choices(maps: dict[str, object], options: set[str], expected: list[Code]) -> None:
    """F8, L9, Faults 32, 33: what is sent without an option, and what comes without a choice."""
    found = codes(mapping(row(column=STATUS, **maps)), schema(replace(OPTIONS, options=frozenset(options))))
    assert found == expected


def test_a_stage_is_told_as_such() -> None:
    found = lint.check(mapping(row(to_remote={"won": "gone"})), schema(replace(OPTIONS, is_stage=True)))
    assert found[0].code is Code.STAGE_MISSING
    assert found[0].sentence == "The value map sends “gone”; town has no such pipeline or stage."


def test_options_that_are_kept_elsewhere_are_not_judged() -> None:
    """Pipelines that were not read, and owners, have none here."""
    assert codes(mapping(row(column=STATUS, **FULL_MAP)), schema(replace(OPTIONS, options=frozenset()))) == []


def test_of_many_values_only_some_are_named() -> None:
    many = frozenset(f"o{number}" for number in range(250))
    found = lint.check(mapping(row(column=STATUS, pushes=False)), schema(replace(OPTIONS, options=many)))
    assert found[0].sentence.endswith("“o102” and 244 more.")


@pytest.mark.parametrize(
    ("town", "expected"),
    [
        (STRING, [Code.LENGTH]),
        (replace(STRING, max_length=10), []),
        (replace(STRING, max_length=11), [Code.LENGTH]),
        (replace(OPTIONS, options=frozenset({"ten chars!"})), []),
        (replace(OPTIONS, options=frozenset({"eleven char"})), [Code.VALUE_TOO_LONG]),
    ],
)
def test_lengths(town: contract.Property, expected: list[Code]) -> None:
    """Fault 33: what a column cannot hold is told before it is held back."""
    column = contract.Column(LOCAL.TEXT, max_length=10)
    assert codes(mapping(row(column=column)), schema(town)) == expected
    assert codes(mapping(row(column=column, pulls=False)), schema(town)) == []


def test_two_rows_and_two_mappings_that_write_one_property() -> None:
    second = row(id=8, local="place", pulls=False)
    assert codes(mapping(row(), second), schema()) == [Code.WRITTEN_TWICE]
    assert codes(mapping(row(), replace(second, pushes=False, pulls=True)), schema()) == []
    (found,) = lint.check(mapping(row(), others={"town": ("Customers",)}), schema())
    assert (found.code, found.severity) == (Code.SHARED_TARGET, "warning")
    assert "“Customers”" in found.sentence


# --- The mapping, its keys and rules --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"model_refusal": "The model is not allowed."}, Code.MODEL),
        ({"missing_scopes": ("crm.objects.contacts.read",)}, Code.SCOPE),
        ({"missing_optional": ("crm.objects.owners.read",)}, Code.SCOPE_OPTIONAL),
        ({"local_required": ("organisation",)}, Code.LOCAL_REQUIRED),
        ({"keys": (contract.Named("k", terms.SideName.LOCAL, "mail", "There is no mail."),)}, Code.MATCH_KEY),
        ({"keys": (contract.Named("k", terms.SideName.REMOTE, "gone"),)}, Code.MATCH_KEY),
        ({"keys": (contract.Named("k", terms.SideName.REMOTE, "town"),)}, Code.MATCH_NOT_UNIQUE),
        ({"conditions": (contract.Named("r", terms.SideName.REMOTE, "gone"),)}, Code.CONDITION),
        ({"conditions": (contract.Named("r", terms.SideName.LOCAL, "x", "There is no x."),)}, Code.CONDITION),
        ({"conditions": (asked("town", terms.Operator.NEXT_DAYS, "7"),)}, Code.CONDITION),
        ({"conditions": (asked("town", terms.Operator.EQUALS, ""),)}, Code.CONDITION),
        ({"fixed": (asked("gone", terms.Operator.EQUALS, "x"),)}, Code.CONDITION),
        ({"key_property": "town"}, Code.KEY_PROPERTY),
        ({"key_property": "crmsync_key", "is_key_made": True}, Code.KEY_PROPERTY),
    ],
)
def test_what_is_about_the_whole_mapping(facts: dict[str, object], code: Code) -> None:
    """F8: no row to lead to."""
    (found,) = lint.check(mapping(row(), **facts), schema())
    assert (found.code, found.field_id) == (code, None)


@pytest.mark.parametrize(
    "facts",
    [
        {"keys": (contract.Named("k", terms.SideName.REMOTE, "email"),)},
        {"conditions": (contract.Named("r", terms.SideName.REMOTE, "town"),)},
        {"fixed": (asked("town", terms.Operator.EQUALS, "Bonn"),)},
        {"fixed": (contract.Named("f", terms.SideName.LOCAL, "kind"),), "local_required": ("kind",)},
        {"others": {"town": ("Customers",)}, "members": {"pipeline": "jobs"}},
        {"local_required": ("city",)},
        {"local_required": ("organisation",), "creates_local": False},
        {"key_property": "crmsync_key"},
        {"key_property": "email", "is_key_made": True},
        {"key_property": "town", "creates_remote": False},
    ],
)
def test_what_is_right_about_the_whole_mapping(facts: dict[str, object]) -> None:
    assert codes(mapping(row(), **facts), schema()) == []


def test_an_option_that_is_gone_from_a_rule_is_named_with_those_there_are() -> None:
    """C4, X16: a stage that was deleted in HubSpot is found before a record waits for it."""
    town = contract.Property(REMOTE.ENUMERATION, options=frozenset({"won", "lost"}))
    conditions = (asked("town", terms.Operator.IN, "won;paid"),)
    found = next(one for one in lint.check(mapping(row(), conditions=conditions), schema(town)) if one.field == "r")
    assert "“paid” is not one of: lost, won." in found.sentence


def test_a_mapping_without_rows_that_flow() -> None:
    assert codes(mapping(), schema()) == [Code.NOTHING_MAPPED]
    assert codes(mapping(row(pushes=False, pulls=False)), schema()) == [Code.NOTHING_MAPPED]


def test_nothing_is_missing_where_nobody_looked() -> None:
    keys = (contract.Named("k", terms.SideName.REMOTE, "gone"),)
    assert codes(mapping(row(), keys=keys, is_key_made=True, key_property="k"), contract.Schema()) == [
        Code.NOT_DISCOVERED
    ]


# --- What HubSpot demands ------------------------------------------------------------------------------------------


def rule(when: dict[str, set[str]] | None = None) -> rehearse.RuleFacts:
    kind = "REQUIRED" if when is None else "CONDITIONALLY_REQUIRED"
    return rehearse.RuleFacts("vat", kind, {name: frozenset(values) for name, values in (when or {}).items()})


@pytest.mark.parametrize(
    ("facts", "known", "expected"),
    [
        ({}, {"required": (("email", "firstname"),)}, [Code.REQUIRED]),
        ({}, {"required": (("email", "town"),)}, []),
        ({}, {"rules": (rule(),)}, [Code.REQUIRED]),
        ({"fixed": (contract.Named("f", terms.SideName.REMOTE, "email"),)}, {"required": (("email",),)}, []),
        ({}, {"rules": (rule(), rule()), "required": (("vat",),)}, [Code.REQUIRED]),
        ({}, {"rules": (rule({"stage": {"won"}}),)}, [Code.REQUIRED_WHEN]),
        ({"creates_remote": False}, {"rules": (rule(),), "required": (("email",),)}, []),
        ({"creates_remote": False}, {"rules": (rule({"stage": {"won"}}),)}, []),
        ({"creates_remote": False}, {"rules": (rule({"town": {"Bonn"}}),)}, [Code.REQUIRED_WHEN]),
        ({"pushes": False}, {"rules": (rule(), rule({"town": {"Bonn"}})), "required": (("email",),)}, []),
    ],
)
def test_required_properties(facts: dict[str, object], known: dict[str, object], expected: list[Code]) -> None:
    """Fault 32, F8: demanded of creates always; of updates where the mapping writes what the condition asks."""
    one = mapping(row(pushes=facts.get("pushes", True)), **facts)
    assert codes(one, schema(**known)) == expected


def test_a_rule_whose_property_is_filled_has_no_finding() -> None:
    known = schema(rules=(replace(rule(), property="town"),))
    assert codes(mapping(row()), known) == []


def test_a_rule_says_its_condition_or_that_it_is_not_told() -> None:
    told = lint.check(mapping(row()), schema(rules=(rule({"stage": {"won", "lost"}, "town": {"Bonn"}}),)))
    assert told[0].sentence.startswith("HubSpot demands vat when stage is “lost” or “won” and town is “Bonn”, ")
    (unknown,) = lint.check(mapping(row()), schema(rules=(rule({}),)))
    assert "under a condition that it does not tell" in unknown.sentence


# --- All of them ---------------------------------------------------------------------------------------------------


def test_the_worst_comes_first_then_the_order_of_the_rows() -> None:
    column = contract.Column(LOCAL.TEXT, max_length=5)
    rows = [row(column=column), row(id=8, remote="gone", pulls=False), row(id=9, remote="gone_too", pulls=False)]
    found = lint.check(mapping(*rows, local_required=("x",)), schema())
    assert [(one.severity.value, one.field_id) for one in found] == [
        ("error", 8),
        ("error", 9),
        ("warning", None),
        ("info", 7),
    ]


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (terms.EdgeProblem.LABEL_GONE, Code.LABEL_MISSING),
        (terms.EdgeProblem.TYPE_GONE, Code.ASSOCIATION),
        (terms.EdgeProblem.RELATION_GONE, Code.ASSOCIATION),
        (terms.EdgeProblem.UNFIT, Code.ASSOCIATION),
    ],
)
def test_an_association_that_is_held_is_an_error(problem: terms.EdgeProblem, code: Code) -> None:
    """F8, F19: in the words of whoever loads the mapping."""
    relation = contract.Relation("organisation ↔ Companies (Boss)", spec.EdgeHold(problem, "Why, and what to do."))
    (found,) = lint.check(mapping(row(), relations=(relation,)), schema())
    assert (found.code, found.severity, found.field_id) == (code, "error", None)
    assert (found.field, found.sentence) == (relation.owner, "Why, and what to do.")


def test_an_association_to_a_mapping_that_is_not_live_is_warned_of() -> None:
    relation = contract.Relation("organisation ↔ Companies", unlinked="Companies")
    (found,) = lint.check(mapping(row(), relations=(relation,)), schema())
    assert (found.code, found.severity) == (Code.TARGET_NOT_LIVE, "warning")
    assert "“Companies”, which is not live" in found.sentence
    assert lint.check(mapping(row(), relations=(contract.Relation("organisation ↔ Companies"),)), schema()) == ()


def test_an_association_between_two_mappings_that_were_never_started_is_only_a_remark() -> None:
    """Acceptance of a fresh file: nothing is wrong with it; that both have to go live is still said."""
    relation = contract.Relation("organisation ↔ Companies", unlinked="Companies", is_next=True)
    (found,) = lint.check(mapping(row(), relations=(relation,)), schema())
    assert (found.code, found.severity) == (Code.TARGET_NEXT, "info")
    assert found.remedy == "Make the other mapping live, too."


def test_every_code_has_a_meaning_and_a_line_in_the_documents() -> None:
    """C24: cause and remedy of each, with its level, in docs/problems.md."""
    text = PROBLEMS.read_text(encoding="utf-8").partition("\n## The contract\n")[2].partition("\n## ")[0]
    written = dict(re.findall(r"^\| `(lint\.\w+)` \| (\w+) \|", text, flags=re.MULTILINE))
    assert written == {code.value: severity.label for code, (severity, _, _) in findings.MEANING.items()}
    assert set(findings.MEANING) == set(Code)
