"""Why an association waits: each reason from the least facts, each with its remedy."""

import pytest

from crmsync.engine import edgewaits, terms

LOCAL, REMOTE = terms.SideName.LOCAL, terms.SideName.REMOTE
STATE, WAY = terms.MappingState, terms.Direction


def other(**facts: object) -> edgewaits.Other:
    usual = {"state": STATE.LIVE, "direction": WAY.BOTH, "creates_remote": True, "creates_local": True}
    return edgewaits.Other(**{"label": "Companies", **usual, **facts})


@pytest.mark.parametrize("there", [LOCAL, REMOTE])
@pytest.mark.parametrize(
    ("facts", "brings"),
    [({}, True), ({}, False), ({"creates_remote": False, "creates_local": False}, True)],
)
def test_what_only_takes_its_time_has_no_obstacle(facts: dict, brings: bool, there: terms.SideName) -> None:
    """A record that is brought in is made whatever its mapping makes by itself (A8)."""
    assert edgewaits.find_obstacle(other(**facts), there, brings=brings) is None


@pytest.mark.parametrize(
    ("facts", "there", "brings", "code"),
    [
        ({"state": STATE.PAUSED}, LOCAL, True, edgewaits.NOT_LIVE),
        ({"state": STATE.DRAFT}, REMOTE, True, edgewaits.NOT_LIVE),
        ({"state": STATE.APPROVED}, REMOTE, True, edgewaits.NOT_LIVE),
        ({"direction": WAY.PULL}, LOCAL, True, edgewaits.ONE_WAY),
        ({"direction": WAY.PUSH}, REMOTE, True, edgewaits.ONE_WAY),
        ({"creates_remote": False}, LOCAL, False, edgewaits.NOT_MADE),
        ({"creates_local": False}, REMOTE, False, edgewaits.NOT_MADE),
    ],
)
def test_an_obstacle_is_named(facts: dict, there: terms.SideName, brings: bool, code: str) -> None:
    """F19: which mapping, what it is, and what to do."""
    found = edgewaits.find_obstacle(other(**facts), there, brings=brings)
    assert (found.code, "“Companies”" in found.sentence) == (code, True)


@pytest.mark.parametrize(
    ("facts", "there"),
    [
        ({"direction": WAY.PUSH}, LOCAL),
        ({"direction": WAY.PULL}, REMOTE),
        ({"creates_local": False}, LOCAL),
        ({"creates_remote": False}, REMOTE),
    ],
)
def test_what_concerns_the_other_side_is_no_obstacle(facts: dict, there: terms.SideName) -> None:
    assert edgewaits.find_obstacle(other(**facts), there, brings=False) is None


def test_a_draft_and_a_paused_mapping_are_told_apart() -> None:
    draft = edgewaits.find_obstacle(other(state=STATE.DRAFT), LOCAL, brings=True)
    paused = edgewaits.find_obstacle(other(state=STATE.PAUSED), LOCAL, brings=True)
    assert "it is draft" in draft.sentence
    assert "is paused" in paused.sentence


@pytest.mark.parametrize("reason", list(edgewaits._REMEDIES))
def test_what_leaves_a_record_out_has_a_remedy(reason: str) -> None:
    found = edgewaits.explain("Companies", terms.Outcome.EXCLUDED, reason, "kind is not “commercial”")
    assert found.code == edgewaits.KEPT_OUT
    assert found.sentence.startswith("“Companies” leaves it out: Kind is not “commercial”. ")
    assert found.sentence.endswith(edgewaits._REMEDIES[reason])


def test_a_record_that_failed_says_its_problem() -> None:
    found = edgewaits.explain("Companies", terms.Outcome.FAILED, "field.too_long", "The text is too long.")
    assert (found.code, "The text is too long." in found.sentence) == (edgewaits.FAILED, True)
