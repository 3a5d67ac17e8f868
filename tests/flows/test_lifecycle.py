"""The life of a mapping: every step recorded, refused where it may not be taken, and edits of what runs replanned."""

import pytest

from crmsync import jobs
from crmsync.engine import config
from crmsync.engine import plan as plans
from crmsync.flows import backfill, configure, dossier, lifecycle, prove, prune, reconcile, revisions, scope
from crmsync.ledger import portals, specs, steps
from crmsync.models import Link, Mapping, MappingStep, OutboxEntry
from project.demo.models import Person
from tests import factories

LIFE = ["live", "approved", "tested"]


@pytest.fixture
def draft(db) -> Mapping:
    return factories.make_mapping(state="draft", label="People")


@pytest.fixture
def two_persons(settings) -> None:
    settings.CRMSYNC = {**settings.CRMSYNC, "TWO_PERSON_APPROVAL": True}


def person() -> int:
    return factories.UserFactory().pk


def told(mapping: Mapping) -> list[tuple[str, int, str]]:
    """The steps, the newest first."""
    return list(mapping.steps.values_list("state", "revision", "note"))


def add_contradiction(mapping: Mapping) -> None:
    """A value that a map takes elsewhere on its way back."""
    options = [["NEW", "New"], ["WON", "Won"]]
    factories.RemotePropertyFactory(
        portal=mapping.portal, name="stage", type="enumeration", field_type="select", options=options
    )
    field = factories.FieldMappingFactory(mapping=mapping, local="status", remote="stage")
    for ours, theirs, way in (("lead", "NEW", "push"), ("customer", "NEW", "pull")):
        factories.ValueMapEntryFactory(field=field, local_value=ours, remote_value=theirs, direction=way)


# --- Steps --------------------------------------------------------------------------------------------------------


def test_a_mapping_goes_from_draft_to_live_and_back_in_recorded_steps(draft) -> None:
    """A32: who, when, at which revision, why, and with which configuration."""
    ann = person()
    lifecycle.mark_tested(draft, ann, "tried with three contacts")
    assert draft.state == "tested"
    lifecycle.approve(draft, ann)
    assert draft.state == "approved"
    lifecycle.switch_on(draft, ann, may_approve=False)
    assert Mapping.objects.get().state == "live"
    lifecycle.pause(draft, ann)
    assert Mapping.objects.get().state == "paused"
    assert told(draft) == [
        ("paused", 1, ""),
        ("live", 1, ""),
        ("approved", 1, ""),
        ("tested", 1, "tried with three contacts"),
    ]
    assert {one.by_id for one in draft.steps.all()} == {ann}
    assert all('"name": "People"' in one.config for one in draft.steps.exclude(state="paused"))


def test_one_step_does_all_and_records_all(draft) -> None:
    """A32: the first try is pleasant, and nothing is left out of the record."""
    lifecycle.switch_on(draft, person(), may_approve=True)
    assert [state for state, *_ in told(draft)] == LIFE
    assert Mapping.objects.get().state == "live"


def test_who_may_not_approve_cannot_do_it_by_switching_on(draft) -> None:
    with pytest.raises(lifecycle.LifecycleError, match="Can approve mappings"):
        lifecycle.switch_on(draft, person(), may_approve=False)
    assert (Mapping.objects.get().state, told(draft)) == ("draft", [])


def test_errors_of_the_contract_keep_it_from_being_tested(draft) -> None:
    """A32, F8: a property that HubSpot does not have."""
    factories.FieldMappingFactory(mapping=draft, local="city", remote="town")
    with pytest.raises(lifecycle.LifecycleError, match="town"):
        lifecycle.mark_tested(draft, person())
    assert (Mapping.objects.get().state, told(draft)) == ("draft", [])


def test_a_value_that_comes_back_different_has_to_be_accepted(draft) -> None:
    """F5: it blocks being tested and going live, until a person accepts just that."""
    add_contradiction(draft)
    with pytest.raises(lifecycle.LifecycleError, match="lead becomes NEW becomes customer"):
        lifecycle.mark_tested(draft, person())
    with pytest.raises(lifecycle.LifecycleError, match="nobody has accepted"):
        lifecycle.switch_on(draft, person(), may_approve=True)
    accept_all(draft)
    lifecycle.switch_on(draft, person(), may_approve=True)
    assert Mapping.objects.get().state == "live"


def accept_all(mapping: Mapping) -> None:
    found = prove.open_changes(mapping, prove.prove(mapping))
    steps.accept([(one.field_id, each.key) for one, each in found], person())


def test_another_result_has_to_be_accepted_anew(draft) -> None:
    """F5: what was accepted is the value with what becomes of it, not the value alone."""
    add_contradiction(draft)
    accept_all(draft)
    assert not prove.open_changes(draft, prove.prove(draft))
    line = draft.fields.get(local="status").value_map.get(direction="pull")
    line.local_value = "former"
    line.save()
    ((one, found),) = prove.open_changes(draft, prove.prove(draft))
    assert (one.local, found.chain) == ("status", "lead becomes NEW becomes former")


def test_approval_is_of_the_revision_that_was_tested(draft) -> None:
    lifecycle.mark_tested(draft, person())
    lifecycle.note_edit(draft, person())
    with pytest.raises(lifecycle.LifecycleError, match="not tested at revision 2"):
        lifecycle.approve(draft, person())
    with pytest.raises(lifecycle.LifecycleError, match="edited meanwhile"):
        lifecycle.approve(Mapping(pk=draft.pk, label="People", revision=1, portal=draft.portal), person())


# --- Two persons --------------------------------------------------------------------------------------------------


def test_two_persons_are_an_editor_or_tester_and_somebody_else(draft, two_persons) -> None:
    """A32, F20: neither whoever edited last, nor whoever tested, nor nobody."""
    editor, tester, other = person(), person(), person()
    lifecycle.note_edit(draft, editor)
    lifecycle.mark_tested(draft, tester)
    for one in (editor, tester, None):
        with pytest.raises(lifecycle.LifecycleError, match="Ask a second person"):
            lifecycle.approve(draft, one)
    with pytest.raises(lifecycle.LifecycleError, match="Let a second person approve it"):
        lifecycle.switch_on(draft, editor, may_approve=True)
    lifecycle.approve(draft, other)
    lifecycle.switch_on(draft, editor, may_approve=False)
    assert Mapping.objects.get().state == "live"


def test_one_step_is_no_way_around_a_second_person(draft, two_persons) -> None:
    with pytest.raises(lifecycle.LifecycleError, match="Mark it as tested and let it be approved first"):
        lifecycle.switch_on(draft, person(), may_approve=True)
    assert told(draft) == []


# --- Edits --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("before", "after"), [("tested", "draft"), ("approved", "draft"), ("live", "live")])
def test_an_edit_takes_back_what_was_said_of_it_but_stops_nothing(draft, before, after) -> None:
    """A32: recorded with the new revision's configuration; work that waits for a paused mapping stays too."""
    Mapping.objects.update(state=before)
    draft.refresh_from_db()
    lifecycle.note_edit(draft, person())
    assert Mapping.objects.values_list("state", "revision").get() == (after, 2)
    assert told(draft) == [(after, 2, "edited")]
    assert draft.steps.get().config


def test_a_live_mapping_says_that_it_was_tested_before_it_was_edited(draft) -> None:
    """A32."""
    lifecycle.switch_on(draft, person(), may_approve=True)
    assert str(lifecycle.find_life(draft)) == "live at revision 1, tested at revision 1, approved at revision 1"
    for _ in range(2):
        lifecycle.note_edit(draft, person())
    life = lifecycle.find_life(draft)
    assert life.is_behind
    assert str(life) == "live at revision 3, tested at revision 1, approved at revision 1: prove again"
    lifecycle.mark_tested(draft, person())
    assert Mapping.objects.get().state == "live"
    assert not lifecycle.find_life(draft).is_behind


def test_what_was_only_paused_goes_on_but_not_what_was_edited_meanwhile(draft, two_persons) -> None:
    """A32: a pause is no edit; an edit while paused needs its own approval, and keeps the captured work."""
    Mapping.objects.update(state="live")
    draft.refresh_from_db()
    lifecycle.pause(draft, person())
    draft.refresh_from_db()
    lifecycle.switch_on(draft, person(), may_approve=False)
    lifecycle.pause(draft, person())
    draft.refresh_from_db()
    lifecycle.note_edit(draft, person())
    assert draft.state == "paused"
    with pytest.raises(lifecycle.LifecycleError, match="not approved at revision 2"):
        lifecycle.switch_on(draft, person(), may_approve=True)


def test_a_stop_by_the_sync_and_its_end_are_steps(draft) -> None:
    Mapping.objects.update(state="live")
    portals.stop_mapping(draft.pk, "A scope is missing.", "portal.scope")
    portals.stop_mapping(draft.pk, "Said twice.", "portal.scope")
    portals.resume_stopped(draft.portal, "portal.scope")
    assert told(draft) == [("live", 1, "portal.scope is gone"), ("paused", 1, "A scope is missing.")]


# --- Revisions ----------------------------------------------------------------------------------------------------


def test_a_revision_is_compared_and_restored(sync) -> None:
    """F20: what lies between two revisions in words; the old one comes back as a new one, of a live mapping too."""
    people = sync.people
    lifecycle.note_edit(people, person(), note="edited: the start")
    before = configure.text_of(people)
    people.fields.filter(local="city").update(direction="push")
    lifecycle.note_edit(people, person())
    people.label = "Persons"
    people.save()
    lifecycle.note_edit(people, person())
    (change,) = revisions.compare(people, 2, 3)
    assert str(change) == '~ Persons › city ↔ city › direction: "both" → "push"'
    assert [str(one) for one in revisions.plan(people, 2).changes] == [
        '~ Persons › city ↔ city › direction: "push" → "both"'
    ]
    ann = person()
    revisions.restore(people, 2, ann)
    people.refresh_from_db()
    assert (people.state, people.label, people.revision) == ("live", "Persons", 5)
    assert configure.text_of(people) == before.replace('"People"', '"Persons"')
    newest = people.steps.first()
    assert (newest.note, newest.by_id, newest.revision) == ("edited: revision 2 was restored", ann, 5)
    assert revisions.restore(people, 2, ann).changes == ()
    assert Mapping.objects.get(pk=people.pk).revision == 5


def test_a_revision_with_associations_is_restored(sync) -> None:
    """F20: the mappings it leads to are the portal's, though only one is restored."""
    factories.AssociationFactory(mapping=sync.people, to_mapping=sync.mappings["Organisations"], local="organisation")
    lifecycle.note_edit(sync.people, None)
    sync.people.fields.filter(local="city").update(direction="push")
    lifecycle.note_edit(sync.people, None)
    revisions.restore(sync.people, 2, None)
    assert sync.people.fields.get(local="city").direction == "both"
    assert sync.people.associations.count() == 1


def test_a_revision_that_is_not_kept_is_refused(draft) -> None:
    with pytest.raises(revisions.RevisionError, match="Revision 9 of “People” is not kept"):
        revisions.plan(draft, 9)


def test_a_revision_that_no_longer_fits_changes_nothing(sync) -> None:
    """F20: a property that was removed in HubSpot since."""
    people = sync.people
    lifecycle.note_edit(people, None)
    people.fields.filter(local="bio").delete()
    lifecycle.note_edit(people, None)
    sync.portal.properties.filter(name="demo_bio").delete()
    with pytest.raises(config.ConfigError, match="demo_bio"):
        revisions.restore(people, 2, None)
    assert not people.fields.filter(local="bio").exists()


def test_a_file_that_is_applied_leaves_a_step_of_what_it_changed(sync) -> None:
    """F20: by crmsync_config too, and only where something changed."""
    text = configure.export(sync.portal, configure.Options()).text.replace(
        '"direction": "push"', '"direction": "pull"', 1
    )
    before = MappingStep.objects.count()
    plan = configure.apply(sync.portal, text, configure.Options(file="crm.json"))
    assert MappingStep.objects.count() - before == len(plan.names) == 1
    step = MappingStep.objects.first()
    assert (step.note, step.state) == ("edited: crm.json", "live")
    assert '"direction": "pull"' in step.config


def test_old_revisions_are_forgotten_but_not_the_last_test(draft, settings) -> None:
    """F20: KEEP_REVISIONS of each mapping."""
    settings.CRMSYNC = {**settings.CRMSYNC, "KEEP_REVISIONS": 2}
    other = factories.make_mapping(state="draft", portal=factories.PortalFactory())
    lifecycle.note_edit(other, None)
    lifecycle.mark_tested(draft, None)
    for state in ("paused", "live", "paused"):
        steps.record(draft, state)
    for _ in range(4):
        lifecycle.note_edit(draft, None)
    prune.prune()
    assert [(state, revision) for state, revision, _ in told(draft)] == [
        ("draft", 5),
        ("draft", 4),
        ("paused", 1),
        ("live", 1),
        ("tested", 1),
    ]
    assert other.steps.count() == 1


# --- Work that was planned before (Fault 34) ------------------------------------------------------------------------


def test_an_edit_between_two_pages_ends_the_run_and_a_new_one_begins_at_the_first_record(sync) -> None:
    """Fault 34: no page is written under another revision than the run's."""
    sync.hub.set_webhooks(lose=1.0)
    for number in range(150):
        sync.hub.ui_create(
            "contacts", {"email": f"c{number}@example.com", "firstname": f"C{number}", "city": "Leeds"}
        )
    run = backfill.start(sync.people, "backfill_pull")
    pages = backfill.pages(run)
    next(pages)
    sync.people.fields.filter(local="first_name").update(remote="lastname", position=90)
    sync.people.fields.filter(local="last_name").update(remote="firstname")
    lifecycle.note_edit(sync.people, None)
    with pytest.raises(specs.SpecError, match="was edited since this run began"):
        next(pages)
    assert Person.objects.count() == 100
    assert set(Person.objects.values_list("last_name", flat=True)) == {""}
    again = backfill.start(Mapping.objects.get(pk=sync.people.pk), "backfill_pull")
    assert (again.pk == run.pk, again.cursor, again.revision) == (False, "", 2)
    for _ in backfill.pages(again):
        pass
    assert Person.objects.exclude(last_name="").count() == 150


def test_an_edit_between_plan_and_apply_writes_nothing_and_is_planned_again(sync, ada, monkeypatch) -> None:
    """Fault 34: what was planned for the old revision is not sent; the queue row stays, and the new one decides."""
    make = plans.make_plan

    def edit_then_plan(*args):
        planned = make(*args)
        monkeypatch.setattr(plans, "make_plan", make)
        people = Mapping.objects.get(pk=sync.people.pk)
        people.fields.filter(local="city").update(direction="pull")
        lifecycle.note_edit(people, None)
        return planned

    writes = sync.writes()
    monkeypatch.setattr(plans, "make_plan", edit_then_plan)
    ada.city = "Paris"
    ada.save()
    jobs.work(0.0)
    assert sync.writes() == writes
    sync.drain()
    assert sync.writes() == writes
    assert OutboxEntry.objects.count() == 0
    assert sync.contacts()[0]["properties"]["city"] == "London"
    assert sync.people.state == "live"


def test_the_answer_to_one_record_says_that_it_was_edited_meanwhile(sync, ada) -> None:
    """Fault 34: also where a person syncs one record."""
    one = scope.open_scope(sync.people.pk)
    lifecycle.note_edit(sync.people, None)
    Person.objects.filter(pk=ada.pk).update(city="Rome")
    writes = sync.writes()
    (result,) = reconcile.reconcile(one, [dossier.Item(local_pk=str(ada.pk))])
    assert (result.stop.code, result.outcome, sync.writes()) == ("mapping.edited", "waiting", writes)
    assert Link.objects.get(local_pk=ada.pk).lease == ""
