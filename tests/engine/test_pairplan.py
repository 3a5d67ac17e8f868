"""Pairs: linked, adopted, perhaps made before, or gone; each has one outcome and a reason."""

import pytest

from crmsync.engine import changes, spec, terms
from tests.engine import pairs

D = terms.Direction
OUT = terms.Outcome
LOCAL = terms.SideName.LOCAL
REMOTE = terms.SideName.REMOTE


def test_fields_flow_each_its_own_way_in_one_plan():
    """U1, C1, and feature 12: changes of different fields merge without a conflict."""
    planned = pairs.plan_one(
        local=pairs.local(email="a@x", name="New", age=5, stage="s", score="9"),
        remote=pairs.remote(email="b@x", firstname="Old", age="5.0", stage="t", score="1"),
        link=pairs.linked(email="a@x", name="Old", age="5", stage="s", score="1"),
    )
    assert planned.outcome is OUT.UPDATED
    assert pairs.sent(planned) == {"firstname": "New", "score": "9"}
    assert pairs.stored(planned) == {"email": "b@x", "stage": "t"}
    assert (planned.clashes, planned.problems, planned.settles) == ((), (), {})
    assert [write.old for write in planned.remote_writes] == ["Old", "1"]
    assert {write.rule for write in planned.local_writes} == {"remote_changed"}


def test_an_echo_of_normalised_values_plans_nothing():
    """I8, A14: HubSpot lower-cased and renumbered what we sent; both halves are known, so nothing is left to do."""
    planned = pairs.plan_one(
        local=pairs.local(email=" Ann@X.org", age=5),
        remote=pairs.remote(email="ann@x.org", age="5.0"),
        link=pairs.linked(
            email=(" Ann@X.org", "ann@x.org"), name=(None, None), age="5", stage=(None, None), score=(None, None)
        ),
    )
    assert (planned.outcome, planned.is_write, planned.settles) == (OUT.UNCHANGED, False, {})


def test_equal_changes_on_both_sides_only_settle():
    planned = pairs.plan_one(
        pairs.mapping(fields=(pairs.NAME,)),
        local=pairs.local(name="New"),
        remote=pairs.remote(firstname="New"),
        link=pairs.linked(name="Old"),
    )
    assert (planned.outcome, planned.is_write) == (OUT.UNCHANGED, False)
    assert planned.settles == {2: changes.BaseValue("New", "New")}


def test_a_missing_value_is_a_blank():
    planned = pairs.plan_one(
        pairs.mapping(fields=(pairs.NAME,)), local=pairs.local(), remote=pairs.remote(), link=pairs.linked()
    )
    assert planned.settles == {2: changes.BaseValue(None, None)}


def test_a_field_that_asks_a_person_stops_only_itself():
    asks = spec.FieldSpec(2, "name", "firstname", conflict=terms.ConflictPolicy.ASK)
    planned = pairs.plan_one(
        pairs.mapping(fields=(asks, pairs.AGE)),
        local=pairs.local(name="Mine", age=6),
        remote=pairs.remote(firstname="Theirs", age="5"),
        link=pairs.linked(name="Old", age="5"),
    )
    assert (planned.outcome, planned.reason) == (OUT.CONFLICT, "ask")
    assert pairs.sent(planned) == {"age": "6"}
    assert [(clash.field_id, clash.winner) for clash in planned.clashes] == [(2, None)]
    assert 2 not in planned.settles


def test_a_problem_holds_back_one_field_and_not_its_base():
    """A held-back field stays changed, so that it is tried again once it is put right."""
    short = spec.FieldSpec(2, "name", "firstname", max_length=3)
    one = pairs.mapping(fields=(short, pairs.AGE))
    pair = {"local": pairs.local(name="Old", age=6), "link": pairs.linked(name="Old", age="5")}
    planned = pairs.plan_one(one, remote=pairs.remote(firstname="Longer", age="5"), **pair)
    assert planned.outcome is OUT.UPDATED
    assert pairs.sent(planned) == {"age": "6"}
    assert [(problem.field_id, problem.code) for problem in planned.problems] == [(2, "too_long")]
    assert planned.settles == {}
    assert pairs.stored(pairs.plan_one(one, remote=pairs.remote(firstname="New", age="5"), **pair)) == {"name": "New"}


def test_a_record_fails_when_problems_are_all_there_is():
    short = spec.FieldSpec(2, "name", "firstname", max_length=3)
    planned = pairs.plan_one(
        pairs.mapping(fields=(short, pairs.AGE)),
        local=pairs.local(name="Old", age=5),
        remote=pairs.remote(firstname="Longer", age="5"),
        link=pairs.linked(name="Old"),
    )
    assert (planned.outcome, planned.reason) == (OUT.FAILED, "too_long")
    assert planned.detail == planned.problems[0].message
    assert planned.settles == {3: changes.BaseValue("5", "5")}


def test_a_local_value_that_cannot_be_read_is_a_problem_of_its_field():
    planned = pairs.plan_one(
        pairs.mapping(fields=(pairs.AGE, pairs.NAME)),
        local=pairs.local(age=object(), name="New"),
        remote=pairs.remote(firstname="Old"),
        link=pairs.linked(name="Old"),
    )
    assert [problem.code for problem in planned.problems] == ["type"]
    assert pairs.sent(planned) == {"firstname": "New"}


def test_a_change_against_the_direction_leaves_the_record_in_sync_with_a_reason():
    """A6."""
    planned = pairs.plan_one(
        pairs.mapping(fields=(pairs.SCORE,)),
        local=pairs.local(score="1"),
        remote=pairs.remote(score="2"),
        link=pairs.linked(score="1"),
    )
    assert (planned.outcome, planned.reason, planned.is_write) == (OUT.UNCHANGED, "direction", False)
    assert [note.code for note in planned.notes] == ["direction"]
    assert planned.settles == {5: changes.BaseValue("1", "2")}


def test_a_run_of_one_direction_settles_nothing_of_the_other():
    """I11: what a push run may not pull is still a change for the next run."""
    planned = pairs.plan_one(
        pairs.mapping(fields=(pairs.NAME,)),
        local=pairs.local(name="Old"),
        remote=pairs.remote(firstname="New"),
        link=pairs.linked(name="Old"),
        wanted=D.PUSH,
    )
    assert (planned.outcome, planned.reason) == (OUT.WAITING, "not_wanted")
    assert (planned.is_write, planned.settles) == (False, {})


@pytest.mark.parametrize(
    ("direction", "outcome", "is_write"),
    [(D.BOTH, OUT.EXCLUDED, False), (D.PUSH, OUT.EXCLUDED, False), (D.PULL, OUT.UPDATED, True)],
)
def test_a_rule_that_gates_updates_stops_its_directions(direction, outcome, is_write):
    """L13, beyond: a switch "also gate updates"."""
    planned = pairs.plan_one(
        pairs.mapping(fields=(pairs.NAME,), rules=(pairs.rule("kind", "client", direction, gates_updates=True),)),
        local=pairs.local(name="New", kind="lead"),
        remote=pairs.remote(firstname="Old"),
        link=pairs.linked(name="Old"),
    )
    assert (planned.outcome, planned.is_write) == (outcome, is_write)
    if not is_write:
        assert planned.reason == "filter"
        assert '"lead"' in planned.detail


def test_a_rule_that_gates_creation_lets_updates_flow():
    """L13."""
    planned = pairs.plan_one(
        pairs.mapping(fields=(pairs.NAME,), rules=(pairs.rule("kind", "client"),)),
        local=pairs.local(name="New", kind="lead"),
        remote=pairs.remote(firstname="Old"),
        link=pairs.linked(name="Old"),
    )
    assert pairs.sent(planned) == {"firstname": "New"}


def test_two_records_that_match_are_adopted():
    planned = pairs.plan_one(
        local=pairs.local(email="Ann@X.org", name="Ann", age=5),
        remote=pairs.remote(email="ann@x.org", firstname="Anna", age="5", stage="s"),
    )
    assert (planned.outcome, planned.adopts, planned.creates) == (OUT.ADOPTED, True, None)
    assert pairs.stored(planned) == {"name": "Anna", "stage": "s"}
    assert [(clash.field_id, clash.local, clash.remote) for clash in planned.clashes] == [(2, "Ann", "Anna")]
    assert planned.settles[1] == changes.BaseValue("Ann@X.org", "ann@x.org")


def test_link_only_mappings_adopt():
    """U8."""
    one = pairs.mapping(creates_local=False, creates_remote=False)
    assert (
        pairs.plan_one(one, local=pairs.local(email="a@x"), remote=pairs.remote(email="a@x")).outcome is OUT.ADOPTED
    )


def test_rules_keep_a_pair_apart_only_if_no_direction_is_left():
    pair = {"local": pairs.local(email="a@x"), "remote": pairs.remote(email="a@x")}
    assert pairs.plan_one(pairs.mapping(rules=(pairs.PUSH_RULE,)), **pair).outcome is OUT.ADOPTED
    for one in (
        pairs.mapping(rules=(pairs.PUSH_RULE, pairs.PULL_RULE)),
        pairs.mapping(D.PUSH, rules=(pairs.PUSH_RULE,)),
    ):
        planned = pairs.plan_one(one, **pair)
        assert (planned.outcome, planned.reason, planned.adopts) == (OUT.EXCLUDED, "filter", False)


def test_an_adoption_that_asks_is_a_conflict_and_still_an_adoption():
    asks = spec.FieldSpec(2, "name", "firstname", conflict=terms.ConflictPolicy.ASK)
    planned = pairs.plan_one(
        pairs.mapping(fields=(asks,)), local=pairs.local(name="Ann"), remote=pairs.remote(firstname="Anna")
    )
    assert (planned.outcome, planned.adopts, planned.is_write) == (OUT.CONFLICT, True, False)


def test_a_create_that_did_not_happen_is_planned_again():
    planned = pairs.plan_one(local=pairs.local(email="a@x"), link=pairs.linked(creating=True))
    assert (planned.outcome, planned.creates, pairs.sent(planned)) == (OUT.CREATED, REMOTE, {"email": "a@x"})


def test_a_create_that_did_happen_is_adopted_with_our_values():
    """I7, fault 13: a timeout after the write was applied makes no second record."""
    planned = pairs.plan_one(
        local=pairs.local(email="a@x", name="Mine"),
        remote=pairs.remote(email="a@x", firstname="Theirs"),
        link=pairs.linked(creating=True),
    )
    assert (planned.outcome, planned.adopts, planned.creates) == (OUT.ADOPTED, True, None)
    assert pairs.sent(planned) == {"firstname": "Mine"}
    assert planned.clashes[0].rule == "made_by_us"


def test_a_created_record_that_was_archived_is_gone_not_made_again():
    planned = pairs.plan_one(
        local=pairs.local(email="a@x"), remote=pairs.remote(True), link=pairs.linked(creating=True)
    )
    assert (planned.outcome, planned.reason) == (OUT.UNLINKED, "remote_gone")


HERE = pairs.local(email="a@x")
THERE = pairs.remote(email="a@x")
ARCHIVE = terms.DeletePolicy.ARCHIVE
DELETES = {"deletes_remote": ARCHIVE, "deletes_local": ARCHIVE}


@pytest.mark.parametrize(
    ("one", "pair", "outcome", "archives", "reason"),
    [
        (pairs.mapping(), {"local": HERE}, OUT.UNLINKED, None, "remote_gone"),
        (
            pairs.mapping(),
            {"local": HERE, "remote": pairs.remote(True, email="a@x")},
            OUT.UNLINKED,
            None,
            "remote_gone",
        ),
        (pairs.mapping(), {"remote": THERE}, OUT.UNLINKED, None, "local_gone"),
        (
            pairs.mapping(),
            {"local": pairs.local(True, email="a@x"), "remote": THERE},
            OUT.UNLINKED,
            None,
            "local_gone",
        ),
        (pairs.mapping(), {}, OUT.UNLINKED, None, "gone"),
        (pairs.mapping(**DELETES), {"remote": pairs.remote(True)}, OUT.UNLINKED, None, "gone"),
        (pairs.mapping(**DELETES), {"local": HERE}, OUT.ARCHIVED, LOCAL, "remote_gone"),
        (pairs.mapping(**DELETES), {"remote": THERE}, OUT.ARCHIVED, REMOTE, "local_gone"),
        (pairs.mapping(deletes_remote=ARCHIVE), {"local": HERE}, OUT.UNLINKED, None, "remote_gone"),
        (pairs.mapping(deletes_remote=ARCHIVE), {"remote": THERE}, OUT.ARCHIVED, REMOTE, "local_gone"),
        (pairs.mapping(deletes_local=ARCHIVE), {"local": HERE}, OUT.ARCHIVED, LOCAL, "remote_gone"),
        (pairs.mapping(deletes_local=ARCHIVE), {"remote": THERE}, OUT.UNLINKED, None, "local_gone"),
        (pairs.mapping(D.PUSH, **DELETES), {"remote": THERE}, OUT.ARCHIVED, REMOTE, "local_gone"),
        (pairs.mapping(D.PUSH, **DELETES), {"local": HERE}, OUT.UNLINKED, None, "remote_gone"),
        (pairs.mapping(D.PULL, **DELETES), {"remote": THERE}, OUT.UNLINKED, None, "local_gone"),
        (pairs.mapping(**DELETES), {"local": HERE, "wanted": D.PUSH}, OUT.WAITING, None, "not_wanted"),
        (pairs.mapping(**DELETES), {"remote": THERE, "wanted": D.PULL}, OUT.WAITING, None, "not_wanted"),
    ],
)
def test_a_lost_partner(one, pair, outcome, archives, reason):
    """I13 and fault 31: a deletion follows policy and direction, on a direct read only."""
    planned = pairs.plan_one(one, link=pairs.linked(email="a@x"), **pair)
    assert (planned.outcome, planned.archives, planned.reason) == (outcome, archives, reason)
    assert planned.unlinks is (outcome is not OUT.WAITING)


def test_an_edit_beats_a_deletion():
    """Delete against edit: the edited record is kept and shown."""
    one = pairs.mapping(**DELETES)
    for pair in ({"local": pairs.local(email="new@x")}, {"remote": pairs.remote(email="new@x")}):
        planned = pairs.plan_one(one, link=pairs.linked(email="a@x"), **pair)
        assert (planned.outcome, planned.reason, planned.archives) == (OUT.UNLINKED, "edited", None)
    against = pairs.plan_one(one, remote=pairs.remote(score="2"), link=pairs.linked(score="1"))
    assert against.outcome is OUT.ARCHIVED, "an edit that would not have flowed is no reason to keep it"
    broken = pairs.plan_one(one, local=pairs.local(age=object()), link=pairs.linked(age="5"))
    assert broken.reason == "edited"


def test_a_pair_of_nothing_is_unchanged():
    planned = pairs.plan_one()
    assert (planned.outcome, planned.reason) == (OUT.UNCHANGED, "gone")
