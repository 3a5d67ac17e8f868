"""How every part of this installation does, as plain facts: ids, codes, counts, ages; no secret, no personal value.

Whatever could hold a person's value (names staff gave, sentences of problems, settings that are texts) stays out.
"""

import platform
import re
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from importlib import metadata
from typing import Any
from urllib.parse import urlsplit

import django
from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection, models
from django.db.migrations.executor import MigrationExecutor
from fernet_fields import DecryptionError

import crmsync
from crmsync import conf
from crmsync.engine import terms
from crmsync.flows import access, environment, rehearse, scopes, standing, timed
from crmsync.ledger import credentials, heartbeats, places, slips
from crmsync.models import Credential, Cursor, InboxEvent, LogEntry, Mapping, OutboxEntry, Portal, choices
from crmsync.sides import remote

Facts = dict[str, Any]

ROLES = ("worker", "scheduler")
_PACKAGES = ("rq", "django-rq", "redis", "requests", "urllib3", "djfernet-redux", "cryptography", "psycopg")
_RUNNERS = ("rq", "database")
# A pass that is this many times its own period late is not only waiting for its turn.
_LATE = 3
# Errors of the log that are older say nothing of now.
_LOG_DAYS = 7
# What a code looks like; a text that does not is somebody's sentence and is counted as "other".
_CODE = re.compile(r"[a-z_]+(\.[a-z_]+)?")


def versions() -> Facts:
    """Of crmsync and what it stands on; packages that are not installed are left out."""
    found = {"crmsync": crmsync.__version__, "python": platform.python_version(), "django": django.get_version()}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def options() -> Facts:
    """The keys of CRMSYNC: their type and whether they are set; numbers and yes/no as they are, texts never."""
    try:
        raw, now = getattr(settings, "CRMSYNC", {}), conf.current()
    except ImproperlyConfigured:
        return {"is_readable": False}
    found = {key: _option(getattr(now, key), is_given=key in raw) for key in conf.Options.__dataclass_fields__}
    found["API_URL"]["host"] = urlsplit(now.API_URL).hostname or ""
    return {"is_readable": True, **found, "unknown": len(conf.unknown_keys())}


def _option(value: object, *, is_given: bool) -> Facts:
    shown = {"value": value} if isinstance(value, bool | int | float) else {}
    return {"type": type(value).__name__, "is_set": is_given and value not in ("", ()), **shown}


def checked() -> list[Facts]:
    """What ``manage.py check`` finds, crmsync's own checks among it."""
    found = [one for one in checks.run_checks() if not one.is_silenced()]
    return [
        {"id": one.id or "", "level": one.level, "message": str(one.msg), "hint": str(one.hint or "")}
        for one in found
    ]


def database() -> Facts:
    """Which database, and how many migrations it lacks; DatabaseError where it does not answer."""
    executor = MigrationExecutor(connection)
    lacking = executor.migration_plan(executor.loader.graph.leaf_nodes("crmsync"))
    version = ".".join(str(part) for part in connection.get_database_version())
    return {"vendor": connection.vendor, "version": version, "unapplied": len(lacking)}


def runner(is_rung: Callable[[], bool] | None) -> Facts:
    """Who wakes the workers; ``is_rung`` tells whether Redis answers, None: nobody asked."""
    now = conf.current()
    name = now.RUNNER if now.RUNNER in _RUNNERS else "other"
    return {
        "runner": name,
        "sweep_seconds": now.SWEEP_SECONDS,
        "is_rung": is_rung() if is_rung is not None and name == "rq" else None,
    }


def processes(now: datetime) -> Facts:
    """By role, how many are heard of, and the seconds since one was."""
    return {
        role: {"alive": heartbeats.alive(role, now), "silent": _age(heartbeats.last(role), now)} for role in ROLES
    }


def encryption() -> Facts:
    """By portal, whether every stored secret can be decrypted with the present keys."""
    found = {
        str(pk): _is_readable(pk) for pk in Credential.objects.order_by("portal").values_list("portal", flat=True)
    }
    return {"has_own_keys": bool(getattr(settings, "FERNET_KEYS", None)), "is_readable": found}


def _is_readable(portal_id: int) -> bool:
    try:
        for name in credentials.SECRETS:
            Credential.objects.filter(portal_id=portal_id).values_list(name, flat=True).first()
    except DecryptionError:
        return False
    return True


# --- Portals ----------------------------------------------------------------------------------------------------


def portals(now: datetime) -> list[Facts]:
    """How each portal stands, by id and HubSpot's account id."""
    kinds = dict(Credential.objects.values_list("portal", "kind"))
    entered = dict(Credential.objects.values_list("portal", "token_at"))
    return [_portal(one, kinds.get(one.pk, ""), entered.get(one.pk), now) for one in Portal.objects.order_by("pk")]


def _portal(one: Portal, kind: str, entered_at: datetime | None, now: datetime) -> Facts:
    is_oauth = kind == choices.CredentialKind.OAUTH
    compared = scopes.compare(one, is_oauth=is_oauth)
    pulls = one.mappings.filter(state=terms.MappingState.LIVE).exclude(direction=terms.Direction.PUSH).exists()
    token_age = _age(entered_at, now)
    return {
        "id": one.pk,
        "hub_id": one.hub_id,
        "account_type": one.account_type,
        "credential": kind,
        "state": one.state,
        "state_code": _state_code(one.pk),
        "held": one.held,
        "waits_seconds": max(0, round((one.waits_until - now).total_seconds())) if one.waits_until else 0,
        "waits_code": one.waits_code if one.waits_until and one.waits_until > now else "",
        "missing_scopes": sorted({*one.missing_scopes, *(need.scope for need in compared.missing)}),
        "environment": str(environment.judge(one).state),
        "has_other_install": bool(one.other_install),
        "token_days": None if token_age is None or is_oauth else token_age // 86_400,
        "version": _version(one, now),
        "clock_skew": one.clock_skew,
        "is_webhook_silent": pulls and kind != choices.CredentialKind.SERVICE_KEY and standing.is_silent(one),
        "webhook_age": _age(one.webhook_at, now),
        "discovery_age": _age(one.discovered_at, now),
        "is_discovery_failing": bool(one.discovery.get("problem")),
        "daily_remaining": one.daily_remaining,
    }


def _state_code(portal_id: int) -> str:
    """Why no call is made now, as a problem code; "" where calls are made."""
    try:
        access.raise_if_closed(portal_id)
    except remote.Halted as stop:
        return stop.code
    return ""


def _version(one: Portal, now: datetime) -> Facts:
    try:
        found = rehearse.state(one, now.date())
    except ValueError:
        return {"version": rehearse.version_of(one), "days_left": None, "next_version": None}
    return {"version": found.version, "days_left": found.days_left, "next_version": found.next_version}


# --- Work -------------------------------------------------------------------------------------------------------


def queues(now: datetime) -> list[Facts]:
    """By mapping what waits in both queues, since when, and for how long the oldest is overdue."""
    waiting = {"outbox": _waiting(OutboxEntry, now), "inbox": _waiting(InboxEvent, now)}
    nothing = {"due": 0, "overdue": 0, "parked": 0, "oldest": None}
    return [
        {
            "mapping": one.pk,
            "portal": one.portal_id,
            "model": one.model_label,
            "object_type": one.object_type,
            "state": one.state,
            "problem_code": one.problem_code,
            **{name: found.get(one.pk, nothing) for name, found in waiting.items()},
        }
        for one in Mapping.objects.filter(version_of=None).order_by("pk")
    ]


def _waiting(queue: type[models.Model], now: datetime) -> dict[int, Facts]:
    due = models.Q(state=terms.QueueState.DUE)
    rows = queue._default_manager.order_by().values("mapping_id")
    rows = rows.annotate(
        waiting=models.Count("pk", filter=due),
        parked=models.Count("pk", filter=~due),
        oldest=models.Min("captured_at", filter=due),
        first_due=models.Min("due_at", filter=due),
    )
    return {
        row["mapping_id"]: {
            "due": row["waiting"],
            "overdue": max(0, _age(row["first_due"], now) or 0),
            "parked": row["parked"],
            "oldest": _age(row["oldest"], now),
        }
        for row in rows
    }


def elsewhere(now: datetime) -> list[Facts]:
    """By other database with rows of the host's: how many slips wait there, and for how long; None where that cannot
    be asked."""
    return [{"database": alias, **_elsewhere(alias, now)} for alias in places.others()]


def _elsewhere(alias: str, now: datetime) -> Facts:
    try:
        due, oldest = slips.waiting(alias)
    except DatabaseError:
        return {"due": None, "oldest": None}
    return {"due": due, "oldest": _age(oldest, now)}


def polls(now: datetime) -> list[Facts]:
    """By live mapping and kind of pass, the seconds since HubSpot's changes were last complete."""
    every = {
        choices.CursorKind.FAST: conf.current().POLL_SECONDS,
        choices.CursorKind.FULL: conf.current().FULL_POLL_SECONDS,
        choices.CursorKind.TIMED: timed.EVERY.total_seconds(),
    }
    rows = Cursor.objects.filter(mapping__state=terms.MappingState.LIVE).order_by("mapping", "kind")
    return [
        {
            "mapping": one.mapping_id,
            "kind": one.kind,
            "age": _age(one.position, now),
            "is_late": (now - one.position).total_seconds() > _LATE * every[one.kind],
            "is_failing": bool(one.last_message),
        }
        for one in rows
    ]


def last_errors(now: datetime) -> Facts:
    """Problem codes and how often each: of what waits or is parked, and of the log's last days."""
    log = LogEntry.objects.filter(outcome=terms.Outcome.FAILED, at__gte=now - timedelta(days=_LOG_DAYS))
    return {
        "outbox": _counted(OutboxEntry.objects.all(), "last_code"),
        "inbox": _counted(InboxEvent.objects.all(), "last_code"),
        "mappings": _counted(Mapping.objects.all(), "problem_code"),
        f"log_{_LOG_DAYS}_days": _counted(log, "reason"),
    }


def _counted(rows: models.QuerySet, name: str) -> dict[str, int]:
    found: Counter[str] = Counter()
    for code, count in rows.exclude(**{name: ""}).order_by(name).values_list(name).annotate(n=models.Count("pk")):
        found[code if _CODE.fullmatch(code) else "other"] += count
    return dict(found)


def _age(at: datetime | None, now: datetime) -> int | None:
    """Whole seconds since then, None if never."""
    return None if at is None else round((now - at).total_seconds())
