"""Object types that a mapping may have, and the sentence for all others."""

import re
from typing import Final

# In the order staff are offered them; the ids of custom objects are added as they are discovered or typed.
STANDARD: Final = ("contacts", "companies", "deals", "tickets")
# HubSpot: CRM API, object type IDs. What exists and is not synced; a custom object may have none of these names.
UNSUPPORTED: Final = frozenset(
    {
        "appointments",
        "calls",
        "carts",
        "communications",
        "courses",
        "discounts",
        "emails",
        "feedback_submissions",
        "fees",
        "goal_targets",
        "invoices",
        "leads",
        "line_items",
        "listings",
        "marketing_events",
        "meetings",
        "notes",
        "orders",
        "partner_clients",
        "payments",
        "postal_mail",
        "products",
        "quotes",
        "services",
        "subscriptions",
        "tasks",
        "taxes",
        "users",
    }
)
_CUSTOM: Final = re.compile(r"2-\d{1,18}", re.ASCII)


def is_supported(object_type: str) -> bool:
    """Whether records of this type can be synced, by its name or its id."""
    return object_type in STANDARD or _CUSTOM.fullmatch(object_type) is not None


def refuse(object_type: str) -> str:
    """Why a type cannot be synced, with those that can; "" for those."""
    if is_supported(object_type):
        return ""
    known = ", ".join(STANDARD)
    return f"The object type “{object_type}” is not supported. Supported are {known} and custom objects (2-123456)."
