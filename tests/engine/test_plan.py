"""Plans: every kind of pair has one outcome and a reason, and what is written is what must be."""

from datetime import UTC, datetime

import pytest

from crmsync.engine import changes, plan, record, spec, terms

D = terms.Direction
OUT = terms.Outcome
LOCAL = terms.SideName.LOCAL
REMOTE = terms.SideName.REMOTE
NOW = datetime(2024, 5, 1, tzinfo=UTC)

EMAIL = spec.FieldSpec(1, "email", "email")
NAME = spec.FieldSpec(2, "name", "firstname")
AGE = spec.FieldSpec(3, "age", "age", local_type=terms.LocalType.INTEGER, remote_type=terms.RemoteType.NUMBER)
STAGE = spec.FieldSpec(4, "stage", "stage", D.PULL)
SCORE = spec.FieldSpec(5, "score", "score", D.PUSH)
FIELDS = (EMAIL, NAME, AGE, STAGE, SCORE)
MATCH = (spec.MatchSpec("email", "email", terms.Normaliser.EMAIL),)


def mapping(direction=D.BOTH, fields=FIELDS, **facts):
    return spec.MappingSpec(1, 7, 1, "demo.person", "contacts", direction, fields, match=MATCH, **facts)


def local(archived=False, **values):
    return record.Record(record.RecordKey("demo.person", "1"), values, archived=archived)


def remote(archived=False, **values):
    return record.Record(record.RecordKey("contacts", "501"), values, archived=archived)


def linked(creating=False, **base):
    ids = {"email": 1, "name": 2, "age": 3, "stage": 4, "score": 5}
    pairs = {key: value if isinstance(value, tuple) else (value, value) for key, value in base.items()}
    return changes.LinkState(9, {ids[key]: changes.BaseValue(*value) for key, value in pairs.items()}, creating)


def plan_one(one=None, **pair):
    facts = {"local": None, "remote": None, **pair}
    return plan.make_plan(one or mapping(), [changes.Pair(**facts)], NOW).pairs[0]


def rule(field, value, direction=D.BOTH, side=LOCAL, gates_updates=False):
    condition = spec.ConditionSpec(side, field, terms.Operator.EQUALS, value)
    return spec.RuleSpec(1, "ready", direction, terms.Join.ALL, (condition,), gates_updates)


def sent(planned):
    return {write.name: write.value for write in planned.remote_writes}


def stored(planned):
    return {write.name: write.value for write in planned.local_writes}


# both there and linked


def test_fields_flow_each_its_own_way_in_one_plan():
    """U1, C1, and feature 12: changes of different fields merge without a conflict."""
    planned = plan_one(
        local=local(email="a@x", name="New", age=5, stage="s", score="9"),
        remote=remote(email="b@x", firstname="Old", age="5.0", stage="t", score="1"),
        link=linked(email="a@x", name="Old", age="5", stage="s", score="1"),
    )
    assert planned.outcome is OUT.UPDATED
    assert sent(planned) == {"firstname": "New", "score": "9"}
    assert stored(planned) == {"email": "b@x", "stage": "t"}
    assert (planned.clashes, planned.problems, planned.settles) == ((), (), {})
    assert [write.old for write in planned.remote_writes] == ["Old", "1"]
    assert {write.rule for write in planned.local_writes} == {"remote_changed"}


def test_an_echo_of_normalised_values_plans_nothing():
    """I8, A14: HubSpot lower-cased and renumbered what we sent; both halves are known, so nothing is left to do."""
    planned = plan_one(
        local=local(email=" Ann@X.org", age=5),
        remote=remote(email="ann@x.org", age="5.0"),
        link=linked(
            email=(" Ann@X.org", "ann@x.org"), name=(None, None), age="5", stage=(None, None), score=(None, None)
        ),
    )
    assert (planned.outcome, planned.is_write, planned.settles) == (OUT.UNCHANGED, False, {})


def test_equal_changes_on_both_sides_only_settle():
    planned = plan_one(
        mapping(fields=(NAME,)), local=local(name="New"), remote=remote(firstname="New"), link=linked(name="Old")
    )
    assert (planned.outcome, planned.is_write) == (OUT.UNCHANGED, False)
    assert planned.settles == {2: changes.BaseValue("New", "New")}


def test_a_missing_value_is_a_blank():
    planned = plan_one(mapping(fields=(NAME,)), local=local(), remote=remote(), link=linked())
    assert planned.settles == {2: changes.BaseValue(None, None)}


def test_a_field_that_asks_a_person_stops_only_itself():
    asks = spec.FieldSpec(2, "name", "firstname", conflict=terms.ConflictPolicy.ASK)
    planned = plan_one(
        mapping(fields=(asks, AGE)),
        local=local(name="Mine", age=6),
        remote=remote(firstname="Theirs", age="5"),
        link=linked(name="Old", age="5"),
    )
    assert (planned.outcome, planned.reason) == (OUT.CONFLICT, "ask")
    assert sent(planned) == {"age": "6"}
    assert [(clash.field_id, clash.winner) for clash in planned.clashes] == [(2, None)]
    assert 2 not in planned.settles


def test_a_problem_holds_back_one_field_and_not_its_base():
    """A held-back field stays changed, so that it is tried again once it is put right."""
    short = spec.FieldSpec(2, "name", "firstname", max_length=3)
    one = mapping(fields=(short, AGE))
    pair = {"local": local(name="Old", age=6), "link": linked(name="Old", age="5")}
    planned = plan_one(one, remote=remote(firstname="Longer", age="5"), **pair)
    assert planned.outcome is OUT.UPDATED
    assert sent(planned) == {"age": "6"}
    assert [(problem.field_id, problem.code) for problem in planned.problems] == [(2, "too_long")]
    assert planned.settles == {}
    assert stored(plan_one(one, remote=remote(firstname="New", age="5"), **pair)) == {"name": "New"}


def test_a_record_fails_when_problems_are_all_there_is():
    short = spec.FieldSpec(2, "name", "firstname", max_length=3)
    planned = plan_one(
        mapping(fields=(short, AGE)),
        local=local(name="Old", age=5),
        remote=remote(firstname="Longer", age="5"),
        link=linked(name="Old"),
    )
    assert (planned.outcome, planned.reason) == (OUT.FAILED, "too_long")
    assert planned.detail == planned.problems[0].message
    assert planned.settles == {3: changes.BaseValue("5", "5")}


def test_a_local_value_that_cannot_be_read_is_a_problem_of_its_field():
    planned = plan_one(
        mapping(fields=(AGE, NAME)),
        local=local(age=object(), name="New"),
        remote=remote(firstname="Old"),
        link=linked(name="Old"),
    )
    assert [problem.code for problem in planned.problems] == ["type"]
    assert sent(planned) == {"firstname": "New"}


def test_a_change_against_the_direction_leaves_the_record_in_sync_with_a_reason():
    """A6."""
    planned = plan_one(
        mapping(fields=(SCORE,)), local=local(score="1"), remote=remote(score="2"), link=linked(score="1")
    )
    assert (planned.outcome, planned.reason, planned.is_write) == (OUT.UNCHANGED, "direction", False)
    assert [note.code for note in planned.notes] == ["direction"]
    assert planned.settles == {5: changes.BaseValue("1", "2")}


def test_a_run_of_one_direction_settles_nothing_of_the_other():
    """I11: what a push run may not pull is still a change for the next run."""
    planned = plan_one(
        mapping(fields=(NAME,)),
        local=local(name="Old"),
        remote=remote(firstname="New"),
        link=linked(name="Old"),
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
    planned = plan_one(
        mapping(fields=(NAME,), rules=(rule("kind", "client", direction, gates_updates=True),)),
        local=local(name="New", kind="lead"),
        remote=remote(firstname="Old"),
        link=linked(name="Old"),
    )
    assert (planned.outcome, planned.is_write) == (outcome, is_write)
    if not is_write:
        assert planned.reason == "filter"
        assert '"lead"' in planned.detail


def test_a_rule_that_gates_creation_lets_updates_flow():
    """L13."""
    planned = plan_one(
        mapping(fields=(NAME,), rules=(rule("kind", "client"),)),
        local=local(name="New", kind="lead"),
        remote=remote(firstname="Old"),
        link=linked(name="Old"),
    )
    assert sent(planned) == {"firstname": "New"}


# one side only


def test_a_local_record_is_made_in_hubspot_of_every_value_that_flows_there():
    modes = [
        spec.FieldSpec(10 + number, mode.value, mode.value, write_mode=mode)
        for number, mode in enumerate(terms.WriteMode)
    ]
    planned = plan_one(
        mapping(fields=(*FIELDS, *modes)),
        local=local(
            email="a@x", name="", age=0, stage="s", score="1", **{mode.value: "v" for mode in terms.WriteMode}
        ),
    )
    assert (planned.outcome, planned.creates) == (OUT.CREATED, REMOTE)
    assert sent(planned) == {"email": "a@x", "age": "0", "score": "1"} | {mode.value: "v" for mode in terms.WriteMode}
    assert planned.settles == {2: changes.BaseValue(None, None)}, "a field that only pulls is met later"
    assert {write.rule for write in planned.remote_writes} == {"created"}


def test_a_hubspot_record_is_made_locally_of_every_value_that_flows_there():
    planned = plan_one(remote=remote(email="a@x", age="5.0", stage="s", score="1"))
    assert (planned.outcome, planned.creates) == (OUT.CREATED, LOCAL)
    assert stored(planned) == {"email": "a@x", "age": 5, "stage": "s"}
    assert planned.settles == {2: changes.BaseValue(None, None)}


PUSH_RULE = rule("email", "b@x", D.PUSH)
PULL_RULE = rule("email", "b@x", D.PULL, REMOTE)


@pytest.mark.parametrize(
    ("one", "pair", "reason"),
    [
        (mapping(D.PULL), {"local": local(email="a@x")}, "direction"),
        (mapping(), {"local": local(email="a@x"), "wanted": D.PULL}, "direction"),
        (mapping(creates_remote=False), {"local": local(email="a@x")}, "link_only"),
        (mapping(rules=(PUSH_RULE,)), {"local": local(email="a@x")}, "filter"),
        (mapping(), {"local": local(email="a@x"), "candidates": 2}, "too_many_candidates"),
        (mapping(), {"local": local(email="a@x"), "candidates": 1}, "partner_taken"),
        (mapping(), {"local": local(archived=True, email="a@x")}, "archived"),
        (mapping(), {"local": local(stage="s")}, "blank"),
        (mapping(D.PUSH), {"remote": remote(email="a@x")}, "direction"),
        (mapping(), {"remote": remote(email="a@x"), "wanted": D.PUSH}, "direction"),
        (mapping(creates_local=False), {"remote": remote(email="a@x")}, "link_only"),
        (mapping(rules=(PULL_RULE,)), {"remote": remote(email="a@x")}, "filter"),
        (mapping(), {"remote": remote(email="a@x"), "candidates": 3}, "too_many_candidates"),
        (mapping(), {"remote": remote(archived=True, email="a@x")}, "archived"),
        (mapping(), {"remote": remote(score="1")}, "blank"),
        (mapping(), {"local": local(email="a@x"), "remote": remote(True, email="a@x")}, "archived"),
    ],
)
def test_a_record_that_is_not_made_says_why(one, pair, reason):
    """U8, U9, L12, X10, A7: excluded with a reason, and nothing is written."""
    planned = plan_one(one, **pair)
    assert (planned.outcome, planned.reason) == (OUT.EXCLUDED, reason)
    assert planned.detail
    assert (planned.is_write, planned.adopts, planned.settles) == (False, False, {})


def test_the_excluded_tell_how_many_candidates_and_which_value():
    assert "3" in plan_one(local=local(email="a@x"), candidates=3).detail
    assert '"a@x"' in plan_one(mapping(rules=(PUSH_RULE,)), local=local(email="a@x")).detail


@pytest.mark.parametrize("one_way", [PUSH_RULE, rule("email", "b@x", D.PUSH, gates_updates=True)])
def test_a_record_that_passes_its_rules_is_made(one_way):
    assert plan_one(mapping(rules=(one_way,)), local=local(email="b@x")).outcome is OUT.CREATED


def test_a_create_goes_on_without_a_broken_field_but_not_without_its_match_field():
    planned = plan_one(local=local(email="a@x", name="nul\0"))
    assert (planned.outcome, sent(planned)) == (OUT.CREATED, {"email": "a@x"})
    assert [problem.code for problem in planned.problems] == ["nul"]
    assert 2 not in planned.settles
    for pair in ({"local": local(email="nul\0", name="Ann")}, {"remote": remote(email="nul\0", firstname="Ann")}):
        planned = plan_one(**pair)
        assert (planned.outcome, planned.reason, planned.is_write) == (OUT.FAILED, "nul", False)


def test_a_create_of_nothing_but_problems_fails():
    planned = plan_one(mapping(fields=(NAME,)), local=local(name="nul\0"))
    assert (planned.outcome, planned.reason, planned.creates) == (OUT.FAILED, "nul", None)


# both there and not linked


def test_two_records_that_match_are_adopted():
    planned = plan_one(
        local=local(email="Ann@X.org", name="Ann", age=5),
        remote=remote(email="ann@x.org", firstname="Anna", age="5", stage="s"),
    )
    assert (planned.outcome, planned.adopts, planned.creates) == (OUT.ADOPTED, True, None)
    assert stored(planned) == {"name": "Anna", "stage": "s"}
    assert [(clash.field_id, clash.local, clash.remote) for clash in planned.clashes] == [(2, "Ann", "Anna")]
    assert planned.settles[1] == changes.BaseValue("Ann@X.org", "ann@x.org")


def test_link_only_mappings_adopt():
    """U8."""
    one = mapping(creates_local=False, creates_remote=False)
    assert plan_one(one, local=local(email="a@x"), remote=remote(email="a@x")).outcome is OUT.ADOPTED


def test_rules_keep_a_pair_apart_only_if_no_direction_is_left():
    pair = {"local": local(email="a@x"), "remote": remote(email="a@x")}
    assert plan_one(mapping(rules=(PUSH_RULE,)), **pair).outcome is OUT.ADOPTED
    for one in (mapping(rules=(PUSH_RULE, PULL_RULE)), mapping(D.PUSH, rules=(PUSH_RULE,))):
        planned = plan_one(one, **pair)
        assert (planned.outcome, planned.reason, planned.adopts) == (OUT.EXCLUDED, "filter", False)


def test_an_adoption_that_asks_is_a_conflict_and_still_an_adoption():
    asks = spec.FieldSpec(2, "name", "firstname", conflict=terms.ConflictPolicy.ASK)
    planned = plan_one(mapping(fields=(asks,)), local=local(name="Ann"), remote=remote(firstname="Anna"))
    assert (planned.outcome, planned.adopts, planned.is_write) == (OUT.CONFLICT, True, False)


# a create that may have happened


def test_a_create_that_did_not_happen_is_planned_again():
    planned = plan_one(local=local(email="a@x"), link=linked(creating=True))
    assert (planned.outcome, planned.creates, sent(planned)) == (OUT.CREATED, REMOTE, {"email": "a@x"})


def test_a_create_that_did_happen_is_adopted_with_our_values():
    """I7, fault 13: a timeout after the write was applied makes no second record."""
    planned = plan_one(
        local=local(email="a@x", name="Mine"),
        remote=remote(email="a@x", firstname="Theirs"),
        link=linked(creating=True),
    )
    assert (planned.outcome, planned.adopts, planned.creates) == (OUT.ADOPTED, True, None)
    assert sent(planned) == {"firstname": "Mine"}
    assert planned.clashes[0].rule == "made_by_us"


def test_a_created_record_that_was_archived_is_gone_not_made_again():
    planned = plan_one(local=local(email="a@x"), remote=remote(True), link=linked(creating=True))
    assert (planned.outcome, planned.reason) == (OUT.UNLINKED, "remote_gone")


# gone


HERE = local(email="a@x")
THERE = remote(email="a@x")
DELETES = {"deletes": terms.DeletePolicy.ARCHIVE}


@pytest.mark.parametrize(
    ("one", "pair", "outcome", "archives", "reason"),
    [
        (mapping(), {"local": HERE}, OUT.UNLINKED, None, "remote_gone"),
        (mapping(), {"local": HERE, "remote": remote(True, email="a@x")}, OUT.UNLINKED, None, "remote_gone"),
        (mapping(), {"remote": THERE}, OUT.UNLINKED, None, "local_gone"),
        (mapping(), {"local": local(True, email="a@x"), "remote": THERE}, OUT.UNLINKED, None, "local_gone"),
        (mapping(), {}, OUT.UNLINKED, None, "gone"),
        (mapping(**DELETES), {"remote": remote(True)}, OUT.UNLINKED, None, "gone"),
        (mapping(**DELETES), {"local": HERE}, OUT.ARCHIVED, LOCAL, "remote_gone"),
        (mapping(**DELETES), {"remote": THERE}, OUT.ARCHIVED, REMOTE, "local_gone"),
        (mapping(D.PUSH, **DELETES), {"remote": THERE}, OUT.ARCHIVED, REMOTE, "local_gone"),
        (mapping(D.PUSH, **DELETES), {"local": HERE}, OUT.UNLINKED, None, "remote_gone"),
        (mapping(D.PULL, **DELETES), {"remote": THERE}, OUT.UNLINKED, None, "local_gone"),
        (mapping(**DELETES), {"local": HERE, "wanted": D.PUSH}, OUT.WAITING, None, "not_wanted"),
        (mapping(**DELETES), {"remote": THERE, "wanted": D.PULL}, OUT.WAITING, None, "not_wanted"),
    ],
)
def test_a_lost_partner(one, pair, outcome, archives, reason):
    """I13 and fault 31: a deletion follows policy and direction, on a direct read only."""
    planned = plan_one(one, link=linked(email="a@x"), **pair)
    assert (planned.outcome, planned.archives, planned.reason) == (outcome, archives, reason)
    assert planned.unlinks is (outcome is not OUT.WAITING)


def test_an_edit_beats_a_deletion():
    """Delete against edit: the edited record is kept and shown."""
    one = mapping(**DELETES)
    for pair in ({"local": local(email="new@x")}, {"remote": remote(email="new@x")}):
        planned = plan_one(one, link=linked(email="a@x"), **pair)
        assert (planned.outcome, planned.reason, planned.archives) == (OUT.UNLINKED, "edited", None)
    against = plan_one(one, remote=remote(score="2"), link=linked(score="1"))
    assert against.outcome is OUT.ARCHIVED, "an edit that would not have flowed is no reason to keep it"
    broken = plan_one(one, local=local(age=object()), link=linked(age="5"))
    assert broken.reason == "edited"


def test_a_pair_of_nothing_is_unchanged():
    planned = plan_one()
    assert (planned.outcome, planned.reason) == (OUT.UNCHANGED, "gone")


# the plan as a value


def make_mixed_plan():
    pairs = [
        changes.Pair(local(email="a@x"), None),
        changes.Pair(None, remote(email="b@x")),
        changes.Pair(local(email="c@x"), remote(email="d@x"), linked(email="c@x")),
        changes.Pair(local(email="e@x"), remote(email="f@x"), linked(email="f@x")),
        changes.Pair(None, remote(email="g@x"), linked(email="g@x")),
        changes.Pair(None, remote(True, email="h@x")),
        changes.Pair(None, None),
    ]
    return plan.make_plan(mapping(**DELETES), iter(pairs), NOW)


def test_a_plan_counts_every_pair_once():
    """Every considered record has exactly one outcome."""
    planned = make_mixed_plan()
    assert planned.counts() == {OUT.CREATED: 2, OUT.UPDATED: 2, OUT.ARCHIVED: 1, OUT.EXCLUDED: 1, OUT.UNCHANGED: 1}
    assert sum(planned.counts().values()) == len(planned.pairs)
    assert [planned.creates(side) for side in (LOCAL, REMOTE)] == [1, 1]
    assert [planned.updates(side) for side in (LOCAL, REMOTE)] == [1, 1]
    assert [planned.archives(side) for side in (LOCAL, REMOTE)] == [0, 1]
    assert (planned.spec.revision, planned.made_at, planned.is_empty) == (7, NOW, False)


def test_a_plan_of_nothing_to_write_is_empty():
    assert plan.make_plan(mapping(), [], NOW).is_empty
    assert plan.make_plan(mapping(), [changes.Pair(HERE, THERE, linked(email="a@x"))], NOW).is_empty


# what to remember afterwards


def test_bases_keep_what_each_side_answered_and_what_the_plan_saw():
    """I8: the written side's half is its answer, the other half is what was read, not what is there by now."""
    planned = plan_one(
        local=local(email="Ann@X", age=5), remote=remote(email="old@x", age="6"), link=linked(email="old@x", age="5")
    )
    bases = plan.make_bases(mapping(), planned, local=local(age=6, name="?"), remote=remote(email="ann@x", age="7"))
    assert bases[1] == changes.BaseValue("Ann@X", "ann@x")
    assert bases[3] == changes.BaseValue("6", "6")
    assert bases[2] == changes.BaseValue(None, None), "settled"


def test_a_write_without_an_answer_leaves_no_base():
    planned = plan_one(local=local(email="new@x"), remote=remote(email="a@x"), link=linked(email="a@x"))
    assert 1 not in plan.make_bases(mapping(), planned)
    created = plan_one(local=local(email="a@x"))
    assert plan.make_bases(mapping(), created, remote=remote(email="a@x"))[1] == changes.BaseValue("a@x", "a@x")
