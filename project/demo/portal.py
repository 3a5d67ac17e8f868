"""What a HubSpot portal holds before the first sync: partly the same people, with gaps and other values.

Everything is plain property values as HubSpot stores them: strings under HubSpot's own property names.
"""

from collections.abc import Iterator, Sequence

from factory.random import randgen

from project.demo import factories
from project.demo.models import Organisation, Person

Properties = dict[str, str]

CONTACTS, MATCHING_CONTACTS = 800, 300
COMPANIES, MATCHING_COMPANIES = 120, 60
PORTAL_NUMBERS = 1_000_000  # numbering far from the local one: nobody made here may match by accident

LIFECYCLE_STAGES = {
    Person.Status.LEAD: "lead",
    Person.Status.PROSPECT: "opportunity",
    Person.Status.CUSTOMER: "customer",
    Person.Status.FORMER: "other",
}
INDUSTRIES = {
    Organisation.Industry.SOFTWARE: "COMPUTER_SOFTWARE",
    Organisation.Industry.RETAIL: "RETAIL",
    Organisation.Industry.HEALTH: "HOSPITAL_HEALTH_CARE",
    Organisation.Industry.EDUCATION: "EDUCATION_MANAGEMENT",
    Organisation.Industry.FINANCE: "FINANCIAL_SERVICES",
    Organisation.Industry.ACCOUNTING: "ACCOUNTING",
}


def portal_world(
    seed: int, people: Sequence[Person], organisations: Sequence[Organisation] = ()
) -> dict[str, list[Properties]]:
    """Property values of every record of the portal by object type, shuffled.

    300 of the 800 contacts have the e-mail address of one of `people`, 60 of the 120 companies the domain of one of
    `organisations`; fewer where there are not so many.
    """
    factories.reseed(seed, start=PORTAL_NUMBERS)
    contacts = list(iter_contacts(people))
    companies = list(iter_companies(organisations))
    randgen.shuffle(contacts)
    randgen.shuffle(companies)
    return {"contacts": contacts, "companies": companies}


def iter_contacts(people: Sequence[Person]) -> Iterator[Properties]:
    shared = randgen.sample(list(people), min(MATCHING_CONTACTS, len(people)))
    for number, person in enumerate(shared):
        yield vary_contact(to_contact(person), number)
    for person in factories.PersonFactory.build_batch(CONTACTS - len(shared), mail_domain="mail.example.org"):
        yield to_contact(person)


def iter_companies(organisations: Sequence[Organisation]) -> Iterator[Properties]:
    known = [organisation for organisation in organisations if organisation.domain]
    shared = randgen.sample(known, min(MATCHING_COMPANIES, len(known)))
    for number, organisation in enumerate(shared):
        yield vary_company(to_company(organisation), number)
    for organisation in factories.OrganisationFactory.build_batch(COMPANIES - len(shared)):
        yield to_company(organisation)


def to_contact(person: Person) -> Properties:
    return {
        "email": person.email,
        "firstname": person.first_name,
        "lastname": person.last_name,
        "phone": person.phone,
        "jobtitle": person.job_title,
        "city": person.city,
        "lifecyclestage": LIFECYCLE_STAGES[Person.Status(person.status)],
    }


def to_company(organisation: Organisation) -> Properties:
    employees, revenue = organisation.employees, organisation.annual_revenue
    return {
        "name": organisation.name,
        "domain": organisation.domain,
        "city": organisation.city,
        "country": organisation.country,
        "industry": INDUSTRIES[Organisation.Industry(organisation.industry)],
        "numberofemployees": "" if employees is None else str(employees),
        "annualrevenue": "" if revenue is None else str(revenue),
    }


def vary_contact(contact: Properties, number: int) -> Properties:
    """The same person as somebody else typed them in: one of five ways to differ, by turns."""
    changes: tuple[Properties, ...] = (
        {},
        {"phone": "", "city": ""},
        {"jobtitle": "Head of Procurement", "phone": "+44 20 7946 0018"},
        {"website": "https://www.example.com/team", "zip": "1010", "hs_lead_status": "IN_PROGRESS"},
        {"email": contact["email"].upper(), "lastname": contact["lastname"].upper()},
    )
    return contact | changes[number % len(changes)]


def vary_company(company: Properties, number: int) -> Properties:
    """The same organisation with a gap, another value, or one more."""
    changes: tuple[Properties, ...] = (
        {},
        {"numberofemployees": "", "city": ""},
        {"name": f"{company['name']} Group", "annualrevenue": "1250000"},
        {"description": "Added by the marketing team", "zip": "75001"},
    )
    return company | changes[number % len(changes)]
