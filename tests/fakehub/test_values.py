"""What is a value of a property, and what is kept of it."""

import pytest

from crmsync.fakehub import definitions, values


def make(kind: str, field_type: str = "text", name: str = "p", **facts: object) -> definitions.Property:
    given = {"name": name, "label": name, "type": kind, "fieldType": field_type, "groupName": "g", **facts}
    return definitions.make_property(given, "2026-01-01T00:00:00.000Z")


OPTIONS = [{"label": "A", "value": "a"}, {"label": "B", "value": "b"}, {"label": "C", "value": "c"}]
SELECT = make("enumeration", "select", options=OPTIONS)
CHECKBOX = make("enumeration", "checkbox", options=OPTIONS)


@pytest.mark.parametrize(
    ("prop", "text", "kept"),
    [
        (make("number", "number"), "12.50", "12.5"),
        (make("number", "number"), "007", "7"),
        (make("number", "number"), "-0", "0"),
        (make("number", "number"), ".5", "0.5"),
        (make("number", "number"), "5.", "5"),
        (make("date", "date"), "2024-02-29", "2024-02-29"),
        (make("date", "date"), "1709164800000", "2024-02-29"),
        (make("date", "date"), "-86400000", "1969-12-31"),
        (make("datetime", "date"), "2020-02-29T03:30:17Z", "2020-02-29T03:30:17.000Z"),
        (make("datetime", "date"), "2020-02-29T03:30:17.250+00:00", "2020-02-29T03:30:17.250Z"),
        (make("datetime", "date"), "1582947017000", "2020-02-29T03:30:17.000Z"),
        (make("bool", "booleancheckbox"), "true", "true"),
        (SELECT, "b", "b"),
        (CHECKBOX, "a;b;a", "a;b"),
        (CHECKBOX, ";c;", "c"),
        (make("string"), " kept as it is ", " kept as it is "),
        (make("string"), "x" * 65_536, "x" * 65_536),
        (make("string", name="email"), "  Ada@Lovelace.DEV ", "ada@lovelace.dev"),
    ],
)
def test_what_is_kept(prop, text, kept):
    assert values.settle(prop, text) == kept


@pytest.mark.parametrize(
    ("prop", "text", "code"),
    [
        (make("number", "number"), "1,5", "INVALID_INTEGER"),
        (make("number", "number"), "1.000.000", "INVALID_INTEGER"),
        (make("number", "number"), "1e5", "INVALID_INTEGER"),
        (make("number", "number"), "NaN", "INVALID_INTEGER"),
        (make("number", "number"), "٣", "INVALID_INTEGER"),
        (make("number", "number"), " 5", "INVALID_INTEGER"),
        (make("date", "date"), "2023-02-29", "INVALID_DATE"),
        (make("date", "date"), "29.02.2024", "INVALID_DATE"),
        (make("date", "date"), "2024-02-29T00:00:00Z", "INVALID_DATE"),
        (make("date", "date"), "1709164800001", "INVALID_DATE"),
        (make("datetime", "date"), "2020-02-29", "INVALID_LONG"),
        (make("datetime", "date"), "2020-02-29T03:30:17", "INVALID_LONG"),
        (make("datetime", "date"), "2020-02-29T03:30:17+02:00", "INVALID_LONG"),
        (make("bool", "booleancheckbox"), "True", "INVALID_BOOLEAN"),
        (make("bool", "booleancheckbox"), "1", "INVALID_BOOLEAN"),
        (SELECT, "A", "INVALID_OPTION"),
        (SELECT, "a;b", "INVALID_OPTION"),
        (SELECT, " a", "INVALID_OPTION"),
        (CHECKBOX, "a;x", "INVALID_OPTION"),
        (make("string"), "x" * 65_537, "PROPERTY_VALUE_TOO_LONG"),
    ],
)
def test_what_is_refused(prop, text, code):
    with pytest.raises(values.ValueRefusedError) as refused:
        values.settle(prop, text)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "email",
    [
        "ada", "ada@", "@lovelace.dev", "a da@lovelace.dev", '"ada"@lovelace.dev', "ada@lovelace",
        "ada@lovelace.test",
        "ada@lovelace.local", "ada@lovelace.example", "ada..l@lovelace.dev", ".ada@lovelace.dev", "ada@-lovelace.dev",
        "ada@lovelace.123", "ada@@lovelace.dev", "ada@lovelace.dev,b@lovelace.dev",
    ],
)  # fmt: skip
def test_emails_that_are_none(email):
    with pytest.raises(values.ValueRefusedError, match="is invalid"):
        values.settle_email(email)


def test_a_date_at_another_hour_is_named(api):
    status, body = api("POST", "deals", {"properties": {"dealname": "D", "dealstage": "x", "closedate": "yesterday"}})
    assert (status, body["errors"][0]["message"]) == (400, "yesterday was not a valid long.")


def test_a_leading_semicolon_appends_and_empty_clears(api, portal):
    one = api.create("contacts", firstname="Ada", hs_buying_role="CHAMPION")
    api.update("contacts", one, hs_buying_role=";END_USER;CHAMPION")
    assert portal.record("contacts", one)["properties"]["hs_buying_role"] == "CHAMPION;END_USER"
    api.update("contacts", one, hs_buying_role="INFLUENCER")
    assert portal.record("contacts", one)["properties"]["hs_buying_role"] == "INFLUENCER"
    api.update("contacts", one, hs_buying_role="")
    assert "hs_buying_role" not in portal.record("contacts", one)["properties"]


def test_an_owner_is_an_owner_id_of_a_live_owner(api):
    assert api.create("contacts", firstname="A", hubspot_owner_id="41629779")
    for owner in ("9586504", "41629782", "Ada Lovelace"):  # a user id, an archived one, a name
        status, body = api("POST", "contacts", {"properties": {"firstname": "A", "hubspot_owner_id": owner}})
        assert (status, body["errors"][0]["code"]) == (400, "INVALID_OWNER_ID")


def test_an_invalid_option_names_the_allowed_ones(api):
    status, body = api("POST", "contacts", {"properties": {"firstname": "A", "hs_lead_status": "new"}})
    assert status == 400
    assert body["errors"][0]["message"].startswith("new was not one of the allowed options: [NEW, OPEN, ")


@pytest.mark.parametrize(("kind", "text", "sent"), [("date", "2025-07-15", "1752537600000"), ("string", "x", "x")])
def test_webhooks_carry_dates_as_milliseconds(kind, text, sent):
    assert values.as_event(kind, text) == sent
