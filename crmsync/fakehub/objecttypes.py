"""The kinds of CRM records: names, ids, scopes, automatic properties and what a create must hold."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ObjectType:
    """One kind. ``required`` must all be set on create, of ``any_of`` at least one."""

    id: str
    name: str
    singular: str
    scope: str
    created: str = "hs_createdate"
    modified: str = "hs_lastmodifieddate"
    defaults: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    searchable: tuple[str, ...] = ()
    pipeline: str = ""
    stage: str = ""
    schema: dict[str, Any] = field(default_factory=dict, compare=False)

    @property
    def always(self) -> tuple[str, ...]:
        """Properties that come with every answer, asked for or not."""
        return (self.created, self.modified, "hs_object_id")

    @property
    def loud(self) -> str:
        """The name as error messages spell it."""
        return self.singular.upper()

    @property
    def is_custom(self) -> bool:
        return self.id.startswith("2-")


def _engagement(type_id: str, name: str, *required: str) -> ObjectType:
    return ObjectType(
        type_id,
        name,
        name[:-1],
        "crm.objects.contacts",
        required=("hs_timestamp", *required),
        defaults=("hs_createdate", "hs_lastmodifieddate", "hs_object_id"),
    )


CONTACTS = ObjectType(
    "0-1",
    "contacts",
    "contact",
    "crm.objects.contacts",
    created="createdate",
    modified="lastmodifieddate",
    defaults=("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"),
    any_of=("email", "firstname", "lastname"),
    searchable=("firstname", "lastname", "email", "phone", "mobilephone", "company", "hs_additional_emails"),
)
COMPANIES = ObjectType(
    "0-2",
    "companies",
    "company",
    "crm.objects.companies",
    created="createdate",
    defaults=("createdate", "domain", "hs_lastmodifieddate", "hs_object_id", "name"),
    any_of=("name", "domain"),
    searchable=("name", "domain", "website", "phone"),
)
DEALS = ObjectType(
    "0-3",
    "deals",
    "deal",
    "crm.objects.deals",
    created="createdate",
    defaults=(
        "amount", "closedate", "createdate", "dealname", "dealstage", "hs_lastmodifieddate", "hs_object_id",
        "pipeline",
    ),
    required=("dealname", "dealstage"),
    searchable=("dealname", "pipeline", "dealstage", "description", "dealtype"),
    pipeline="pipeline",
    stage="dealstage",
)  # fmt: skip
TICKETS = ObjectType(
    "0-5",
    "tickets",
    "ticket",
    "tickets",
    created="createdate",
    defaults=(
        "content", "createdate", "hs_lastmodifieddate", "hs_object_id", "hs_pipeline", "hs_pipeline_stage",
        "hs_ticket_category", "hs_ticket_priority", "subject",
    ),
    required=("subject", "hs_pipeline_stage"),
    searchable=("subject", "content", "hs_pipeline_stage"),
    pipeline="hs_pipeline",
    stage="hs_pipeline_stage",
)  # fmt: skip
STANDARD = (
    CONTACTS,
    COMPANIES,
    DEALS,
    TICKETS,
    _engagement("0-46", "notes"),
    _engagement("0-27", "tasks"),
    _engagement("0-48", "calls"),
    _engagement("0-47", "meetings"),
    _engagement("0-49", "emails", "hs_email_direction"),
)


def make_custom(number: int, name: str, portal_id: int, schema: dict[str, Any]) -> ObjectType:
    """A custom object type ``2-<number>``, named ``p<portal>_<name>`` in full."""
    display = schema.get("primaryDisplayProperty")
    return ObjectType(
        f"2-{number}",
        f"p{portal_id}_{name}",
        name,
        "crm.objects.custom",
        defaults=("hs_createdate", "hs_lastmodifieddate", "hs_object_id"),
        required=tuple(schema.get("requiredProperties") or ()),
        searchable=tuple(schema.get("searchableProperties") or ([display] if display else ())),
        schema=schema,
    )
