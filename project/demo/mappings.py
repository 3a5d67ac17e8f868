"""The demo's three mappings, as staff would set them up in the admin, and the custom properties they need."""

from collections.abc import Sequence

from crmsync.engine.terms import BlankPolicy, ConflictPolicy, Direction, MappingState, Normaliser, SideName
from crmsync.models import FieldMapping, FixedValue, Mapping, MatchKey, Portal, ValueMapEntry
from project.demo.portal import INDUSTRIES

PEOPLE, ORGANISATIONS, OPPORTUNITIES = "People", "Organisations", "Opportunities"

Row = tuple[str, str, dict[str, str]]
_PUSH = {"direction": Direction.PUSH}
_LOCAL_WINS = {"conflict": ConflictPolicy.PREFER_LOCAL}
_CLEARS = {"blanks": BlankPolicy.CLEAR}

PEOPLE_FIELDS: Sequence[Row] = [
    ("email", "email", {}),
    ("first_name", "firstname", {}),
    ("last_name", "lastname", {}),
    ("phone", "phone", _CLEARS),
    ("job_title", "jobtitle", _LOCAL_WINS),
    ("city", "city", _CLEARS),
    ("status", "hs_lead_status", {}),
    ("lead_source", "demo_lead_source", {}),
    ("birth_date", "demo_birth_date", _CLEARS),
    ("last_seen_at", "demo_last_seen", {}),
    ("credit", "demo_credit", _CLEARS),
    ("newsletter", "demo_newsletter", {}),
    ("bio", "demo_bio", {}),
    ("organisation__name", "company", _PUSH),
    ("owner", "hubspot_owner_id", {}),
]
ORGANISATION_FIELDS: Sequence[Row] = [
    ("name", "name", {}),
    ("domain", "domain", {}),
    ("city", "city", _CLEARS),
    ("country", "country", {}),
    ("industry", "industry", {}),
    ("employees", "numberofemployees", {}),
    ("annual_revenue", "annualrevenue", {}),
    ("notes", "description", {}),
]
OPPORTUNITY_FIELDS: Sequence[Row] = [
    ("name", "dealname", {}),
    ("amount", "amount", {}),
    ("status", "dealstage", {}),
    ("close_at", "closedate", {}),
    ("description", "description", {}),
    ("owner", "hubspot_owner_id", {}),
]
STATUSES = {"lead": "NEW", "prospect": "IN_PROGRESS", "customer": "CONNECTED", "former": "UNQUALIFIED"}
STAGES = {
    "open": "appointmentscheduled",
    "quoted": "presentationscheduled",
    "won": "closedwon",
    "lost": "closedlost",
}
PIPELINE = "default"  # HubSpot demands a deal's pipeline where it has several
LEAD_SOURCES = {"website": "website", "fair": "fair", "referral": "referral", "partner": "partner"}

# (name, label, type, field type, option values): what the portal's own people made before the sync came.
CUSTOM_PROPERTIES = [
    ("demo_lead_source", "Lead source (demo)", "enumeration", "select", list(LEAD_SOURCES.values())),
    ("demo_birth_date", "Birth date", "date", "date", []),
    ("demo_last_seen", "Last seen", "datetime", "date", []),
    ("demo_credit", "Credit", "number", "number", []),
    ("demo_newsletter", "Newsletter", "bool", "booleancheckbox", []),
    ("demo_bio", "Bio", "string", "textarea", []),
]


def load(portal: Portal, state: str = MappingState.LIVE) -> list[Mapping]:
    """The three mappings of a discovered portal: people and organisations both ways, opportunities to HubSpot."""
    people = _mapping(portal, PEOPLE, "demo.Person", "contacts", PEOPLE_FIELDS, state=state)
    _match(people, "email", "email", Normaliser.EMAIL)
    _values(people, "status", STATUSES)
    organisations = _mapping(
        portal, ORGANISATIONS, "demo.Organisation", "companies", ORGANISATION_FIELDS, state=state
    )
    _match(organisations, "domain", "domain", Normaliser.DOMAIN)
    _values(organisations, "industry", {str(key): value for key, value in INDUSTRIES.items()})
    opportunities = _mapping(
        portal,
        OPPORTUNITIES,
        "demo.Opportunity",
        "deals",
        OPPORTUNITY_FIELDS,
        state=state,
        direction=Direction.PUSH,
        creates_local=False,
    )
    _values(opportunities, "status", STAGES)
    FixedValue.objects.create(mapping=opportunities, side=SideName.REMOTE, field="pipeline", value=PIPELINE)
    return [people, organisations, opportunities]


def _mapping(
    portal: Portal, label: str, model_label: str, object_type: str, rows: Sequence[Row], **settings: object
) -> Mapping:
    mapping = Mapping.objects.create(
        portal=portal, label=label, model_label=model_label, object_type=object_type, **settings
    )
    FieldMapping.objects.bulk_create(
        FieldMapping(mapping=mapping, position=position, local=local, remote=remote, **options)
        for position, (local, remote, options) in enumerate(rows)
    )
    mapping.save()  # bulk_create sends no signal: which related rows these fields read is found out now
    return mapping


def _match(mapping: Mapping, local: str, remote: str, normaliser: str) -> None:
    MatchKey.objects.create(mapping=mapping, local=local, remote=remote, normaliser=normaliser)


def _values(mapping: Mapping, local: str, table: dict[str, str]) -> None:
    field = mapping.fields.get(local=local)
    ValueMapEntry.objects.bulk_create(
        ValueMapEntry(field=field, local_value=ours, remote_value=theirs) for ours, theirs in table.items()
    )
