"""Portals: state changes and what discovery found; the only writer of schema rows and user links."""

import functools
import logging
from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.db.models.functions import Lower
from fernet_fields import DecryptionError

from crmsync import signals
from crmsync.engine import terms
from crmsync.ledger import cursors
from crmsync.models import Mapping, Portal, RemotePipeline, RemoteProperty, UserLink, choices

logger = logging.getLogger(__name__)
State = choices.PortalState


def client_secrets() -> dict[int, str]:
    """Hub id -> client secret of every connected account, "" where it cannot be decrypted; one plain query.

    Webhooks ask for it with every delivery, so a ciphertext is decrypted once a process.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT hub_id, client_secret FROM crmsync_portal WHERE hub_id IS NOT NULL")
        return {hub_id: _decrypt(bytes(secret)) if secret else "" for hub_id, secret in cursor.fetchall()}


@functools.lru_cache(maxsize=256)
def _decrypt(ciphertext: bytes) -> str:
    field = Portal._meta.get_field("client_secret")
    try:
        return field.from_db_value(ciphertext, None, connection) or ""
    except DecryptionError:
        logger.error("a client secret cannot be decrypted with the present FERNET_KEYS")
        return ""


def set_state(portal: Portal, state: str, reason: str = "") -> None:
    """Turn a portal to a state, once; work of a portal that is not connected waits."""
    changed = Portal.objects.filter(pk=portal.pk).exclude(state=state).update(state=state, state_reason=reason)
    portal.state, portal.state_reason = state, reason
    if changed:
        signals.portal_state_changed.send_robust(Portal, portal_id=portal.pk, state=state, reason=reason)


def stop_mapping(mapping_id: int, reason: str) -> None:
    """Pause a mapping that cannot run, with the sentence staff will read; its work is kept."""
    Mapping.objects.filter(pk=mapping_id, state=terms.MappingState.LIVE).update(
        state=terms.MappingState.PAUSED, problem=reason
    )


def start_mapping(mapping: Mapping, now: datetime) -> None:
    """Set a mapping live: from now on both sides' changes are captured and polled; an old problem is forgotten."""
    cursors.ensure(mapping.pk, now)
    mapping.state, mapping.problem = terms.MappingState.LIVE, ""
    mapping.save(update_fields=["state", "problem"])


def bump(mapping: Mapping) -> None:
    """A mapping was edited: its revision grows and an old problem is forgotten."""
    mapping.revision += 1
    mapping.problem = ""
    mapping.save(update_fields=["revision", "problem"])


def replace_properties(portal: Portal, object_type: str, rows: list[RemoteProperty]) -> dict[str, list[str]]:
    """Store the properties of an object type; which were added, changed and removed."""
    return _replace(
        RemoteProperty, RemoteProperty.objects.filter(portal=portal, object_type=object_type), rows, "name"
    )


def replace_pipelines(portal: Portal, object_type: str, rows: list[RemotePipeline]) -> dict[str, list[str]]:
    """Store the pipelines of an object type; which were added, changed and removed."""
    return _replace(
        RemotePipeline, RemotePipeline.objects.filter(portal=portal, object_type=object_type), rows, "pipeline_id"
    )


def _replace(model, existing, rows, key: str) -> dict[str, list[str]]:
    names = [f.name for f in model._meta.concrete_fields if f.name not in ("id", "portal", "object_type", key)]
    old = {getattr(row, key): row for row in existing}
    new = {getattr(row, key): row for row in rows}
    changed = []
    for name in old.keys() & new.keys():
        if any(getattr(old[name], f) != getattr(new[name], f) for f in names):
            new[name].pk = old[name].pk
            changed.append(name)
    added, removed = sorted(new.keys() - old.keys()), sorted(old.keys() - new.keys())
    with transaction.atomic():
        existing.filter(**{f"{key}__in": removed}).delete()
        model.objects.bulk_create([new[name] for name in added], batch_size=200)
        model.objects.bulk_update([new[name] for name in changed], names, batch_size=100)
    return {"added": added, "changed": sorted(changed), "removed": removed}


def store_owners(portal: Portal, rows: Iterable[UserLink]) -> dict[str, int]:
    """Store HubSpot's owners; a new one is linked to the local user of the same e-mail, if there is one.

    A link that staff made or removed by hand is left alone: only owners seen for the first time are matched.
    """
    known = {link.owner_id: link for link in UserLink.objects.filter(portal=portal)}
    users = _users_by_email(row.email for row in rows)
    added = 0
    with transaction.atomic():
        for row in rows:
            old = known.get(row.owner_id)
            if old is None:
                row.user_id = users.get(row.email.strip().lower())
                row.save()
                added += 1
            else:
                old.email, old.name, old.is_archived = row.email, row.name, row.is_archived
                old.hubspot_user_id = row.hubspot_user_id or old.hubspot_user_id
                old.save()
    return {"added": added, "known": len(known)}


def _users_by_email(emails: Iterable[str]) -> dict[str, int]:
    wanted = {email.strip().lower() for email in emails if email.strip()}
    user = get_user_model()
    rows = user._default_manager.annotate(lowered=Lower(user.get_email_field_name())).filter(lowered__in=wanted)
    found: dict[str, int] = {}
    for email, pk in rows.order_by("-pk").values_list("lowered", "pk"):
        found[email] = pk
    return found


def stamp_discovered(portal: Portal, now: datetime) -> None:
    portal.discovered_at = now
    portal.save(update_fields=["discovered_at"])
