"""Compares the product's rows with the portal's records, field by field, by a reading of its own.

It shares no code with crmsync: people are paired by e-mail, organisations by domain, opportunities by name.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal

from project.demo import mappings
from project.demo.models import Opportunity, Organisation, Person
from project.demo.portal import INDUSTRIES

Properties = Mapping[str, str | None]
Reader = Callable[[object], str]


def text(value: object) -> str:
    return "" if value is None else str(value)


def number(value: object) -> str:
    """A number as both sides would write it down: no exponent, no trailing zeros."""
    return "" if value in (None, "") else f"{Decimal(str(value)).normalize():f}"


def moment(value: object) -> str:
    """A point in time to the millisecond, which is all that HubSpot keeps."""
    if not isinstance(value, datetime):
        return "" if not value else moment(datetime.fromisoformat(str(value).replace("Z", "+00:00")))
    return value.astimezone(UTC).isoformat(timespec="milliseconds")


def yes_no(value: object) -> str:
    return text(value).lower()


def coded(table: Mapping[str, str]) -> Reader:
    return lambda value: table.get(str(value), "") if value else ""


# Django field, how to read it, property, how to read that.
PERSON = [
    ("email", lambda v: text(v).strip().lower(), "email", text),
    ("first_name", text, "firstname", text),
    ("last_name", text, "lastname", text),
    ("phone", text, "phone", text),
    ("job_title", text, "jobtitle", text),
    ("city", text, "city", text),
    ("status", coded(mappings.STATUSES), "hs_lead_status", text),
    ("lead_source", text, "demo_lead_source", text),
    ("birth_date", text, "demo_birth_date", text),
    ("last_seen_at", moment, "demo_last_seen", moment),
    ("credit", number, "demo_credit", number),
    ("newsletter", yes_no, "demo_newsletter", yes_no),
    ("bio", text, "demo_bio", text),
]
ORGANISATION = [
    ("name", text, "name", text),
    ("domain", text, "domain", text),
    ("city", text, "city", text),
    ("country", text, "country", text),
    ("industry", coded({str(key): value for key, value in INDUSTRIES.items()}), "industry", text),
    ("employees", number, "numberofemployees", number),
    ("annual_revenue", number, "annualrevenue", number),
    ("notes", text, "description", text),
]
OPPORTUNITY = [
    ("name", text, "dealname", text),
    ("amount", number, "amount", number),
    ("status", coded(mappings.STAGES), "dealstage", text),
    ("close_at", moment, "closedate", moment),
    ("description", text, "description", text),
]
WORLDS = {
    "contacts": (Person, PERSON, lambda row: row.email.strip().lower(), "email"),
    "companies": (Organisation, ORGANISATION, lambda row: row.domain, "domain"),
    "deals": (Opportunity, OPPORTUNITY, lambda row: row.name, "dealname"),
}


def differences(object_type: str, records: Iterable[Properties]) -> list[str]:
    """One sentence for each field, missing partner or duplicate that keeps the two worlds apart."""
    model, fields, key_of, key_property = WORLDS[object_type]
    theirs = list(records)
    ours = list(model.objects.all())
    found = [
        f"{object_type}: {count} records with {key_property} {key}" for key, count in _twice(theirs, key_property)
    ]
    remote = {record.get(key_property) or "": record for record in theirs}
    local = {key_of(row): row for row in ours}
    found += [f"{object_type}: {key} is only in Django" for key in local.keys() - remote.keys()]
    found += [f"{object_type}: {key} is only in HubSpot" for key in remote.keys() - local.keys()]
    for key in local.keys() & remote.keys():
        found += [f"{object_type}: {key}: {line}" for line in _fields(local[key], remote[key], fields)]
    if len(ours) != len(theirs):
        found.append(f"{object_type}: {len(ours)} rows in Django, {len(theirs)} records in HubSpot")
    return found


def _twice(records: list[Properties], key_property: str) -> list[tuple[str, int]]:
    counts = Counter(record.get(key_property) or "" for record in records)
    return [(key, count) for key, count in counts.items() if count > 1]


def _fields(row: object, record: Properties, fields: list) -> list[str]:
    found = []
    for name, read_local, prop, read_remote in fields:
        ours, theirs = read_local(getattr(row, name)), read_remote(record.get(prop))
        if ours != theirs:
            found.append(f"{name} is {ours!r} in Django and {prop} {theirs!r} in HubSpot")
    return found
