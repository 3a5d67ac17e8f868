"""Values of related tables, and values whose code raised: what the engine makes of them."""

import pytest

from crmsync.engine import convert, errors, record, spec, terms

CHOICES = frozenset({"Won", "VIP", "Vip"})


def field(local_type=terms.LocalType.TEXT, **facts) -> spec.FieldSpec:
    remote = terms.RemoteType.CHECKBOXES if local_type is terms.LocalType.MULTI else terms.RemoteType.ENUMERATION
    facts = {"local_choices": CHOICES, "category": "status", **facts}
    return spec.FieldSpec(1, "status", "s", local_type=local_type, remote_type=remote, **facts)


@pytest.mark.parametrize(
    ("said", "value"), [("Won", "Won"), ("won", "Won"), ("VIP", "VIP"), ("Vip", "Vip"), ("", None)]
)
def test_the_tables_spelling_is_taken(said, value) -> None:
    """L4: exact first, then the only one that differs in letter case alone."""
    assert convert.from_remote(said, field()) == value


@pytest.mark.parametrize("said", ["vip", "New"])
def test_what_is_not_there_is_held(said) -> None:
    """L4: nothing is guessed, and the remedy is named."""
    with pytest.raises(errors.ConvertError, match=f"There is no status “{said}” in Django: add it, or map it"):
        convert.from_remote(said, field())


def test_a_growing_table_takes_new_names_but_no_guesses() -> None:
    """L4: a name that only differs in letter case from two rows is not added as a third."""
    one = field(adds_choices=True)
    assert convert.from_remote("New", one) == "New"
    with pytest.raises(errors.ConvertError):
        convert.from_remote("vip", one)


def test_a_table_too_long_to_list_is_asked_later() -> None:
    assert convert.from_remote("Anything", field(local_choices=frozenset())) == "Anything"


def test_several_are_each_looked_at() -> None:
    """L4: one unknown value holds the field back, and is named."""
    several = field(terms.LocalType.MULTI)
    assert convert.from_remote("won;VIP", several) == ("VIP", "Won")
    with pytest.raises(errors.ConvertError, match="“New”"):
        convert.from_remote("Won;New", several)


def test_a_value_map_goes_before() -> None:
    """L4: a mapped value is translated first, one that passes is looked up without letter case."""
    one = field(value_map=spec.ValueMap(to_local={"closedwon": "Won"}, strict=False))
    assert convert.from_remote("closedwon", one) == "Won"
    assert convert.from_remote("WON", one) == "Won"


def test_an_unreadable_value_says_so() -> None:
    """A12: the path and the class of the error, and nothing else; it is never taken for a blank."""
    with pytest.raises(errors.ConvertError) as raised:
        convert.local_text(record.Unreadable("total", "KeyError"), field())
    assert raised.value.code is terms.Problem.UNREADABLE
    assert raised.value.message == "total could not be computed: it raised KeyError. Correct its code, then retry."
