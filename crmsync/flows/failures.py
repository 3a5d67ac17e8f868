"""From an exception to what happens next: retry, limited, park or config; unknown is parked. The only place."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, OperationalError, ProgrammingError
from django.utils import timezone
from fernet_fields import DecryptionError

from crmsync.engine import errors as engine_errors
from crmsync.engine import quota
from crmsync.hubspot import errors
from crmsync.ledger import portals, specerror, specs
from crmsync.models import Portal, choices
from crmsync.sides import remote

State = choices.PortalState


class Kind(StrEnum):
    RETRY = "retry"  # the same again later, and it counts as an attempt
    LIMITED = "limited"  # nobody's fault: wait, and do not count it
    PARK = "park"  # this record needs a person
    CONFIG = "config"  # the mapping cannot run until it is mended
    PORTAL = "portal"  # the whole portal must wait for a person


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do, the problem word, one sentence with the remedy, and HubSpot's own wait if it gave one."""

    kind: Kind
    code: str
    message: str
    retry_after: float | None = None
    state: str = ""  # of the portal, where the kind is PORTAL
    scopes: tuple[str, ...] = ()  # one of these would have allowed it


# Waits where HubSpot names none (HubSpot: usage guidelines, error handling): seconds.
_WAITS = {"TEN_SECONDLY_ROLLING": 10.0, "SECONDLY": 1.0, "DAILY": 600.0}
# Seconds until a worker that is too old looks whether a newer one has done the work.
_NEWER_SOON = 5.0


def classify(error: BaseException) -> Verdict:
    """The verdict on any exception met while syncing."""
    for kinds, make in _TABLE:
        if isinstance(error, kinds):
            return make(error)
    return Verdict(Kind.PARK, "system.unexpected", f"{type(error).__name__}: see the server log, then retry.")


def note(portal: Portal, verdict: Verdict) -> None:
    """What a verdict means for its whole portal: another state, or no call before some time."""
    if verdict.kind is Kind.PORTAL:
        portals.set_state(portal, verdict.state, verdict.message)
    elif verdict.code == "portal.quota_day":
        # HubSpot counts the account's own days; a minute later, because clocks differ.
        reset = quota.next_midnight(timezone.now(), portal.time_zone) + timedelta(minutes=1)
        portals.wait(portal.pk, reset, verdict.code)
    elif verdict.code == "portal.moving":
        portals.wait(portal.pk, timezone.now() + timedelta(seconds=verdict.retry_after or 600), verdict.code)
    elif verdict.code == "portal.scope_missing" and verdict.scopes:
        portals.miss_scopes(portal, verdict.scopes)


def _limited(error: errors.RateLimited) -> Verdict:
    wait = error.retry_after if error.retry_after is not None else _WAITS.get(error.policy, 10.0)
    code = "portal.quota_day" if error.policy == "DAILY" else "portal.quota_burst"
    text = "HubSpot's limit is used up; the work goes on by itself."
    if error.policy == "DAILY":
        text = (
            "The account's daily limit is used up by all its apps together; work goes on by itself after the"
            " account's midnight."
        )
    return Verdict(Kind.LIMITED, code, text, wait)


def _halted(error: remote.Halted) -> Verdict:
    kind = Kind.RETRY if error.code == "portal.config" else Kind.LIMITED
    return Verdict(kind, error.code, error.message, error.wait if error.wait is not None else 60.0)


def _grant(error: errors.BadGrant) -> Verdict:
    """HubSpot's token endpoint refuses for good: what to do depends on what it says is wrong."""
    sentence = _GRANTS.get(error.reason, f"HubSpot refuses the OAuth app ({error.reason}). Connect again.")
    state = State.UNINSTALLED if error.is_revoked else State.REVOKED
    return Verdict(Kind.PORTAL, "portal.reauth", sentence, state=state)


_GRANTS = {
    "BAD_REFRESH_TOKEN": (
        "The app was uninstalled in HubSpot, or its access was withdrawn. Connect again on the portal's page;"
        " nothing that waits is lost."
    ),
    "BAD_AUTH_CODE": "The consent is too old or was used already. Start again with “Connect with HubSpot”.",
    "BAD_REDIRECT_URI": (
        "HubSpot does not know the address it should return to. Enter the redirect address shown on the portal's page"
        " in the HubSpot app, exactly as it is shown."
    ),
    "BAD_CLIENT_ID": "HubSpot does not know this client id. Copy it again from the app's Auth page.",
    "BAD_CLIENT_SECRET": "HubSpot does not accept the client secret. Copy it again from the app's Auth page.",
    "BAD_HUB": "This HubSpot account cannot be connected with this app. Check that the app may be installed there.",
}


def _scopes(error: errors.MissingScopes) -> Verdict:
    names = ", ".join(error.scopes) or "unknown"
    return Verdict(
        Kind.CONFIG,
        "portal.scope_missing",
        f"HubSpot refuses this call: the token lacks a scope. Grant one of these and reconnect: {names}.",
        scopes=tuple(error.scopes),
    )


def _validation(error: errors.ValidationError) -> Verdict:
    names = ", ".join(sorted({problem.name for problem in error.problems})) or "the record"
    return Verdict(
        Kind.PARK,
        "remote.rejected",
        f"HubSpot rejected {names}: {str(error).rstrip('.')}. Correct the value or the field mapping, then retry.",
    )


def _local_validation(error: ValidationError) -> Verdict:
    fields = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
    text = "; ".join(f"{name}: {' '.join(messages)}" for name, messages in fields.items())
    return Verdict(
        Kind.PARK,
        "local.validation",
        f"Django's model does not accept HubSpot's value: {text} Correct it in HubSpot or change the mapping.",
    )


def _conflict(error: errors.Conflict) -> Verdict:
    which = f" ({error.existing_id})" if error.existing_id else ""
    return Verdict(
        Kind.PARK,
        "field.not_unique",
        f"Another HubSpot record{which} holds a value that must be unique. Merge or correct one of them, then retry.",
    )


_TABLE = (
    (remote.Halted, _halted),
    (errors.BadGrant, _grant),
    (errors.RateLimited, _limited),
    (
        errors.Unauthorized,
        lambda e: Verdict(
            Kind.PORTAL,
            "portal.reauth",
            "HubSpot no longer accepts the access token. Enter a new one on the portal's page.",
            state=State.REVOKED,
        ),
    ),
    (errors.MissingScopes, _scopes),
    (
        errors.Locked,
        lambda e: Verdict(
            Kind.LIMITED, "remote.locked", "HubSpot has locked the record for a moment.", e.retry_after or 2.0
        ),
    ),
    (
        errors.Moving,
        lambda e: Verdict(
            Kind.LIMITED,
            "portal.moving",
            "HubSpot is moving the account to another data centre.",
            e.retry_after or 600.0,
        ),
    ),
    (
        errors.Unreachable,
        lambda e: Verdict(Kind.RETRY, "remote.unreachable", f"{e} Check the network and CRMSYNC['API_URL']."),
    ),
    (
        errors.UnknownOutcome,
        lambda e: Verdict(
            Kind.RETRY,
            "remote.unknown_outcome",
            "HubSpot's answer was lost; both sides are read again before anything else.",
        ),
    ),
    (errors.ServerError, lambda e: Verdict(Kind.RETRY, "remote.server", "HubSpot answered with a server error.")),
    (
        errors.NotFound,
        lambda e: Verdict(Kind.RETRY, "remote.gone", "The HubSpot record is not there; it is read again."),
    ),
    (errors.Conflict, _conflict),
    (errors.ValidationError, _validation),
    (errors.ConfigError, lambda e: Verdict(Kind.CONFIG, "portal.config", str(e))),
    (errors.HubSpotError, lambda e: Verdict(Kind.PARK, "remote.rejected", f"{e}")),
    (specerror.RunError, lambda e: Verdict(Kind.PARK, "mapping.edited", str(e))),
    (specerror.BehindError, lambda e: Verdict(Kind.LIMITED, "system.old_code", str(e), _NEWER_SOON)),
    (specs.SpecError, lambda e: Verdict(Kind.CONFIG, "mapping.invalid", str(e))),
    (engine_errors.ConvertError, lambda e: Verdict(Kind.PARK, f"field.{e.code}", e.message)),
    (
        DecryptionError,
        lambda e: Verdict(
            Kind.PORTAL,
            "system.key_missing",
            "The stored token cannot be decrypted with the present FERNET_KEYS."
            " Restore the key or enter the token again.",
            state=State.KEY_MISSING,
        ),
    ),
    (ValidationError, _local_validation),
    (
        IntegrityError,
        lambda e: Verdict(
            Kind.PARK,
            "local.unique",
            "The database refuses the row: a value that must be unique is taken, or one that must be given is"
            " missing. Correct the record or the mapping, then retry.",
        ),
    ),
    (OperationalError, lambda e: Verdict(Kind.RETRY, "local.db_error", "The database was busy or away.")),
    (
        ProgrammingError,
        lambda e: Verdict(
            Kind.RETRY,
            "local.db_error",
            "The database lacks a table or column that this code expects, as in the middle of a deployment."
            " Run migrate, and restart old workers.",
        ),
    ),
    (
        DatabaseError,
        lambda e: Verdict(Kind.PARK, "local.db_error", "The database refuses the row; see the server log."),
    ),
)
