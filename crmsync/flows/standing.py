"""How a portal stands, by a person's will: paused, resumed, held in one direction, disconnected, confirmed."""

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone
from fernet_fields import DecryptionError

from crmsync.engine import environment as engine_environment
from crmsync.flows import access, environment, failures
from crmsync.hubspot import errors, oauth
from crmsync.ledger import credentials, portals, usage
from crmsync.models import Mapping, Portal, choices
from crmsync.sides import remote

State = choices.PortalState


# What rows that met a portal at rest wait for.
_WAITED = (
    *("portal.paused", "portal.reauth", "portal.quota_day", "portal.quota_share"),
    *("portal.fingerprint", "portal.other_install"),
)


class StandingError(Exception):
    """Why a portal cannot be put that way: one sentence with the remedy."""


@dataclass(frozen=True, slots=True)
class CatchUp:
    """What waits for a portal: records, the age of the oldest in seconds, and the seconds it will take at least."""

    count: int
    age: float
    estimate: float


def catch_up(portal: Portal) -> CatchUp:
    """What waits, and how long it takes by the portal's pace: about four calls for a hundred records."""
    count, oldest = portals.backlog(portal)
    age = (timezone.now() - oldest).total_seconds() if oldest else 0.0
    per_second = (portal.burst_limit or 100) * 0.95 / 10
    return CatchUp(count, age, count / 100 * 4 / per_second)


def pause(portal: Portal, reason: str) -> None:
    """Stop all work at once; changes are still captured on both sides."""
    if portal.state != State.CONNECTED:
        raise StandingError("Only a connected portal can be paused.")
    portals.set_state(portal, State.PAUSED, reason)


def resume(portal: Portal) -> None:
    """Go on where it stopped, also where it waited for a quota."""
    if portal.state == State.PAUSED:
        portals.set_state(portal, State.CONNECTED)
    elif portal.state != State.CONNECTED or not (portal.waits_until or portal.held):
        raise StandingError("Only a paused or waiting portal can be resumed; reconnect it where access was lost.")
    portals.wait(portal.pk, None)
    portals.hold(portal, choices.Held.NONE)
    portals.wake(portal, _WAITED)


def hold(holder: Portal | Mapping, direction: str) -> None:
    """Stop one direction of a portal or a mapping ("" releases both); the other one goes on.

    A record that has changes in both directions waits as a whole: half of it could overwrite the other half.
    """
    portals.hold(holder, direction)


def disconnect(portal: Portal, reason: str, *, uninstalls: bool = False) -> str:
    """Stop everything at once and forget the tokens; mappings, links, cursors and queues stay.

    ``uninstalls``: also take the OAuth app out of the HubSpot account. What HubSpot said if that failed.
    """
    one = credentials.load(portal.pk)
    portals.set_state(portal, State.DISCONNECTED, reason)
    trouble = _let_go(one, uninstalls=uninstalls) if one is not None else ""
    credentials.forget_tokens(portal)
    return trouble


def _let_go(one: credentials.Pass, *, uninstalls: bool) -> str:
    """Tell HubSpot. It may be away, or have forgotten us already: we disconnect all the same."""
    if one.kind != choices.CredentialKind.OAUTH:
        return ""
    try:
        app = access.app_of(one)
        if uninstalls:
            oauth.uninstall(remote.client_for(access.trial_access(one.secret("token"))))
        oauth.revoke(
            access.anonymous_client(),
            client_id=app.client_id,
            client_secret=app.client_secret,
            refresh_token=one.secret("refresh_token"),
        )
    except (errors.HubSpotError, DecryptionError) as error:
        return failures.classify(error).message
    return ""


def confirm(portal: Portal) -> None:
    """A person says that this installation is the one: it may write from now on."""
    verdict = environment.judge_account(portal.hub_id, portal.account_type)
    if verdict.state is engine_environment.State.REFUSED:
        raise StandingError(f"{verdict.reason} {verdict.remedy}")
    environment.bind(portal)
    portals.wake(portal, _WAITED)


def detach(portal: Portal) -> int:
    """Make a copy of an installation independent: it forgets the account it came with, and may be connected to a
    test account. How many links were forgotten; nothing in HubSpot is touched."""
    if environment.judge(portal).may_read:
        raise StandingError(
            "This installation is the one that works with the account: disconnect the portal instead."
        )
    credentials.forget_tokens(portal)
    count = portals.detach(portal)
    portals.set_state(portal, State.NEW, "Detached from the account it was copied with.")
    return count


def is_silent(portal: Portal, *, after: timedelta = timedelta(days=1)) -> bool:
    """No webhook came for a while although calls were made: perhaps none is subscribed to (Fault 19)."""
    since = timezone.now() - after
    heard_at = portal.webhook_at or portal.state_at or portal.created_at
    return heard_at < since and bool(usage.by_day(portal.pk, since.date()))
