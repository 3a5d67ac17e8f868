"""The three-way diff of one field, and what makes two values agree."""

import pytest

from crmsync.engine import changes, diff, errors, terms

D = terms.Difference
REFUSED = errors.ConvertError("option_unknown", "No.")


def base(local, remote):
    return changes.BaseValue(local, remote)


@pytest.mark.parametrize(
    ("local", "remote", "known", "outgoing", "incoming", "kind"),
    [
        ("a", "a", base("a", "a"), "a", "a", D.UNCHANGED),
        (None, None, base(None, None), None, None, D.UNCHANGED),
        ("A@x", "a@x", base("A@x", "a@x"), "A@x", "a@x", D.UNCHANGED),
        ("b", "a", base("a", "a"), "b", "a", D.PUSH),
        ("a", "b", base("a", "a"), "a", "b", D.PULL),
        ("b", "b", base("a", "a"), "b", "b", D.SETTLED),
        ("b", "c", base("a", "a"), "b", "c", D.BOTH_CHANGED),
        ("a", "a", None, "a", "a", D.SETTLED),
        (None, None, None, None, None, D.SETTLED),
        ("a", "b", None, "a", "b", D.UNKNOWN_BASE),
        ("a", None, None, "a", None, D.UNKNOWN_BASE),
        ("b", "a", base("a", "a"), REFUSED, "a", D.PUSH),
        ("b", "c", base("a", "a"), REFUSED, REFUSED, D.BOTH_CHANGED),
        ("new", "lead", base("prospect", "lead"), "lead", "prospect", D.SETTLED),
        ("new", "mql", base("new", "lead"), "lead", "new", D.SETTLED),
        ("a", "b", base("b", "b"), "b", diff.ONE_WAY, D.SETTLED),
    ],
)
def test_each_side_is_compared_with_its_own_half_of_the_base(local, remote, known, outgoing, incoming, kind):
    """I5, I8: an echo of what HubSpot made of a value equals its half and is no change."""
    assert diff.classify(local, remote, known, outgoing=outgoing, incoming=incoming) is kind


def test_what_cannot_be_said_never_agrees():
    assert not diff.is_agreed("x", "x", outgoing=REFUSED, incoming=diff.ONE_WAY)
    assert not diff.is_agreed(None, None, outgoing=diff.ONE_WAY, incoming=diff.ONE_WAY)
