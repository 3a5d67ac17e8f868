"""Factories of the demo's records in several languages; the same seed gives the same world.

E-mail addresses are ASCII, unique whatever their letter case, and end in a real top-level domain, because HubSpot
checks that. All domains are reserved for examples, so no message can reach a stranger.
"""

import functools
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

import factory
import factory.random
import faker
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.db import transaction
from factory.django import DjangoModelFactory
from factory.random import randgen  # one source of chance: reseeding it reseeds everything below

from project.demo.models import Opportunity, Organisation, Person

T = TypeVar("T")

ANCHOR = datetime(2026, 1, 1, 12, tzinfo=UTC)  # a fixed "today", or a world would change with the calendar
BATCH = 500  # rows an INSERT: SQLite allows 32,766 variables in one statement
PLACES = {  # country and cities by locale: Faker's cities are half English in some of them
    "en_GB": ("United Kingdom", ("Leeds", "Bristol", "Glasgow", "St. Ives")),
    "de_DE": ("Germany", ("Köln", "München", "Halle (Saale)", "Görlitz")),
    "fr_FR": ("France", ("Besançon", "L’Haÿ-les-Roses", "Lyon", "Saint-Étienne")),
    "es_ES": ("Spain", ("A Coruña", "Cádiz", "Logroño", "Girona")),
    "pl_PL": ("Poland", ("Łódź", "Kraków", "Gdańsk", "Zielona Góra")),
    "tr_TR": ("Türkiye", ("İzmir", "Iğdır", "Muğla", "Ankara")),
    "el_GR": ("Greece", ("Αθήνα", "Θεσσαλονίκη", "Χανιά", "Πάτρα")),
    "ja_JP": ("Japan", ("東京都", "札幌市", "京都市", "那覇市")),
    "ar_AA": ("Egypt", ("القاهرة", "الإسكندرية", "أسوان", "الجيزة")),
}
LOCALES = tuple(PLACES)
MAIL_DOMAINS = ("example.com", "example.org", "example.net")
OWNERS = (("ines", "Ines", "Okafor"), ("jonas", "Jonas", "Weber"), ("mei", "Mei", "Tanaka"))
REMARKS = (  # what breaks careless software
    "Met at the fair 🤝 — likes “quotes”, <b>tags</b> & ampersands; 100 % sure.",
    "Zeile eins\nZeile zwei\n\nDritte Zeile nach einer leeren",
    "שלום וברכה, مرحبا، こんにちは, привет",
    "👩‍👩‍👧‍👦 family plan, 🇯🇵 office, e\u0301 as two code points",
    "=SUM(A1:A9) is a text here, and so is 0012",
)


@functools.cache
def speaker(locale: str) -> faker.Faker:
    """A Faker for one locale that draws from factory-boy's source of chance."""
    voice = faker.Faker(locale)
    voice.random = randgen
    return voice


def is_chosen(share: float) -> bool:
    """True in this share of the draws."""
    return randgen.random() < share


def to_handle(text: str, *, default: str) -> str:
    """`text` as lower-case ASCII letters joined by dots, or `default` where nothing is left (Japanese, Arabic)."""
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss").replace("ł", "l")).encode("ascii", "ignore")
    return ".".join(re.findall(r"[a-z]+", plain.decode().lower())) or default


def make_email(names: str, number: int, domain: str) -> str:
    """A unique address; one in 17 keeps capitals, as people type them."""
    handle = to_handle(names, default="person")
    if number % 17 == 0:
        handle = handle.title()
    return f"{handle}.{number}@{domain}"


def make_city(locale: str) -> str:
    return randgen.choice(PLACES[locale][1])


def make_date() -> date:
    return date(1948, 1, 1) + timedelta(days=randgen.randrange(21_000))


def make_moment(days_back: int = 0, days_ahead: int = 0) -> datetime:
    """A whole minute between so many days before and after the anchor."""
    return ANCHOR + timedelta(minutes=randgen.randrange(-days_back * 1440, days_ahead * 1440 + 1))


def make_money(most: int) -> Decimal:
    return Decimal(randgen.randrange(most * 100)) / 100


class OrganisationFactory(DjangoModelFactory):
    class Meta:
        model = Organisation

    class Params:
        locale = factory.LazyFunction(lambda: randgen.choice(LOCALES))

    name = factory.LazyAttribute(lambda o: speaker(o.locale).company()[:200])
    domain = factory.LazyAttributeSequence(
        lambda o, n: f"{to_handle(o.name, default='company').replace('.', '-')[:40]}-{n}.{MAIL_DOMAINS[n % 3]}"
    )
    city = factory.LazyAttribute(lambda o: make_city(o.locale))
    country = factory.LazyAttribute(lambda o: PLACES[o.locale][0])
    industry = factory.LazyFunction(lambda: randgen.choice(Organisation.Industry.values))
    employees = factory.LazyFunction(lambda: randgen.randrange(1, 5000) if is_chosen(0.8) else None)
    annual_revenue = factory.LazyFunction(lambda: make_money(50_000_000) if is_chosen(0.6) else None)
    notes = factory.LazyFunction(lambda: randgen.choice(REMARKS) if is_chosen(0.2) else "")


class PersonFactory(DjangoModelFactory):
    class Meta:
        model = Person

    class Params:
        locale = factory.LazyFunction(lambda: randgen.choice(LOCALES))
        mail_domain = factory.Sequence(lambda n: MAIL_DOMAINS[n % 3])

    first_name = factory.LazyAttribute(lambda o: speaker(o.locale).first_name())
    last_name = factory.LazyAttribute(lambda o: speaker(o.locale).last_name())
    email = factory.LazyAttributeSequence(lambda o, n: make_email(f"{o.first_name} {o.last_name}", n, o.mail_domain))
    phone = factory.LazyAttribute(lambda o: speaker(o.locale).phone_number() if is_chosen(0.7) else "")
    job_title = factory.LazyAttribute(lambda o: speaker(o.locale).job()[:150] if is_chosen(0.8) else "")
    city = factory.LazyAttribute(lambda o: make_city(o.locale) if is_chosen(0.8) else "")
    status = factory.LazyFunction(lambda: randgen.choices(Person.Status.values, weights=[4, 3, 5, 1])[0])
    lead_source = factory.LazyFunction(lambda: randgen.choice([*Person.LeadSource.values, ""]))
    birth_date = factory.LazyFunction(lambda: make_date() if is_chosen(0.5) else None)
    last_seen_at = factory.LazyFunction(lambda: make_moment(days_back=400) if is_chosen(0.7) else None)
    credit = factory.LazyFunction(lambda: make_money(2000) if is_chosen(0.4) else None)
    newsletter = factory.LazyFunction(lambda: is_chosen(0.4))
    bio = factory.LazyFunction(lambda: randgen.choice(REMARKS) if is_chosen(0.2) else "")


class OpportunityFactory(DjangoModelFactory):
    class Meta:
        model = Opportunity

    name = factory.Sequence(lambda n: f"{randgen.choice(('Renewal', 'Licence', 'Project', 'Service'))} {n:05}")
    amount = factory.LazyFunction(lambda: make_money(250_000) if is_chosen(0.9) else None)
    status = factory.LazyFunction(lambda: randgen.choices(Opportunity.Status.values, weights=[4, 3, 2, 2])[0])
    close_at = factory.LazyFunction(lambda: make_moment(days_back=200, days_ahead=200) if is_chosen(0.8) else None)
    description = factory.LazyFunction(lambda: randgen.choice(REMARKS) if is_chosen(0.2) else "")


@dataclass(frozen=True, slots=True)
class DemoData:
    """What `build_world` saved, each in the order it was made."""

    owners: list
    organisations: list[Organisation]
    people: list[Person]
    opportunities: list[Opportunity]


def reseed(seed: int, *, start: int = 0) -> None:
    """Begin a repeatable series of records, numbered from `start`."""
    factory.random.reseed_random(seed)
    for each in (OrganisationFactory, PersonFactory, OpportunityFactory):
        each.reset_sequence(start, force=True)


def find_or_make_owners() -> list:
    """The sales team: users who cannot log in, whose e-mail addresses an owner in the CRM may have too."""
    user_model = get_user_model()
    unusable = make_password(None)
    return [
        user_model.objects.get_or_create(
            username=username,
            defaults={
                "first_name": first,
                "last_name": last,
                "email": f"{username}@example.com",
                "password": unusable,
            },
        )[0]
        for username, first, last in OWNERS
    ]


def pick(choices: Sequence[T], share: float) -> T | None:
    """One of the choices in this share of the draws, else nothing."""
    return randgen.choice(choices) if choices and is_chosen(share) else None


@transaction.atomic
def build_world(seed: int, people: int = 1000, organisations: int = 200, opportunities: int = 300) -> DemoData:
    """Make a whole product's data and save it in bulk (no signals are sent, as with any bulk load).

    On top of existing rows the numbering goes on after them, so that addresses stay unique.
    """
    reseed(seed, start=Person.objects.count())
    owners = find_or_make_owners()
    firms = Organisation.objects.bulk_create(OrganisationFactory.build_batch(organisations), batch_size=BATCH)
    persons = []
    for person in PersonFactory.build_batch(people):
        person.organisation, person.owner = pick(firms, 0.8), pick(owners, 0.6)
        persons.append(person)
    Person.objects.bulk_create(persons, batch_size=BATCH)
    chances = []
    for opportunity in OpportunityFactory.build_batch(opportunities):
        opportunity.contact = pick(persons, 0.9)
        opportunity.organisation = getattr(opportunity.contact, "organisation", None) or pick(firms, 0.5)
        opportunity.owner = pick(owners, 0.7)
        chances.append(opportunity)
    Opportunity.objects.bulk_create(chances, batch_size=BATCH)
    return DemoData(owners=owners, organisations=firms, people=persons, opportunities=chances)
