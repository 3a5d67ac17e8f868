"""The webhook subscriptions a sync needs, as values, as lines to read and as a project's component file. Pure.

HubSpot: webhooks; project apps, configure webhooks. Nobody but the app's owner can create them, so a person
uploads the file or clicks through the lines.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from crmsync.hubspot import object_types

MOST = 1_000  # HubSpot: webhooks, subscriptions of one app
FEWEST_CONCURRENT = 6  # HubSpot: webhooks, maxConcurrentRequests "must be greater than five"

_EVENTS = ("object.creation", "object.deletion", "object.merge", "object.restore")
_CHANGED = "object.propertyChange"
_ASSOCIATED = "object.associationChange"
_FORGOTTEN = "contact.privacyDeletion"
# HubSpot: webhooks, properties that cannot be subscribed to; "" are those of every object type.
_SILENT = {
    "": frozenset({"hs_lastmodifieddate", "num_unique_conversion_events"}),
    "emails": frozenset({"hs_email_html", "hs_email_subject"}),
    "communications": frozenset({"hs_communication_body"}),
}
_NEVER_ASSOCIATED = frozenset({"products"})  # HubSpot: webhooks, the subscription types there are


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription: ``type`` as HubSpot spells it, ``property`` only where it is one of a property."""

    type: str
    object_type: str
    object_type_id: str
    property: str = ""

    def __str__(self) -> str:
        id = "" if self.object_type_id == self.object_type else f"({self.object_type_id})"
        return " ".join(filter(None, (self.type, self.object_type, id, self.property)))


def needed(wanted: Sequence[tuple[str, Iterable[str]]], *, associations: Collection[str] = ()) -> list[Subscription]:
    """What a sync of these object types and properties has to hear of, each once, in an order that never varies.

    ``wanted``: pairs of an object type ("contacts", "0-1", "2-123") and names of properties; a type may come
    twice. ``associations``: the object types whose associations matter too. Properties HubSpot has no
    subscription for are left out. ValueError, with the number, where an app cannot have so many.
    """
    followed = {object_types.name_of(one) for one in associations}
    names: dict[str, set[str]] = {}
    for object_type, properties in wanted:
        names.setdefault(object_types.name_of(object_type), set()).update(properties)
    found = [one for name in sorted(names) for one in _of_type(name, names[name], name in followed)]
    _check_count(found)
    return found


def printable(subscriptions: Sequence[Subscription]) -> list[str]:
    """One line each, to be read while clicking them together in HubSpot."""
    return [str(one) for one in subscriptions]


def hsmeta(subscriptions: Sequence[Subscription], target_url: str, max_concurrent: int = 10) -> dict[str, Any]:
    """The webhooks component of a project app, to be written as ``src/app/webhooks/webhooks-hsmeta.json``.

    ``max_concurrent``: how many deliveries HubSpot may make at once for one account, more than 5. ValueError
    for fewer, or for more than 1,000 subscriptions. A custom object type is named by its object type id; that
    HubSpot takes it there is a guess, for its documentation names standard types only.
    """
    if max_concurrent < FEWEST_CONCURRENT:
        raise ValueError(f"at least {FEWEST_CONCURRENT} concurrent requests, not {max_concurrent}")
    _check_count(subscriptions)
    hub = [{"subscriptionType": one.type, "active": True} for one in subscriptions if one.type == _FORGOTTEN]
    return {
        "uid": "webhooks",
        "type": "webhooks",
        "config": {
            "settings": {"targetUrl": target_url, "maxConcurrentRequests": max_concurrent},
            "subscriptions": {
                "crmObjects": [_crm_object(one) for one in subscriptions if one.type != _FORGOTTEN],
                "legacyCrmObjects": [],
                "hubEvents": hub,
            },
        },
    }


def _of_type(name: str, properties: Collection[str], is_followed: bool) -> list[Subscription]:
    id = object_types.id_of(name)
    events = [*_EVENTS, *([_ASSOCIATED] if is_followed and name not in _NEVER_ASSOCIATED else [])]
    heard = sorted(set(properties) - _SILENT[""] - _SILENT.get(name, frozenset()))
    return [
        *(Subscription(event, name, id) for event in events),
        *(Subscription(_CHANGED, name, id, one) for one in heard),
        *([Subscription(_FORGOTTEN, name, id)] if name == "contacts" else []),
    ]


def _crm_object(one: Subscription) -> dict[str, Any]:
    about = {"propertyName": one.property} if one.property else {}
    kind = object_types.singular_of(one.object_type)
    return {"subscriptionType": one.type, "objectType": kind, **about, "active": True}


def _check_count(subscriptions: Sequence[Subscription]) -> None:
    above = len(subscriptions) - MOST
    if above > 0:
        raise ValueError(f"{len(subscriptions)} subscriptions are {above} more than the {MOST} an app may have")
