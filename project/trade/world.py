"""A few rows of the tradesmen's product for the demo; the same seed gives the same ones."""

from datetime import timedelta
from decimal import Decimal

from django.db import transaction
from factory.random import randgen

from project.demo import factories
from project.trade.models import Category, Client, Contact, Quote, Status, Task, TaskLine
from project.trade.portal import CATEGORIES, STATUSES

CLIENTS = 40
WORK = ("Boiler serviced", "Roof repaired", "Panels fitted", "Leak stopped", "Radiator replaced")


@transaction.atomic
def build(seed: int) -> int:
    """Clients of both kinds with contacts, tasks and quotes, through save(); how many clients. Once only."""
    if Client.objects.exists():
        return Client.objects.count()
    factories.reseed(seed)
    statuses = [Status.objects.create(name=name, position=place) for place, name in enumerate(STATUSES)]
    categories = [Category.objects.create(name=name) for name in CATEGORIES]
    for number in range(CLIENTS):
        client = _make_client(number, statuses)
        client.categories.set(randgen.sample(categories, randgen.randrange(3)))
        _make_work(client, _make_contact(client, number))
    return CLIENTS


def _make_client(number: int, statuses: list[Status]) -> Client:
    is_home = number % 3 == 0
    voice = factories.speaker("en_GB")
    name = f"{voice.first_name()} {voice.last_name()}" if is_home else voice.company()
    return Client.objects.create(
        number=f"K{number:05}",
        kind=Client.Kind.RESIDENTIAL if is_home else Client.Kind.COMMERCIAL,
        name=name,
        email=factories.make_email(name, 5000 + number, "example.net"),
        domain="" if is_home else f"client-{number}.example.net",
        phone=voice.phone_number(),
        street=voice.street_address().replace("\n", ", "),
        postcode=voice.postcode(),
        city=factories.make_city("en_GB"),
        status=statuses[number % len(statuses)],
        last_visit_at=factories.make_moment(days_back=90),
    )


def _make_contact(client: Client, number: int) -> Contact | None:
    if client.kind == Client.Kind.RESIDENTIAL:
        return None
    voice = factories.speaker("en_GB")
    first, last = voice.first_name(), voice.last_name()
    return Contact.objects.create(
        first_name=first,
        last_name=last,
        email=factories.make_email(f"{first} {last}", 7000 + number, "example.net"),
        phone=voice.phone_number(),
        client=client,
        lifecycle=randgen.choice(Contact.Lifecycle.values),
        signed_up_on=factories.make_date(),
    )


def _make_work(client: Client, contact: Contact | None) -> None:
    task = Task.objects.create(
        client=client,
        contact=contact,
        title=f"{randgen.choice(WORK)} for {client.name}",
        kind=randgen.choice(Task.Kind.values),
        status=randgen.choice(Task.Status.values),
        value=factories.make_money(5000),
        completed_on=factories.ANCHOR.date() - timedelta(days=randgen.randrange(90)),
    )
    for done in randgen.sample(WORK, 2):
        TaskLine.objects.create(task=task, done=done, amount=Decimal(randgen.randrange(1000)))
    Quote.objects.create(
        client=client,
        contact=contact,
        title=f"Quote {client.number}",
        status=randgen.choice(Quote.Status.values),
        amount=factories.make_money(20_000),
        valid_until=factories.ANCHOR.date() + timedelta(days=randgen.randrange(60)),
    )
