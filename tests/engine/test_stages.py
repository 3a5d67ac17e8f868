"""Stages: a mapping of one pipeline hears of that pipeline's stages only, and of lines that name another's."""

import pytest

from crmsync.engine import contract, findings, lint, stages, terms
from crmsync.engine.findings import Code

SALES, JOBS = frozenset({"quoted", "won"}), frozenset({"waiting", "done"})
CHOSEN = terms.RemoteType.ENUMERATION
STATUS = contract.Column(terms.LocalType.TEXT, choices=frozenset({"open", "closed"}))
SCHEMA = contract.Schema(
    properties={
        "pipeline": contract.Property(CHOSEN, options=frozenset({"sales", "jobs"}), is_stage=True),
        "dealstage": contract.Property(CHOSEN, options=SALES | JOBS, is_stage=True),
        "dealname": contract.Property(terms.RemoteType.STRING),
    },
    pipelines={"sales": SALES, "jobs": JOBS},
)
FULL = {
    "to_remote": {"open": "quoted", "closed": "won"},
    "to_local": {"quoted": "open", "won": "closed"},
}
KINDS = {"to_remote": {"a": "sales"}, "to_local": {"sales": "a"}}


def stage_row(**facts: object) -> contract.Row:
    return contract.Row(**{"id": 1, "local": "status", "remote": "dealstage", "column": STATUS, **facts})


def pipeline_row(**facts: object) -> contract.Row:
    return contract.Row(**{"id": 2, "local": "kind", "remote": "pipeline", **facts})


def deals(*rows: contract.Row, **facts: object) -> contract.MappingFacts:
    return contract.MappingFacts(**{"id": 1, "label": "Deals", "object_type": "deals", "rows": rows, **facts})


def of_row(one: contract.MappingFacts) -> list[findings.Finding]:
    """What is said of the stage's row."""
    return [found for found in lint.check(one, SCHEMA) if found.field_id == 1]


def test_a_fixed_pipeline_hears_of_its_own_stages_only() -> None:
    """X16, F8: the value map is complete for the one pipeline that the mapping's records are in."""
    assert of_row(deals(stage_row(**FULL), members={"pipeline": "sales"})) == []


def test_without_a_pipeline_all_stages_count() -> None:
    (found,) = of_row(deals(stage_row(**FULL)))
    assert (found.code, "“done”, “waiting”" in found.sentence) == (Code.OPTION_UNMAPPED, True)


def test_the_map_of_the_pipelines_row_says_which_pipelines() -> None:
    """A10, X16: the map from status to stage is kept per pipeline."""
    assert of_row(deals(stage_row(**FULL), pipeline_row(**KINDS))) == []


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {**KINDS, "unmapped": terms.UnmappedPolicy.PASS},
        {"to_remote": {"a": "sales"}, "to_local": {"jobs": "a", "sales": "a"}},
    ],
)
def test_a_row_that_gives_any_pipeline_narrows_nothing(facts: dict[str, object]) -> None:
    schema = stages.narrow(deals(pipeline_row(**facts)), SCHEMA)
    assert schema.properties["dealstage"].options == SALES | JOBS


@pytest.mark.parametrize(
    ("maps", "flows"),
    [
        ({**FULL, "to_remote": {"open": "quoted", "closed": "done"}}, {}),
        ({**FULL, "to_local": {**FULL["to_local"], "done": "closed"}}, {}),
        ({**FULL, "to_local": {**FULL["to_local"], "done": "closed"}}, {"pushes": False}),
    ],
)
def test_a_line_that_names_a_stage_of_another_pipeline_is_an_error(maps: dict, flows: dict) -> None:
    """X16: with the remedy; it is not said to be gone, and its choice is not said to lack a line."""
    (found,) = of_row(deals(stage_row(**maps, **flows), members={"pipeline": "sales"}))
    assert (found.code, found.severity, "“done”" in found.sentence) == (Code.STAGE_ELSEWHERE, "error", True)
    assert found.remedy.startswith("Name a stage of the mapping's own pipeline")


def test_a_line_that_is_never_used_is_no_error() -> None:
    """A row that only flows to HubSpot may keep lines for the way back."""
    maps = {**FULL, "to_local": {"done": "closed"}}
    assert of_row(deals(stage_row(**maps, pulls=False), members={"pipeline": "sales"})) == []


def test_a_stage_that_no_pipeline_has_is_still_gone() -> None:
    maps = {**FULL, "to_remote": {"open": "quoted", "closed": "long gone"}}
    (found,) = of_row(deals(stage_row(**maps), members={"pipeline": "sales"}))
    assert found.code is Code.STAGE_MISSING


def test_a_pipeline_that_is_gone_narrows_nothing() -> None:
    """Otherwise every stage would be told to be of another pipeline; the fixed value is told of instead."""
    assert stages.narrow(deals(members={"pipeline": "gone"}), SCHEMA) is SCHEMA


def test_a_rule_may_ask_for_a_stage_of_any_pipeline() -> None:
    asked = contract.Named("r", terms.SideName.REMOTE, "dealstage", "", terms.Operator.NOT_EQUALS, "done")
    found = lint.check(deals(members={"pipeline": "sales"}, conditions=(asked,)), SCHEMA)
    assert Code.CONDITION not in [one.code for one in found]
