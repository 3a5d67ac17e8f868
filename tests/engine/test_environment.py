"""Environment: copies of production write nothing, and installations know each other."""

import json
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsync.engine import environment

HOME = environment.Fingerprint("https://shop.example", "db1/shop", "production", 4242, "STANDARD")
TEST = replace(HOME, label="staging", account_type="SANDBOX")
PRINTS = st.builds(environment.Fingerprint, st.text(), st.text(), st.text(), st.integers(0, 2**53), st.text())


def decide(stored, now, label="production", read_only=False):
    return environment.decide(stored, now, environment=label, read_only=read_only)


def test_the_first_use_is_open():
    """F11: nothing to compare with yet."""
    found = decide(None, HOME)
    assert (found.state, found.reason, found.remedy) == ("open", "", "")
    assert found.may_write
    assert found.may_read


def test_the_same_installation_stays_open():
    assert decide(HOME, HOME).state == "open"


@pytest.mark.parametrize(
    ("part", "value", "words"),
    [
        ("site", "https://staging.example", "the site's address was “https://shop.example”, now it is “https://"),
        ("database", "db2/shop", "the database was “db1/shop”, now it is “db2/shop”"),
        ("label", "", "the environment was “production”, now it is not set"),
        ("portal_id", 7, "the HubSpot account was “4242”, now it is “7”"),
        ("account_type", "SANDBOX", "the account's type was “STANDARD”, now it is “SANDBOX”"),
    ],
)
def test_any_part_that_differs_locks_with_its_name(part, value, words):
    """F11, Fault 48, I16: production data on another machine: all rests until a person confirms."""
    found = decide(HOME, replace(HOME, **{part: value}))
    assert found.state == "locked"
    assert words in found.reason
    assert "confirm" in found.remedy
    assert not found.may_write
    assert not found.may_read


def test_every_part_of_the_fingerprint_counts():
    """A part that is added and not compared fails here."""
    for one in fields(environment.Fingerprint):
        other = replace(HOME, **{one.name: 99 if one.name == "portal_id" else "other"})
        assert len(environment.differences(HOME, other)) == 1


@pytest.mark.parametrize("account_type", ["STANDARD", "", "SOMETHING_NEW"])
def test_staging_may_use_test_accounts_only(account_type):
    """F11, U16: whatever is not known to be a test account is taken for real, also when it was confirmed."""
    now = replace(TEST, account_type=account_type)
    for stored in (None, now, HOME):
        found = decide(stored, now, label="staging")
        assert found.state == "refused"
        assert not found.may_write
        assert "staging" in found.reason
        assert found.remedy


@pytest.mark.parametrize("account_type", ["DEVELOPER_TEST", "SANDBOX", "APP_DEVELOPER"])
def test_staging_with_a_test_account_is_open_once_confirmed(account_type):
    """F11, C30."""
    now = replace(TEST, account_type=account_type)
    assert decide(None, now, label="staging").state == "open"
    assert decide(now, now, label="staging").state == "open"
    assert decide(HOME, now, label="staging").state == "locked"


@pytest.mark.parametrize("label", ["production", "Production ", "", "  "])
def test_production_and_installations_without_a_label_may_use_real_accounts(label):
    assert decide(None, HOME, label=label).state == "open"


@pytest.mark.parametrize("stored", [None, HOME, TEST])
@pytest.mark.parametrize("label", ["production", "staging", ""])
def test_a_rehearsal_reads_and_never_writes(stored, label):
    """F11: the setting for a read-only rehearsal against production."""
    found = decide(stored, HOME, label=label, read_only=True)
    assert found.state == "read_only"
    assert found.may_read
    assert not found.may_write


@given(stored=st.none() | PRINTS, now=PRINTS, label=st.text(), read_only=st.booleans())
def test_whoever_may_not_write_is_told_why_and_what_to_do(stored, now, label, read_only):
    """F11: only an unchanged or first fingerprint writes."""
    found = decide(stored, now, label, read_only)
    assert found.may_write == (not found.reason) == (not found.remedy)
    if found.may_write:
        assert stored in (None, now)
        assert not read_only


@given(PRINTS)
def test_a_fingerprint_survives_being_stored(one):
    assert environment.from_json(json.loads(json.dumps(one.to_json()))) == one


@pytest.mark.parametrize("raw", [None, {}, "", []])
def test_nothing_stored_is_no_fingerprint(raw):
    assert environment.from_json(raw) is None


@pytest.mark.parametrize(
    "raw",
    ["nonsense", 7, ["a"], {"unknown": 1}, {"site": 3, "portal_id": None}, {"portal_id": True}, {"portal_id": [1]}],
)
def test_what_cannot_be_read_locks(raw):
    """I16: a broken fingerprint is not a first use."""
    stored = environment.from_json(raw)
    assert stored == environment.Fingerprint("", "", "", 0, "")
    assert decide(stored, HOME).state == "locked"


def test_a_portal_id_may_have_been_stored_as_text():
    assert environment.from_json({"portal_id": "4242"}).portal_id == 4242


SOUND_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
IDS = SOUND_TEXT.filter(str.strip)


@given(install_id=IDS, label=SOUND_TEXT, before=SOUND_TEXT, after=SOUND_TEXT)
def test_a_marker_is_found_in_any_text_around_it(install_id, label, before, after):
    """Fault 49: the description is HubSpot's and people's too."""
    text = before.replace("[", "(") + environment.marker(install_id, label) + after
    assert environment.read_marker(text) == (install_id, label[: environment.LONGEST_LABEL])


@given(install_id=IDS, label=SOUND_TEXT)
def test_a_marker_survives_what_a_page_does_to_text(install_id, label):
    """Fault 49: escaping and wrapping leave it as it is."""
    text = environment.marker(install_id, label)
    assert text.isascii()
    assert not set("&<>\"'\n").intersection(text)
    assert environment.read_marker(text.replace(" ", "\n  ")) == environment.read_marker(text)


@given(SOUND_TEXT)
def test_no_marker_is_read_where_there_is_none(text):
    assert environment.read_marker(text.replace("[crmsync", "")) is None


def test_another_installation_is_seen_and_can_be_replaced():
    """Fault 49: two installations of one portal; the words around the marker stay."""
    text = environment.set_marker("Written by crmsync. Do not edit.", "a1", "shop")
    assert text == "Written by crmsync. Do not edit. [crmsync install=a1 label=shop]"
    other = environment.set_marker(text, "b2", "staging [copy]")
    assert other == "Written by crmsync. Do not edit. [crmsync install=b2 label=staging%20%5Bcopy%5D]"
    assert environment.read_marker(other) == ("b2", "staging [copy]")
    assert environment.set_marker("", "a1", "") == "[crmsync install=a1 label=]"


@pytest.mark.parametrize("install_id", ["", "  "])
def test_a_marker_names_somebody(install_id):
    with pytest.raises(ValueError, match="blank"):
        environment.marker(install_id, "shop")


def test_half_a_character_in_a_label_breaks_nothing():
    assert environment.read_marker(environment.marker("a1", "x\ud800")) == ("a1", "x?")
