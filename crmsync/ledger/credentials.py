"""Credentials: one query tells whether a portal may be called and with which token; secrets change only here."""

import functools
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, models, transaction
from fernet_fields import DecryptionError

from crmsync import conf
from crmsync.ledger import queue
from crmsync.models import Credential, Portal, choices

logger = logging.getLogger(__name__)
Kind = choices.CredentialKind

SECRETS = ("token", "refresh_token", "client_secret", "previous_secret")


@dataclass(frozen=True, slots=True)
class Pass:
    """A portal and its credential as they are now; ``secrets`` are decrypted when they are asked for."""

    portal_id: int
    state: str
    state_reason: str
    waits_until: datetime | None
    waits_code: str
    fingerprint: dict[str, Any]
    other_install: str
    hub_id: int | None
    account_type: str
    kind: str
    expires_at: datetime | None
    version: int
    client_id: str
    secrets: dict[str, bytes] = field(repr=False)

    def secret(self, name: str) -> str:
        """A secret as text, "" where none is stored; DecryptionError where its key is gone."""
        stored = self.secrets[name]
        return _decrypted(stored) if stored else ""

    def is_fresh(self, now: datetime, margin: timedelta) -> bool:
        """Whether the access token will live for a while yet."""
        return self.expires_at is None or self.expires_at > now + margin


_PORTAL = (
    *("state", "state_reason", "waits_until", "waits_code"),
    *("fingerprint", "other_install", "hub_id", "account_type"),
)
_OWN = ("kind", "expires_at", "version", "client_id")


def load(portal_id: int) -> Pass | None:
    """The pass of a portal, None where it has no credential yet. One query; nothing is decrypted."""
    raw = {f"raw_{name}": models.expressions.RawSQL(f"crmsync_credential.{name}", ()) for name in SECRETS}
    for expression in raw.values():
        expression.output_field = models.BinaryField()
    names = [*(f"portal__{name}" for name in _PORTAL), *_OWN]
    row = Credential.objects.filter(portal_id=portal_id).values(*names, **raw).first()
    if row is None:
        return None
    return Pass(
        portal_id=portal_id,
        secrets={name: bytes(row[f"raw_{name}"] or b"") for name in SECRETS},
        **{name: row[f"portal__{name}"] for name in _PORTAL},
        **{name: row[name] for name in _OWN},
    )


@functools.lru_cache(maxsize=1024)
def _decrypted(ciphertext: bytes) -> str:
    """Decrypting costs more than the query that brought it, and a ciphertext never changes its meaning."""
    return Credential._meta.get_field("token").from_db_value(ciphertext, None, connection) or ""


def webhook_secrets(now: datetime) -> dict[int, tuple[str, ...]]:
    """Hub id -> the client secrets that may sign its webhooks now: the present one, the one before for a while,
    and the settings' app's where the portal has none of its own. One plain query, because webhooks ask with every
    delivery; what cannot be decrypted is left out and logged.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.hub_id, c.client_secret, c.previous_secret, c.previous_until, c.kind, c.client_id"
            " FROM crmsync_portal p LEFT JOIN crmsync_credential c ON c.portal_id = p.id WHERE p.hub_id IS NOT NULL"
        )
        rows = cursor.fetchall()
    found: dict[int, tuple[str, ...]] = {}
    for hub_id, present, previous, until, kind, client_id in rows:
        shared = conf.current().OAUTH_CLIENT_SECRET if kind == Kind.OAUTH and not client_id else ""
        own = _readable([present, previous if _is_ahead(until, now) else None])
        found[hub_id] = (*own, *([shared] if shared else []))
    return found


def _is_ahead(until: Any, now: datetime) -> bool:
    if until is None:
        return False
    for convert in connection.ops.get_db_converters(Credential._meta.get_field("previous_until").get_col("c")):
        until = convert(until, None, connection)
    return until > now


def _readable(stored: Iterable[bytes | None]) -> Iterable[str]:
    for ciphertext in stored:
        if not ciphertext:
            continue
        try:
            found = _decrypted(bytes(ciphertext))
        except DecryptionError:
            logger.error("a client secret cannot be decrypted with the present FERNET_KEYS")
            continue
        if found:
            yield found


@dataclass(frozen=True, slots=True)
class Entered:
    """What a person entered; "" keeps what is stored."""

    kind: str
    token: str = field(default="", repr=False)
    client_id: str = ""
    client_secret: str = field(default="", repr=False)


def enter(portal: Portal, entered: Entered, now: datetime, overlap: timedelta) -> Credential:
    """Store what was entered. A replaced client secret goes on verifying webhooks for ``overlap``.

    No old secret is loaded through the field, so a lost key never keeps a new secret out.
    """
    with transaction.atomic():
        row, _ = Credential.objects.defer(*SECRETS).get_or_create(portal=portal, defaults={"kind": entered.kind})
        values: dict[str, Any] = {"kind": entered.kind}
        if entered.client_id:
            values["client_id"] = entered.client_id
        if entered.token:
            values |= {"token": entered.token, "token_at": now, "expires_at": None, "refresh_token": ""}
        if entered.client_secret:
            values |= {"client_secret": entered.client_secret, "client_secret_at": now}
            _keep_previous(row.pk, entered.client_secret, now + overlap)
        Credential.objects.filter(pk=row.pk).update(**values)
    return Credential.objects.defer(*SECRETS).get(pk=row.pk)


def _keep_previous(pk: int, new: str, until: datetime) -> None:
    """Move the present client secret aside, if it is readable and another one."""
    try:
        present = Credential.objects.values_list("client_secret", flat=True).get(pk=pk)
    except DecryptionError:
        return
    if present and present != new:
        Credential.objects.filter(pk=pk).update(previous_secret=present, previous_until=until)


@dataclass(frozen=True, slots=True)
class Fresh:
    """What HubSpot's token endpoint answered."""

    token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime


def take_refresh(portal_id: int, version: int, now: datetime, seconds: float) -> str | None:
    """Become the one that refreshes this version of the token; None if another is at it, or has done it."""
    lease = queue.make_lease()
    taken = Credential.objects.filter(queue.free(now), portal_id=portal_id, version=version).update(
        lease=lease, leased_until=now + timedelta(seconds=seconds)
    )
    return lease if taken else None


def store_refreshed(portal_id: int, version: int, fresh: Fresh) -> bool:
    """Store new tokens before they are used; False if somebody else stored newer ones meanwhile.

    Not tied to the lease: one who was suspended past it may hold the only refresh token that still works.
    """
    return bool(
        Credential.objects.filter(portal_id=portal_id, version=version).update(
            token=fresh.token,
            refresh_token=fresh.refresh_token,
            expires_at=fresh.expires_at,
            version=version + 1,
            lease="",
            leased_until=None,
        )
    )


def give_up_refresh(portal_id: int, lease: str) -> None:
    """The refresh failed: let the next one try at once."""
    Credential.objects.filter(portal_id=portal_id, lease=lease).update(lease="", leased_until=None)


def store_consent(portal: Portal, fresh: Fresh, now: datetime) -> None:
    """Store the tokens of a consent that a person has just given."""
    Credential.objects.filter(portal=portal).update(
        kind=Kind.OAUTH,
        token=fresh.token,
        refresh_token=fresh.refresh_token,
        expires_at=fresh.expires_at,
        token_at=now,
        version=models.F("version") + 1,
        lease="",
        leased_until=None,
    )


def forget_tokens(portal: Portal) -> None:
    """Forget what lets us in. The client secret stays: what HubSpot still delivers is verified and kept."""
    Credential.objects.filter(portal=portal).update(
        token="", refresh_token="", expires_at=None, token_at=None, version=models.F("version") + 1
    )


def rotate_keys(batch: int = 100) -> tuple[int, int]:
    """Encrypt every secret with the first of FERNET_KEYS; (credentials rewritten, unreadable ones left alone)."""
    done = unreadable = last = 0
    while pks := list(Credential.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:batch]):
        for pk in pks:
            with transaction.atomic():
                try:
                    row = Credential.objects.select_for_update().get(pk=pk)
                except DecryptionError:
                    unreadable += 1
                    continue
                row.save(update_fields=SECRETS)
            done += 1
        last = pks[-1]
    return done, unreadable
