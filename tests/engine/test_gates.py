"""Gates: "why, or why not?" of a planned record."""

import pytest

from crmsync.engine import changes, gates, terms

PAIR = changes.Pair(None, None)
OUT = terms.Outcome
STOPS = [
    "direction held",
    "revision",
    "throttle",
    "existence",
    "direction",
    "fixed values",
    "rule",
    "match",
    "parent",
]
NAMES = [*STOPS, "policy", "movement", "held fields", "validation"]


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
        (OUT.EXCLUDED, "other_mapping", "fixed values"),
        (OUT.UNLINKED, "other_mapping", "fixed values"),
        (OUT.EXCLUDED, "filter", "rule"),
        (OUT.UNLINKED, "filter", "rule"),
        (OUT.EXCLUDED, "too_many_candidates", "match"),
        (OUT.EXCLUDED, "partner_taken", "match"),
    ],
)
def test_the_gate_that_stopped_a_record_is_the_last_and_says_why(outcome, reason, stopped_at):
    found = explain(outcome, reason, "because")
    assert [gate.name for gate in found] == NAMES[: NAMES.index(stopped_at) + 1]
    assert [gate.passed for gate in found] == [True] * (len(found) - 1) + [False]
    assert found[-1].detail == "because"


@pytest.mark.parametrize(
    ("code", "stopped_at"),
    [
        ("portal.held", "direction held"),
        ("mapping.edited", "revision"),
        ("record.schema_changed", "revision"),
        ("canary.open", "revision"),
        ("field.throttled", "throttle"),
        ("record.tombstone", "existence"),
        ("other_mapping", "fixed values"),
        ("field.property_gone", "match"),
        ("record.linked_elsewhere", "match"),
        ("record.waiting_parent", "parent"),
        ("record.no_parent", "parent"),
        *((one.value, "parent") for one in terms.EdgeProblem),
    ],
)
def test_a_record_without_a_plan_stopped_at_a_gate_too(code, stopped_at):
    """J6: throttled, edited meanwhile, without a match key or a parent: the first failing gate is the answer."""
    found = gates.explain(None, gates.Halt(code, "because"))
    assert [gate.name for gate in found] == NAMES[: NAMES.index(stopped_at) + 1]
    assert found[-1] == gates.Gate(stopped_at, False, "because")


def test_what_no_gate_knows_stopped_the_writing_itself():
    """A refusal of HubSpot's after every gate; without a plan nothing is said of fields."""
    halt = gates.Halt("remote.rejected", "HubSpot did not accept it.")
    found = gates.explain(changes.PairPlan(PAIR, OUT.UPDATED), halt)
    assert [gate.name for gate in found] == [*NAMES, "writing"]
    assert found[-1] == gates.Gate("writing", False, halt.detail)
    assert [gate.name for gate in gates.explain(None, halt)] == [*STOPS, "writing"]


def test_the_plan_stops_a_record_before_what_came_later():
    planned = changes.PairPlan(PAIR, OUT.EXCLUDED, "filter", "city is Paris")
    found = gates.explain(planned, gates.Halt("record.waiting_parent", "later"))
    assert found[-1] == gates.Gate("rule", False, "city is Paris")


def test_a_record_that_was_asked_for_passes_direction_and_rules_because_of_that():
    """A8: one record brings another in, whatever the rules say."""
    asked = changes.Pair(None, None, is_asked=True)
    found = gates.explain(changes.PairPlan(asked, OUT.CREATED, creates=terms.SideName.LOCAL))
    assert [gate.name for gate in found if "needs it" in gate.detail] == ["direction", "rule"]
    assert all(gate.passed for gate in found)
    there = gates.explain(changes.PairPlan(asked, OUT.UPDATED))
    assert not any(gate.detail for gate in there)


def test_gates_of_fields_stop_fields_only():
    asked = changes.Clash(1, None, "a", "b", None, "ask")
    problem = changes.FieldProblem(2, "too_long", "Too long.")
    held = changes.FieldProblem(3, "property_gone", "It is gone.")
    found = {gate.name: gate for gate in explain(OUT.CONFLICT, "ask", clashes=(asked,), problems=(problem, held))}
    assert not found["policy"].passed
    assert found["held fields"] == gates.Gate("held fields", False, "It is gone.")
    assert found["validation"] == gates.Gate("validation", False, "Too long.")


def test_a_change_left_alone_passes_with_a_word_about_it():
    """A6: ignored because of direction, which is no failure."""
    note = changes.FieldProblem(1, "direction", "Left as it is.")
    decided = changes.Clash(2, None, "a", "b", terms.SideName.LOCAL, "one_way")
    (found,) = [one for one in explain(OUT.UNCHANGED, "direction", notes=(note,), clashes=(decided,)) if one.detail]
    assert found.name == "policy"
    assert found.passed
    assert found.detail == "Left as it is.; 1 fields changed on both sides and were decided by rule"


def test_a_field_that_only_moves_forward_stops_alone():
    """A6: nothing is wrong, and the gate says which field stayed."""
    note = changes.FieldProblem(1, "movement", "It stays at “won”.")
    (found,) = [one for one in explain(OUT.UNCHANGED, "movement", "It stays.", notes=(note,)) if not one.passed]
    assert found == gates.Gate("movement", False, "It stays at “won”.")


def test_every_reason_of_an_excluded_record_belongs_to_a_gate():
    """A new reason without a gate fails here; a choice and a movement concern fields; a merge stops nothing."""
    for reason in set(terms.Reason) - {terms.Reason.ASK, terms.Reason.MOVEMENT, terms.Reason.MERGED}:
        assert not explain(OUT.EXCLUDED, reason.value)[-1].passed, reason


@pytest.mark.parametrize("problem", list(terms.Problem))
def test_every_problem_of_a_field_stops_at_one_gate(problem):
    """A new problem is either a held field or a value that is wrong, never neither."""
    one = changes.FieldProblem(1, problem.value, "because")
    stopped = [gate.name for gate in explain(OUT.FAILED, problem.value, problems=(one,)) if not gate.passed]
    assert stopped in (["held fields"], ["validation"])
