"""Gates: "why, or why not?" of a planned record."""

import pytest

from crmsync.engine import changes, gates, terms

PAIR = changes.Pair(None, None)
OUT = terms.Outcome
NAMES = ["existence", "direction", "rule", "match", "policy", "validation"]


def explain(outcome, reason="", detail="", **facts):
    return gates.explain(changes.PairPlan(PAIR, outcome, reason, detail, **facts))


def test_a_record_that_is_written_passed_every_gate():
    found = explain(OUT.UPDATED)
    assert [gate.name for gate in found] == NAMES
    assert all(gate.passed for gate in found)


@pytest.mark.parametrize(
    ("outcome", "reason", "stopped_at"),
    [
        (OUT.EXCLUDED, "archived", "existence"),
        (OUT.UNCHANGED, "gone", "existence"),
        (OUT.UNLINKED, "remote_gone", "existence"),
        (OUT.EXCLUDED, "direction", "direction"),
        (OUT.EXCLUDED, "link_only", "direction"),
        (OUT.WAITING, "not_wanted", "direction"),
        (OUT.EXCLUDED, "filter", "rule"),
        (OUT.EXCLUDED, "too_many_candidates", "match"),
        (OUT.EXCLUDED, "partner_taken", "match"),
    ],
)
def test_the_gate_that_stopped_a_record_is_the_last_and_says_why(outcome, reason, stopped_at):
    found = explain(outcome, reason, "because")
    assert [gate.name for gate in found] == NAMES[: NAMES.index(stopped_at) + 1]
    assert [gate.passed for gate in found] == [True] * (len(found) - 1) + [False]
    assert found[-1].detail == "because"


def test_gates_of_fields_stop_fields_only():
    asked = changes.Clash(1, None, "a", "b", None, "ask")
    problem = changes.FieldProblem(2, "too_long", "Too long.")
    found = explain(OUT.CONFLICT, "ask", clashes=(asked,), problems=(problem,))
    assert [(gate.name, gate.passed) for gate in found][-2:] == [("policy", False), ("validation", False)]
    assert found[-1].detail == "Too long."


def test_a_change_left_alone_passes_with_a_word_about_it():
    """A6: ignored because of direction, which is no failure."""
    note = changes.FieldProblem(1, "direction", "Left as it is.")
    decided = changes.Clash(2, None, "a", "b", terms.SideName.LOCAL, "one_way")
    found = explain(OUT.UNCHANGED, "direction", notes=(note,), clashes=(decided,))
    assert found[-2].passed
    assert found[-2].detail == "Left as it is.; 1 fields changed on both sides and were decided by rule"


def test_every_reason_of_an_excluded_record_belongs_to_a_gate():
    """A new reason without a gate fails here."""
    for reason in set(terms.Reason) - {terms.Reason.ASK}:
        assert not explain(OUT.EXCLUDED, reason.value)[-1].passed, reason
