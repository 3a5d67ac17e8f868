"""From a change of a record to the webhook events HubSpot would send about it; pure, nothing is sent here.

``object.*`` subscriptions carry objectTypeId, legacy ones (``contact.*``) do not.
"""

import zlib
from collections.abc import Iterator
from typing import Any

from crmsync.fakehub import associationtypes, objecttypes, portal, store, values

FORMS = {
    "created": "creation",
    "archived": "deletion",
    "purged": "deletion",
    "updated": "propertyChange",
    "merged": "merge",
    "restored": "restore",
    "associated": "associationChange",
}
FLAGS = {"creation": "CREATED", "deletion": "DELETED"}
DEFAULT_TYPES = ("0-1", "0-2", "0-3")
NEVER = {"hs_lastmodifieddate", "lastmodifieddate", "num_unique_conversion_events", "hs_communication_body"}
NEVER_OF_EMAILS = {"hs_email_html", "hs_email_subject"}


def default_subscriptions(legacy: bool = False, kinds: tuple[str, ...] = DEFAULT_TYPES) -> list[dict[str, str]]:
    """All forms for contacts, companies and deals; property "*" stands for one subscription a property."""
    names = {kind.id: kind.singular for kind in objecttypes.STANDARD}
    found = []
    for kind_id in kinds:
        for form in dict.fromkeys(FORMS.values()):
            what = f"{names[kind_id]}.{form}" if legacy else f"object.{form}"
            found.append({"subscriptionType": what, "objectTypeId": kind_id, "propertyName": "*"})
    if legacy and "0-1" in kinds:
        found.append({"subscriptionType": "contact.privacyDeletion", "objectTypeId": "0-1"})
    return found


class Announcer:
    """Turns changes into events for the subscriptions there are."""

    def __init__(self, home: portal.Portal, app_id: int) -> None:
        self.portal = home
        self.app_id = app_id
        self.subscriptions: list[dict[str, str]] = []
        self.last_id = 100

    @property
    def is_heard(self) -> bool:
        """May this app have webhooks of this account?"""
        return self.portal.grants.may_hear(self.app_id, self.portal.id)

    def announce(self, change: store.Change) -> Iterator[dict[str, Any]]:
        form = FORMS.get(change.what)
        if form is None:
            return
        if form == "associationChange":
            yield from self._association_events(change)
            return
        kind = change.record.kind
        life = form != "propertyChange"
        bodies = [self._life_body(change, form)] if life else list(self._property_bodies(change))
        for body in bodies:
            yield from self._send(kind, form, body, change)
        if change.what == "created" and change.source.change.startswith("CRM_UI"):
            for body in self._property_bodies(change):
                yield from self._send(kind, "propertyChange", body, change)
        if change.what == "purged":
            yield from self._send(kind, "privacyDeletion", {"objectId": change.record.id}, change)

    def _send(
        self, kind: objecttypes.ObjectType, form: str, body: dict[str, Any], change: store.Change
    ) -> Iterator[dict[str, Any]]:
        """One event a subscription that wants it."""
        for subscription in self._wanted(kind, form, body.get("propertyName", "")):
            what = subscription["subscriptionType"]
            event: dict[str, Any] = {
                "eventId": self._next(),
                "subscriptionId": self._number(what, kind.id, body.get("propertyName", "")),
                "portalId": self.portal.id,
                "appId": self.app_id,
                "occurredAt": change.at,
                "subscriptionType": what,
                "attemptNumber": 0,
                **body,
            }
            event |= {"changeSource": change.source.change, "sourceId": change.source.id}
            if what.startswith("object."):
                event["objectTypeId"] = kind.id
            else:
                event.pop("isSensitive", None)
            yield event

    def _wanted(self, kind: objecttypes.ObjectType, form: str, name: str) -> list[dict[str, str]]:
        return [
            one
            for one in self.subscriptions
            if one["subscriptionType"].partition(".")[2] == form
            and one.get("objectTypeId") == kind.id
            and (form != "propertyChange" or one.get("propertyName", "*") in {"*", name})
            and one.get("active", "true") != "false"
        ]

    def _life_body(self, change: store.Change, form: str) -> dict[str, Any]:
        body: dict[str, Any] = {"objectId": change.record.id}
        if form == "merge":
            facts = change.facts
            body = {
                "objectId": facts["primary"],
                "primaryObjectId": facts["primary"],
                "mergedObjectIds": facts["others"],
            }
            if change.record.id != facts["primary"]:
                body["newObjectId"] = change.record.id
            body["numberOfPropertiesMoved"] = facts["moved"]
        if form in FLAGS:
            body["changeFlag"] = FLAGS[form]
        return body

    def _property_bodies(self, change: store.Change) -> Iterator[dict[str, Any]]:
        kind = change.record.kind
        for name, (_, value) in change.values.items():
            prop = self.portal.property(kind, name)
            if prop is None or name in NEVER or (kind.id == "0-49" and name in NEVER_OF_EMAILS):
                continue
            sensitive = prop.data["dataSensitivity"] != "non_sensitive"
            yield {
                "objectId": change.record.id,
                "propertyName": name,
                "propertyValue": "REDACTED" if sensitive else values.as_event(prop.kind, value),
                "isSensitive": sensitive,
            }

    def _association_events(self, change: store.Change) -> Iterator[dict[str, Any]]:
        """One event a side, for each type that came or went."""
        ends, before, after = (change.facts[name] for name in ("ends", "before", "after"))
        rows = self.portal.catalogue.between(ends[0], ends[2])
        for number in sorted(set(before) ^ set(after)):
            row = rows[number]
            back = row._replace(source=row.target, target=row.source, number=row.inverse, inverse=row.number)
            for one, side in ((row, ends), (back, (*ends[2:], *ends[:2]))):
                for subscription in self._wanted(self.portal.kinds[side[0]], "associationChange", ""):
                    event = self._association_event(subscription["subscriptionType"], one, side, change)
                    yield {**event, "associationRemoved": number in before}

    def _association_event(
        self, what: str, row: associationtypes.AssociationType, side: tuple[Any, ...], change: store.Change
    ) -> dict[str, Any]:
        """Captured bodies have no objectId, and the legacy ones no subscriptionId either."""
        kind, other = self.portal.kinds[row.source], self.portal.kinds[row.target]
        event: dict[str, Any] = {
            "eventId": self._next(),
            "subscriptionId": self._number(what, kind.id, ""),
            "portalId": self.portal.id,
            "appId": self.app_id,
            "occurredAt": change.at,
            "subscriptionType": what,
            "attemptNumber": 0,
            "changeSource": "USER" if change.source.change == "CRM_UI" else change.source.change,
            "fromObjectId": side[1],
            "toObjectId": side[3],
            "associationRemoved": False,
            "isPrimaryAssociation": row.label == associationtypes.PRIMARY,
            "sourceId": change.source.id,
        }
        if what.startswith("object."):
            event |= {"fromObjectTypeId": kind.id, "toObjectTypeId": other.id}
            event |= {"associationTypeId": row.number, "associationCategory": row.category}
        else:
            del event["subscriptionId"]
            event["associationType"] = f"{kind.loud}_TO_{other.loud}"
        return event

    def _next(self) -> int:
        self.last_id += 1
        return self.last_id

    def _number(self, what: str, kind_id: str, name: str) -> int:
        return 1_000_000 + zlib.crc32(f"{what} {kind_id} {name}".encode()) % 9_000_000
