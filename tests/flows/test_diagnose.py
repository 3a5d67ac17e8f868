"""The doctor: every trouble has its code and remedy, a sound site has none, and nothing private is in the bundle."""

import io
import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection
from django.utils import timezone

from crmsync import conf
from crmsync.flows import diagnose, rehearse, vitals
from crmsync.hubspot import versions
from crmsync.ledger import credentials, cursors, heartbeats, portals
from crmsync.models import Credential, Cursor, Heartbeat, InboxEvent, LogEntry, Mapping, OutboxEntry, Portal
from project.demo.models import Person

Level = tuple[str, str]


def problems(**kwargs) -> set[Level]:
    """(level, code) of what is wrong now, without what the tests' own settings bring (crmsync.W…)."""
    found = diagnose.report(**kwargs)["problems"]
    assert all(one["sentence"] and one["remedy"] for one in found)
    return {(one["level"], one["code"]) for one in found if not one["code"].startswith("crmsync.")}


def beat(*roles: str, ago: float = 0) -> None:
    for role in roles:
        heartbeats.beat("here:1", role, timezone.now() - timedelta(seconds=ago))


@pytest.fixture
def sound(sync, ada):
    """A site on which all is well: connected, in sync, processes alive, a webhook just came."""
    beat("worker", "scheduler")
    return sync


def test_a_sound_site_has_no_problem(sound) -> None:
    """C34: and the bundle has all of its sections, ready for JSON."""
    found = diagnose.report()
    assert problems() == set()
    assert json.loads(json.dumps(found)) == found
    wanted = {"at", "versions", "settings", "checks", "database", "runner", "processes", "encryption"}
    assert set(found) == wanted | {"portals", "queues", "elsewhere", "polls", "last_errors", "problems"}
    assert {"crmsync", "python", "django", "requests"} <= set(found["versions"])
    assert found["settings"]["API_URL"] == {"type": "str", "is_set": True, "host": "api.hubapi.com"}
    assert found["settings"]["POLL_SECONDS"] == {"type": "int", "is_set": False, "value": 300}
    assert found["database"] == {**found["database"], "vendor": connection.vendor, "unapplied": 0}
    assert found["processes"]["worker"]["alive"] == 1
    assert found["encryption"]["is_readable"] == {str(sound.portal.pk): True}
    (portal,) = found["portals"]
    assert (portal["state"], portal["state_code"], portal["environment"]) == ("connected", "", "open")
    assert portal["version"] == {
        "version": conf.current().API_VERSION,
        "days_left": portal["version"]["days_left"],
        "next_version": versions.next_after(conf.current().API_VERSION),
    }
    assert [one["object_type"] for one in found["queues"]] == ["contacts", "companies", "deals"]
    assert "No problem was found." in diagnose.as_text({**found, "problems": []})


# --- The canary -------------------------------------------------------------------------------------------------

CANARIES = {
    "token": "pat-na1-canary-token-000000000000",
    "refresh_token": "canary-refresh-token",
    "client_secret": "canary-client-secret",
    "previous_secret": "canary-previous-secret",
    "setting": "canary-oauth-secret",
    "email": "canary@example.com",
    "name": "Canary Birdwood",
    "city": "Canaryville",
}


def test_nothing_secret_or_personal_is_in_the_bundle(sound, settings) -> None:
    """C34, J16: secrets, names, addresses and sentences that quote them are nowhere, whatever is broken."""
    settings.CRMSYNC = {
        **settings.CRMSYNC,
        "OAUTH_CLIENT_ID": "canary-client-id",
        "OAUTH_CLIENT_SECRET": CANARIES["setting"],
        "ENVIRONMENT": "canary-environment",
    }
    one = Credential.objects.get()
    for name in credentials.SECRETS:
        setattr(one, name, CANARIES[name])
    one.save()
    Person.objects.update(email=CANARIES["email"], last_name=CANARIES["name"], city=CANARIES["city"])
    quoted = f"HubSpot rejected {CANARIES['name']} <{CANARIES['email']}> in {CANARIES['city']}."
    Portal.objects.update(
        label=CANARIES["name"],
        state_reason=f"Paused by {CANARIES['email']}.",
        other_install="canary-host",
        discovery={"problem": quoted},
        rehearsal={"problems": [quoted]},
    )
    Mapping.objects.update(problem=quoted, problem_code="mapping.invalid")
    Mapping.objects.filter(pk=sound.people.pk).update(label=CANARIES["name"])
    OutboxEntry.objects.create(
        mapping=sound.people, local_pk=CANARIES["email"], last_code="remote.rejected", state="parked"
    )
    OutboxEntry.objects.update(last_message=quoted)
    InboxEvent.objects.create(mapping=sound.people, remote_id="1", last_code=CANARIES["email"], last_message=quoted)
    LogEntry.objects.create(mapping=sound.people, outcome="failed", reason="Canary Birdwood", detail=quoted)
    Cursor.objects.update(last_message=quoted)
    Heartbeat.objects.update(name="canary-host:1")
    found = diagnose.report()
    assert found["last_errors"]["outbox"] == {"remote.rejected": 1}
    assert found["last_errors"]["inbox"] == {"other": 1}
    for text in (json.dumps(found, ensure_ascii=False), diagnose.as_text(found)):
        assert "canary" not in text.lower()
        assert "birdwood" not in text.lower()


# --- Portals ----------------------------------------------------------------------------------------------------


def test_a_clock_that_is_wrong(sound) -> None:
    """Fault 21: told by HubSpot's Date header, through real calls; an honest difference is none."""
    sound.hub.skew_clock(-300)
    Person.objects.create(email="late@example.com")
    sound.drain()
    assert problems() == {("warning", "portal.clock")}
    assert Portal.objects.get().clock_skew == pytest.approx(300, abs=10)
    Portal.objects.update(clock_skew=60.0)
    assert problems() == set()


def test_another_installation(sound) -> None:
    """Fault 49: its mark in HubSpot is seen and told."""
    portals.see_other_install(sound.portal.pk, "staging")
    assert problems() == {("error", "portal.other_install")}


def test_a_copied_database(sound, settings) -> None:
    """Fault 48: locked, an error, and nothing else is made of it."""
    settings.CRMSYNC = {**settings.CRMSYNC, "PUBLIC_URL": "https://copy.example"}
    assert problems() == {("error", "portal.fingerprint")}


def test_a_rehearsal_against_real_data(sound, settings) -> None:
    """Fault 48: read-only is said, so that nobody wonders why nothing is sent."""
    settings.CRMSYNC = {**settings.CRMSYNC, "READ_ONLY": True}
    assert problems() == {("warning", "portal.read_only")}


@pytest.mark.parametrize(("days", "found"), [(180, set()), (182, {("warning", "portal.token_age")})])
def test_an_old_token(sound, days, found) -> None:
    """C21: a reminder once it is older than TOKEN_AGE_DAYS."""
    Credential.objects.update(token_at=timezone.now() - timedelta(days=days))
    assert problems() == found


def test_an_oauth_token_renews_itself(sound) -> None:
    """C21: its first consent is no age of a token."""
    at = timezone.now() - timedelta(days=400)
    Credential.objects.update(kind="oauth", token_at=at, expires_at=timezone.now() + timedelta(hours=1))
    Portal.objects.update(scopes=[*Portal.objects.get().scopes, "oauth"])
    assert problems() == set()


@pytest.mark.parametrize(
    ("state", "found"),
    [
        ("revoked", ("error", "portal.reauth")),
        ("uninstalled", ("error", "portal.reauth")),
        ("key_missing", ("error", "system.key_missing")),
        ("paused", ("warning", "portal.paused")),
        ("disconnected", ("warning", "portal.reauth")),
    ],
)
def test_a_portal_that_is_not_called(sound, state, found) -> None:
    """C12, C22, Fault 26: its state, and the code that waits on its rows."""
    portals.set_state(sound.portal, state)
    assert problems() == {found}


def test_a_portal_that_waits(sound) -> None:
    """Fault 10: how long, and for what; it is no error."""
    portals.wait(sound.portal.pk, timezone.now() + timedelta(seconds=90), "portal.quota_day")
    assert problems() == {("warning", "portal.quota_day")}


def test_a_missing_scope(sound) -> None:
    """C14: by name."""
    portals.miss_scopes(sound.portal, ["crm.objects.custom.read"])
    (one,) = diagnose.report()["portals"]
    assert one["missing_scopes"] == ["crm.objects.custom.read"]
    assert problems() == {("warning", "portal.scope_missing")}


def test_silent_webhooks(sound) -> None:
    """Fault 19: calls were made for a day and no webhook came."""
    Portal.objects.update(webhook_at=timezone.now() - timedelta(days=2))
    assert problems() == {("warning", "webhook.silent")}
    Credential.objects.update(kind="service_key")
    assert problems() == set()


@pytest.mark.parametrize(("left", "level"), [(91, ""), (90, "warning"), (1, "warning"), (0, "error"), (-1, "error")])
def test_a_version_that_ends(sound, monkeypatch, left, level) -> None:
    """F22: a quarter ahead a warning, an error once HubSpot supports it no longer."""
    ends = timezone.now().date() + timedelta(days=left)
    monkeypatch.setattr(rehearse.versions, "support_ends", lambda version: ends)
    assert problems() == ({(level, "portal.version")} if level else set())


def test_a_version_nobody_speaks(sound) -> None:
    """F22: the page still opens."""
    Portal.objects.update(api_version="2020-01")
    assert problems() == {("error", "portal.config")}


def test_fields_that_could_not_be_read(sound) -> None:
    """C17: the last discovery failed; why is on the portal's page."""
    Portal.objects.update(discovery={"problem": "HubSpot answered with a server error."})
    assert problems() == {("warning", "portal.discovery")}


def test_a_lost_key(sound) -> None:
    """Fault 50: told by portal, without a crash."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE crmsync_credential SET refresh_token = %s", [b"gAAAAA-of-another-key"])
    assert problems() == {("error", "system.key_missing")}
    assert diagnose.report()["encryption"]["is_readable"] == {str(sound.portal.pk): False}


# --- Work -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("overdue", "level"), [(30, "warning"), (120, "error")])
def test_no_worker_while_rows_are_due(sound, overdue, level) -> None:
    """C34, I16: an error once cron would have come, too; rows of a paused portal need no worker."""
    Heartbeat.objects.filter(role="worker").delete()
    assert problems() == set()
    due = timezone.now() - timedelta(seconds=overdue)
    OutboxEntry.objects.create(mapping=sound.people, local_pk="1", due_at=due)
    assert problems() == {(level, "system.no_worker")}
    beat("worker")
    assert problems() == set()
    Heartbeat.objects.filter(role="worker").delete()
    portals.set_state(sound.portal, "paused")
    assert problems() == {("warning", "portal.paused")}


@pytest.mark.parametrize(("ago", "level"), [(20, ""), (60, "warning"), (120, "error"), (None, "error")])
def test_no_scheduler(sound, ago, level) -> None:
    """C34: nothing is polled; where nothing is live it is only a warning."""
    Heartbeat.objects.filter(role="scheduler").delete()
    if ago is not None:
        beat("scheduler", ago=ago)
    assert problems() == ({(level, "system.no_scheduler")} if level else set())
    Mapping.objects.update(state="draft")
    assert problems() == ({("warning", "system.no_scheduler")} if level else set())


def test_redis_is_away(sound, settings) -> None:
    """Fault 5: asked of the door that knows Redis, and only where RQ is the runner."""
    asked = []
    assert problems(is_rung=lambda: bool(asked.append(1))) == set()
    assert asked == []
    settings.CRMSYNC = {**settings.CRMSYNC, "RUNNER": "rq"}
    assert problems(is_rung=lambda: False) == {("error", "system.redis_down")}
    assert problems(is_rung=lambda: True) == set()
    assert problems() == set()


def test_a_stopped_mapping_and_parked_rows(sound) -> None:
    """C34: the code that stopped it, and how many records wait for a person."""
    portals.stop_mapping(sound.people.pk, "It names a property.", "mapping.invalid")
    OutboxEntry.objects.create(mapping=sound.people, local_pk="1", state="parked", last_code="remote.rejected")
    assert problems() == {("error", "mapping.invalid"), ("warning", "mapping.parked")}
    found = diagnose.report()
    assert found["last_errors"]["outbox"] == {"remote.rejected": 1}
    assert found["last_errors"]["mappings"] == {"mapping.invalid": 1}
    assert [one["level"] for one in found["problems"] if "crmsync." not in one["code"]] == ["error", "warning"]


def test_queues_by_mapping(sound) -> None:
    """C34: what is due, what is parked, and the age of the oldest."""
    long_ago = timezone.now() - timedelta(hours=1)
    OutboxEntry.objects.create(mapping=sound.people, local_pk="1", captured_at=long_ago, due_at=long_ago)
    OutboxEntry.objects.create(mapping=sound.people, local_pk="2", due_at=timezone.now() + timedelta(hours=1))
    InboxEvent.objects.create(mapping=sound.people, remote_id="3", state="parked")
    (found,) = [one for one in diagnose.report()["queues"] if one["mapping"] == sound.people.pk]
    assert (found["outbox"]["due"], found["outbox"]["parked"], found["inbox"]["parked"]) == (2, 0, 1)
    assert 3600 <= found["outbox"]["oldest"] < 3700
    assert 3600 <= found["outbox"]["overdue"] < 3700


def test_a_poll_that_is_late(sound) -> None:
    """A19, C34: three periods without a complete pass."""
    for mapping in sound.mappings.values():
        cursors.ensure(mapping.pk, timezone.now())
    assert problems() == set()
    Cursor.objects.filter(mapping=sound.people, kind="fast").update(position=timezone.now() - timedelta(seconds=901))
    assert problems() == {("warning", "mapping.poll_late")}


# --- What is broken below ---------------------------------------------------------------------------------------


def test_settings_that_cannot_be_read(sound, settings) -> None:
    """J16: a report is made all the same; the check says what is wrong."""
    settings.CRMSYNC = {**settings.CRMSYNC, "POLL_SECONDS": "often"}
    found = diagnose.report()
    assert found["settings"] == {"is_readable": False}
    assert ("error", "crmsync.E001") in {(one["level"], one["code"]) for one in found["problems"]}
    assert found["portals"] is None
    assert "could not be read" in diagnose.as_text(found)


def test_tables_that_are_not_there(sound, monkeypatch) -> None:
    """J16: wanted most when things are broken; here nothing of the database can be read."""

    def refuse(*args, **kwargs):
        raise OperationalError("no such table: canary")

    for name in ("database", "processes", "encryption", "portals", "queues", "polls", "last_errors"):
        monkeypatch.setattr(vitals, name, refuse)
    assert problems() == {("error", "system.database")}
    assert "canary" not in diagnose.as_text(diagnose.report())


def test_migrations_that_are_not_applied(sound, monkeypatch) -> None:
    """J16: after an upgrade that forgot them."""
    monkeypatch.setattr(vitals.MigrationExecutor, "migration_plan", lambda self, targets: [1, 2])
    assert problems() == {("error", "system.migrations")}


# --- The command ------------------------------------------------------------------------------------------------


def run(*args: str) -> tuple[str, str, int]:
    """What the command wrote to both streams, and its exit code."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("crmsync_doctor", *args, stdout=out, stderr=err)
    except SystemExit as stop:
        return out.getvalue(), err.getvalue(), stop.code
    return out.getvalue(), err.getvalue(), 0


def test_the_command_and_its_exit_codes(sound) -> None:
    """C34, J16: 0 without errors, 2 with one, and with a warning where that is asked for."""
    text, progress, code = run()
    assert code == 0
    assert text.startswith("crmsync ")
    assert "Examining" in progress
    Portal.objects.update(clock_skew=300.0)
    assert run()[2] == 0
    assert run("--fail-level", "warning")[2] == 2
    portals.set_state(sound.portal, "revoked")
    text, _, code = run()
    assert code == 2
    assert "ERROR portal.reauth: Portal" in text


def test_the_command_as_json(sound) -> None:
    """J16: one paste, nothing but JSON on standard output."""
    text, _, code = run("--json", "-v", "0")
    assert (json.loads(text)["portals"][0]["hub_id"], code) == (sound.hub.portal.id, 0)
