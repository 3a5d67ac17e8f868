"""A host's own conditions on HubSpot's values, as they were last synced: no call is made for them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from crmsync import api
from crmsync.flows import known, versions
from project.demo.models import Opportunity, Organisation, Person
from tests.flows import recipes
from tests.flows.conftest import Sync


@pytest.fixture
def deals(sync: Sync) -> list[Opportunity]:
    """Two deals in HubSpot, one of 500 that closes in three days, and one of 5,000 that closes in thirty."""
    soon, later = timezone.now() + timedelta(days=3), timezone.now() + timedelta(days=30)
    made = [
        Opportunity.objects.create(name="Small", amount=500, close_at=soon, status="open"),
        Opportunity.objects.create(name="Big", amount=5000, close_at=later, status="won"),
    ]
    recipes.settle(sync)
    return made


@pytest.mark.parametrize(
    ("conditions", "names"),
    [
        ([("amount", "equals", 500)], ["Small"]),
        ([("amount", "greater", 1000)], ["Big"]),
        ([("closedate", "next_days", 7)], ["Small"]),
        ([("dealstage", "equals", "closedwon")], ["Big"]),
        ([("amount", "greater", 100), ("closedate", "after_days", 7)], ["Big"]),
        ([("amount", "less", 1)], []),
    ],
)
def test_deals_are_chosen_by_hubspots_values(deals: list[Opportunity], conditions: list, names: list[str]) -> None:
    """C4: equals, greater than and relative date, in HubSpot's own values (a stage, not the Django status)."""
    assert [row.name for row in api.matching(deals, *conditions)] == names


def test_contacts_and_companies_are_chosen_too(sync: Sync) -> None:
    """C4: with what came from HubSpot; a row that is not linked meets nothing, not even “does not equal”."""
    person = Person.objects.create(first_name="Ada", email="ada@example.com")
    firm = Organisation.objects.create(name="Acme", domain="acme.com")
    recipes.settle(sync)
    (contact,) = sync.contacts()
    sync.hub.ui_update("contacts", contact["id"], {"city": "Leeds"})
    recipes.settle(sync)
    (stranger,) = Person.objects.bulk_create([Person(first_name="Bob")])
    assert api.matching([person, stranger], ("city", "equals", "leeds")) == [person]
    assert api.matching([person, stranger], ("city", "not_equals", "York")) == [person]
    assert api.matching(Organisation.objects.all(), ("domain", "contains", "acme")) == [firm]


def test_no_call_is_made_and_a_few_queries_for_any_number(
    sync: Sync, deals: list[Opportunity], django_assert_max_num_queries
) -> None:
    """C28: at request time, with its age."""
    before = sync.hub.ledger.last_seq
    with django_assert_max_num_queries(3):
        api.matching(deals, ("amount", "greater", 1))
    (found,) = api.find_known(deals)[deals[0].pk]
    assert (found.values["dealname"], found.as_of is not None) == ("Small", True)
    assert sync.hub.ledger.requests(since=before) == []


def test_what_is_not_synced_yet_does_not_count(sync: Sync, deals: list[Opportunity]) -> None:
    """As of the last sync: an edit that waits is not HubSpot's value."""
    deals[0].amount = 9000
    deals[0].save()
    assert api.matching(deals, ("amount", "greater", 8000)) == []
    recipes.settle(sync)
    assert api.matching(deals, ("amount", "greater", 8000)) == [deals[0]]


def test_what_cannot_be_asked_says_what_would_do(sync: Sync, deals: list[Opportunity]) -> None:
    with pytest.raises(known.KnownError, match=r"has hs_priority\. Add a row for it"):
        api.matching(deals, ("hs_priority", "equals", "high"))
    with pytest.raises(known.KnownError, match=r"no operator 'is'\. Operators: equals, "):
        api.matching(deals, ("amount", "is", 1))
    with pytest.raises(known.KnownError, match="closedate"):
        api.matching(deals, ("closedate", "next_days", "soon"))
    first = sync.mappings["Opportunities"]
    fields = [("name", "dealname"), ("amount", "amount")]
    recipes.make(sync, "demo.Opportunity", "deals", fields, label="Others", direction="push")
    with pytest.raises(known.KnownError, match="'Opportunities', 'Others'"):
        api.matching(deals, ("amount", "greater", 1))
    assert api.matching(deals, ("amount", "greater", 1), mapping=first) == deals


def test_a_new_version_that_staff_prepare_does_not_concern_the_host(sync: Sync, deals: list[Opportunity]) -> None:
    """C4, F20: it has the same fields and no links, so it is not one of several mappings that could be meant."""
    versions.prepare(sync.mappings["Opportunities"], None)
    assert [row.name for row in api.matching(deals, ("amount", "equals", 500))] == ["Small"]
