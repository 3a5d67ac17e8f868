"""Object types by id and by name, and what differs between them. Pure; no I/O."""

# HubSpot: CRM API, object type IDs. What is not here (custom types, 2-...) keeps its id.
NAMES = {
    "0-1": "contacts",
    "0-2": "companies",
    "0-3": "deals",
    "0-5": "tickets",
    "0-7": "products",
    "0-8": "line_items",
    "0-14": "quotes",
    "0-18": "communications",
    "0-27": "tasks",
    "0-46": "notes",
    "0-47": "meetings",
    "0-48": "calls",
    "0-49": "emails",
    "0-115": "users",
    "0-136": "leads",
}
_IDS = {name: id for id, name in NAMES.items()}
# HubSpot: webhooks of project apps, and the list of object types they know. Only "contact" is seen spelled in an
# official file; the others are the names of that list, spelled the same way.
_SINGULARS = {
    "companies": "company",
    "meetings": "meeting_event",
}


def name_of(object_type: str) -> str:
    """The one name we use for an object type: "contacts" for "0-1" and "contacts", "2-123" for itself."""
    return NAMES.get(object_type, object_type)


def modified_property(object_type: str) -> str:
    """The property that holds the time of modification.

    HubSpot: CRM search, default properties. On contacts hs_lastmodifieddate silently gives wrong results.
    """
    return "lastmodifieddate" if name_of(object_type) == "contacts" else "hs_lastmodifieddate"


def id_of(object_type: str) -> str:
    """The object type id: "0-1" for "contacts" and "0-1", "2-123" for itself."""
    return _IDS.get(object_type, object_type)


def singular_of(object_type: str) -> str:
    """What webhook subscriptions call an object type: "contact" for "contacts"; without a name it keeps its id."""
    name = name_of(object_type)
    return _SINGULARS.get(name, name.removesuffix("s") if name in _IDS else name)
