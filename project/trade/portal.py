"""What a tradesmen's HubSpot portal has beside HubSpot's own: pipelines, properties and labels its people made."""

from typing import Any

from crmsync.fakehub import defaults

Facts = dict[str, Any]

PIPELINES = [
    ("jobs", "Jobs", "job_waiting=Waiting=0.2,job_approved=Approved=0.6,job_done=Done=1.0,job_refused=Refused=0.0"),
    ("aftercare", "Aftercare", "care_thanks=Say thanks=0.2,care_review=Ask for a review=0.5,care_over=Over=1.0"),
]
STATUSES = ("New", "Active", "Dormant", "Lost")
CATEGORIES = ("Plumbing", "Heating", "Roofs", "Solar")


def _options(*values: str) -> list[dict[str, str]]:
    return [{"value": one.lower().replace(" ", "_"), "label": one} for one in values]


def _choice(name: str, label: str, *values: str, field_type: str = "select") -> Facts:
    options = _options(*values)
    return {"name": name, "label": label, "kind": "enumeration", "field_type": field_type, "options": options}


def _plain(name: str, label: str, kind: str, field_type: str, **facts: object) -> Facts:
    return {"name": name, "label": label, "kind": kind, "field_type": field_type, **facts}


_ROLL_UPS = [
    _plain("jobs_done", "Jobs done", "number", "number"),
    _plain("last_job_on", "Last job", "date", "date"),
]
PROPERTIES: dict[str, list[Facts]] = {
    "contacts": [
        _choice("qualification", "Qualification", "Open", "Qualified", "Refused"),
        _choice("customer_type", "Customer type", "Commercial", "Residential"),
        _plain("client_number", "Client number", "string", "text", hasUniqueValue=True),
        _plain("last_visit", "Last visit", "datetime", "date"),
        *_ROLL_UPS,
    ],
    "companies": [
        _choice("client_status", "Client status", *STATUSES, "Prospect"),
        _choice("client_categories", "Categories", *CATEGORIES, field_type="checkbox"),
        _choice("customer_type", "Customer type", "Commercial", "Residential"),
        _plain("client_number", "Client number", "string", "text", hasUniqueValue=True),
        _plain("last_visit", "Last visit", "datetime", "date"),
        *_ROLL_UPS,
    ],
    "deals": [
        _plain("work_done", "What was done", "string", "textarea"),
        _plain("work_done_on", "Done on", "date", "date"),
    ],
}


def pipelines() -> list[Facts]:
    """The pipelines of deals beside HubSpot's own."""
    return [
        defaults.deal_pipeline(key, label, stages, place) for place, (key, label, stages) in enumerate(PIPELINES, 1)
    ]
