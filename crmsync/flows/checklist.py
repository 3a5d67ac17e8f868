"""The guided checklist: what a portal and each of its mappings still need in HubSpot, and who confirmed what.

It calls nobody: it judges what was discovered, and says so where that was not done.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.utils import timezone
from fernet_fields import DecryptionError

from crmsync.engine import across, prerequisites, terms
from crmsync.flows import prerequisites as facts
from crmsync.flows import scopes
from crmsync.hubspot import subscriptions as hubspot_subscriptions
from crmsync.ledger import credentials, portals
from crmsync.models import Mapping, Portal, Tick, choices

Item = prerequisites.Item
Status = prerequisites.Status

_CONNECTED = {choices.PortalState.CONNECTED, choices.PortalState.PAUSED}


@dataclass(frozen=True, slots=True)
class Section:
    """What belongs together on the page: the portal's own steps (``mapping_id`` None), or those of one mapping."""

    title: str
    mapping_id: int | None
    items: tuple[Item, ...]


def of_portal(portal: Portal) -> tuple[Section, ...]:
    """The portal's own steps, then those of each mapping; a step that a person has confirmed is done."""
    ticks = portals.ticks(portal)
    return tuple(
        replace(one, items=tuple(_confirmed(item, ticks.get(key_of(one, item))) for item in one.items))
        for one in _sections(portal)
    )


def key_of(section: Section, item: Item) -> str:
    """What ``tick`` calls an item: "portal.<key>", or "<mapping id>.<key>"."""
    return f"{'portal' if section.mapping_id is None else section.mapping_id}.{item.key}"


def tick(portal: Portal, key: str, user: Any) -> None:
    """A person (None: nobody known) says that a step is done which nobody can see; ValueError for any other key."""
    manual = {key_of(one, item) for one in _sections(portal) for item in one.items if item.state is Status.MANUAL}
    if key not in manual:
        raise ValueError(f"{key!r} is no step that a person confirms here")
    portals.tick(portal, key, user.pk if user is not None else None)


def untick(portal: Portal, key: str) -> None:
    """Take a confirmation back; ValueError for a key that nobody has confirmed."""
    if not portals.untick(portal, key):
        raise ValueError(f"{key!r} was not confirmed")


def subscriptions(portal: Portal) -> list[str]:
    """The webhook subscriptions that the pulling mappings need, one line each; ValueError where an app cannot
    have so many."""
    return hubspot_subscriptions.printable(_subscriptions(portal))


def hsmeta(portal: Portal, target_url: str) -> dict[str, Any]:
    """The webhooks component of a project app, for ``src/app/webhooks/webhooks-hsmeta.json``; ValueError as above.

    HubSpot: project apps, configure webhooks.
    """
    return hubspot_subscriptions.hsmeta(_subscriptions(portal), target_url)


def _subscriptions(portal: Portal) -> list[hubspot_subscriptions.Subscription]:
    wanted, associations = [], []
    for one in (one for one in _mappings(portal) if terms.Direction(one.direction).pulls):
        pulled = [f.remote for f in facts.active_fields(one) if terms.Direction(f.direction).pulls]
        names = across.by_type(pulled)
        wanted += [(one.object_type, names.pop("", [])), *names.items()]
        related = one.associations.filter(is_active=True).exclude(direction=terms.Direction.PUSH)
        associations += [one.object_type] if names or related.exists() else []
    return hubspot_subscriptions.needed(wanted, associations=associations)


def _confirmed(item: Item, found: Tick | None) -> Item:
    if found is None or item.state is not Status.MANUAL:
        return item
    who = found.user.get_username() if found.user is not None else "somebody"
    detail = f"Confirmed by {who} on {timezone.localtime(found.at):%Y-%m-%d}."
    return replace(item, state=Status.DONE, detail=detail, remedy="")


def _mappings(portal: Portal) -> list[Mapping]:
    rows = Mapping.objects.filter(portal=portal).order_by("label")
    return list(rows.prefetch_related("fields__value_map", "match_keys", "rules__conditions"))


def _sections(portal: Portal) -> Iterator[Section]:
    one, mappings = credentials.load(portal.pk), _mappings(portal)
    known = facts.of_portal(portal, one)
    items = (*_portal_items(portal, known, mappings), *_webhook_items(portal, one, mappings))
    yield Section(portal.label, None, items)
    for mapping in mappings:
        yield Section(mapping.label, mapping.pk, prerequisites.needs(facts.of_mapping(mapping, known), known))


def _portal_items(portal: Portal, known: prerequisites.PortalFacts, mappings: Sequence[Mapping]) -> Iterator[Item]:
    is_connected = portal.hub_id is not None and portal.state in _CONNECTED
    yield _step("connected", "Connected to HubSpot", is_connected, "Connect the portal on its page.")
    compared = scopes.compare(portal, is_oauth=known.credential == prerequisites.OAUTH)
    granted = Status.UNKNOWN if not compared.is_known else Status.MISSING if compared.missing else Status.DONE
    remedy = "Grant them in HubSpot, then test the connection." if compared.missing else ""
    yield Item("access", "Access granted", granted, compared.summary, remedy)
    yield _step("discovered", "Fields discovered", bool(known.properties), "Press “Refresh fields” on its page.")
    yield _step("mapped", "A mapping", bool(mappings), "Add a mapping: a Django model and an object type.")


def _webhook_items(portal: Portal, one: credentials.Pass | None, mappings: Sequence[Mapping]) -> Iterator[Item]:
    """What makes webhooks arrive; a service key has none, and who only pushes needs none."""
    has_none = one is not None and one.kind == prerequisites.SERVICE_KEY
    if has_none or not any(terms.Direction(mapping.direction).pulls for mapping in mappings):
        return
    remedy = "Enter the app's client secret on the portal's page."
    yield _step("client_secret", "Client secret, which verifies webhooks", _has_secret(one), remedy)
    title = "Webhook address in HubSpot"
    if portal.webhook_at is not None:
        yield Item("webhook_address", title, Status.DONE, "A webhook has arrived.")
        return
    detail = "crmsync cannot see which address the HubSpot app calls, and no webhook has arrived yet."
    remedy = "Enter the webhook address shown on the portal's page in the HubSpot app."
    yield Item("webhook_address", title, Status.MANUAL, detail, remedy)


def _step(key: str, title: str, is_done: bool, remedy: str) -> Item:
    return Item(key, title, Status.DONE if is_done else Status.MISSING, remedy="" if is_done else remedy)


def _has_secret(one: credentials.Pass | None) -> bool:
    try:
        return one is not None and bool(one.secret("client_secret"))
    except DecryptionError:
        return False
