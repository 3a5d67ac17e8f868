"""Bad days: killed workers, lost answers, limits and refusals. Nothing is lost, nothing is made twice."""

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from crmsync.flows import access, apply, connect, rows, settle
from crmsync.ledger import credentials
from crmsync.models import Credential, InboxEvent, Link, Mapping, OutboxEntry, Portal
from crmsync.sides import remote
from project.demo.models import Person


class Killed(BaseException):
    """Ends a worker where it stands, as SIGKILL does: no handler of ours catches it."""


def revive() -> None:
    """The leases of the dead run out."""
    past = timezone.now() - timezone.timedelta(seconds=1)
    for queue in (OutboxEntry, InboxEvent, Link):
        queue.objects.exclude(leased_until=None).update(leased_until=past)
    OutboxEntry.objects.update(due_at=past)
    InboxEvent.objects.update(due_at=past)


def die(*args, **kwargs) -> None:
    raise Killed


def test_killed_after_the_create(sync, monkeypatch) -> None:
    """Fault 1, I7: HubSpot has it, we do not know: the retry finds the same record by its key."""
    Person.objects.create(email="once@example.com", first_name="Once")
    with monkeypatch.context() as patch:
        patch.setattr(settle, "settle", die)
        with pytest.raises(Killed):
            sync.drain()
    assert len(sync.contacts()) == 1
    revive()
    sync.drain()
    (record,) = sync.contacts()
    assert Link.objects.get().remote_id == record["id"]
    assert sync.queued() == (0, 0)


def test_killed_after_the_update_and_then_edited(sync, ada, ada_id, monkeypatch) -> None:
    """Fault 1, I11: our own unconfirmed write must not look like HubSpot's newer edit."""
    ada.last_name = "First edit"
    ada.save()
    with monkeypatch.context() as patch:
        patch.setattr(settle, "settle", die)
        with pytest.raises(Killed):
            sync.drain()
    assert sync.contact(ada_id)["lastname"] == "First edit"
    ada.last_name = "Second edit"
    ada.save()
    revive()
    sync.drain()
    sync.deliver()
    sync.drain()
    ada.refresh_from_db()
    assert ada.last_name == "Second edit"
    assert sync.contact(ada_id)["lastname"] == "Second edit"


def test_killed_before_any_call(sync, monkeypatch) -> None:
    """Fault 2: the claimed row is due again when its lease runs out."""
    Person.objects.create(email="later@example.com")
    with monkeypatch.context() as patch:
        patch.setattr(apply, "apply", die)
        with pytest.raises(Killed):
            sync.drain()
    sync.drain()
    assert sync.contacts() == []
    revive()
    sync.drain()
    assert len(sync.contacts()) == 1


@pytest.mark.parametrize("kind", ["timeout", "reset", "truncated", "html", "empty"])
def test_an_answer_lost_after_it_was_applied(sync, kind) -> None:
    """Fault 13, 14: read back and adopted, never a second create."""
    sync.hub.plant_fault(kind, operation="create", family="batch", path="batch/create", after=True)
    sync.hub.plant_fault(kind, path="batch/create", after=True)
    Person.objects.create(email="maybe@example.com", first_name="Maybe")
    for _ in range(4):
        sync.drain()
        revive()
    assert len(sync.contacts()) == 1
    assert Link.objects.get().remote_id
    assert sync.queued() == (0, 0)


def test_a_partial_answer_settles_each_item_alone(sync) -> None:
    """Fault 15: the good ones are done and not sent again, the failed ones are tried again."""
    sync.hub.plant_fault("partial", path="batch/create", share=0.5)
    for number in range(20):
        Person.objects.create(email=f"p{number}@example.com")
    for _ in range(4):
        sync.drain()
        revive()
    assert len(sync.contacts()) == 20
    assert Link.objects.exclude(remote_id=None).count() == 20


def test_one_bad_record_holds_up_nobody(sync) -> None:
    """Fault 16, I14: HubSpot refuses one; the others go, and the reason names the property."""
    Person.objects.create(email="good@example.com")
    Person.objects.create(email="bad@example.com", bio="x" * 65_537)
    Person.objects.create(email="fine@example.com")
    sync.drain()
    sent = {record["properties"]["email"] for record in sync.contacts()}
    assert {"good@example.com", "fine@example.com"} <= sent
    (row,) = OutboxEntry.objects.filter(state="parked")
    assert "65" in row.last_message or "long" in row.last_message


def test_a_rate_limit_is_no_failure(sync) -> None:
    """A22, C23: a 429 waits and is counted against nobody."""
    sync.hub.plant_fault("status", status=429, policy="TEN_SECONDLY_ROLLING", times=1)
    Person.objects.create(email="patient@example.com")
    sync.drain()
    row = OutboxEntry.objects.get()
    assert (row.state, row.attempts) == ("due", 0)
    assert row.due_at > timezone.now()
    revive()
    sync.drain()
    assert len(sync.contacts()) == 1


def test_a_revoked_token_stops_the_portal_and_keeps_the_work(sync) -> None:
    """Fault 26, C22: the first 401 turns the portal to revoked; nothing is lost or tried hot."""
    sync.hub.plant_fault("status", status=401, times=None)
    Person.objects.create(email="waiting@example.com")
    sync.drain()
    portal = Portal.objects.get()
    assert portal.state == "revoked"
    assert "token" in portal.state_reason
    calls = len(list(sync.hub.ledger.requests()))
    sync.drain()
    assert len(list(sync.hub.ledger.requests())) == calls
    sync.hub.faults.clear()
    connect.test(portal)
    revive()
    sync.drain()
    assert len(sync.contacts()) == 1


def test_a_missing_scope_pauses_the_mapping_with_its_name(sync) -> None:
    """A missing scope is named, the mapping stops, and its work is kept."""
    sync.hub.add_token(
        "pat-na1-fakehub-narrow-token-0002", ["crm.objects.contacts.read", "crm.schemas.contacts.write"]
    )
    Credential.objects.update(token="pat-na1-fakehub-narrow-token-0002")
    Person.objects.create(email="scoped@example.com")
    sync.drain()
    mapping = Mapping.objects.get(pk=sync.people.pk)
    assert mapping.state == "paused"
    assert "crm.objects.contacts.write" in mapping.problem
    assert OutboxEntry.objects.count() == 1


def test_a_mapping_that_names_no_property_is_stopped_with_the_remedy(sync) -> None:
    """Bad input: where no field of a mapping can work, one sentence that names the property, nothing written."""
    sync.people.fields.exclude(local="city").delete()
    sync.people.fields.filter(local="city").update(remote="no_such_property")
    Person.objects.create(email="x@example.com")
    sync.drain()
    mapping = Mapping.objects.get(pk=sync.people.pk)
    assert mapping.state == "paused"
    assert "no_such_property" in mapping.problem
    assert "Refresh fields" in mapping.problem
    assert sync.contacts() == []


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("", "access token"),
        ("two words", "access token"),
        ("pat-na1-00000000-0000-4000-8000-000000000000", "does not accept"),
    ],
)
def test_a_wrong_token(hub, db, token, words, monkeypatch) -> None:
    """C8, C13: refused with the remedy, and no portal is stored."""
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO(f"{token}\nsecret\n"))
    with pytest.raises(CommandError, match=words):
        call_command("crmsync_connect", "Main", "--stdin")
    assert Portal.objects.count() == 0


def test_an_unreachable_host(db, settings) -> None:
    """One sentence that names the cause and where to look."""
    settings.CRMSYNC = {**settings.CRMSYNC, "API_URL": "https://127.0.0.1:9"}
    portal = Portal(label="Nowhere")
    with pytest.raises(connect.ConnectError, match="could not be reached"):
        connect.connect(portal, credentials.Entered("static", token="pat-na1-00000000-0000-4000-8000-000000000000"))


def test_a_plain_http_host_is_refused(db, settings) -> None:
    """C19: tokens travel over TLS only."""
    settings.CRMSYNC = {**settings.CRMSYNC, "API_URL": "http://api.hubapi.example"}
    portal = Portal(label="Plain")
    with pytest.raises(connect.ConnectError, match="https"):
        connect.connect(portal, credentials.Entered("static", token="pat-na1-00000000-0000-4000-8000-000000000000"))


def test_a_hubspot_edit_between_our_read_and_our_write_is_logged(sync, ada, ada_id, monkeypatch) -> None:
    """I10: the value that our update replaced unseen is found in the history and kept."""
    from crmsync.models import Conflict

    ada.last_name = "Ours"
    ada.save()
    plain = apply._update_remote

    def meddle(one, works) -> None:
        sync.hub.ui_update("contacts", ada_id, {"lastname": "Theirs"})
        plain(one, works)

    monkeypatch.setattr(apply, "_update_remote", meddle)
    sync.drain()
    assert sync.contact(ada_id)["lastname"] == "Ours"
    assert Conflict.objects.filter(remote_value="Theirs", winner="local").count() == 1


def test_a_local_edit_between_our_read_and_our_write_wins_time(sync, ada, ada_id, monkeypatch) -> None:
    """I11: a row that moved on while it was planned is planned again, never overwritten unseen."""
    from crmsync.models import Conflict

    sync.hub.ui_update("contacts", ada_id, {"lastname": "Theirs"})
    sync.deliver()
    plain, seen = rows.write, []

    def meddle(one, works, *rest):
        if not seen:
            seen.append(1)
            Person.objects.filter(pk=ada.pk).update(last_name="Ours")
        return plain(one, works, *rest)

    monkeypatch.setattr(rows, "write", meddle)
    sync.drain()
    ada.refresh_from_db()
    assert ada.last_name == "Theirs"
    assert Conflict.objects.filter(local_value="Ours", remote_value="Theirs").count() == 1


def test_a_long_wait_is_the_queues_not_the_workers(sync, settings) -> None:
    """A22, I14: nobody sleeps through a lease for the portal's pace; the row waits, and is counted against nobody."""
    settings.CRMSYNC = {**settings.CRMSYNC, "BURST_PER_10_SECONDS": 100}
    remote._clients.clear()
    access.hold_back(sync.portal.pk, 60.0)
    Person.objects.create(email="later@example.com")
    sync.drain()
    row = OutboxEntry.objects.get()
    assert (row.state, row.attempts, row.last_code) == ("due", 0, "portal.quota_burst")
    assert row.due_at > timezone.now() + timezone.timedelta(seconds=30)
