"""Connects a portal with a token: format, a real call, the account's own facts, and whether it may be this one."""

import re

from django.db import transaction
from django.utils import timezone
from fernet_fields import DecryptionError

from crmsync import conf
from crmsync.engine import environment as engine_environment
from crmsync.flows import access, environment, failures
from crmsync.hubspot import account, errors, oauth, types
from crmsync.hubspot import client as hubspot_client
from crmsync.ledger import credentials, portals
from crmsync.models import Portal, choices
from crmsync.sides import remote

Kind = choices.CredentialKind

# pat-na1-…, pat-eu1-… of private apps and service keys: letters, digits, dots, dashes and underscores.
_TOKEN = re.compile(r"[A-Za-z0-9._-]{20,512}")
_NOT_A_TOKEN = (
    "This does not look like a HubSpot access token (such as pat-na1-…). Copy it again from the app's page."
)
_REFUSED = "HubSpot does not accept this access token. Copy it again from the app's page."


class ConnectError(Exception):
    """Why a portal could not be connected: one sentence with the remedy."""


def connect(portal: Portal, entered: credentials.Entered) -> Portal:
    """Try what was entered with a real call; store it, and what HubSpot says of the account, if it works.

    A portal that was connected to one account is never moved to another, and a refused token replaces nothing.
    """
    if not _TOKEN.fullmatch(entered.token):
        raise ConnectError(_NOT_A_TOKEN)
    client = trial(entered.token, portal.api_version)
    details = look(client)
    check(portal, details)
    info = _introspect(client, entered.token)
    store(portal, details, info, entered)
    return portal


def test(portal: Portal) -> Portal:
    """Call with what is stored, whatever state the portal is in, and store what HubSpot says. A pause stays."""
    try:
        one = credentials.load(portal.pk)
        if one is None or not one.secret("token"):
            raise ConnectError("No access token is stored. Connect the portal on its page.")
        if one.kind == Kind.OAUTH and not one.is_fresh(timezone.now(), access.MARGIN):
            access.renew(portal.pk)
            one = credentials.load(portal.pk)
        client = remote.client_for(access.trial_access(one.secret("token"), portal.api_version))
        details = account.details(client)  # what HubSpot refuses here, it refuses to the workers, too
        check(portal, details)
        info = granted(one) if one.kind == Kind.OAUTH else _introspect(client, one.secret("token"))
    except (DecryptionError, errors.HubSpotError) as error:
        verdict = failures.classify(error)
        failures.note(portal, verdict)
        raise ConnectError(verdict.message) from error
    store(portal, details, info, None)
    return portal


def trial(token: str, version: str) -> hubspot_client.Client:
    """A client for a token that is not stored yet; ConnectError where the settings do not allow any."""
    try:
        return remote.client_for(access.trial_access(token, version))
    except errors.HubSpotError as error:
        raise ConnectError(failures.classify(error).message) from error


def look(client: hubspot_client.Client) -> types.Account:
    """The account behind a token; ConnectError says why HubSpot does not tell."""
    try:
        return account.details(client)
    except errors.Unauthorized as error:
        raise ConnectError(_REFUSED) from error
    except errors.HubSpotError as error:
        raise ConnectError(failures.classify(error).message) from error


def check(portal: Portal, details: types.Account) -> None:
    """Refuse another account than before, one that is connected already, and one this site must not write to."""
    if portal.hub_id and portal.hub_id != details.portal_id:
        raise ConnectError(
            f"This is HubSpot account {details.portal_id}, but the portal “{portal.label}” is account"
            f" {portal.hub_id}. Choose that account, or add another portal for the other one."
        )
    other = Portal.objects.filter(hub_id=details.portal_id).exclude(pk=portal.pk).first()
    if other is not None:
        raise ConnectError(
            f"HubSpot account {details.portal_id} is connected already, as the portal “{other.label}”."
        )
    verdict = environment.judge_account(details.portal_id, details.account_type)
    if verdict.state is engine_environment.State.REFUSED:
        raise ConnectError(f"{verdict.reason} {verdict.remedy}")


def _introspect(client: hubspot_client.Client, token: str) -> types.TokenInfo | None:
    """The app and its scopes, where HubSpot tells them for this kind of token."""
    try:
        return account.introspect(client, token)
    except errors.HubSpotError:
        return None


def granted(one: credentials.Pass, token: str = "") -> types.TokenInfo | None:
    """What an OAuth app was granted, as HubSpot says of ``token`` (or the stored one); None where it does not say."""
    app = access.app_of(one)
    try:
        found = oauth.introspect(
            access.anonymous_client(),
            client_id=app.client_id,
            client_secret=app.client_secret,
            token=token or one.secret("token"),
        )
    except errors.HubSpotError:
        return None
    if not found.active:
        return None
    return types.TokenInfo(hub_id=found.hub_id or 0, user_id=found.user_id, app_id=found.app_id, scopes=found.scopes)


@transaction.atomic
def store(
    portal: Portal,
    details: types.Account,
    info: types.TokenInfo | None,
    entered: credentials.Entered | None,
    fresh: credentials.Fresh | None = None,
) -> None:
    """Store the account's facts, and the secrets if some were entered or granted; from now on it is connected."""
    now = timezone.now()
    facts = {
        "hub_id": details.portal_id,
        "account_type": details.account_type,
        "time_zone": details.time_zone,
        "currency": details.currency,
        "ui_domain": details.ui_domain,
        "checked_at": now,
        "missing_scopes": [],
    }
    if entered is not None:  # what is known of another credential than before says nothing of this one
        facts |= {"are_scopes_known": False, "scopes": [], "app_id": None}
        facts |= {"daily_limit": None, "daily_remaining": None, "burst_limit": None}
    if info is not None:
        facts |= {"are_scopes_known": True, "scopes": sorted(info.scopes), "app_id": info.app_id}
    portals.learn(portal, facts)
    if entered is not None:
        credentials.enter(portal, entered, now, conf.current().secret_overlap)
    if fresh is not None:
        credentials.store_consent(portal, fresh, now)
    if not portal.fingerprint:
        environment.bind(portal)
    portals.wait(portal.pk, None)
    if portal.state != portals.State.PAUSED:  # only a person resumes what a person paused
        portals.set_state(portal, portals.State.CONNECTED)
    portals.resume_stopped(portal, "portal.scope_missing")
    portals.wake(portal, ("portal.reauth", "portal.scope_missing", "system.key_missing", "portal.quota_day"))
