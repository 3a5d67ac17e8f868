"""Match: values made comparable, and exactly one partner or none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsync.engine import match, record, terms

N = terms.Normaliser


def key(pk):
    return record.RecordKey("contacts", pk)


@pytest.mark.parametrize(
    ("value", "normaliser", "normal"),
    [
        (" Ann ", N.EXACT, " Ann "),
        (5, N.EXACT, "5"),
        (None, N.EXACT, None),
        ("", N.TRIMMED, None),
        ("  ", N.TRIMMED, None),
        (" Straße ", N.TRIMMED, "strasse"),
        (" Ann@X.org", N.EMAIL, "ann@x.org"),
        ("mailto:ann@x.org", N.EMAIL, "ann@x.org"),
        ("ann", N.EMAIL, None),
        ("@x.org", N.EMAIL, None),
        ("https://www.Acme.com:8080/about?x#y", N.DOMAIN, "acme.com"),
        ("acme.com.", N.DOMAIN, "acme.com"),
        ("//acme.com", N.DOMAIN, None),
        ("ann@acme.com", N.DOMAIN, "acme.com"),
        ("+61 (0)400-123", N.DIGITS, "610400123"),
        ("none", N.DIGITS, None),
        ("acme.com:8080", N.DOMAIN, "acme.com"),
        ("www.www.acme.com", N.DOMAIN, "acme.com"),
        ("Ann+Shop@X.org", N.EMAIL, "ann+shop@x.org"),
        ("Ann+Shop+2@X.org", N.EMAIL_PLUS, "ann@x.org"),
        ("+shop@x.org", N.EMAIL_PLUS, "+shop@x.org"),
        ("ann+shop", N.EMAIL_PLUS, None),
        ("+44 20 7946-0000", N.PHONE, "442079460000"),
        ("0044 (20) 7946.0000", N.PHONE, "442079460000"),
        ("tel:+442079460000", N.PHONE, "442079460000"),
        ("020 7946 0000", N.PHONE, "02079460000"),
        ("+44 20 7946 0000 ext. 5", N.PHONE, None),
        ("1-800-FLOWERS", N.PHONE, None),
        ("0000", N.PHONE, None),
        ("٠١٢٣٤٥٦", N.PHONE, None),
    ],
)
def test_values_are_made_comparable(value, normaliser, normal):
    """U3."""
    assert match.normalise(value, normaliser) == normal


def decide(*candidates, value="ann@x.org", linked=None):
    found = [match.Candidate(key(pk), said, is_taken) for pk, said, is_taken in candidates]
    return match.decide(value, found, N.EMAIL, linked)


def test_exactly_one_match_links():
    """X10."""
    assert decide(("1", "ANN@x.org", False), ("2", "bob@x.org", False)) == match.Match(
        terms.MatchResult.FOUND, key("1"), (key("1"),)
    )


def test_none_or_several_do_not_link():
    """X10 and fault 40: the candidates are listed, none is picked, taken or not."""
    assert decide().result is terms.MatchResult.NONE
    several = decide(("2", "ann@x.org", False), ("1", "ann@x.org", True))
    assert (several.result, several.partner) == (terms.MatchResult.AMBIGUOUS, None)
    assert several.candidates == (key("1"), key("2"))


def test_a_record_found_twice_is_one_record():
    assert decide(("1", "ann@x.org", False), ("1", "ann@x.org", False)).result is terms.MatchResult.FOUND


def test_the_partner_of_another_record_is_never_stolen():
    """Fault 40."""
    taken = decide(("1", "ann@x.org", True))
    assert (taken.result, taken.partner, taken.candidates) == (terms.MatchResult.TAKEN, None, (key("1"),))


def test_a_link_beats_every_candidate():
    assert decide(("1", "ann@x.org", False), linked=key("9")) == match.Match(
        terms.MatchResult.LINKED, key("9"), (key("9"),)
    )


def test_a_blank_value_matches_nothing_not_even_a_blank():
    assert decide(("1", "", False), value="").result is terms.MatchResult.NONE


# Pieces that the normalisers look at, so that chance meets them.
PIECES = st.sampled_from(
    ["ann", "ß", "X.org", "@", "+", "+shop", "www.", "https://", "mailto:", "tel:", "00", "44", "(0)", " ", "-", "."]
)
VALUES = st.one_of(st.text(max_size=20), st.lists(PIECES, max_size=8).map("".join))


@pytest.mark.parametrize("normaliser", N)
@given(value=VALUES)
def test_a_normal_value_is_its_own_normal(normaliser, value):
    """U3: what a side stores in its normal form is found by that form."""
    normal = match.normalise(value, normaliser)
    assert normal != ""
    assert normal is None or match.normalise(normal, normaliser) == normal


@pytest.mark.parametrize("normaliser", N)
@given(one=VALUES, other=VALUES)
def test_values_match_each_other_or_not_at_all(normaliser, one, other):
    """U3: it does not matter which side asks, and a value that has a normal form matches itself."""
    assert match.is_same(one, other, normaliser) == match.is_same(other, one, normaliser)
    assert match.is_same(one, one, normaliser) == (match.normalise(one, normaliser) is not None)


@pytest.mark.parametrize("normaliser", N)
@given(value=VALUES)
def test_every_spelling_means_the_value(normaliser, value):
    """U3: what is searched for besides the value itself matches it."""
    first, *others = match.spellings(value, normaliser)
    assert first == value
    assert all(match.is_same(value, other, normaliser) for other in others)


def test_phones_are_equal_only_with_all_digits():
    """U3: no country is guessed."""
    assert match.is_same("+44 20 7946 0000", "00442079460000", N.PHONE)
    assert not match.is_same("+44 20 7946 0000", "020 7946 0000", N.PHONE)
    assert not match.is_same("+44 20 7946 0000", "+44 20 7946 00000", N.PHONE)
