"""Scopes: the least that is needed, why, and what is missing or too much."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsync.engine import scopes

PEOPLE = scopes.Use(
    "People", "contacts", reads=True, writes=True, creates_properties=False, uses_owners=False, reads_schema=False
)
COMPANIES = replace(PEOPLE, mapping="Companies", object_type="companies", writes=False, reads_schema=True)
USES = st.builds(
    scopes.Use,
    mapping=st.sampled_from(["A", "B", "C"]),
    object_type=st.sampled_from(["contacts", "0-2", "deals", "tickets", "0-5", "2-123", "p1_cars", "line_items"]),
    **{
        name: st.booleans()
        for name in (
            "reads",
            "writes",
            "creates_properties",
            "uses_owners",
            "reads_schema",
            "sensitive",
            "streams_events",
            "reads_emails",
            "adds_options",
            "offers_properties",
        )
    },
)


def names(needs):
    return [one.scope for one in needs]


def test_the_list_is_made_of_the_mappings_with_the_reason_for_each():
    """F23, C9: the exact scopes, each with who needs it what for."""
    found = scopes.needed([PEOPLE, COMPANIES], oauth=True)
    assert [(one.scope, one.reasons, one.is_optional) for one in found] == [
        ("crm.objects.companies.read", ("Companies: reads companies",), False),
        ("crm.objects.contacts.read", ("People: reads contacts",), False),
        ("crm.objects.contacts.write", ("People: writes contacts",), False),
        ("crm.schemas.companies.read", ("Companies: reads which properties companies have",), False),
        ("oauth", ("every OAuth app needs it",), False),
    ]


def test_reading_companies_needs_no_write_scope():
    """C2: company data without any write permission."""
    assert not [one for one in scopes.needed([COMPANIES]) if one.scope.endswith(".write")]


def test_a_write_also_reads():
    """C9: the sync compares before it writes, so a push-only mapping needs the read scope too."""
    found = scopes.needed([replace(PEOPLE, reads=False)])
    assert names(found) == ["crm.objects.contacts.read", "crm.objects.contacts.write"]
    assert found[0].reasons == ("People: reads contacts before it writes them",)


@pytest.mark.parametrize(
    ("object_type", "read", "schema"),
    [
        ("contacts", "crm.objects.contacts.read", "crm.schemas.contacts.read"),
        ("0-3", "crm.objects.deals.read", "crm.schemas.deals.read"),
        ("2-3465404", "crm.objects.custom.read", "crm.schemas.custom.read"),
        ("p1234_cars", "crm.objects.custom.read", "crm.schemas.custom.read"),
        ("tickets", "tickets", "tickets"),
        ("0-5", "tickets", "tickets"),
    ],
)
def test_scopes_by_object_type(object_type, read, schema):
    """F23: objects, custom objects, and tickets with one scope for everything."""
    use = replace(COMPANIES, object_type=object_type)
    assert set(names(scopes.needed([use]))) == {read, schema}


@pytest.mark.parametrize(
    ("feature", "scope"),
    [
        ("uses_owners", "crm.objects.owners.read"),
        ("creates_properties", "crm.schemas.contacts.write"),
        ("adds_options", "crm.schemas.contacts.write"),
        ("offers_properties", "crm.schemas.contacts.write"),
        ("streams_events", "timeline"),
        ("reads_emails", "sales-email-read"),
    ],
)
def test_optional_scopes_switch_features_and_stop_nothing(feature, scope):
    """C10: timeline, owners read, e-mail read, and creating properties."""
    found = scopes.needed([replace(PEOPLE, **{feature: True})])
    optional = [one for one in found if one.is_optional]
    assert names(optional) == [scope]
    compared = scopes.compare(found, {"crm.objects.contacts.read", "crm.objects.contacts.write"})
    assert not compared.missing
    assert compared.missing_optional == tuple(optional)


def test_options_and_properties_are_made_by_mappings_that_create_nothing() -> None:
    """F23: each reason is named: options that are added, and the page that staff create properties on."""
    use = replace(PEOPLE, object_type="deals", adds_options=True, offers_properties=True)
    (found,) = [one for one in scopes.needed([use]) if one.is_optional]
    assert found.scope == "crm.schemas.deals.write"
    assert found.reasons == (
        "People: adds options to properties of deals",
        "People: creates properties of deals on its page “Create properties”",
    )
    assert scopes.unlocked_by(found.scope) == "creating properties of deals"


def test_a_scope_that_one_mapping_must_have_is_not_optional_for_another():
    """Tickets have one scope for reading and for creating properties."""
    both = replace(PEOPLE, object_type="tickets", creates_properties=True)
    (found,) = scopes.needed([both])
    assert not found.is_optional


def test_a_mapping_reads_its_properties_unless_told_otherwise():
    use = scopes.Use("P", "deals", reads=True, writes=False, creates_properties=False, uses_owners=False)
    assert names(scopes.needed([use])) == ["crm.objects.deals.read", "crm.schemas.deals.read"]


@pytest.mark.parametrize(
    ("reads", "writes", "ways"), [(True, False, ["read"]), (False, True, ["read", "write"]), (False, False, [])]
)
def test_sensitive_scopes_go_as_far_as_the_mapping(reads, writes, ways):
    """F23, C2."""
    use = replace(PEOPLE, sensitive=True, reads=reads, writes=writes)
    found = [one for one in names(scopes.needed([use])) if "sensitive" in one]
    assert found == [f"crm.objects.contacts.sensitive.{way}.v2" for way in ways]


def test_sensitive_properties_have_scopes_of_their_own():
    found = names(scopes.needed([replace(PEOPLE, sensitive=True)]))
    assert found == [
        "crm.objects.contacts.read",
        "crm.objects.contacts.sensitive.read.v2",
        "crm.objects.contacts.sensitive.write.v2",
        "crm.objects.contacts.write",
    ]


def test_granted_is_compared_and_what_is_missing_or_too_much_is_named():
    """C9, F23: missing ones by name, extra ones as removable, never oauth."""
    needs = scopes.needed([PEOPLE])
    found = scopes.compare(needs, {"oauth", "crm.objects.contacts.read", "crm.objects.deals.write", "automation"})
    assert names(found.missing) == ["crm.objects.contacts.write"]
    assert names(found.present) == ["crm.objects.contacts.read"]
    assert found.removable == ("automation", "crm.objects.deals.write")
    assert found.summary == "Missing: crm.objects.contacts.write."


def test_when_hubspot_does_not_tell_nothing_is_said_to_be_missing():
    """C9: silence about the scopes is not the absence of all of them."""
    found = scopes.compare(scopes.needed([PEOPLE]), (), known=False)
    assert found == scopes.Comparison(is_known=False)
    assert "does not say" in found.summary


def test_no_scope_at_all_is_everything_missing():
    needs = scopes.needed([PEOPLE])
    assert scopes.compare(needs, ()).missing == needs


PARTS = {"crm.objects.tickets.read", "crm.objects.tickets.write", "crm.schemas.tickets.read"}


def test_the_parts_that_tickets_was_split_into_do_as_well():
    """F23: apps made since September 2026 have the parts, older ones the whole."""
    needs = scopes.needed([replace(PEOPLE, object_type="tickets", reads_schema=True)])
    assert names(needs) == ["tickets"]
    for granted in ({"tickets"}, PARTS, {"tickets", *PARTS, "crm.schemas.tickets.write"}):
        found = scopes.compare(needs, granted)
        assert not found.missing
        assert not found.removable
    assert scopes.compare(needs, PARTS - {"crm.objects.tickets.write"}).missing == needs


def test_parts_of_tickets_are_removable_when_no_mapping_has_tickets():
    assert scopes.compare(scopes.needed([PEOPLE]), PARTS).removable == tuple(sorted(PARTS))


@given(st.lists(USES, max_size=5), st.booleans())
def test_granting_what_is_needed_is_enough_and_not_too_much(uses, oauth):
    """F23: exact: nothing missing, nothing removable, whatever the mappings and their order."""
    needs = scopes.needed(uses, oauth=oauth)
    assert scopes.needed(reversed(uses), oauth=oauth) == needs
    assert names(needs) == sorted(set(names(needs)))
    assert all(one.reasons for one in needs)
    found = scopes.compare(needs, names(needs))
    assert (found.missing, found.missing_optional, found.removable) == ((), (), ())
    assert found.present == needs


@given(st.lists(USES, min_size=1, max_size=5), st.data())
def test_each_scope_taken_away_is_missed(uses, data):
    """F23: the least: no scope of the list can go."""
    needs = scopes.needed(uses, oauth=True)
    gone = data.draw(st.sampled_from(needs))
    found = scopes.compare(needs, set(names(needs)) - {gone.scope})
    assert (*found.missing, *found.missing_optional) == (gone,)


@given(st.lists(USES, min_size=1, max_size=5))
def test_every_scope_that_is_asked_for_can_be_explained(uses):
    for one in scopes.needed(uses, oauth=True):
        assert scopes.unlocked_by(one.scope) != scopes.unlocked_by("automation")


@pytest.mark.parametrize(
    ("object_type", "scope", "granted"),
    [
        ("contacts", "crm.schemas.contacts.write", ["crm.schemas.contacts.write"]),
        ("0-3", "crm.schemas.deals.write", ["crm.schemas.deals.write"]),
        ("2-123", "crm.schemas.custom.write", ["crm.schemas.custom.write"]),
        ("tickets", "tickets", ["crm.schemas.tickets.write"]),
    ],
)
def test_what_creating_properties_takes(object_type, scope, granted):
    """U20: one scope, or the part of it that HubSpot has now."""
    need = scopes.to_create_properties(object_type)
    assert need.scope == scope
    assert need.is_met(granted)
    assert need.is_met([scope])
    assert not need.is_met(["crm.objects.contacts.write", "crm.schemas.contacts.read"])


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        ("crm.objects.contacts.read", "reading contacts"),
        ("crm.objects.custom.write", "writing custom objects"),
        ("crm.schemas.line_items.read", "reading which properties line items have"),
        ("crm.schemas.deals.write", "creating properties of deals"),
        ("crm.objects.contacts.sensitive.read", "reading the sensitive properties of contacts"),
        ("oauth", "connecting at all"),
        ("", "nothing that crmsync does"),
    ],
)
def test_what_a_scope_unlocks_is_said_in_words(scope, words):
    """C10, F23: a greyed-out field names its scope and what it is for."""
    assert scopes.unlocked_by(scope) == words


def test_an_association_needs_both_ends() -> None:
    """Reading needs the other type's read scope, making one the write scopes of both."""
    use = scopes.Use(
        mapping="People",
        object_type="contacts",
        reads=True,
        writes=False,
        creates_properties=False,
        uses_owners=False,
        associates=(("companies", True), ("deals", False)),
    )
    found = {one.scope: one.reasons for one in scopes.needed([use])}
    assert found["crm.objects.companies.write"] == ("People: associates contacts with companies",)
    assert found["crm.objects.contacts.write"] == ("People: associates contacts with companies",)
    assert found["crm.objects.deals.read"] == ("People: reads which deals its contacts are associated with",)
    assert "crm.objects.deals.write" not in found
