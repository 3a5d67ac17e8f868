"""What is wrong, the worst first, and a bundle of facts for whoever helps: one paste, no secret, nothing personal."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, transaction
from django.utils import timezone

from crmsync import conf
from crmsync.engine import environment, terms
from crmsync.flows import vitals
from crmsync.models import choices

Facts = dict[str, Any]

ERROR, WARNING = "error", "warning"
LEVELS = (ERROR, WARNING)

# HubSpot's signatures are good for five minutes; an honest clock is not wrong by a fifth of that.
CLOCK_SECONDS = 60
# Who is told a quarter ahead can still plan the change of version.
VERSION_DAYS = 90
# Where cron runs `crmsync_sweep` it comes once a minute: what is silent for longer is not coming.
SILENT_SECONDS = 90


class Problem(NamedTuple):
    """``code`` as in docs/problems.md, or the id of a system check."""

    level: str
    code: str
    sentence: str
    remedy: str


Problems = Iterator[Problem]


def report(is_rung: Callable[[], bool] | None = None) -> Facts:
    """The bundle, ready for JSON: the sections of ``vitals``, and ``problems``, errors first, each with ``level``,
    ``code``, ``sentence`` and ``remedy``.

    ``is_rung`` tells whether Redis answers, and must not raise; it is asked only where RQ is the runner. A section
    that cannot be read is None: the bundle is wanted most when things are broken.
    """
    now = timezone.now()
    found: Facts = {
        "at": now.isoformat(),
        "versions": vitals.versions(),
        "settings": vitals.options(),
        "checks": vitals.checked(),
        "runner": _look(lambda: vitals.runner(is_rung)),
        "database": _look(vitals.database),
        "encryption": _look(vitals.encryption),
        "processes": _look(lambda: vitals.processes(now)),
        "portals": _look(lambda: vitals.portals(now)),
        "queues": _look(lambda: vitals.queues(now)),
        "elsewhere": _look(lambda: vitals.elsewhere(now)),
        "polls": _look(lambda: vitals.polls(now)),
        "last_errors": _look(lambda: vitals.last_errors(now)),
    }
    ordered = sorted(_problems(found), key=lambda one: LEVELS.index(one.level))
    return {**found, "problems": [one._asdict() for one in ordered]}


def worst(found: Facts) -> str:
    """The level of the worst problem of a report, "" where there is none."""
    levels = {one["level"] for one in found["problems"]}
    return next((one for one in LEVELS if one in levels), "")


def as_text(found: Facts) -> str:
    """The bundle to be read: problems with their remedies first, then a line a fact."""
    lines = [f"crmsync {found['versions']['crmsync']}, {found['at']}", ""]
    if not found["problems"]:
        lines.append("No problem was found.")
    for one in found["problems"]:
        lines += [f"{one['level'].upper()} {one['code']}: {one['sentence']}", f"    {one['remedy']}"]
    for name, section in found.items():
        if name not in ("at", "problems"):
            lines += ["", name, *(f"  {line}" for line in _lines(section))]
    return "\n".join(lines) + "\n"


def _lines(section: Any) -> Iterator[str]:
    if section is None:
        yield "could not be read"
    elif isinstance(section, dict):
        yield from (f"{key}: {_flat(value)}" for key, value in section.items())
    else:
        yield from (_flat(one) for one in section) if section else ["none"]


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_flat(one)}" for key, one in value.items()) or "none"
    if isinstance(value, list):
        return " ".join(_flat(one) for one in value) or "none"
    return "-" if value in (None, "") else str(value)


def _look(look: Callable[[], Any]) -> Any:
    try:
        with transaction.atomic():  # a statement that fails must not spoil the caller's transaction
            return look()
    except (DatabaseError, ImproperlyConfigured):
        return None


# --- Problems ---------------------------------------------------------------------------------------------------


def _problems(found: Facts) -> Problems:
    yield from _set_up(found)
    portals, queues = found["portals"] or [], found["queues"] or []
    for portal in portals:
        yield from _access(portal)
        yield from _outlook(portal)
    working = {one["id"] for one in portals if not one["state_code"]}
    live = [one for one in queues if one["state"] == terms.MappingState.LIVE and one["portal"] in working]
    if found["processes"] is not None:
        yield from _processes(found["processes"], live)
    for mapping in queues:
        yield from _mapping(mapping)
    yield from _elsewhere(found["elsewhere"] or [])
    yield from _polls(found["polls"] or [], {one["mapping"] for one in live})


def _set_up(found: Facts) -> Problems:
    for one in found["checks"]:
        if one["level"] >= checks.ERROR or one["id"].startswith("crmsync."):
            level = ERROR if one["level"] >= checks.ERROR else WARNING
            yield Problem(level, one["id"], one["message"], one["hint"] or "Run manage.py check.")
    database, runner, encryption = found["database"], found["runner"], found["encryption"]
    if database is None:
        yield Problem(ERROR, "system.database", "The database does not answer.", "Start it, or correct DATABASES.")
    elif database["unapplied"]:
        sentence = f"{database['unapplied']} of crmsync's migrations are not applied."
        yield Problem(ERROR, "system.migrations", sentence, "Run manage.py migrate.")
    if runner is not None and runner["is_rung"] is False:
        sentence = "Redis does not answer: work waits for the database runner or for Redis."
        yield Problem(ERROR, "system.redis_down", sentence, "Start Redis, or correct RQ_QUEUES.")
    for pk, is_readable in (encryption or {"is_readable": {}})["is_readable"].items():
        if not is_readable:
            sentence = f"A secret of portal {pk} cannot be decrypted with the present FERNET_KEYS."
            yield Problem(ERROR, "system.key_missing", sentence, "Put the old key back, or enter the secrets again.")


def _name(portal: Facts) -> str:
    return f"Portal {portal['id']} (HubSpot account {portal['hub_id'] or 'not known yet'})"


def _access(one: Facts) -> Problems:
    """What keeps a portal from being called, or from being called for everything."""
    who, code = _name(one), one["state_code"]
    if one["environment"] in _LOCKED:
        remedy = "If this is a copy, connect a test account; if it has moved, confirm it on the portal's page."
        yield Problem(ERROR, "portal.fingerprint", f"{who} was connected by another installation: locked.", remedy)
    elif one["has_other_install"]:
        sentence = f"{who} carries the mark of another installation of crmsync: nothing is done here."
        remedy = "Stop the one that should not work, then confirm this one on the portal's page."
        yield Problem(ERROR, "portal.other_install", sentence, remedy)
    elif one["waits_code"]:
        sentence = f"{who} is not called for the next {one['waits_seconds']} seconds."
        yield Problem(WARNING, one["waits_code"], sentence, "Nothing: its work goes on by itself.")
    elif code:
        level = ERROR if one["state"] in _LOST else WARNING
        remedy = "Resume it on its page." if code == "portal.paused" else "Connect it on its page."
        yield Problem(level, code, f"{who} is not called: {choices.PortalState(one['state']).label}.", remedy)
    if one["environment"] == environment.State.READ_ONLY:
        sentence = f"{who} is read only: CRMSYNC['READ_ONLY'] is on."
        yield Problem(WARNING, "portal.read_only", sentence, "Switch it off when the rehearsal is over.")
    if one["missing_scopes"]:
        sentence = f"{who} lacks scopes: {', '.join(one['missing_scopes'])}."
        yield Problem(WARNING, "portal.scope_missing", sentence, "Grant them in HubSpot, then test the connection.")


def _outlook(one: Facts) -> Problems:
    """What will trouble a portal, or does without anybody seeing it."""
    who, options = _name(one), conf.current()
    if one["token_days"] is not None and one["token_days"] > options.TOKEN_AGE_DAYS:
        sentence = f"The token of {who} was entered {one['token_days']} days ago."
        yield Problem(WARNING, "portal.token_age", sentence, "Rotate it in HubSpot and enter the new one.")
    yield from _version(who, one["version"])
    if abs(one["clock_skew"] or 0) > CLOCK_SECONDS:
        sentence = f"This server's clock and HubSpot's differ by {one['clock_skew']:+.0f} seconds ({who})."
        yield Problem(WARNING, "portal.clock", sentence, "Set the clock (NTP): webhooks are refused at five minutes.")
    if one["is_webhook_silent"]:
        remedy = "Check the HubSpot app's subscriptions and its webhook address; changes arrive by polling meanwhile."
        yield Problem(WARNING, "webhook.silent", f"No webhook of {who} came for a day.", remedy)
    if one["is_discovery_failing"]:
        remedy = "Press “Refresh fields” on its page: it says why."
        yield Problem(WARNING, "portal.discovery", f"The fields of {who} could not be read the last time.", remedy)


def _version(who: str, one: Facts) -> Problems:
    days, remedy = one["days_left"], "Rehearse the next version on the portal's page, then switch."
    if days is None:
        yield Problem(ERROR, "portal.config", f"{who} has an API version that crmsync does not speak.", remedy)
    elif days <= 0:
        sentence = f"HubSpot supports API version {one['version']} of {who} no longer."
        yield Problem(ERROR, "portal.version", sentence, remedy)
    elif days <= VERSION_DAYS:
        sentence = f"HubSpot supports API version {one['version']} of {who} for {days} days more."
        yield Problem(WARNING, "portal.version", sentence, remedy)


def _processes(found: Facts, live: list[Facts]) -> Problems:
    waiting = [one[queue] for one in live for queue in ("outbox", "inbox") if one[queue]["due"]]
    if waiting and not found["worker"]["alive"]:
        is_old = max(one["overdue"] for one in waiting) > SILENT_SECONDS
        sentence = f"{sum(one['due'] for one in waiting)} records wait, and no worker was heard of."
        remedy = "Start manage.py rqworker or crmsync_worker, whichever the runner is."
        yield Problem(ERROR if is_old else WARNING, "system.no_worker", sentence, remedy)
    silent = found["scheduler"]["silent"]
    if not found["scheduler"]["alive"]:
        is_gone = bool(live) and (silent is None or silent > SILENT_SECONDS)
        since = "never" if silent is None else f"{silent} seconds ago"
        sentence = f"No scheduler is heard of (the last one: {since}): nothing is polled or tried again."
        remedy = "Start manage.py rqcron or crmsync_worker, or call crmsync_sweep from cron."
        yield Problem(ERROR if is_gone else WARNING, "system.no_scheduler", sentence, remedy)


def _mapping(one: Facts) -> Problems:
    who = f"Mapping {one['mapping']} ({one['model']} and {one['object_type']})"
    if one["problem_code"]:
        sentence = f"{who} was stopped."
        remedy = "Its page in the admin says why: mend it, then set the mapping live."
        yield Problem(ERROR, one["problem_code"], sentence, remedy)
    parked = one["outbox"]["parked"] + one["inbox"]["parked"]
    if parked:
        remedy = "See the outbox and the inbox: mend the causes, then press “Retry now”."
        yield Problem(WARNING, "mapping.parked", f"{who}: {parked} records need attention.", remedy)


def _elsewhere(found: list[Facts]) -> Problems:
    for one in found:
        name = one["database"]
        if one["due"] is None:
            sentence = f"The database “{name}” does not answer, or lacks crmsync's table of slips."
            remedy = f"Start it, or run manage.py migrate --database={name}: no row of it can be saved."
            yield Problem(ERROR, "system.slips", sentence, remedy)
        elif (one["oldest"] or 0) > SILENT_SECONDS:
            sentence = f"{one['due']} changes in the database “{name}” were not carried over, the oldest for"
            remedy = "Start a worker; where one runs, its log says why."
            yield Problem(WARNING, "system.slips", f"{sentence} {one['oldest']} seconds.", remedy)


def _polls(found: list[Facts], live: set[int]) -> Problems:
    for one in found:
        if one["is_late"] and one["mapping"] in live:
            sentence = (
                f"The {one['kind']} pass of mapping {one['mapping']} was last complete {one['age']} seconds ago."
            )
            remedy = "Check that a scheduler runs; the cursor's page in the admin says what stopped it."
            yield Problem(WARNING, "mapping.poll_late", sentence, remedy)


_LOCKED = (environment.State.LOCKED, environment.State.REFUSED)
_LOST = (choices.PortalState.REVOKED, choices.PortalState.UNINSTALLED, choices.PortalState.KEY_MISSING)
