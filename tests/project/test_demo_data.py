"""The demo's data: the same seed makes the same world, in every script, and no two people share an address."""

from typing import Any

import pytest
from django.forms.models import model_to_dict

from project.demo import factories, portal
from project.demo.models import Opportunity, Organisation, Person

MEASURES = {"people": 400, "organisations": 100, "opportunities": 50}


def facts(records: list[Any]) -> list[dict[str, Any]]:
    """What the records say, without what the database gave them."""
    return [model_to_dict(record, exclude=["id", "organisation", "contact", "owner"]) for record in records]


def sketch(seed: int, count: int = 30) -> list[dict[str, Any]]:
    """Facts of people that are not saved."""
    factories.reseed(seed)
    return facts(factories.PersonFactory.build_batch(count))


def test_the_same_seed_makes_the_same_people() -> None:
    assert sketch(7) == sketch(7)
    assert sketch(7) != sketch(8)


def test_people_come_in_many_scripts() -> None:
    factories.reseed(7)
    names = "".join(person.last_name for person in factories.PersonFactory.build_batch(200))
    for letter_range in ("\u0370-\u03ff", "\u0600-\u06ff", "\u4e00-\u9fff"):
        first, last = letter_range.split("-")
        assert any(first <= letter <= last for letter in names)


def test_a_record_fits_its_model() -> None:
    factories.reseed(7)
    for factory in (factories.PersonFactory, factories.OrganisationFactory, factories.OpportunityFactory):
        for record in factory.build_batch(200):
            record.clean_fields()


@pytest.mark.django_db
def test_a_world_is_saved_as_ordered() -> None:
    world = factories.build_world(7, **MEASURES)

    assert Person.objects.count() == len(world.people) == 400
    assert Organisation.objects.count() == len(world.organisations) == 100
    assert Opportunity.objects.count() == len(world.opportunities) == 50
    assert Person.objects.filter(organisation__isnull=False, owner__isnull=False).exists()
    assert Opportunity.objects.filter(contact__isnull=False, organisation__isnull=False).exists()
    assert not any(owner.has_usable_password() for owner in world.owners)


@pytest.mark.django_db
def test_addresses_are_plain_and_unique_in_any_letter_case() -> None:
    factories.build_world(7, **MEASURES)
    factories.build_world(7, **MEASURES)

    addresses = list(Person.objects.values_list("email", flat=True))
    assert len({address.lower() for address in addresses}) == len(addresses) == 800
    assert all(address.isascii() for address in addresses)
    assert any(address != address.lower() for address in addresses)
    assert {address.rpartition(".")[2] for address in addresses} == {"com", "org", "net"}


@pytest.mark.django_db
def test_the_same_seed_makes_the_same_world() -> None:
    first = factories.build_world(7, **MEASURES)
    kept = facts(first.people), facts(first.organisations), facts(first.opportunities)
    Person.objects.all().delete()

    again = factories.build_world(7, **MEASURES)

    assert (facts(again.people), facts(again.organisations), facts(again.opportunities)) == kept


@pytest.mark.django_db
def test_the_portal_knows_some_of_the_same_people_and_companies() -> None:
    world = factories.build_world(7, **MEASURES)
    remote = portal.portal_world(8, world.people, world.organisations)
    contacts, companies = remote["contacts"], remote["companies"]

    here = {person.email.lower() for person in world.people}
    there = {contact["email"].lower() for contact in contacts}
    assert (len(contacts), len(there), len(here & there)) == (800, 800, 300)
    domains = {organisation.domain for organisation in world.organisations}
    assert len(companies) == len({company["domain"] for company in companies}) == 120
    assert sum(company["domain"] in domains for company in companies) == 60
    assert remote == portal.portal_world(8, world.people, world.organisations)


@pytest.mark.django_db
def test_the_portal_differs_where_it_knows_the_same_person() -> None:
    world = factories.build_world(7, **MEASURES)
    contacts = portal.portal_world(8, world.people)["contacts"]
    here = {person.email.lower(): portal.to_contact(person) for person in world.people}
    pairs = [(here[c["email"].lower()], c) for c in contacts if c["email"].lower() in here]

    assert any(ours == theirs for ours, theirs in pairs), "some are equal"
    assert any(ours["phone"] and not theirs["phone"] for ours, theirs in pairs), "some have gaps"
    assert any(ours["jobtitle"] != theirs["jobtitle"] for ours, theirs in pairs), "some differ"
    assert any("website" in theirs for _, theirs in pairs), "some know more"
    assert any(ours["email"] != theirs["email"] for ours, theirs in pairs), "some are typed otherwise"
    assert all(isinstance(value, str) for contact in contacts for value in contact.values())


def test_a_small_product_makes_a_small_overlap() -> None:
    remote = portal.portal_world(8, [], [])
    assert (len(remote["contacts"]), len(remote["companies"])) == (800, 120)
