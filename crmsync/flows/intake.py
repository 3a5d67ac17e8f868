"""A webhook request becomes one stored delivery before it is acknowledged, and due pulls soon after."""

import json
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.db import DatabaseError, transaction
from django.utils import timezone

from crmsync import conf
from crmsync.hubspot import errors, webhooks
from crmsync.ledger import credentials, inbox
from crmsync.models import Delivery

logger = logging.getLogger(__name__)

# Deliveries split in one transaction: at most 100 events each.
_SPLIT = 50
_REMEDIES = {
    "expired": "It is older than five minutes: check this server's clock, and that nothing delays the request.",
    "from_future": "It is dated ahead of this server's clock: check the clock.",
}
_REMEDY = (
    "Check that the portal's client secret is the app's, and that CRMSYNC['PUBLIC_URL'] is the address HubSpot calls."
)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What to answer: an HTTP status and one sentence."""

    status: int
    message: str

    @property
    def is_stored(self) -> bool:
        return self.status == 204


def accept(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Receipt:
    """Verify, check and store one delivery. 204 only after the commit; nothing unverified is stored.

    A verified delivery that is not for us is acknowledged, because HubSpot would send it ten times more.
    """
    limit = conf.current().MAX_WEBHOOK_BYTES
    if len(body) > limit:
        return Receipt(413, f"The body has more than {limit} bytes, more than HubSpot sends.")
    try:
        secrets = credentials.webhook_secrets(timezone.now())
        signers = _signers(secrets, method, url, headers, body)
    except errors.SignatureError as error:
        logger.warning("webhook refused", extra={"reason": error.reason})
        return Receipt(
            401, f"The signature was not accepted ({error.reason}). {_REMEDIES.get(error.reason, _REMEDY)}"
        )
    except DatabaseError:
        return Receipt(503, "The database is busy or away; HubSpot will send this again.")
    try:
        hub_ids = _hub_ids(body)
    except (ValueError, RecursionError):
        return Receipt(400, "The body is not a JSON list of events as HubSpot sends them.")
    return _store(body, hub_ids, hub_ids & signers)


def _signers(
    secrets: Mapping[int, Collection[str]], method: str, url: str, headers: Mapping[str, str], body: bytes
) -> set[int]:
    """Hub ids of the app that signed: who knows one app's secret must not speak for another app's portals."""
    now_ms = int(timezone.now().timestamp() * 1000)
    refusal = errors.SignatureError("missing")
    for secret in sorted({one for some in secrets.values() for one in some}) or [""]:
        try:
            webhooks.verify(headers, method, url, body, [secret] if secret else [], now_ms)
        except errors.SignatureError as error:
            refusal = error
            continue
        return {hub_id for hub_id, some in secrets.items() if secret in some}
    raise refusal


def _hub_ids(body: bytes) -> set[int]:
    events = json.loads(body)
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
        raise ValueError("not a list of objects")
    ids = {event.get("portalId") for event in events}
    if not all(isinstance(one, int) for one in ids):
        raise ValueError("an event without a portalId")
    return ids


def _store(body: bytes, hub_ids: set[int], known: set[int]) -> Receipt:
    if not known:
        names = ", ".join(str(one) for one in sorted(hub_ids)) or "none"
        return Receipt(202, f"Ignored: no portal {names} is connected here. Connect it, or remove the subscription.")
    try:
        inbox.store(body.decode("utf-8"), timezone.now())
    except UnicodeDecodeError:
        return Receipt(400, "The body is not UTF-8 text.")
    except DatabaseError:
        logger.exception("webhook not stored")
        return Receipt(503, "The database is busy or away; HubSpot will send this again.")
    return Receipt(204, "")


def split() -> int:
    """Take stored deliveries apart into due pulls, one a record and mapping; how many deliveries."""
    now = timezone.now()
    with transaction.atomic():
        deliveries = inbox.take_unsplit(_SPLIT)
        if not deliveries:
            return 0
        mappings, reading = inbox.mappings_by_type(), inbox.mappings_reading()
        keys: set[tuple[str, int, str]] = set()
        hub_ids: set[int] = set()
        for delivery in deliveries:
            keys |= _keys(delivery, mappings, reading, hub_ids)
        for via in sorted({one[0] for one in keys}):
            inbox.put([(mapping_id, remote_id) for kind, mapping_id, remote_id in keys if kind == via], now, via=via)
        inbox.mark_split(deliveries, now)
        inbox.touch_portals(hub_ids, now)
    return len(deliveries)


def _keys(
    delivery: Delivery,
    mappings: Mapping[tuple[int, str], list[int]],
    reading: Mapping[tuple[int, str], list[int]],
    hub_ids: set[int],
) -> set[tuple[str, int, str]]:
    """(via, mapping, id): via "" for the record itself, else the object type of a record that others read."""
    try:
        events = webhooks.parse_events(delivery.body.encode())
    except errors.BodyError as error:
        delivery.note = str(error)[:200]
        return set()
    delivery.events = len(events)
    keys = set()
    for event in events:
        hub_ids.add(event.portal_id)
        for object_type, remote_id in touched(event):
            keys |= {("", one, remote_id) for one in mappings.get((event.portal_id, object_type), ())}
            if event.kind != "associationChange":  # it names the record that reads, too
                keys |= {(object_type, one, remote_id) for one in reading.get((event.portal_id, object_type), ())}
    return keys


def touched(event: webhooks.Event) -> set[tuple[str, str]]:
    """(object type, id) of every record an event may have changed: hints, all read again."""
    ids = {event.object_id, event.survivor_id, *event.merged_ids} - {None, ""}
    found = {(event.object_type, str(one)) for one in ids if event.object_type}
    if event.kind == "associationChange":
        found |= {
            (kind, str(one))
            for kind, one in ((event.from_type, event.from_id), (event.to_type, event.to_id))
            if kind and one
        }
    return found
