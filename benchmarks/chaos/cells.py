"""Which fields are watched, and how a value reads the same whichever side or log it comes from."""

from dataclasses import dataclass

from django.db import models

from project.demo import compare
from project.demo.models import Organisation, Person

# Texts, numbers and dates in which no two typed values need be equal; codes and yes-no values cannot be told apart.
NAMES = {
    Person: ("first_name", "last_name", "phone", "job_title", "city", "bio", "credit", "birth_date"),
    Organisation: ("name", "city", "country", "notes", "employees", "annual_revenue"),
}
NUMBERS = ("credit", "employees", "annual_revenue")
TABLES = {"contacts": (Person, compare.PERSON), "companies": (Organisation, compare.ORGANISATION)}


@dataclass(frozen=True, slots=True)
class Cell:
    """One field of one pair of records; ``key`` is what both sides know it by: e-mail address or domain."""

    object_type: str
    key: str
    field: str


@dataclass(frozen=True, slots=True)
class Column:
    """A watched field on both sides."""

    model: type[models.Model]
    object_type: str
    local: str
    remote: str

    def read(self, value: object) -> str:
        """A stored or typed value of either side as plain text."""
        return compare.number(value) if self.local in NUMBERS else compare.text(value)


COLUMNS = [
    Column(model, object_type, local, remote)
    for object_type, (model, rows) in TABLES.items()
    for local, _, remote, _ in rows
    if local in NAMES[model]
]


def key_of(object_type: str, row: models.Model) -> str:
    key: str = compare.WORLDS[object_type][2](row)
    return key


def key_property(object_type: str) -> str:
    name: str = compare.WORLDS[object_type][3]
    return name
