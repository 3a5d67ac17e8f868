"""From an exception to what happens next: retry, limited, park or config; unknown is parked. The only place."""

from dataclasses import dataclass
from enum import StrEnum

from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, OperationalError
from fernet_fields import DecryptionError

from crmsync.engine import errors as engine_errors
from crmsync.hubspot import errors
from crmsync.ledger import specs


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


# Waits where HubSpot names none (HubSpot: usage guidelines, error handling): seconds.
_WAITS = {"TEN_SECONDLY_ROLLING": 10.0, "SECONDLY": 1.0, "DAILY": 600.0}


def classify(error: BaseException) -> Verdict:
    """The verdict on any exception met while syncing."""
    for kinds, make in _TABLE:
        if isinstance(error, kinds):
            return make(error)
    return Verdict(Kind.PARK, "system.unexpected", f"{type(error).__name__}: see the server log, then retry.")


def _limited(error: errors.RateLimited) -> Verdict:
    wait = error.retry_after if error.retry_after is not None else _WAITS.get(error.policy, 10.0)
    code = "portal.quota_day" if error.policy == "DAILY" else "portal.quota_burst"
    return Verdict(Kind.LIMITED, code, "HubSpot's limit is used up; the work goes on by itself.", wait)


def _scopes(error: errors.MissingScopes) -> Verdict:
    names = ", ".join(error.scopes) or "unknown"
    return Verdict(
        Kind.CONFIG,
        "portal.scope_missing",
        f"HubSpot refuses this call: the token lacks a scope. Grant one of these and reconnect: {names}.",
    )


def _validation(error: errors.ValidationError) -> Verdict:
    names = ", ".join(sorted({problem.name for problem in error.problems})) or "the record"
    return Verdict(
        Kind.PARK,
        "remote.rejected",
        f"HubSpot rejected {names}: {error}. Correct the value or the field mapping, then retry.",
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
    (errors.RateLimited, _limited),
    (
        errors.Unauthorized,
        lambda e: Verdict(
            Kind.PORTAL,
            "portal.reauth",
            "HubSpot no longer accepts the access token. Enter a new one on the portal's page.",
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
    (specs.SpecError, lambda e: Verdict(Kind.CONFIG, "mapping.invalid", str(e))),
    (engine_errors.ConvertError, lambda e: Verdict(Kind.PARK, f"field.{e.code}", e.message)),
    (
        DecryptionError,
        lambda e: Verdict(
            Kind.PORTAL,
            "system.key_missing",
            "The stored token cannot be decrypted with the present FERNET_KEYS."
            " Restore the key or enter the token again.",
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
        DatabaseError,
        lambda e: Verdict(Kind.PARK, "local.db_error", "The database refuses the row; see the server log."),
    ),
)
