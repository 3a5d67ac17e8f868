"""Write modes: what is kept out, and what appending makes of two values."""

import pytest

from crmsync.engine import spec, terms, writemode

M = terms.WriteMode
CLEAR = terms.BlankPolicy.CLEAR
KEEP = terms.BlankPolicy.KEEP


def field(mode=M.APPEND, blanks=KEEP, local=terms.LocalType.TEXT, remote=terms.RemoteType.STRING, **facts):
    return spec.FieldSpec(
        1, "one", "uno", write_mode=mode, blanks=blanks, local_type=local, remote_type=remote, **facts
    )


CHECKBOXES = field(local=terms.LocalType.MULTI, remote=terms.RemoteType.CHECKBOXES)
CHOICES_TEXT = field(local=terms.LocalType.MULTI)
NUMBER = field(local=terms.LocalType.INTEGER, remote=terms.RemoteType.NUMBER)


@pytest.mark.parametrize(
    ("one", "target", "said", "kept_out"),
    [
        (field(M.OVERWRITE), "old", "new", False),
        (field(M.OVERWRITE), None, "new", False),
        (field(M.OVERWRITE), "old", None, True),
        (field(M.OVERWRITE, CLEAR), "old", None, False),
        (field(M.IF_EMPTY), None, "new", False),
        (field(M.IF_EMPTY), "old", "new", True),
        (field(M.IF_EMPTY, CLEAR), "old", None, True),
        (field(M.IF_NEW), None, "new", True),
        (field(M.IF_NEW, CLEAR), "old", None, True),
        (field(), "old", "new", False),
        (field(blanks=CLEAR), "old", None, True),
        (NUMBER, "1", "2", True),
        (NUMBER, None, "2", False),
    ],
)
def test_what_a_mode_keeps_out_of_an_existing_record(one, target, said, kept_out):
    assert writemode.is_kept_out(one, target=target, said=said) is kept_out


def test_only_text_and_sets_can_be_appended_to():
    assert writemode.is_appending(field())
    assert writemode.is_appending(CHECKBOXES)
    assert writemode.is_appending(CHOICES_TEXT)
    assert not writemode.is_appending(NUMBER)
    assert not writemode.is_appending(field(M.OVERWRITE))
    assert not writemode.is_appending(field(value_map=spec.ValueMap()))


@pytest.mark.parametrize(
    ("one", "first", "second", "joined"),
    [
        (field(), "a", "b", "a\nb"),
        (field(), "a\nb\nc", "b", "a\nb\nc"),
        (field(), "a\r\nb ", "a\nb", "a\r\nb "),
        (field(), "b", "a\nb\nc", "a\nb\nc"),
        (field(), "concatenate", "cat", "concatenate\ncat"),
        (field(), "a\nb\nc", "a\nc", "a\nb\nc\na\nc"),
        (field(), "a", "  ", "a"),
        (CHECKBOXES, "a;b", "b;c", "a;b;c"),
        (CHOICES_TEXT, "b", "a", "a;b"),
    ],
)
def test_joining_loses_nothing_and_repeats_nothing(one, first, second, joined):
    assert writemode.make_joined(one, first=first, second=second) == joined
    assert writemode.make_joined(one, first=joined, second=second) == joined


def test_checkboxes_are_sent_as_an_addition():
    """HubSpot reads a leading separator as "append": a choice made there meanwhile survives."""
    assert writemode.make_addition(CHECKBOXES, target="a;b", joined="a;b;c;d") == ";c;d"
    assert writemode.make_addition(CHECKBOXES, target=None, joined="c;d") == "c;d"
    assert writemode.make_addition(CHOICES_TEXT, target="a", joined="a;b") == "a;b"
