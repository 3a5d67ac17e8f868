"""Opens a portal for calls: may it be called now, with which token, how fast, and what its answers tell."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from fernet_fields import DecryptionError

from crmsync import conf
from crmsync.flows import environment, meter
from crmsync.hubspot import errors, oauth
from crmsync.ledger import budget, credentials
from crmsync.models import Portal, choices
from crmsync.sides import remote

State = choices.PortalState

# A token is renewed this long before it ends: longer than any call may take.
MARGIN = timedelta(seconds=120)
# One refresh may take as long as its call; whoever waits for it looks this often.
_LOOK_SECONDS = 0.1

_STOPS = {
    State.NEW: ("portal.reauth", "The portal is not connected yet. Connect it on its page."),
    State.PAUSED: ("portal.paused", "The portal is paused. Resume it on its page; nothing is lost meanwhile."),
    State.REVOKED: ("portal.reauth", "HubSpot no longer accepts the access token. Reconnect on the portal's page."),
    State.UNINSTALLED: ("portal.reauth", "The app was uninstalled in HubSpot. Reconnect on the portal's page."),
    State.KEY_MISSING: (
        "system.key_missing",
        "The stored secret cannot be read. Enter it again on the portal's page.",
    ),
    State.DISCONNECTED: ("portal.reauth", "The portal is disconnected. Reconnect it on its page."),
}
# What a person does by hand works while the machine's work is paused or waits.
_NOT_BY_HAND = {State.PAUSED}


def access_of(portal: Portal, *, by_hand: bool = False) -> remote.Access:
    """How to call a stored portal. Every call asks again whether it may be made, and with which token.

    ``by_hand``: a person waits for the answer, so that a pause or a used-up quota does not stand in the way.
    """
    options = conf.current()
    return remote.Access(
        key=f"{portal.pk}:{by_hand}",
        api_url=options.API_URL,
        version=portal.api_version or options.API_VERSION,
        timeout=(options.CONNECT_TIMEOUT, options.READ_TIMEOUT),
        token=lambda: token_of(portal.pk, by_hand=by_hand),
        reserve=lambda lane: _reserve(portal.pk, lane),
        renew=lambda: renew(portal.pk),
        after=meter.of(portal),
        is_read_only=lambda: conf.current().READ_ONLY,
    )


def trial_access(token: str, version: str = "") -> remote.Access:
    """How to try a token that is not stored yet: no shared pace, because its few calls are the only ones."""
    options = conf.current()
    return remote.Access(
        key="",
        api_url=options.API_URL,
        version=version or options.API_VERSION,
        timeout=(options.CONNECT_TIMEOUT, options.READ_TIMEOUT),
        token=lambda: token,
    )


def anonymous_client(version: str = "") -> remote.hubspot_client.Client:
    """A client without a token, for HubSpot's token endpoint."""
    options = conf.current()
    return remote.hubspot_client.Client(
        options.API_URL,
        None,
        version=version or options.API_VERSION,
        timeout=(options.CONNECT_TIMEOUT, options.READ_TIMEOUT),
    )


def token_of(portal_id: int, *, by_hand: bool = False) -> str:
    """The access token to call with now, renewed if it is about to end; remote.Halted where no call may be made."""
    one = _load(portal_id)
    raise_if_halted(one, by_hand=by_hand)
    if one.kind == choices.CredentialKind.OAUTH and not one.is_fresh(timezone.now(), MARGIN):
        one = _refreshed(one)
    return one.secret("token")


def raise_if_closed(portal_id: int) -> None:
    """Raise remote.Halted, unless the portal may be called now; for work that is about to begin a page."""
    raise_if_halted(_load(portal_id))


def raise_if_halted(one: credentials.Pass, *, by_hand: bool = False) -> None:
    """Raise remote.Halted with the reason, unless this portal may be called."""
    if one.state in _STOPS and not (by_hand and one.state in _NOT_BY_HAND):
        code, sentence = _STOPS[one.state]
        raise remote.Halted(code, one.state_reason or sentence)
    now = timezone.now()
    if not by_hand and one.waits_until is not None and one.waits_until > now:
        seconds = (one.waits_until - now).total_seconds()
        raise remote.Halted(
            one.waits_code, f"Nothing is called before {one.waits_until:%Y-%m-%d %H:%M} UTC.", seconds
        )
    verdict = environment.judge(one)
    if not verdict.may_read:
        raise remote.Halted("portal.fingerprint", f"{verdict.reason} {verdict.remedy}")
    if one.other_install and not by_hand:
        raise environment.beside(one.other_install)


def _load(portal_id: int) -> credentials.Pass:
    found = credentials.load(portal_id)
    if found is None:
        raise remote.Halted(*_STOPS[State.NEW])
    return found


# --- OAuth: one refresh, whoever asks ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class App:
    """The OAuth app a portal belongs to: its own, or the one in the settings."""

    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        return f"App({self.client_id!r})"


def app_of(one: credentials.Pass | None) -> App:
    """The app's id and secret, "" where there is none."""
    options = conf.current()
    if one is not None and one.client_id:
        return App(one.client_id, one.secret("client_secret"))
    return App(options.OAUTH_CLIENT_ID, options.OAUTH_CLIENT_SECRET)


def to_fresh(tokens: oauth.Tokens, asked_at: datetime) -> credentials.Fresh:
    """HubSpot's answer as we store it. ``expires_in`` counts from when we asked: rather too early than too late."""
    return credentials.Fresh(
        token=tokens.access_token,
        refresh_token=tokens.refresh_token,
        expires_at=asked_at + timedelta(seconds=tokens.expires_in),
    )


def renew(portal_id: int) -> bool:
    """HubSpot refused the token: get another one, if this is an OAuth app; whether calling again makes sense."""
    one = credentials.load(portal_id)
    if one is None or one.kind != choices.CredentialKind.OAUTH or not one.secrets["refresh_token"]:
        return False
    return _refreshed(one).version != one.version


def _refreshed(one: credentials.Pass) -> credentials.Pass:
    """The pass with a newer token: refreshed by us, or by whoever was first."""
    options = conf.current()
    end = time.monotonic() + options.CONNECT_TIMEOUT + options.READ_TIMEOUT + 5
    while time.monotonic() < end:
        now = timezone.now()
        lease = credentials.take_refresh(one.portal_id, one.version, now, options.READ_TIMEOUT + 5)
        if lease is not None:
            _refresh(one, lease, now)
            return _load(one.portal_id)
        time.sleep(_LOOK_SECONDS)
        newer = _load(one.portal_id)
        if newer.version != one.version:
            return newer
    raise remote.Halted("portal.refreshing", "Another worker is still renewing the access token.", 5.0)


def _refresh(one: credentials.Pass, lease: str, now: datetime) -> None:
    """Ask HubSpot, and store what it answers before anybody uses it. No secret stays in a variable here."""
    try:
        app = app_of(one)
        tokens = oauth.refresh(
            anonymous_client(),
            client_id=app.client_id,
            client_secret=app.client_secret,
            refresh_token=one.secret("refresh_token"),
        )
    except (errors.HubSpotError, DecryptionError):
        credentials.give_up_refresh(one.portal_id, lease)
        if _load(one.portal_id).version != one.version:
            return  # we were suspended past our lease, and another worker has done it
        raise
    credentials.store_refreshed(one.portal_id, one.version, to_fresh(tokens, now))


# --- Pace -------------------------------------------------------------------------------------------------------


def _reserve(portal_id: int, lane: str) -> float:
    """Book one call in the portal's shared pace; the seconds to wait for it."""
    options = conf.current()
    if not options.BURST_PER_10_SECONDS:
        return 0.0
    return budget.reserve(portal_id, lane, _step(portal_id, lane, options))


def _step(portal_id: int, lane: str, options: conf.Options) -> Callable[[float], tuple[float, float]]:
    return remote.pace(
        lane,
        time.time(),
        burst_per_10=meter.burst_of(portal_id, options.BURST_PER_10_SECONDS),
        search_per_second=options.SEARCH_PER_SECOND or options.BURST_PER_10_SECONDS,
    )


def hold_back(portal_id: int, seconds: float) -> None:
    """After a 429: every worker of this portal waits."""
    options = conf.current()
    if options.BURST_PER_10_SECONDS:
        burst = meter.burst_of(portal_id, options.BURST_PER_10_SECONDS)
        tat = remote.held_until(time.time(), seconds, burst_per_10=burst)
        budget.hold_back(portal_id, "burst", tat)
