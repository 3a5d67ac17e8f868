"""Templates: the properties that nearly every mapping of an object type wants, ready-made, in a fixed order."""

from collections.abc import Mapping
from typing import Final

from crmsync.engine import suggest

# HubSpot: default properties of contacts, companies, deals and tickets.
COMMON: Final[Mapping[str, tuple[str, ...]]] = {
    "contacts": (
        "email",
        "firstname",
        "lastname",
        "phone",
        "mobilephone",
        "company",
        "jobtitle",
        "address",
        "city",
        "state",
        "zip",
        "country",
        "website",
    ),
    "companies": (
        "name",
        "domain",
        "website",
        "phone",
        "address",
        "city",
        "state",
        "zip",
        "country",
        "industry",
        "numberofemployees",
    ),
    "deals": ("dealname", "amount", "dealstage", "pipeline", "closedate", "description", "hubspot_owner_id"),
    "tickets": ("subject", "content", "hs_pipeline_stage", "hs_pipeline", "hs_ticket_priority", "hubspot_owner_id"),
}


def has(object_type: str) -> bool:
    """Whether there is a template for an object type."""
    return object_type in COMMON


def choose(ranked: tuple[suggest.Suggestion, ...], object_type: str) -> tuple[suggest.Suggestion, ...]:
    """The template's properties with the model's likeliest field each, every field once, in the template's order."""
    order = {name: place for place, name in enumerate(COMMON.get(object_type, ()))}
    chosen = suggest.choose(one for one in ranked if one.remote in order)
    return tuple(sorted(chosen, key=lambda one: order[one.remote]))
