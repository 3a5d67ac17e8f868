"""A new version of a live mapping: prepared beside it, tried on a few records, promoted, or dropped and put back."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crmsync.engine import config
from crmsync.engine.terms import Outcome
from crmsync.flows import apply, backfill, canary, configure, dossier, lifecycle, overview, trial, versions
from crmsync.ledger import canaries, journal, links, specs, steps
from crmsync.models import (
    AcceptedProof,
    Association,
    Canary,
    CanaryRecord,
    InboxEvent,
    Link,
    LogEntry,
    Mapping,
    OutboxEntry,
    Run,
)
from project.demo.models import Organisation, Person
from tests import factories


@pytest.fixture
def version(sync) -> Mapping:
    """A version that sends the biography to another property, which is blank until then."""
    made = versions.prepare(sync.people, None)
    retarget(made)
    return made


def retarget(version: Mapping) -> None:
    """The biography goes to another property."""
    version.fields.filter(local="bio").update(remote="message")
    lifecycle.note_edit(version, None)


def make_people(sync, count: int) -> list[Person]:
    """Linked and in sync; each has a biography."""
    found = [
        Person.objects.create(first_name=f"P{n}", email=f"p{n}@example.com", city="Rome", bio=f"life {n}")
        for n in range(count)
    ]
    settle_all(sync)
    return found


def settle_all(sync) -> None:
    sync.drain()
    sync.deliver()
    sync.drain()


def remote_of(sync, person: Person) -> dict:
    return sync.contact(Link.objects.get(local_pk=person.pk).remote_id)


def sent_to(sync, person: Person) -> str | None:
    """What the version alone sends: the biography."""
    return remote_of(sync, person).get("message") or None


def start(version: Mapping, *people: Person) -> Canary:
    chosen = canary.choose(version, [f"django:{one.pk}" for one in people])
    assert chosen.refused == ()
    return canary.start(version, chosen.links, None)


def map_statuses(mapping: Mapping, **lines: str) -> None:
    """The value map of the status: Django's value = HubSpot's."""
    field = mapping.fields.get(local="status")
    field.value_map.all().delete()
    for local, remote in lines.items():
        factories.ValueMapEntryFactory(field=field, local_value=local, remote_value=remote)
    lifecycle.note_edit(mapping, None)


# --- Preparing ----------------------------------------------------------------------------------------------------


def test_a_version_is_a_full_copy_beside_the_live_mapping(sync) -> None:
    """F20: the copy says what the live mapping says, which is not touched."""
    before = configure.text_of(sync.people)
    made = versions.prepare(sync.people, None)
    sync.people.refresh_from_db()
    assert (sync.people.state, sync.people.revision, configure.text_of(sync.people)) == ("live", 1, before)
    assert (made.state, made.version_of) == ("draft", sync.people)
    assert configure.text_of(made) == before.replace('"People"', '"People (new version)"')


def test_a_mapping_has_one_version_at_most(sync) -> None:
    versions.prepare(sync.people, None)
    with pytest.raises(versions.VersionError, match="is prepared already"):
        versions.prepare(sync.people, None)


def test_a_version_of_a_mapping_kept_in_a_file_is_refused_with_the_remedy(sync) -> None:
    Mapping.objects.filter(pk=sync.people.pk).update(locked_by="crm.json")
    with pytest.raises(versions.VersionError, match="Edit that file"):
        versions.prepare(sync.people, None)


def test_what_a_person_accepted_of_the_proof_counts_for_the_version(sync) -> None:
    field = sync.people.fields.get(local="city")
    AcceptedProof.objects.create(field=field, key="k")
    made = versions.prepare(sync.people, None)
    assert AcceptedProof.objects.filter(field__mapping=made, field__local="city", key="k").exists()


def test_a_version_never_runs_by_itself(sync, version) -> None:
    """F20: it is not captured for, switched on, backfilled, or used to sync one record."""
    Person.objects.create(email="new@example.com")
    assert not OutboxEntry.objects.filter(mapping=version).exists()
    with pytest.raises(lifecycle.LifecycleError, match="Promote it"):
        lifecycle.switch_on(version, None, may_approve=True)
    with pytest.raises(Exception, match="not live"):
        backfill.start(version, "backfill_push")
    with pytest.raises(trial.TrialError, match="is a new version"):
        trial.sync(version, dossier.Item(local_pk="1"))


def test_a_version_is_in_no_file_and_in_no_overview(sync, version) -> None:
    assert "new version" not in configure.export(sync.portal, configure.Options()).text
    assert [row.mapping for row in overview.rows()].count(version.label) == 0
    with pytest.raises(config.ConfigError, match="has no mapping"):
        configure.export(sync.portal, configure.Options(chosen=(version.label,)))


def test_a_file_cannot_take_the_name_of_a_version(sync, version) -> None:
    text = configure.export(sync.portal, configure.Options()).text.replace('"People"', f'"{version.label}"')
    with pytest.raises(config.ConfigError, match="taken by a new version"):
        configure.apply(sync.portal, text, configure.Options())


def test_the_preview_of_a_version_shows_linked_records_as_linked(sync, version) -> None:
    """F20: it plans with the links and bases of the live mapping."""
    make_people(sync, 1)
    (plan,) = backfill.preview(version, "backfill_push")
    (pair,) = plan.pairs
    assert (pair.outcome, pair.creates) == ("updated", None)
    assert [write.name for write in pair.remote_writes] == ["message"]


# --- Trying -------------------------------------------------------------------------------------------------------


def test_a_canary_writes_its_records_and_no_others(sync, version) -> None:
    """F20: the new version is applied to the chosen records; the live one goes on for all others."""
    ada, bob = make_people(sync, 2)
    one = start(version, ada)
    assert (sent_to(sync, ada), sent_to(sync, bob)) == ("life 0", None)
    (row,) = one.records.all()
    (written,) = canaries.written_of(row)
    assert (written.side, written.before, written.after) == ("remote", None, "life 0")
    assert (row.state, row.outcome) == ("tried", "updated")
    assert Run.objects.get(kind="canary").counts == {"updated": 1}


def test_a_record_in_which_nothing_differs_is_not_written(sync) -> None:
    version = versions.prepare(sync.people, None)
    (ada,) = make_people(sync, 1)
    writes = sync.writes()
    one = start(version, ada)
    assert (one.records.get().outcome, sync.writes()) == ("unchanged", writes)


def test_the_live_mapping_leaves_the_records_alone_and_nothing_is_lost(sync, version) -> None:
    """F20: marks of both sides stay, and are worked on once the canary has ended."""
    ada, bob = make_people(sync, 2)
    one = start(version, ada)
    for person in (ada, bob):
        person.city = "Paris"
        person.save()
    sync.hub.ui_update("contacts", Link.objects.get(local_pk=ada.pk).remote_id, {"phone": "+49 30 1"})
    settle_all(sync)
    assert (remote_of(sync, ada)["city"], remote_of(sync, bob)["city"]) == ("Rome", "Paris")
    assert {row.last_code for row in (*OutboxEntry.objects.all(), *InboxEvent.objects.all())} == {"canary.open"}
    canary.drop(one)
    settle_all(sync)
    ada.refresh_from_db()
    assert (remote_of(sync, ada)["city"], ada.phone, sync.queued()) == ("Paris", "+49 30 1", (0, 0))


def test_the_work_of_a_mapping_without_a_canary_asks_for_none(sync, ada) -> None:
    """No query more: what a link needs to know stands on the link."""
    with CaptureQueriesContext(connection) as asked:
        ada.city = "Paris"
        ada.save()
        sync.drain()
    assert len(asked) > 0
    assert [one["sql"] for one in asked if '"crmsync_canary' in one["sql"]] == []


def test_only_linked_records_can_be_chosen(sync, version) -> None:
    ada, bob = make_people(sync, 2)
    Link.objects.filter(local_pk=bob.pk).update(state="ended")
    chosen = canary.choose(version, [str(ada.pk), f"django:{bob.pk}", "nobody"])
    assert [link.local_pk for link in chosen.links] == [str(ada.pk)]
    assert [text for text, _why in chosen.refused] == [f"django:{bob.pk}", "nobody"]


def test_a_key_that_means_two_records_is_asked_again(sync, version) -> None:
    ada, bob = make_people(sync, 2)
    Link.objects.filter(local_pk=bob.pk).update(remote_id=str(ada.pk))
    ((_text, why),) = canary.choose(version, [str(ada.pk)]).refused
    assert "django: or hubspot:" in why


def test_twenty_five_are_drawn_at_random(sync, version) -> None:
    make_people(sync, 30)
    assert len(canary.draw(version, 100).links) == 25
    assert len(canary.draw(version, 3).links) == 3


def test_a_canary_makes_and_removes_no_record(sync, version) -> None:
    """What could not be undone is refused: here an unlinking, since the row is gone."""
    (ada,) = make_people(sync, 1)
    link = Link.objects.get(local_pk=ada.pk)
    Person.objects.filter(pk=ada.pk).delete()
    one = canary.start(version, [link], None)
    assert one.records.get().reason == "canary.refused"
    assert Link.objects.get(pk=link.pk).state == "linked"


def test_a_merge_of_a_record_in_a_canary_waits_and_is_followed_afterwards(sync, version) -> None:
    """F20, Fault 28: the live mapping writes no record of an open canary, whatever id HubSpot tells it by."""
    (ada,) = make_people(sync, 1)
    one, before = start(version, ada), Link.objects.get().remote_id
    stranger = sync.hub.plant("contacts", [{"email": "other@example.com", "city": "Leeds"}])[0]
    left = sync.hub.ui_merge("contacts", stranger, before)
    settle_all(sync)
    ada.refresh_from_db()
    assert (ada.city, Link.objects.get().remote_id) == ("Rome", before)
    assert set(InboxEvent.objects.values_list("last_code", flat=True)) == {"canary.open"}
    canary.drop(one)
    settle_all(sync)
    ada.refresh_from_db()
    assert (ada.city, Link.objects.get().remote_id, sent_to(sync, ada)) == ("Leeds", left, None)
    assert sync.queued() == (0, 0)


def test_nobody_moves_the_base_of_a_record_in_a_canary(sync, version) -> None:
    """A conflict that is decided meanwhile would be taken back by the drop: it waits like a held record."""
    (ada,) = make_people(sync, 1)
    start(version, ada)
    before = Link.objects.get().base
    seen = tuple(before["city|city"])
    facts = {"seen": seen, "agreed": ("Oslo", "Rome"), "now": timezone.now()}
    with transaction.atomic():
        assert links.rebase(sync.people.pk, str(ada.pk), "city|city", **facts) is None
    assert Link.objects.get().base == before


def test_a_version_that_is_tried_stays_as_it_is(sync, version) -> None:
    (ada,) = make_people(sync, 1)
    one = start(version, ada)
    version.refresh_from_db()
    assert version.locked_by == canaries.LOCK
    canary.drop(one)
    version.refresh_from_db()
    assert version.locked_by == ""


def test_a_pause_of_the_live_mapping_stops_the_canary_too(sync, version, monkeypatch) -> None:
    """F20: whoever pauses it because something is wrong wants no more records written; dropping goes on."""
    (ada,) = make_people(sync, 1)
    kill(monkeypatch, "before")
    with pytest.raises(Killed):
        start(version, ada)
    monkeypatch.undo()
    leases_end()
    lifecycle.pause(sync.people, None)
    one = Canary.objects.get()
    with pytest.raises(canary.CanaryError, match="is not live"):
        canary.go_on(one)
    assert sent_to(sync, ada) is None
    assert canary.drop(one).open == ()


def test_a_record_that_hubspot_refuses_says_so_and_is_tried_again(sync, version, monkeypatch) -> None:
    """F20: errors, record by record."""
    (ada,) = make_people(sync, 1)

    def refused(opened, works) -> None:
        for work in works:
            work.stop = dossier.Stop("remote.rejected", "HubSpot rejected it.", outcome=Outcome.FAILED, park=True)

    with monkeypatch.context() as patch:
        patch.setattr(apply, "_update_remote", refused)
        one = start(version, ada)
    row = one.records.get()
    assert (row.state, row.outcome, row.said) == ("waiting", "failed", ["HubSpot rejected it."])
    assert canary.go_on(one) == 0
    assert sent_to(sync, ada) == "life 0"


# --- Dropping -----------------------------------------------------------------------------------------------------


def test_dropping_puts_every_value_back(sync, version) -> None:
    """F20: undone on the side it was written; the live mapping has nothing to carry afterwards."""
    people = make_people(sync, 25)
    bases = dict(Link.objects.values_list("pk", "base"))
    one = start(version, *people)
    assert all(sent_to(sync, person) for person in people)
    assert canary.drop(one) == canary.Dropped(25)
    assert not any(sent_to(sync, person) for person in people)
    assert dict(Link.objects.values_list("pk", "base")) == bases
    writes = sync.writes()
    settle_all(sync)
    assert (sync.writes(), sync.queued()) == (writes, (0, 0))
    assert (Canary.objects.count(), CanaryRecord.objects.count()) == (0, 0)
    assert not Link.objects.filter(in_canary=True).exists()


def test_a_value_edited_since_is_left_and_named(sync, version) -> None:
    """F20: what somebody wrote after the canary stays; the log names the field, not the value."""
    ada, bob = make_people(sync, 2)
    one = start(version, ada, bob)
    sync.hub.ui_update("contacts", Link.objects.get(local_pk=ada.pk).remote_id, {"message": "mine"})
    found = canary.drop(one)
    assert (sent_to(sync, ada), sent_to(sync, bob)) == ("mine", None)
    ((record, why),) = found.left
    assert str(ada.pk) in record
    assert "edited since" in why
    assert LogEntry.objects.filter(local_pk=ada.pk, reason="canary.dropped", detail__contains="edited since").exists()


def test_a_value_of_django_is_put_back_exactly(sync, version) -> None:
    """A pulled value goes back with its blanks and letter case."""
    (ada,) = make_people(sync, 1)
    Person.objects.filter(pk=ada.pk).update(first_name=" Ada ")
    link = Link.objects.get(local_pk=ada.pk)
    link.base["first_name|firstname"][0] = " Ada "
    link.save()
    sync.hub.ui_update("contacts", link.remote_id, {"firstname": "Grace"})
    one = start(version, ada)
    ada.refresh_from_db()
    assert ada.first_name == "Grace"
    canary.drop(one)
    ada.refresh_from_db()
    assert ada.first_name == " Ada "
    settle_all(sync)
    ada.refresh_from_db()
    assert (ada.first_name, remote_of(sync, ada)["firstname"]) == ("Grace", "Grace")


def test_a_value_put_back_does_not_move_the_other_side(sync) -> None:
    """F20, A17: two statuses share one of HubSpot's, so what is put back means another one on its way in."""
    map_statuses(sync.people, lead="NEW", prospect="NEW", customer="CONNECTED", former="UNQUALIFIED")
    ada = Person.objects.create(email="ada@example.com", status="prospect")
    settle_all(sync)
    version = versions.prepare(sync.people, None)
    map_statuses(version, lead="NEW", prospect="NEW", customer="CONNECTED", former="OPEN")
    ada.status = "former"
    ada.save()
    one = start(version, ada)
    assert remote_of(sync, ada)["hs_lead_status"] == "OPEN"
    ada.status = "prospect"
    ada.save()
    canary.drop(one)
    assert remote_of(sync, ada)["hs_lead_status"] == "NEW"
    settle_all(sync)
    ada.refresh_from_db()
    assert (ada.status, remote_of(sync, ada)["hs_lead_status"]) == ("prospect", "NEW")


def test_a_change_the_canary_carried_is_carried_again_by_the_live_mapping(sync) -> None:
    """F20: what was edited before the canary is nothing the drop may swallow."""
    ada = Person.objects.create(email="ada@example.com", status="customer")
    settle_all(sync)
    version = versions.prepare(sync.people, None)
    map_statuses(version, lead="OPEN", customer="CONNECTED")
    Person.objects.filter(pk=ada.pk).update(status="lead")
    one = start(version, ada)
    assert remote_of(sync, ada)["hs_lead_status"] == "OPEN"
    canary.drop(one)
    settle_all(sync)
    ada.refresh_from_db()
    assert (ada.status, remote_of(sync, ada)["hs_lead_status"]) == ("lead", "NEW")


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_worker_killed_while_trying_can_be_put_back(sync, version, monkeypatch, moment) -> None:
    """F20: killed on either side of the write; what was there is known."""
    (ada,) = make_people(sync, 1)
    kill(monkeypatch, moment)
    with pytest.raises(Killed):
        start(version, ada)
    monkeypatch.undo()
    one = Canary.objects.get()
    assert bool(sent_to(sync, ada)) is (moment == "after")
    leases_end()
    canary.drop(one)
    settle_all(sync)
    assert sent_to(sync, ada) is None


def test_a_worker_killed_while_trying_goes_on(sync, version, monkeypatch) -> None:
    """F20: tried again, and put back to what was there before the first try."""
    (ada,) = make_people(sync, 1)
    kill(monkeypatch, "after")
    with pytest.raises(Killed):
        start(version, ada)
    monkeypatch.undo()
    leases_end()
    one = Canary.objects.get()
    assert canary.go_on(one) == 0
    (written,) = canaries.written_of(one.records.get())
    assert (written.before, written.after) == (None, "life 0")
    canary.drop(one)
    assert sent_to(sync, ada) is None


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_worker_killed_while_dropping_goes_on(sync, version, monkeypatch, moment) -> None:
    """F20: dropping is safe to run twice."""
    ada, bob = make_people(sync, 2)
    bases = dict(Link.objects.values_list("pk", "base"))
    one = start(version, ada, bob)
    kill(monkeypatch, moment)
    with pytest.raises(Killed):
        canary.drop(one)
    monkeypatch.undo()
    leases_end()
    assert canary.drop(Canary.objects.get()).done == 2
    assert (sent_to(sync, ada), sent_to(sync, bob)) == (None, None)
    assert dict(Link.objects.values_list("pk", "base")) == bases
    settle_all(sync)
    assert sync.queued() == (0, 0)


class Killed(BaseException):
    """A worker that is gone: no net catches it."""


def kill(monkeypatch, moment: str) -> None:
    """The worker dies just before or just after its writes to HubSpot."""
    plain = apply._update_remote

    def dies(one, works) -> None:
        if moment == "after":
            plain(one, works)
        raise Killed

    monkeypatch.setattr(apply, "_update_remote", dies)


def leases_end() -> None:
    Link.objects.update(lease="", leased_until=None)


def test_a_value_that_cannot_be_put_back_keeps_the_canary_open_until_it_is_left(sync, version, monkeypatch) -> None:
    (ada,) = make_people(sync, 1)
    one = start(version, ada)

    def refused(opened, works) -> None:
        for work in works:
            work.stop = dossier.Stop("remote.rejected", "HubSpot rejected message.", park=True)

    with monkeypatch.context() as patch:
        patch.setattr(apply, "_update_remote", refused)
        found = canary.drop(one)
        assert found.open == ((str(one.records.get().link), "HubSpot rejected message."),)
        assert Canary.objects.exists()
        with pytest.raises(canary.CanaryError, match="being dropped"):
            canary.go_on(one)
        canary.drop(one, leaves=True)
    assert not Canary.objects.exists()
    assert not Link.objects.filter(in_canary=True).exists()


def test_a_version_that_cannot_be_loaded_any_more_does_not_hold_the_records_for_ever(sync, version, settings) -> None:
    """The host took the model out of its settings: the drop says so, and can be ended."""
    (ada,) = make_people(sync, 1)
    one = start(version, ada)
    settings.CRMSYNC = {**settings.CRMSYNC, "MODELS": ["demo.Organisation"]}
    with pytest.raises(specs.SpecError):
        canary.drop(one)
    canary.drop(Canary.objects.get(), leaves=True)
    assert not Canary.objects.exists()
    assert not Link.objects.filter(in_canary=True).exists()
    assert sent_to(sync, ada) == "life 0"


def test_a_run_of_a_canary_is_not_taken_up_by_workers(sync, version, monkeypatch) -> None:
    """Killed in its middle it is left running: nothing is a backfill that was none."""
    (ada,) = make_people(sync, 1)
    kill(monkeypatch, "before")
    with pytest.raises(Killed):
        start(version, ada)
    monkeypatch.undo()
    assert Run.objects.get(kind="canary").state == "running"
    assert journal.running(timezone.now()) == []


def test_after_a_drop_the_version_is_edited_and_tried_again(sync, version) -> None:
    """F20: a second canary."""
    (ada,) = make_people(sync, 1)
    canary.drop(start(version, ada))
    version.refresh_from_db()
    version.fields.filter(local="bio").update(remote="demo_bio")
    lifecycle.note_edit(version, None)
    one = start(version, ada)
    assert one.records.get().outcome == "unchanged"
    with pytest.raises(canary.CanaryError, match="is open"):
        canary.start(version, [Link.objects.get()], None)


def test_a_mapping_with_an_open_canary_is_not_deleted_in_the_admin(sync, version, admin_client) -> None:
    """What the canary wrote could not be put back any more."""
    (ada,) = make_people(sync, 1)
    start(version, ada)
    url = reverse("admin:crmsync_mapping_delete", args=[sync.people.pk])
    assert "People (new version)" in admin_client.get(url).content.decode()
    admin_client.post(url, {"post": "yes"})
    assert Mapping.objects.filter(pk=sync.people.pk).exists()


# --- Promoting ----------------------------------------------------------------------------------------------------


def test_promoting_makes_the_version_the_next_revision(sync, version) -> None:
    """F20: one transaction; links, state and name stay, the version is gone, the 25 are looked at again."""
    (ada,) = make_people(sync, 1)
    pairs = dict(Link.objects.values_list("pk", "remote_id"))
    start(version, ada)
    facts = versions.foresee(version)
    assert [str(one) for one in facts.changes]
    assert facts.waiting == 1
    versions.promote(version, None, may_approve=True, seen=facts.seen)
    live = Mapping.objects.get(pk=sync.people.pk)
    assert (live.state, live.label, live.revision) == ("live", "People", 2)
    assert live.fields.filter(local="bio", remote="message").exists()
    assert not Mapping.objects.filter(version_of=live).exists()
    assert (Canary.objects.count(), Link.objects.filter(in_canary=True).count()) == (0, 0)
    assert dict(Link.objects.values_list("pk", "remote_id")) == pairs
    ada.refresh_from_db()
    ada.bio = "longer"
    ada.save()
    settle_all(sync)
    assert (sent_to(sync, ada), sync.queued()) == ("longer", (0, 0))


def test_what_was_tested_and_approved_of_the_version_counts_for_the_new_revision(sync, version) -> None:
    """F20, A32: with who did it."""
    ann, bob, eve = (factories.UserFactory().pk for _ in range(3))
    lifecycle.mark_tested(version, ann, "tried")
    lifecycle.approve(version, bob, "fine")
    versions.promote(version, eve, may_approve=False)
    live = Mapping.objects.get(pk=sync.people.pk)
    life = lifecycle.find_life(live)
    assert (life.is_tested, life.is_approved) == (True, True)
    assert (steps.latest(live, "tested").by_id, steps.latest(live, "approved").by_id) == (ann, bob)
    assert steps.author_id(live) == eve


def test_with_two_persons_neither_a_canary_nor_a_promotion_goes_unapproved(sync, version, settings) -> None:
    """F20, A32."""
    settings.CRMSYNC = {**settings.CRMSYNC, "TWO_PERSON_APPROVAL": True}
    (ada,) = make_people(sync, 1)
    writes = sync.writes()
    with pytest.raises(canary.CanaryError, match="second person"):
        start(version, ada)
    with pytest.raises(lifecycle.LifecycleError, match="not approved"):
        versions.promote(version, None, may_approve=True)
    ann, bob = (factories.UserFactory().pk for _ in range(2))
    lifecycle.mark_tested(version, ann)
    lifecycle.approve(version, bob)
    assert sync.writes() == writes
    start(version, ada)
    version.refresh_from_db()
    versions.promote(version, ann, may_approve=False)
    assert lifecycle.find_life(Mapping.objects.get(pk=sync.people.pk)).is_approved


def test_a_promotion_that_was_overtaken_by_an_edit_is_refused(sync, version) -> None:
    """F20: what the dialog said must still be so; and it says what an edit of the live mapping would lose."""
    facts = versions.foresee(version)
    sync.people.fields.filter(local="city").update(direction="push")
    lifecycle.note_edit(sync.people, None)
    with pytest.raises(versions.VersionError, match="edited meanwhile"):
        versions.promote(version, None, may_approve=True, seen=facts.seen)
    assert [one.place for one in versions.foresee(version).overtaken] == ["city ↔ city › direction"]


def test_a_promotion_that_does_not_fit_changes_nothing(sync, version) -> None:
    (ada,) = make_people(sync, 1)
    start(version, ada)
    sync.portal.properties.filter(name="message").delete()
    with pytest.raises((config.ConfigError, specs.SpecError), match="message"):
        versions.promote(version, None, may_approve=True)
    assert Mapping.objects.get(pk=sync.people.pk).revision == 1
    assert Canary.objects.count() == 1


def test_associations_are_left_alone_by_a_canary_and_kept_by_the_promotion(sync) -> None:
    """F20: an association that a canary made could not be told from a person's; the promoted mapping has them all."""
    association = Association.objects.create(
        mapping=sync.people, to_mapping=sync.mappings["Organisations"], local="organisation"
    )
    home = Organisation.objects.create(name="Home", domain="home.example")
    ada = Person.objects.create(email="ada@example.com", organisation=home)
    settle_all(sync)
    key = Link.objects.get(mapping=sync.people).remote_id
    version = versions.prepare(sync.people, None)
    retarget(version)
    assert [one.to_mapping for one in version.associations.all()] == [sync.mappings["Organisations"]]
    Person.objects.filter(pk=ada.pk).update(organisation=None)
    start(version, ada)
    assert len(sync.hub.associated("contacts", key, "companies")) == 1
    version.refresh_from_db()
    versions.promote(version, None, may_approve=True)
    assert [one.pk for one in sync.people.associations.all()] == [association.pk]
    settle_all(sync)
    assert len(sync.hub.associated("contacts", key, "companies")) == 0
