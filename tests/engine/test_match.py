"""Match: values made comparable, and exactly one partner or none."""

import pytest

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
