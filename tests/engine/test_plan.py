"""The plan as a value, and what to remember once it was applied."""

from crmsync.engine import changes, plan, terms
from tests.engine import pairs

D = terms.Direction
OUT = terms.Outcome
LOCAL = terms.SideName.LOCAL
REMOTE = terms.SideName.REMOTE
ARCHIVES = pairs.mapping(deletes_remote=terms.DeletePolicy.ARCHIVE, deletes_local=terms.DeletePolicy.ARCHIVE)
IN_SYNC = changes.Pair(pairs.local(email="a@x"), pairs.remote(email="a@x"), pairs.linked(email="a@x"))


def make_mixed_plan():
    some = [
        changes.Pair(pairs.local(email="a@x"), None),
        changes.Pair(None, pairs.remote(email="b@x")),
        changes.Pair(pairs.local(email="c@x"), pairs.remote(email="d@x"), pairs.linked(email="c@x")),
        changes.Pair(pairs.local(email="e@x"), pairs.remote(email="f@x"), pairs.linked(email="f@x")),
        changes.Pair(None, pairs.remote(email="g@x"), pairs.linked(email="g@x")),
        changes.Pair(None, pairs.remote(True, email="h@x")),
        changes.Pair(None, None),
    ]
    return plan.make_plan(ARCHIVES, iter(some), pairs.NOW)


def test_a_plan_counts_every_pair_once():
    """Every considered record has exactly one outcome."""
    planned = make_mixed_plan()
    assert planned.counts() == {OUT.CREATED: 2, OUT.UPDATED: 2, OUT.ARCHIVED: 1, OUT.EXCLUDED: 1, OUT.UNCHANGED: 1}
    assert sum(planned.counts().values()) == len(planned.pairs)
    assert [planned.creates(side) for side in (LOCAL, REMOTE)] == [1, 1]
    assert [planned.updates(side) for side in (LOCAL, REMOTE)] == [1, 1]
    assert [planned.archives(side) for side in (LOCAL, REMOTE)] == [0, 1]
    assert (planned.spec.revision, planned.made_at, planned.is_empty) == (7, pairs.NOW, False)


def test_a_plan_of_nothing_to_write_is_empty():
    assert plan.make_plan(pairs.mapping(), [], pairs.NOW).is_empty
    assert plan.make_plan(pairs.mapping(), [IN_SYNC], pairs.NOW).is_empty


# what to remember afterwards


def test_bases_keep_what_each_side_answered_and_what_the_plan_saw():
    """I8: the written side's half is its answer, the other half is what was read, not what is there by now."""
    planned = pairs.plan_one(
        local=pairs.local(email="Ann@X", age=5),
        remote=pairs.remote(email="old@x", age="6"),
        link=pairs.linked(email="old@x", age="5"),
    )
    bases = plan.make_bases(
        pairs.mapping(), planned, local=pairs.local(age=6, name="?"), remote=pairs.remote(email="ann@x", age="7")
    )
    assert bases[1] == changes.BaseValue("Ann@X", "ann@x")
    assert bases[3] == changes.BaseValue("6", "6")
    assert bases[2] == changes.BaseValue(None, None), "settled"


def test_a_write_without_an_answer_leaves_no_base():
    planned = pairs.plan_one(
        local=pairs.local(email="new@x"), remote=pairs.remote(email="a@x"), link=pairs.linked(email="a@x")
    )
    assert 1 not in plan.make_bases(pairs.mapping(), planned)
    created = pairs.plan_one(local=pairs.local(email="a@x"))
    assert plan.make_bases(pairs.mapping(), created, remote=pairs.remote(email="a@x"))[1] == changes.BaseValue(
        "a@x", "a@x"
    )
