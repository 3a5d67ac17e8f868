"""Setting a mapping live, pausing it, starting backfills, deleting it."""

import pytest
from django.contrib.admin.models import LogEntry as History

from crmsync import jobs
from crmsync.models import Cursor, Link, Mapping, Run
from tests import factories
from tests.admin.conftest import said


@pytest.fixture
def rung(monkeypatch) -> list[bool]:
    """One entry a ring."""
    rings = []
    monkeypatch.setattr(jobs, "ring", lambda: rings.append(True))
    return rings


def test_a_draft_that_can_run_is_set_live_after_a_question(boss, pages, rung):
    mapping = factories.make_mapping(state="draft")
    asked = pages.act(boss, "set_live", mapping, sure=False)
    html = asked.content.decode()
    assert "From now on changes flow" in html
    assert "is recorded as tested and approved at revision 1" in html
    assert '<input type="hidden" name="action" value="set_live">' in html
    assert f'<input type="hidden" name="_selected_action" value="{mapping.pk}">' in html
    assert Mapping.objects.get().state == "draft"
    pages.act(boss, "set_live", mapping)
    assert Mapping.objects.get().state == "live"
    assert Cursor.objects.filter(mapping=mapping).count() == 2
    assert rung
    assert History.objects.get().change_message == "Set live."


def test_a_mapping_that_cannot_run_says_why_and_stays_a_draft(boss, pages):
    mapping = factories.make_mapping(state="draft")
    factories.FieldMappingFactory(mapping=mapping, local="city", remote="town")
    assert "names the HubSpot property 'town'" in said(pages.act(boss, "set_live", mapping))
    assert Mapping.objects.get().state == "draft"


def test_a_mapping_without_fields_is_not_set_live(boss, pages):
    mapping = factories.MappingFactory(state="draft")
    assert "has no active field mapping: add one" in said(pages.act(boss, "set_live", mapping))


def test_a_mapping_of_a_portal_without_token_is_not_set_live(boss, pages):
    mapping = factories.make_mapping(state="draft", portal__state="new")
    assert "is not connected: enter its access token" in said(pages.act(boss, "set_live", mapping))


def test_a_mapping_without_match_key_is_live_with_a_warning(boss, pages, rung):
    mapping = factories.make_mapping(state="draft")
    mapping.match_keys.all().delete()
    mapping.fields.filter(local="email").delete()  # HubSpot's lower case would have to be accepted first
    assert "may be made twice" in said(pages.act(boss, "set_live", mapping))


def test_of_several_those_that_can_run_are_set_live(boss, pages, rung):
    able, unable = factories.make_mapping(state="draft"), factories.MappingFactory(state="draft")
    pages.act(boss, "set_live", able, unable)
    assert set(Mapping.objects.values_list("pk", "state")) == {(able.pk, "live"), (unable.pk, "draft")}


def test_a_live_mapping_is_paused_and_its_problem_is_forgotten_when_live_again(boss, pages, rung):
    mapping = factories.make_mapping()
    pages.act(boss, "pause", mapping, sure=False)
    assert Mapping.objects.get().state == "paused"
    Mapping.objects.update(problem="Something was wrong.")
    pages.act(boss, "set_live", mapping)
    assert Mapping.objects.values_list("state", "problem").get() == ("live", "")


@pytest.mark.parametrize(("action", "kind"), [("backfill_pull", "backfill_pull"), ("backfill_push", "backfill_push")])
def test_a_backfill_is_a_run_by_whoever_pressed(staff, pages, rung, action, kind):
    mapping = factories.make_mapping()
    operator = staff("view_mapping", "operate_sync")
    assert "Every record of these mappings" in pages.act(operator, action, mapping, sure=False).content.decode()
    assert not Run.objects.exists()
    assert "is running" in said(pages.act(operator, action, mapping, tool=True))
    run = Run.objects.get()
    assert (run.kind, run.state) == (kind, "running")
    assert run.requested_by_id == int(operator.session["_auth_user_id"])
    assert rung


def test_a_backfill_pressed_twice_is_one_run(boss, pages, rung):
    mapping = factories.make_mapping()
    for _ in range(2):
        pages.act(boss, "backfill_pull", mapping)
    assert Run.objects.count() == 1


def test_only_a_live_mapping_is_backfilled(boss, pages):
    mapping = factories.make_mapping(state="paused")
    assert "set it live first" in said(pages.act(boss, "backfill_pull", mapping))
    assert not Run.objects.exists()


def test_a_backfill_against_the_direction_is_refused(boss, pages):
    mapping = factories.make_mapping(direction="pull")
    assert "does not flow this way" in said(pages.act(boss, "backfill_push", mapping))


def test_only_fitting_buttons_are_shown(boss, pages):
    draft, live = factories.make_mapping(state="draft"), factories.make_mapping(direction="push")
    shown = boss.get(pages.of(draft)).context["crmsync_tools"]
    assert [tool.name for tool in shown] == ["set_live", "mark_tested"]
    shown = boss.get(pages.of(live)).context["crmsync_tools"]
    assert [tool.name for tool in shown] == ["version", "pause", "backfill_push"]


@pytest.mark.parametrize(
    ("action", "held", "word"), [("hold_pushes", "push", "pushes"), ("hold_pulls", "pull", "pulls")]
)
def test_one_direction_of_a_mapping_is_held_and_released(boss, pages, rung, action, held, word):
    """J13: a mapping, a direction; shown where the mapping is shown."""
    mapping = factories.make_mapping()
    page = pages.act(boss, action, mapping, sure=False, tool=True)
    mapping.refresh_from_db()
    assert mapping.held == held
    for url in (pages.of(mapping), pages.list("mapping")):
        assert f"{word} held</span>" in boss.get(url).content.decode()
    assert [tool.name for tool in page.context["crmsync_tools"]][-1] == "release"
    pages.act(boss, "release", mapping, sure=False, tool=True)
    assert Mapping.objects.get().held == ""
    assert rung
    assert History.objects.count() == 2


def test_holding_several_mappings_is_asked_first(boss, pages):
    """P7."""
    rows = [factories.make_mapping(), factories.make_mapping()]
    assert "2 are chosen" in pages.act(boss, "hold_pushes", *rows, sure=False).content.decode()
    assert not Mapping.objects.exclude(held="").exists()


def test_deleting_a_mapping_counts_what_goes_with_it(boss, pages):
    mapping = factories.make_mapping()
    factories.LinkFactory.create_batch(3, mapping=mapping)
    url = f"{pages.of(mapping).removesuffix('change/')}delete/"
    html = boss.get(url).content.decode()
    assert "Links: 3" in html or "links: 3" in html
    boss.post(url, {"post": "yes"})
    assert not Mapping.objects.exists()
    assert not Link.objects.exists()


# --- The life cycle -----------------------------------------------------------------------------------------------


@pytest.fixture
def two_persons(settings) -> None:
    settings.CRMSYNC = {**settings.CRMSYNC, "TWO_PERSON_APPROVAL": True}


def buttons(client, pages, mapping) -> list[str]:
    life = {"mark_tested", "approve", "set_live", "pause"}
    return [tool.name for tool in client.get(pages.of(mapping)).context["crmsync_tools"] if tool.name in life]


def test_two_persons_bring_a_mapping_to_life(staff, pages, rung, two_persons):
    """A32, F20: one edits and tests, another approves; each step is asked first and recorded with its note."""
    editor = staff("view_mapping", "change_mapping", "approve_mapping")
    other = staff("view_mapping", "approve_mapping")
    mapping = factories.make_mapping(state="draft")
    assert buttons(editor, pages, mapping) == ["mark_tested"]
    asked = pages.act(editor, "mark_tested", mapping, sure=False, tool=True)
    assert "they do what they should" in asked.content.decode()
    assert 'name="note"' in asked.content.decode()
    assert Mapping.objects.get().state == "draft"
    pages.act(editor, "mark_tested", mapping, note="Tried with Ann.")
    assert buttons(editor, pages, mapping) == ["approve"]
    assert "Ask a second person" in said(pages.act(editor, "approve", mapping))
    assert "Let a second person approve it" in said(pages.act(editor, "set_live", mapping))
    assert Mapping.objects.get().state == "tested"
    pages.act(other, "approve", mapping)
    assert buttons(editor, pages, mapping) == ["set_live"]
    pages.act(editor, "set_live", mapping)
    assert Mapping.objects.get().state == "live"
    notes = mapping.steps.order_by("id").values_list("state", "note", "by_id")
    first, second = (int(client.session["_auth_user_id"]) for client in (editor, other))
    assert list(notes) == [("tested", "Tried with Ann.", first), ("approved", "", second), ("live", "", first)]


def test_who_may_not_approve_cannot_switch_on_what_nobody_approved(staff, pages):
    mapping = factories.make_mapping(state="draft")
    answer = pages.act(staff("view_mapping", "change_mapping"), "set_live", mapping)
    assert "Can approve mappings" in said(answer)
    assert Mapping.objects.get().state == "draft"


def test_what_is_not_sound_is_not_marked_as_tested(boss, pages):
    """A32, F8."""
    mapping = factories.make_mapping(state="draft")
    factories.FieldMappingFactory(mapping=mapping, local="city", remote="town")
    assert "cannot count as tested" in said(pages.act(boss, "mark_tested", mapping))
    assert not mapping.steps.exists()


def test_only_what_is_tested_is_approved(boss, pages):
    mapping = factories.make_mapping(state="draft")
    assert "is not tested at revision 1" in said(pages.act(boss, "approve", mapping))
    assert Mapping.objects.get().state == "draft"


def test_an_edit_of_a_live_mapping_says_to_prove_it_again(boss, pages, rung):
    """A32: it stays live, and the page says since when nobody has tested it."""
    mapping = factories.make_mapping(state="draft")
    pages.act(boss, "set_live", mapping)
    form = boss.get(pages.of(mapping))
    boss.post(pages.of(mapping), pages.fill(form, deletes_remote="archive"))
    mapping.refresh_from_db()
    assert (mapping.state, mapping.revision) == ("live", 2)
    html = boss.get(pages.of(mapping)).content.decode()
    assert "live at revision 2, tested at revision 1, approved at revision 1: prove again" in html
    assert buttons(boss, pages, mapping) == ["pause", "mark_tested"]
    pages.act(boss, "mark_tested", mapping)
    assert Mapping.objects.get().state == "live"
    assert buttons(boss, pages, mapping) == ["pause", "approve"]
    assert list(mapping.steps.values_list("state", "note")[:2]) == [("tested", ""), ("live", "edited")]


def test_an_edit_of_an_approved_mapping_makes_it_a_draft_again(boss, pages):
    """A32."""
    mapping = factories.make_mapping(state="draft")
    pages.act(boss, "mark_tested", mapping)
    pages.act(boss, "approve", mapping)
    assert Mapping.objects.get().state == "approved"
    rule = pages.add("syncrule")
    boss.post(rule, pages.fill(boss.get(rule), mapping=mapping.pk, name="Some"))
    assert Mapping.objects.get().state == "draft"
    assert mapping.steps.first().note == "edited"


def test_a_new_mapping_begins_its_history(boss, pages):
    portal = factories.PortalFactory()
    form = boss.get(pages.add("mapping"))
    values = {"label": "New", "portal": portal.pk, "model_label": "demo.Person", "object_type": "contacts"}
    boss.post(pages.add("mapping"), pages.fill(form, **values))
    step = Mapping.objects.get(label="New").steps.get()
    assert (step.state, step.revision, step.note) == ("draft", 1, "created")
    assert '"name": "New"' in step.config
