"""What is put back of what a canary wrote: never what somebody edited since, and twice does no harm."""

from hypothesis import given
from hypothesis import strategies as st

from crmsync.engine import canary
from crmsync.engine.canary import Fate
from crmsync.engine.terms import SideName

TEXTS = st.one_of(st.none(), st.sampled_from(["a", "b", "c"]))
SIDES = st.sampled_from(list(SideName))


def written(before, wanted, after=None, *, is_answered=False, side=SideName.REMOTE) -> canary.Written:
    return canary.Written("city|city", side, before, wanted, after, is_answered, raw=before)


@given(TEXTS, TEXTS, TEXTS, SIDES)
def test_only_what_the_canary_left_is_put_back(before, after, current, side) -> None:
    """F20: an edit since is left, whatever it says."""
    one = canary.answer(written(before, "whatever", side=side), after)
    fate = canary.decide(one, current)
    assert (fate is Fate.BACK) == (current == before)
    assert (fate is Fate.PUT_BACK) == (current == after != before)
    assert (fate is Fate.EDITED) == (current not in (before, after))


@given(TEXTS, TEXTS)
def test_putting_back_twice_does_nothing_more(before, after) -> None:
    """F20: safe to run again."""
    assert canary.decide(canary.answer(written(before, after), after), before) is Fate.BACK


def test_a_write_whose_answer_was_lost_is_known_by_what_was_sent() -> None:
    """F20, killed between: HubSpot trims and lower-cases what it is sent."""
    one = written(None, " Ada@Example.com ")
    assert canary.decide(one, "ada@example.com") is Fate.PUT_BACK
    assert canary.decide(one, None) is Fate.BACK
    assert canary.decide(one, "bob@example.com") is Fate.EDITED


def test_an_answer_is_believed_to_the_letter() -> None:
    one = canary.answer(written(None, "Ada"), "Ada")
    assert canary.decide(one, "ada") is Fate.EDITED


@given(
    first=st.sampled_from(["x0", None]),
    tries=st.lists(
        st.tuples(st.sampled_from(["w1", "w2"]), st.booleans(), st.sampled_from(["", "u1", "u2"])), max_size=5
    ),
)
def test_what_comes_back_is_what_somebody_else_wrote_last(first, tries) -> None:
    """F20: tries that were killed before or after their write, with edits by others in between."""
    value, theirs, known = first, first, ()
    for wanted, is_written, edit in tries:
        if value != wanted:
            known = canary.merge(known, [written(value, wanted)])
            value = wanted if is_written else value
        if edit:
            value = theirs = edit
    fates = {one: canary.decide(one, value) for one in known}
    back = next((one.before for one, fate in fates.items() if fate is Fate.PUT_BACK), value)
    assert back == theirs


def test_fields_and_sides_are_remembered_apart() -> None:
    local = written("a", "b", side=SideName.LOCAL)
    remote = written("x", "y")
    again = written("b", "c", side=SideName.LOCAL)
    assert canary.merge([local, remote], [again]) == (written("a", "c", side=SideName.LOCAL), remote)
