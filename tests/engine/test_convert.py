"""Values cross to HubSpot and back, or are refused with a code and a sentence that says what to do."""

import itertools
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from crmsync.engine import convert, errors, spec, terms

L = terms.LocalType
R = terms.RemoteType
PROBLEMS = {
    "nul", "type", "too_long", "lossy", "option_unknown", "date_not_midnight",
}  # fmt: skip


def field(local_type=L.TEXT, remote_type=R.STRING, **facts):
    return spec.FieldSpec(1, "one", "uno", local_type=local_type, remote_type=remote_type, **facts)


def code_of(function, value, one):
    with pytest.raises(errors.ConvertError) as caught:
        function(value, one)
    assert caught.value.message.endswith("."), "a sentence, not a code"
    return str(caught.value.code)


STAGES = spec.ValueMap({"prospect": "lead", "new": "lead", "won": "customer"}, {"lead": "new", "customer": "won"})
LOOSE = spec.ValueMap({"a": "1"}, {"1": "a"}, strict=False)
OWNERS = spec.ValueMap({"7": "41629779"}, {"41629779": "7"})
NOON = datetime(2024, 5, 1, 12, 30, 15, 123456, tzinfo=UTC)
NOON_TEXT = "2024-05-01T12:30:15.123Z"
SUMMER = timezone(timedelta(hours=2))

SAID = [
    # local value, field, canonical local text, what is sent
    ("Ann", field(), "Ann", "Ann"),
    ("  two  blanks ", field(), "  two  blanks ", "  two  blanks "),
    ("line\r\nline\n", field(), "line\r\nline\n", "line\r\nline\n"),
    ("=cmd 🎉 שלום", field(), "=cmd 🎉 שלום", "=cmd 🎉 שלום"),
    (None, field(), None, ""),
    ("", field(), None, ""),
    (terms.Direction.PUSH, field(), "push", "push"),
    (12, field(), "12", "12"),
    ("+61 400 000 000", field(remote_type=R.PHONE_NUMBER), "+61 400 000 000", "+61 400 000 000"),
    ("1.50", field(remote_type=R.NUMBER), "1.50", "1.5"),
    ("TRUE", field(remote_type=R.BOOL), "TRUE", "true"),
    ("2024-05-01", field(remote_type=R.DATE), "2024-05-01", "2024-05-01"),
    ("2024-05-01", field(remote_type=R.DATETIME), "2024-05-01", "2024-05-01T00:00:00.000Z"),
    ("b;a;b", field(remote_type=R.CHECKBOXES), "b;a;b", "a;b"),
    ("41", field(remote_type=R.OWNER), "41", "41"),
    ("gold", field(remote_type=R.ENUMERATION, options=frozenset({"gold"})), "gold", "gold"),
    ("anything", field(remote_type=R.ENUMERATION), "anything", "anything"),
    (42, field(L.INTEGER, R.NUMBER), "42", "42"),
    (0, field(L.INTEGER, R.NUMBER), "0", "0"),
    (-7, field(L.INTEGER, R.STRING), "-7", "-7"),
    (Decimal("5.00"), field(L.INTEGER, R.NUMBER), "5", "5"),
    (10**30, field(L.INTEGER, R.NUMBER), "1" + "0" * 30, "1" + "0" * 30),
    (Decimal("12.50"), field(L.DECIMAL, R.NUMBER), "12.5", "12.5"),
    (Decimal("1E+3"), field(L.DECIMAL, R.NUMBER), "1000", "1000"),
    (Decimal("-0.00"), field(L.DECIMAL, R.NUMBER), "0", "0"),
    (Decimal("1.005"), field(L.DECIMAL, R.NUMBER, decimal_places=2), "1", "1"),
    (Decimal("9" * 30 + ".125"), field(L.DECIMAL, R.NUMBER, decimal_places=2), "9" * 30 + ".12", "9" * 30 + ".12"),
    (5, field(L.DECIMAL, R.NUMBER, decimal_places=2), "5", "5"),
    ("3.10", field(L.DECIMAL, R.STRING), "3.1", "3.1"),
    (0.1, field(L.FLOAT, R.NUMBER), "0.1", "0.1"),
    (1e22, field(L.FLOAT, R.NUMBER), "1" + "0" * 22, "1" + "0" * 22),
    (1.5e-7, field(L.FLOAT, R.NUMBER), "0.00000015", "0.00000015"),
    (-0.0, field(L.FLOAT, R.NUMBER), "0", "0"),
    (True, field(L.BOOLEAN, R.BOOL), "true", "true"),
    (False, field(L.BOOLEAN, R.BOOL), "false", "false"),
    (1, field(L.BOOLEAN, R.BOOL), "true", "true"),
    (False, field(L.BOOLEAN, R.ENUMERATION, value_map=spec.ValueMap({"false": "No"})), "false", "No"),
    (date(2020, 2, 29), field(L.DATE, R.DATE), "2020-02-29", "2020-02-29"),
    (date(1, 1, 1), field(L.DATE, R.DATE), "0001-01-01", "0001-01-01"),
    (date(9999, 12, 31), field(L.DATE, R.DATE), "9999-12-31", "9999-12-31"),
    (date(2020, 2, 29), field(L.DATE, R.DATETIME), "2020-02-29", "2020-02-29T00:00:00.000Z"),
    (date(2020, 2, 29), field(L.DATE, R.STRING), "2020-02-29", "2020-02-29"),
    (NOON, field(L.DATETIME, R.DATETIME), NOON_TEXT, NOON_TEXT),
    (NOON.astimezone(SUMMER), field(L.DATETIME, R.DATETIME), NOON_TEXT, NOON_TEXT),
    (datetime(2024, 5, 1, 2, tzinfo=SUMMER), field(L.DATETIME, R.DATE), "2024-05-01T00:00:00.000Z", "2024-05-01"),
    (["b", "a", "b"], field(L.MULTI, R.CHECKBOXES), "a;b", "a;b"),
    ({"x"}, field(L.MULTI, R.STRING), "x", "x"),
    ((), field(L.MULTI, R.CHECKBOXES), None, ""),
    ("b;a", field(L.MULTI, R.CHECKBOXES), "a;b", "a;b"),
    ((2, 1), field(L.MULTI, R.CHECKBOXES), "1;2", "1;2"),
    (["new", "won"], field(L.MULTI, R.CHECKBOXES, value_map=STAGES), "new;won", "customer;lead"),
    ("prospect", field(remote_type=R.ENUMERATION, value_map=STAGES), "prospect", "lead"),
    ("zzz", field(value_map=LOOSE), "zzz", "zzz"),
    ("n/a", field(value_map=spec.ValueMap({"n/a": ""})), "n/a", ""),
    (7, field(L.USER, R.OWNER, value_map=OWNERS), "7", "41629779"),
    (type("User", (), {"pk": 7})(), field(L.USER, R.OWNER, value_map=OWNERS), "7", "41629779"),
    (None, field(L.USER, R.OWNER), None, ""),
]


@pytest.mark.parametrize(("value", "one", "text", "sent"), SAID)
def test_a_local_value_has_a_canonical_text_and_a_hubspot_string(value, one, text, sent):
    assert convert.local_text(value, one) == text
    assert convert.to_remote(value, one) == sent


@pytest.mark.parametrize(
    ("value", "one", "code"),
    [
        ("a\0b", field(), "nul"),
        ("half \ud83d", field(), "type"),
        ("silver", field(remote_type=R.ENUMERATION, options=frozenset({"gold"})), "option_unknown"),
        ("Gold", field(remote_type=R.ENUMERATION, options=frozenset({"gold"})), "option_unknown"),
        ("lost", field(remote_type=R.ENUMERATION, value_map=STAGES), "option_unknown"),
        (["a", "z"], field(L.MULTI, R.CHECKBOXES, options=frozenset("ab")), "option_unknown"),
        (["new", "lost"], field(L.MULTI, R.CHECKBOXES, value_map=STAGES), "option_unknown"),
        (["a;b"], field(L.MULTI, R.CHECKBOXES), "type"),
        (5, field(L.MULTI, R.CHECKBOXES), "type"),
        (8, field(L.USER, R.OWNER, value_map=OWNERS), "option_unknown"),
        (8, field(L.USER, R.OWNER), "option_unknown"),
        (8, field(L.USER, R.OWNER, value_map=spec.ValueMap(strict=False)), "option_unknown"),
        ("1,5", field(remote_type=R.NUMBER), "type"),
        ("ja", field(remote_type=R.BOOL), "type"),
        ("1.5.2024", field(remote_type=R.DATE), "type"),
        ("soon", field(remote_type=R.DATETIME), "type"),
        (True, field(), "type"),
        (b"x", field(), "type"),
        (["x"], field(), "type"),
        ("many", field(L.INTEGER, R.NUMBER), "type"),
        (True, field(L.INTEGER, R.NUMBER), "type"),
        (object(), field(L.INTEGER, R.NUMBER), "type"),
        (Decimal("1.5"), field(L.INTEGER, R.NUMBER), "lossy"),
        (Decimal("NaN"), field(L.DECIMAL, R.NUMBER), "type"),
        (10**500, field(L.INTEGER, R.NUMBER), "type"),
        (float("inf"), field(L.FLOAT, R.NUMBER), "type"),
        ("perhaps", field(L.BOOLEAN, R.BOOL), "type"),
        (2, field(L.BOOLEAN, R.BOOL), "type"),
        (NOON, field(L.DATE, R.DATE), "type"),
        (date(2024, 5, 1), field(L.DATETIME, R.DATETIME), "type"),
        (datetime(2024, 5, 1), field(L.DATETIME, R.DATETIME), "type"),
        (datetime(1, 1, 1, tzinfo=SUMMER), field(L.DATETIME, R.DATETIME), "type"),
        (NOON, field(L.DATETIME, R.DATE), "date_not_midnight"),
    ],
)
def test_what_hubspot_would_refuse_or_change_is_not_sent(value, one, code):
    assert code_of(convert.to_remote, value, one) == code


def test_hubspot_keeps_65536_characters_of_a_text():
    assert len(convert.to_remote("x" * 65_536, field())) == 65_536
    assert code_of(convert.to_remote, "x" * 65_537, field()) == "too_long"


READ = [
    # HubSpot's string, field, canonical remote text, local value
    (None, field(), None, None),
    ("", field(), None, None),
    ("Ann ", field(), "Ann ", "Ann "),
    ("x" * 10, field(max_length=10), "x" * 10, "x" * 10),
    ("gold", field(local_choices=frozenset({"gold"})), "gold", "gold"),
    ("1.0", field(remote_type=R.NUMBER), "1", "1"),
    ("1.0", field(L.INTEGER, R.NUMBER), "1", 1),
    ("1e3", field(L.INTEGER, R.NUMBER), "1000", 1000),
    ("-5", field(L.INTEGER, R.NUMBER), "-5", -5),
    ("007", field(L.INTEGER, R.STRING), "007", 7),
    ("3", field(L.INTEGER, R.NUMBER, local_choices=frozenset({"3"})), "3", 3),
    ("12.50", field(L.DECIMAL, R.NUMBER, decimal_places=2), "12.5", Decimal("12.5")),
    ("12.500", field(L.DECIMAL, R.STRING, decimal_places=2), "12.500", Decimal("12.5")),
    ("999.99", field(L.DECIMAL, R.NUMBER, max_digits=5, decimal_places=2), "999.99", Decimal("999.99")),
    ("0.05", field(L.DECIMAL, R.NUMBER, max_digits=2, decimal_places=2), "0.05", Decimal("0.05")),
    ("9" * 31 + ".5", field(L.DECIMAL, R.NUMBER), "9" * 31 + ".5", Decimal("9" * 31 + ".5")),
    ("0.1", field(L.FLOAT, R.NUMBER), "0.1", 0.1),
    ("TRUE", field(L.BOOLEAN, R.BOOL), "true", True),
    ("false", field(L.BOOLEAN, R.BOOL), "false", False),
    ("Yes", field(L.BOOLEAN, R.ENUMERATION, value_map=spec.ValueMap({}, {"Yes": "true"})), "Yes", True),
    ("2020-02-29", field(L.DATE, R.DATE), "2020-02-29", date(2020, 2, 29)),
    ("1582934400000", field(L.DATE, R.DATE), "2020-02-29", date(2020, 2, 29)),
    ("1752559200000", field(L.DATE, R.DATE), "2025-07-15", date(2025, 7, 15)),
    ("2020-02-29T00:00:00Z", field(L.DATE, R.DATETIME), "2020-02-29T00:00:00.000Z", date(2020, 2, 29)),
    (NOON_TEXT, field(L.DATETIME, R.DATETIME), NOON_TEXT, NOON.replace(microsecond=123000)),
    ("1714566615123", field(L.DATETIME, R.DATETIME), NOON_TEXT, NOON.replace(microsecond=123000)),
    ("2020-02-29", field(L.DATETIME, R.DATE), "2020-02-29", datetime(2020, 2, 29, tzinfo=UTC)),
    (";b;a;b", field(L.MULTI, R.CHECKBOXES), "a;b", ("a", "b")),
    (";", field(L.MULTI, R.CHECKBOXES), None, None),
    ("customer;lead", field(L.MULTI, R.CHECKBOXES, value_map=STAGES), "customer;lead", ("new", "won")),
    ("lead", field(remote_type=R.ENUMERATION, value_map=STAGES), "lead", "new"),
    ("zzz", field(value_map=LOOSE), "zzz", "zzz"),
    ("none", field(value_map=spec.ValueMap({}, {"none": ""})), "none", None),
    ("41629779", field(L.USER, R.OWNER, value_map=OWNERS), "41629779", "7"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "one", "canonical", "value"), READ)
def test_a_hubspot_string_has_a_canonical_text_and_a_local_value(text, one, canonical, value):
    assert convert.remote_text(text, one) == canonical
    read = convert.from_remote(text, one)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("text", "one", "code"),
    [
        ("a\0b", field(), "nul"),
        ("half \udc00", field(), "type"),
        ("x" * 11, field(max_length=10), "too_long"),
        ("silver", field(local_choices=frozenset({"gold"})), "option_unknown"),
        ("4", field(L.INTEGER, R.NUMBER, local_choices=frozenset({"3"})), "option_unknown"),
        ("a;z", field(L.MULTI, R.CHECKBOXES, local_choices=frozenset("ab")), "option_unknown"),
        ("a;b", field(L.MULTI, R.CHECKBOXES, max_length=2), "too_long"),
        ("stranger", field(remote_type=R.ENUMERATION, value_map=STAGES), "option_unknown"),
        ("stranger;lead", field(L.MULTI, R.CHECKBOXES, value_map=STAGES), "option_unknown"),
        ("99", field(L.USER, R.OWNER, value_map=OWNERS), "option_unknown"),
        ("12.5", field(L.INTEGER, R.NUMBER), "lossy"),
        ("many", field(L.INTEGER, R.NUMBER), "type"),
        ("9223372036854775808", field(L.INTEGER, R.NUMBER), "too_long"),
        ("1000", field(L.INTEGER, R.NUMBER, max_digits=3), "too_long"),
        ("1.005", field(L.DECIMAL, R.NUMBER, decimal_places=2), "lossy"),
        ("1000", field(L.DECIMAL, R.NUMBER, max_digits=5, decimal_places=2), "too_long"),
        ("12345.6", field(L.DECIMAL, R.NUMBER, max_digits=5), "too_long"),
        ("1e401", field(L.DECIMAL, R.NUMBER), "too_long"),
        ("1e309", field(L.FLOAT, R.NUMBER), "too_long"),
        ("1,5", field(L.DECIMAL, R.NUMBER), "type"),
        ("perhaps", field(L.BOOLEAN, R.BOOL), "type"),
        ("soon", field(L.DATE, R.DATE), "type"),
        ("soon", field(L.DATETIME, R.DATETIME), "type"),
        (NOON_TEXT, field(L.DATE, R.DATETIME), "date_not_midnight"),
    ],
)
def test_what_the_column_cannot_hold_is_refused_never_cut(text, one, code):
    """Fault 33 and X14: nothing is truncated or rounded silently."""
    assert code_of(convert.from_remote, text, one) == code


@pytest.mark.parametrize(
    "odd",
    [
        "abc",
        "1,5",
        "2020-13-45",
        "2020-13-45T99:00:00.000Z",
        "99999999999999999999",
        ";",
        "\0",
        "\ud800",
        5,
        1.5,
        True,
    ],
)
@pytest.mark.parametrize("remote_type", list(R))
def test_a_canonical_remote_text_is_always_there_and_stable(odd, remote_type):
    one = field(remote_type=remote_type)
    text = convert.remote_text(odd, one)
    assert convert.remote_text(text, one) == text


@pytest.mark.parametrize(("local_type", "remote_type"), list(itertools.product(L, R)))
def test_only_sensible_pairs_may_be_mapped(local_type, remote_type):
    """X14: a mismatch is refused."""
    possible = {
        L.TEXT: set(R),
        L.INTEGER: {R.NUMBER, R.STRING, R.ENUMERATION, R.OWNER},
        L.DECIMAL: {R.NUMBER, R.STRING},
        L.FLOAT: {R.NUMBER, R.STRING},
        L.BOOLEAN: {R.BOOL, R.ENUMERATION, R.STRING},
        L.DATE: {R.DATE, R.DATETIME, R.STRING},
        L.DATETIME: {R.DATE, R.DATETIME, R.STRING},
        L.MULTI: {R.CHECKBOXES, R.STRING},
        L.USER: {R.OWNER, R.ENUMERATION},
    }
    assert convert.is_possible(local_type, remote_type) is (remote_type in possible[local_type])


def test_every_code_is_one_of_the_known_problems():
    notes = {"direction", "movement", "no_primary"}
    elsewhere = {"unreadable", "property_gone", "read_only", "retyped", "local_gone", "scope_missing"}
    assert {one.value for one in terms.Problem} == PROBLEMS | notes | elsewhere
