"""Connects a portal with a static token: format, a real call, and the account's own facts."""

import re

from django.utils import timezone
from fernet_fields import DecryptionError

from crmsync.flows import failures, scope
from crmsync.hubspot import account, errors
from crmsync.ledger import portals
from crmsync.models import Portal
from crmsync.sides import remote

# pat-na1-…, pat-eu1-… of private apps and service keys: letters, digits, dots, dashes and underscores.
_TOKEN = re.compile(r"[A-Za-z0-9._-]{20,512}")


class ConnectError(Exception):
    """Why a portal could not be connected: one sentence with the remedy."""


def connect(portal: Portal) -> Portal:
    """Check the credentials with a real call and store what HubSpot says of the account.

    A portal that was connected to one account is never silently moved to another.
    """
    try:
        token = portal.token
    except DecryptionError as error:
        raise ConnectError(failures.classify(error).message) from error
    if not _TOKEN.fullmatch(token or ""):
        raise ConnectError(
            "This does not look like a HubSpot access token (such as pat-na1-…). Copy it again from the app's page."
        )
    try:
        client = remote.client_for(scope.access_of(portal))
        details = account.details(client)
    except errors.Unauthorized as error:
        raise ConnectError("HubSpot does not accept this access token. Copy it again from the app's page.") from error
    except errors.HubSpotError as error:
        raise ConnectError(failures.classify(error).message) from error
    if portal.hub_id and portal.hub_id != details.portal_id:
        raise ConnectError(
            f"This token belongs to HubSpot account {details.portal_id}, but the portal “{portal.label}” is account"
            f" {portal.hub_id}. Add another portal for the other account."
        )
    other = Portal.objects.filter(hub_id=details.portal_id).exclude(pk=portal.pk).first()
    if other is not None:
        raise ConnectError(
            f"HubSpot account {details.portal_id} is connected already, as the portal “{other.label}”."
        )
    return _store(portal, details, _scopes(client, token))


def _scopes(client, token: str) -> list[str]:
    """The granted scopes, where HubSpot tells them for this kind of token."""
    try:
        return sorted(account.introspect(client, token).scopes)
    except errors.HubSpotError:
        return []


def _store(portal: Portal, details, scopes: list[str]) -> Portal:
    portal.hub_id = details.portal_id
    portal.account_type = details.account_type
    portal.time_zone = details.time_zone
    portal.currency = details.currency
    portal.ui_domain = details.ui_domain
    portal.scopes = scopes
    portal.checked_at = timezone.now()
    portal.save()
    if portal.state != portals.State.PAUSED:  # only a person resumes what a person paused
        portals.set_state(portal, portals.State.CONNECTED)
    return portal
