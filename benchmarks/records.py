"""The measured record: a contact of 12 columns, made from a number, in the portal's words and in the product's."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any, TypeVar

from project.demo.mappings import STATUSES
from project.demo.models import Person

T = TypeVar("T")
Properties = dict[str, str]

# The demo's mapping without its long text, its related name and its owner.
COLUMNS = {
    "email": "email",
    "first_name": "firstname",
    "last_name": "lastname",
    "phone": "phone",
    "job_title": "jobtitle",
    "city": "city",
    "status": "hs_lead_status",
    "lead_source": "demo_lead_source",
    "birth_date": "demo_birth_date",
    "last_seen_at": "demo_last_seen",
    "credit": "demo_credit",
    "newsletter": "demo_newsletter",
}
FROM_STATUS = {theirs: ours for ours, theirs in STATUSES.items()}
NAMES = ("Zoë", "Łukasz", "Mei", "Ada", "Ingrid", "İpek", "Nia", "Jürgen", "Olu", "Sára", "Émile")
CITIES = ("Köln", "Łódź", "Leeds", "Besançon", "İzmir", "Cádiz", "京都市")
SOURCES = ("website", "fair", "referral", "partner")
START = datetime(2026, 1, 1, 12, tzinfo=UTC)


def make_person(number: int) -> dict[str, Any]:
    """Column values of a person; every number another address, no column blank."""
    return {
        "email": f"person.{number}@example.com",
        "first_name": NAMES[number % 11],
        "last_name": f"Number {number}",
        "phone": f"+49 221 {number:07d}",
        "job_title": f"Engineer grade {number % 9}",
        "city": CITIES[number % 7],
        "status": tuple(STATUSES)[number % 4],
        "lead_source": SOURCES[number % 4],
        "birth_date": date(1950, 1, 1) + timedelta(days=number % 20_000),
        "last_seen_at": START - timedelta(minutes=number % 500_000),
        "credit": Decimal(number % 100_000) / 4,
        "newsletter": number % 3 == 0,
    }


def to_properties(values: dict[str, Any]) -> Properties:
    """A person's columns as HubSpot writes them."""
    return {
        "email": values["email"],
        "firstname": values["first_name"],
        "lastname": values["last_name"],
        "phone": values["phone"],
        "jobtitle": values["job_title"],
        "city": values["city"],
        "hs_lead_status": STATUSES[values["status"]],
        "demo_lead_source": values["lead_source"],
        "demo_birth_date": values["birth_date"].isoformat(),
        "demo_last_seen": values["last_seen_at"].strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "demo_credit": str(values["credit"]),
        "demo_newsletter": "true" if values["newsletter"] else "false",
    }


def from_properties(found: dict[str, str | None]) -> dict[str, Any]:
    """A contact's properties as a person's columns: what the barest script has to convert."""
    born, seen, credit = found["demo_birth_date"], found["demo_last_seen"], found["demo_credit"]
    return {
        "email": found["email"] or "",
        "first_name": found["firstname"] or "",
        "last_name": found["lastname"] or "",
        "phone": found["phone"] or "",
        "job_title": found["jobtitle"] or "",
        "city": found["city"] or "",
        "status": FROM_STATUS.get(found["hs_lead_status"] or "", "lead"),
        "lead_source": found["demo_lead_source"] or "",
        "birth_date": date.fromisoformat(born) if born else None,
        "last_seen_at": datetime.fromisoformat(seen) if seen else None,
        "credit": Decimal(credit) if credit else None,
        "newsletter": found["demo_newsletter"] == "true",
    }


def store_people(count: int, *, start: int = 0) -> None:
    """Rows as a host's own bulk load writes them: no signal, no mark."""
    for numbers in chunks(range(start, start + count), 1000):
        Person.objects.bulk_create([Person(**make_person(number)) for number in numbers])


def chunks(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    rows = iter(rows)
    while part := list(islice(rows, size)):
        yield part
