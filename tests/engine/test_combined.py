"""Combined paths: how several values read as one text, and which paths cannot be combined."""

import pytest

from crmsync.engine import combined


def test_parts_are_joined_and_blank_ones_keep_their_place():
    """A29"""
    assert combined.text_of(["won", "commercial"]) == "won + commercial"
    assert combined.text_of(["won", None]) == "won +"
    assert combined.text_of([None, "commercial"]) == "+ commercial"
    assert combined.text_of([None, ""]) is None
    assert combined.text_of([True, 2]) == "true + 2"


@pytest.mark.parametrize("values", [("won", "b"), ("won", ""), ("", "b"), ("a", "", "b"), ("a", "", ""), ("won",)])
def test_a_text_is_taken_apart_as_it_was_joined(values):
    """A29"""
    assert combined.split(combined.text_of(values), len(values)) == values
    assert combined.split(combined.text_of(values), len(values) + 1) is None


def test_values_are_found_by_plain_path():
    assert combined.read("a+b", {"a": "1", "b": "2"}) == "1 + 2"
    assert combined.read("a", {"a": 1}) == 1


@pytest.mark.parametrize(
    ("path", "words"),
    [("a+", "blank part"), ("+a", "blank part"), ("a + b", "blank part"), ("a+a", "twice"), ("a+b+c+d", "at most 3")],
)
def test_a_path_that_cannot_be_combined_is_explained(path, words):
    assert words in combined.find_fault(path)
    assert combined.find_fault("a+b+c") == ""


def test_every_combination_is_offered_up_to_a_limit():
    """A29, L9"""
    assert combined.find_choices([["a", "b"], ["x"]]) == ("a + x", "b + x")
    assert combined.find_choices([["a"], []]) == ()
    assert len(combined.find_choices([[str(n) for n in range(25)], [str(n) for n in range(20)]])) == 500
    assert combined.find_choices([[str(n) for n in range(26)], [str(n) for n in range(20)]]) == ()
