"""A record on one side only: made on the other of what flows there, or left alone with a reason."""

import pytest

from crmsync.engine import changes, spec, terms
from tests.engine import pairs

D = terms.Direction
OUT = terms.Outcome
LOCAL = terms.SideName.LOCAL
REMOTE = terms.SideName.REMOTE


def test_a_local_record_is_made_in_hubspot_of_every_value_that_flows_there():
    modes = [
        spec.FieldSpec(10 + number, mode.value, mode.value, write_mode=mode)
        for number, mode in enumerate(terms.WriteMode)
    ]
    planned = pairs.plan_one(
        pairs.mapping(fields=(*pairs.FIELDS, *modes)),
        local=pairs.local(
            email="a@x", name="", age=0, stage="s", score="1", **{mode.value: "v" for mode in terms.WriteMode}
        ),
    )
    assert (planned.outcome, planned.creates) == (OUT.CREATED, REMOTE)
    assert pairs.sent(planned) == {"email": "a@x", "age": "0", "score": "1"} | {
        mode.value: "v" for mode in terms.WriteMode
    }
    assert planned.settles == {2: changes.BaseValue(None, None)}, "a field that only pulls is met later"
    assert {write.rule for write in planned.remote_writes} == {"created"}


def test_a_hubspot_record_is_made_locally_of_every_value_that_flows_there():
    planned = pairs.plan_one(remote=pairs.remote(email="a@x", age="5.0", stage="s", score="1"))
    assert (planned.outcome, planned.creates) == (OUT.CREATED, LOCAL)
    assert pairs.stored(planned) == {"email": "a@x", "age": 5, "stage": "s"}
    assert planned.settles == {2: changes.BaseValue(None, None)}


@pytest.mark.parametrize(
    ("one", "pair", "reason"),
    [
        (pairs.mapping(D.PULL), {"local": pairs.local(email="a@x")}, "direction"),
        (pairs.mapping(), {"local": pairs.local(email="a@x"), "wanted": D.PULL}, "direction"),
        (pairs.mapping(creates_remote=False), {"local": pairs.local(email="a@x")}, "link_only"),
        (pairs.mapping(rules=(pairs.PUSH_RULE,)), {"local": pairs.local(email="a@x")}, "filter"),
        (pairs.mapping(), {"local": pairs.local(email="a@x"), "candidates": 2}, "too_many_candidates"),
        (pairs.mapping(), {"local": pairs.local(email="a@x"), "candidates": 1}, "partner_taken"),
        (pairs.mapping(), {"local": pairs.local(archived=True, email="a@x")}, "archived"),
        (pairs.mapping(), {"local": pairs.local(stage="s")}, "blank"),
        (pairs.mapping(D.PUSH), {"remote": pairs.remote(email="a@x")}, "direction"),
        (pairs.mapping(), {"remote": pairs.remote(email="a@x"), "wanted": D.PUSH}, "direction"),
        (pairs.mapping(creates_local=False), {"remote": pairs.remote(email="a@x")}, "link_only"),
        (pairs.mapping(rules=(pairs.PULL_RULE,)), {"remote": pairs.remote(email="a@x")}, "filter"),
        (pairs.mapping(), {"remote": pairs.remote(email="a@x"), "candidates": 3}, "too_many_candidates"),
        (pairs.mapping(), {"remote": pairs.remote(archived=True, email="a@x")}, "archived"),
        (pairs.mapping(), {"remote": pairs.remote(score="1")}, "blank"),
        (pairs.mapping(), {"local": pairs.local(email="a@x"), "remote": pairs.remote(True, email="a@x")}, "archived"),
    ],
)
def test_a_record_that_is_not_made_says_why(one, pair, reason):
    """U8, U9, L12, X10, A7: excluded with a reason, and nothing is written."""
    planned = pairs.plan_one(one, **pair)
    assert (planned.outcome, planned.reason) == (OUT.EXCLUDED, reason)
    assert planned.detail
    assert (planned.is_write, planned.adopts, planned.settles) == (False, False, {})


def test_the_excluded_tell_how_many_candidates_and_which_value():
    assert "3" in pairs.plan_one(local=pairs.local(email="a@x"), candidates=3).detail
    assert '"a@x"' in pairs.plan_one(pairs.mapping(rules=(pairs.PUSH_RULE,)), local=pairs.local(email="a@x")).detail


@pytest.mark.parametrize("one_way", [pairs.PUSH_RULE, pairs.rule("email", "b@x", D.PUSH, gates_updates=True)])
def test_a_record_that_passes_its_rules_is_made(one_way):
    assert pairs.plan_one(pairs.mapping(rules=(one_way,)), local=pairs.local(email="b@x")).outcome is OUT.CREATED


def test_a_create_goes_on_without_a_broken_field_but_not_without_its_match_field():
    planned = pairs.plan_one(local=pairs.local(email="a@x", name="nul\0"))
    assert (planned.outcome, pairs.sent(planned)) == (OUT.CREATED, {"email": "a@x"})
    assert [problem.code for problem in planned.problems] == ["nul"]
    assert 2 not in planned.settles
    for pair in (
        {"local": pairs.local(email="nul\0", name="Ann")},
        {"remote": pairs.remote(email="nul\0", firstname="Ann")},
    ):
        planned = pairs.plan_one(**pair)
        assert (planned.outcome, planned.reason, planned.is_write) == (OUT.FAILED, "nul", False)


def test_a_create_of_nothing_but_problems_fails():
    planned = pairs.plan_one(pairs.mapping(fields=(pairs.NAME,)), local=pairs.local(name="nul\0"))
    assert (planned.outcome, planned.reason, planned.creates) == (OUT.FAILED, "nul", None)
