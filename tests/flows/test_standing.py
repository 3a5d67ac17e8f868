"""Pausing, holding, disconnecting, locking: what stops, what goes on, and that nothing is lost."""

import datetime

import pytest
from django.utils import timezone

from crmsync import jobs
from crmsync.flows import access, backfill, connect, discover, environment, failures, meter, standing
from crmsync.hubspot import account, errors
from crmsync.ledger import credentials, portals, usage
from crmsync.models import ApiUsage, Credential, InboxEvent, OutboxEntry, Portal
from crmsync.sides import remote
from project.demo.models import Person


def calls(sync) -> int:
    return len(list(sync.hub.ledger.requests()))


def test_a_pause_captures_and_a_resume_goes_on(sync) -> None:
    """J13: capture goes on while paused, backlog and age are told, no call is made; resuming loses nothing."""
    standing.pause(sync.portal, "Maintenance")
    Person.objects.create(email="paused@example.com")
    before = calls(sync)
    sync.drain()
    assert calls(sync) == before
    found = standing.catch_up(sync.portal)
    assert (found.count, found.age >= 0, found.estimate > 0) == (1, True, True)
    standing.resume(sync.portal)
    sync.drain()
    assert [one["properties"]["email"] for one in sync.contacts()] == ["paused@example.com"]


def test_what_cannot_be_paused_or_resumed_says_so(sync) -> None:
    """Bad input: one sentence with the remedy."""
    with pytest.raises(standing.StandingError, match="resumed"):
        standing.resume(sync.portal)
    standing.pause(sync.portal, "once")
    with pytest.raises(standing.StandingError, match="connected"):
        standing.pause(sync.portal, "twice")


@pytest.mark.parametrize("holder", ["portal", "mapping"])
def test_one_direction_is_held(sync, ada, ada_id, holder) -> None:
    """J13: pushes wait while pulls flow, for a portal or for one mapping; a record with both waits as a whole."""
    bob = Person.objects.create(email="bob@example.com", city="Bonn")
    sync.drain()
    bob_id = next(one["id"] for one in sync.contacts() if one["id"] != ada_id)
    held = sync.portal if holder == "portal" else sync.people
    standing.hold(held, "push")
    ada.first_name = "Held"
    ada.save()
    for key in (ada_id, bob_id):
        sync.hub.ui_update("contacts", key, {"city": "Paris"})
    sync.deliver()
    sync.drain()
    bob.refresh_from_db()
    assert bob.city == "Paris"
    assert sync.contact(ada_id)["firstname"] == "Ada"
    standing.hold(held, "")
    sync.drain()
    ada.refresh_from_db()
    assert (ada.city, sync.contact(ada_id)["firstname"]) == ("Paris", "Held")


def test_pulls_are_held(sync, ada, ada_id) -> None:
    """J13: the other direction."""
    standing.hold(sync.portal, "pull")
    sync.hub.ui_update("contacts", ada_id, {"city": "Paris"})
    sync.deliver()
    Person.objects.create(email="goes@example.com")
    sync.drain()
    ada.refresh_from_db()
    assert ada.city == "London"
    assert {one["properties"]["email"] for one in sync.contacts()} == {"ada@example.com", "goes@example.com"}
    standing.hold(sync.portal, "")
    sync.drain()
    ada.refresh_from_db()
    assert ada.city == "Paris"


def test_disconnect_stops_at_once_and_reconnecting_restores(sync, ada, ada_id) -> None:
    """U25, C25: queued work stays, the token is gone, webhooks are still kept; the same account restores all."""
    ada.first_name = "Later"
    ada.save()
    standing.disconnect(sync.portal, "by a test")
    assert Credential.objects.get().token == ""
    before = calls(sync)
    sync.hub.ui_update("contacts", ada_id, {"city": "Rome"})
    sync.deliver()
    sync.drain()
    assert calls(sync) == before
    connect.connect(sync.portal, credentials.Entered("static", token=sync.hub.token))
    sync.drain()
    ada.refresh_from_db()
    assert (ada.city, sync.contact(ada_id)["firstname"]) == ("Rome", "Later")


def test_a_pause_in_the_middle_of_a_backfill_keeps_its_page(sync) -> None:
    """J13, C25: the run waits, its mapping stays live, and it goes on where it was."""
    Person.objects.bulk_create([Person(email=f"p{n}@example.com") for n in range(250)])
    run = backfill.start(sync.people, "backfill_push")
    pages = backfill.pages(run)
    next(pages)
    pages.close()
    standing.pause(sync.portal, "in the middle")
    jobs.work(5.0)
    run.refresh_from_db()
    sync.people.refresh_from_db()
    assert (run.state, sync.people.state) == ("running", "live")
    assert len(sync.contacts()) == 100
    standing.resume(sync.portal)
    jobs.work(30.0)
    run.refresh_from_db()
    assert run.state == "finished"
    assert len(sync.contacts()) == 250


def test_a_copy_of_the_database_writes_nothing(sync, ada, settings) -> None:
    """F11, U16, Fault 48: another site with the same rows makes no call and changes no row until it is confirmed."""
    settings.CRMSYNC = {**settings.CRMSYNC, "PUBLIC_URL": "https://staging.example.com"}
    ada.first_name = "Staged"
    ada.save()
    before = calls(sync)
    sync.drain()
    assert calls(sync) == before
    row = OutboxEntry.objects.get()
    assert row.last_code in ("", "portal.fingerprint")
    assert environment.differences(sync.portal)
    standing.confirm(sync.portal)
    OutboxEntry.objects.update(due_at=timezone.now())
    sync.drain()
    assert sync.contacts()[0]["properties"]["firstname"] == "Staged"


def test_a_copy_is_detached_and_bound_to_a_test_account(sync, ada, ada_id, settings) -> None:
    """F11: staging made from production forgets the account it came with, and may take a sandbox only."""
    settings.CRMSYNC = {**settings.CRMSYNC, "PUBLIC_URL": "https://staging.example.com", "ENVIRONMENT": "staging"}
    with pytest.raises(standing.StandingError, match="staging"):
        standing.confirm(sync.portal)
    before = calls(sync)
    assert standing.detach(sync.portal) == 1
    assert calls(sync) == before
    assert Person.objects.filter(pk=ada.pk).exists()
    portal = Portal.objects.get()
    assert (portal.hub_id, portal.state, Credential.objects.get().token) == (None, "new", "")
    entered = credentials.Entered("static", token=sync.hub.token)
    with pytest.raises(connect.ConnectError, match="staging"):
        connect.connect(portal, entered)
    sync.hub.add_account(5555, account_type="SANDBOX")
    sync.hub.add_token("pat-na1-token-of-the-sandbox", hub_id=5555)
    entered = credentials.Entered("static", token="pat-na1-token-of-the-sandbox")
    assert connect.connect(portal, entered).hub_id == 5555
    assert sync.contact(ada_id)["firstname"] == "Ada"


def test_only_a_copy_is_detached(sync, ada) -> None:
    """F11: the installation that works with the account cannot lose its links this way."""
    with pytest.raises(standing.StandingError, match="disconnect"):
        standing.detach(sync.portal)


def test_staging_may_not_write_to_a_real_account(make_sync, hub, settings) -> None:
    """F11, U16: only test accounts may be connected where the environment is not production."""
    settings.CRMSYNC = {**settings.CRMSYNC, "ENVIRONMENT": "staging"}
    with pytest.raises(connect.ConnectError, match="staging"):
        make_sync()
    hub.portal.account_type = "SANDBOX"
    assert make_sync().portal.state == "connected"


def test_a_rehearsal_reads_and_never_writes_to_hubspot(sync, ada, ada_id, settings) -> None:
    """F11, C30: READ_ONLY takes HubSpot's changes in, and keeps what would be sent in the queue."""
    settings.CRMSYNC = {**settings.CRMSYNC, "READ_ONLY": True}
    sync.hub.ui_update("contacts", ada_id, {"city": "Oslo"})
    sync.deliver()
    before = sync.writes()
    sync.drain()
    ada.refresh_from_db()
    assert ada.city == "Oslo"
    ada.first_name = "Kept"
    ada.save()
    sync.drain()
    assert sync.writes() == before
    assert OutboxEntry.objects.count() == 1


def test_read_only_refuses_every_write_call(sync, settings) -> None:
    """F11: not only the queue: the client itself makes no writing call."""
    settings.CRMSYNC = {**settings.CRMSYNC, "READ_ONLY": True}
    client = remote.client_for(access.access_of(sync.portal))
    from crmsync.hubspot import objects, types

    before = sync.writes()
    settled = objects.create_batch(client, "contacts", [types.CreateInput("t", {"email": "no@example.com"})])
    assert isinstance(settled.failed["t"], remote.Halted)
    assert account.details(client).portal_id == 4242
    assert sync.writes() == before


def test_a_second_installation_writes_nothing_until_it_is_confirmed(sync, settings) -> None:
    """Fault 49, U15, F11: the mark of the first on the key property stops the second, once and not for ever."""
    Person.objects.create(email="first@example.com")
    sync.drain()
    settings.CRMSYNC = {**settings.CRMSYNC, "PUBLIC_URL": "https://second.example.com"}
    Portal.objects.update(fingerprint={})
    sync.portal.refresh_from_db()
    environment.bind(sync.portal)  # as an installation of its own, with a database of its own
    type(sync.people).objects.update(is_provisioned=False)
    before = sync.writes()
    Person.objects.create(email="second@example.com")
    sync.drain()
    sync.portal.refresh_from_db()
    assert sync.portal.other_install
    assert sync.writes() == before
    assert OutboxEntry.objects.get().last_code == "portal.other_install"
    standing.confirm(sync.portal)
    discover.discover(sync.portal)
    sync.portal.refresh_from_db()
    assert sync.portal.other_install == ""
    sync.drain()
    assert {one["properties"]["email"] for one in sync.contacts()} == {"first@example.com", "second@example.com"}


def test_the_daily_limit_pauses_until_midnight_in_the_portals_zone(sync) -> None:
    """Fault 10, A22: no call before the account's own midnight; a test by hand still says why."""
    sync.hub.set_limits(enabled=True, daily=1, daily_used=5)
    Person.objects.create(email="tomorrow@example.com")
    sync.drain()
    portal = Portal.objects.get()
    assert portal.state == "connected"
    assert portal.waits_code == "portal.quota_day"
    local = portal.waits_until.astimezone(__import__("zoneinfo").ZoneInfo(portal.time_zone))
    assert (local.hour, local.minute) == (0, 1)
    before = calls(sync)
    sync.drain()
    assert calls(sync) == before
    with pytest.raises(connect.ConnectError, match="daily limit"):
        connect.test(portal)
    sync.hub.set_limits(enabled=False)
    portals.wait(portal.pk, timezone.now() - datetime.timedelta(seconds=1), "portal.quota_day")
    OutboxEntry.objects.update(due_at=timezone.now())
    sync.drain()
    assert len(sync.contacts()) == 1


def test_other_apps_keep_their_share_of_the_day(sync) -> None:
    """Fault 11, I15: HubSpot's own count decides, not ours."""
    sync.hub.set_limits(enabled=True, daily=1000, daily_used=950)
    Person.objects.create(email="share@example.com")
    sync.drain()
    portal = Portal.objects.get()
    assert portal.waits_code == "portal.quota_share"
    assert portal.daily_limit in (None, 1000)


def test_calls_are_counted_by_day_and_family(sync) -> None:
    """C31: what was called, kept by the account's own day."""
    Person.objects.create(email="counted@example.com")
    sync.drain()
    meter.write()
    made = len(list(sync.hub.ledger.requests()))
    counted = sum(ApiUsage.objects.values_list("calls", flat=True))
    assert 0 < counted <= made
    assert made - counted <= 2  # the first look at the account is made before there is a portal to count for
    families = {
        family for family, *_ in usage.by_family(sync.portal.pk, timezone.now().date() - datetime.timedelta(1))
    }
    assert "objects" in families


def test_a_wrong_clock_is_noticed(sync) -> None:
    """Fault 21: by the Date header of HubSpot's answers."""
    sync.hub.skew_clock(600)
    Person.objects.create(email="clock@example.com")
    sync.drain()
    meter.write()
    sync.portal.refresh_from_db()
    assert sync.portal.clock_skew == pytest.approx(-600, abs=5)


def test_the_webhook_secret_is_replaced_with_an_overlap(sync, ada, ada_id) -> None:
    """Fault 23: old and new are accepted for a while, then only the new one."""
    entered = credentials.Entered("static", client_secret="the-new-client-secret")
    credentials.enter(sync.portal, entered, timezone.now(), datetime.timedelta(hours=1))
    sync.hub.ui_update("contacts", ada_id, {"city": "Bern"})
    assert sync.deliver() == 1  # signed with the old one
    sync.hub.set_webhooks(secret="the-new-client-secret")
    sync.hub.ui_update("contacts", ada_id, {"city": "Basel"})
    assert sync.deliver() == 1
    Credential.objects.update(previous_until=timezone.now())
    assert credentials.webhook_secrets(timezone.now())[4242] == ("the-new-client-secret",)


def test_one_apps_secret_does_not_speak_for_another_portal(sync, ada_id) -> None:
    """promises.md 5: whoever knows the secret of one portal's app cannot forge events of another one."""
    other = Portal.objects.create(label="Other", hub_id=9999, state="connected")
    entered = credentials.Entered("static", token="x" * 20, client_secret="secret-of-the-other")
    credentials.enter(other, entered, timezone.now(), datetime.timedelta(hours=1))
    sync.hub.set_webhooks(secret="secret-of-the-other")
    sync.hub.ui_update("contacts", ada_id, {"city": "Forged"})
    before = InboxEvent.objects.count()
    statuses = []

    def post(url, headers, body) -> int:
        from django.test import Client

        named = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
        named.pop("HTTP_CONTENT_TYPE", None)
        answer = Client().post("/crmsync/webhook/", body, content_type="application/json", **named)
        statuses.append(answer.status_code)
        return answer.status_code

    sync.hub.deliver_webhooks(post)
    jobs.work(2.0)
    assert statuses == [202]
    assert InboxEvent.objects.count() == before


def test_keys_are_rotated_without_losing_a_secret(sync, settings) -> None:
    """C18, Fault 50: everything is encrypted with the first key; the last one may then go."""
    with_keys(settings, ["new-key", *settings.FERNET_KEYS])
    try:
        assert credentials.rotate_keys() == (1, 0)
        with_keys(settings, ["new-key"])
        assert Credential.objects.get().token == sync.hub.token
        with_keys(settings, ["wrong-key"])
        assert credentials.rotate_keys() == (0, 1)
    finally:
        with_keys(settings, ["new-key"])


def test_a_lost_key_is_a_state_and_no_traceback(sync, settings) -> None:
    """Fault 50: the portal asks for its secret again; entering it goes on with all that waited."""
    Person.objects.create(email="key@example.com")
    keys = settings.FERNET_KEYS
    with_keys(settings, ["lost"])
    try:
        sync.drain()
        portal = Portal.objects.get()
        assert portal.state == "key_missing"
        with pytest.raises(connect.ConnectError, match="decrypted"):
            connect.test(portal)
        connect.connect(
            portal, credentials.Entered("static", token=sync.hub.token, client_secret="again-again-again")
        )
        OutboxEntry.objects.update(due_at=timezone.now())
        sync.drain()
        assert len(sync.contacts()) == 1
    finally:
        with_keys(settings, keys)


def with_keys(settings, keys: list[str]) -> None:
    """A process reads its keys once, so what the columns and the ledger remember of them is forgotten."""
    settings.FERNET_KEYS = list(keys)
    for name in credentials.SECRETS:
        for cached in ("keys", "fernet_keys", "fernet"):
            vars(Credential._meta.get_field(name)).pop(cached, None)
    credentials._decrypted.cache_clear()


def test_no_secret_is_in_any_repr(sync) -> None:
    """I19: what a log or an error report would print."""
    one = credentials.load(sync.portal.pk)
    shown = f"{one!r} {access.app_of(one)!r} {Credential.objects.get()!r} {access.access_of(sync.portal)!r}"
    shown += f"{credentials.Entered('static', token=sync.hub.token)!r}"
    assert sync.hub.token not in shown
    assert "flow-tests-client-secret" not in shown


def test_each_refusal_of_the_token_endpoint_has_its_words() -> None:
    """C24: what HubSpot's word means, and what to do."""
    for reason in ("BAD_REFRESH_TOKEN", "BAD_AUTH_CODE", "BAD_REDIRECT_URI", "BAD_CLIENT_ID", "BAD_CLIENT_SECRET"):
        verdict = failures.classify(errors.BadGrant(reason=reason))
        assert reason not in verdict.message
        assert verdict.state == ("uninstalled" if reason == "BAD_REFRESH_TOKEN" else "revoked")
