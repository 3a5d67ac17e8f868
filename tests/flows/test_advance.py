"""crmsync_mapping: a mapping goes live from the command line, with the refusals of its page, each step recorded."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from crmsync.models import Cursor, Mapping, MatchKey
from tests import factories


@pytest.fixture
def draft(db) -> Mapping:
    return factories.make_mapping(state="draft", label="People")


@pytest.fixture
def two_persons(settings) -> None:
    settings.CRMSYNC = {**settings.CRMSYNC, "TWO_PERSON_APPROVAL": True}


def run(*args: str) -> tuple[int, str]:
    """(exit code, what was printed)."""
    out = io.StringIO()
    try:
        call_command("crmsync_mapping", *args, stdout=out, stderr=out)
    except SystemExit as end:
        return int(end.code), out.getvalue()
    return 0, out.getvalue()


def state() -> str:
    return Mapping.objects.get().state


def told() -> list[tuple[str, str, str]]:
    """(state, by, note) of the steps, the newest first."""
    rows = Mapping.objects.get().steps.values_list("state", "by__username", "note")
    return [(one, by or "", note) for one, by, note in rows]


def test_a_mapping_goes_from_draft_to_live_and_back(draft: Mapping) -> None:
    """A32, X9: nothing is switched on before somebody asks for just that."""
    factories.UserFactory(username="ann", permissions=["change_mapping", "approve_mapping"])
    steps = [("test", "tested"), ("approve", "approved"), ("live", "live"), ("pause", "paused"), ("resume", "live")]
    for verb, after in steps:
        assert run("People", verb, "--by", "ann", "--note", "why")[0] == 0
        assert state() == after
    assert told() == [
        ("live", "ann", "why"),
        ("paused", "ann", ""),
        ("live", "ann", "why"),
        ("approved", "ann", "why"),
        ("tested", "ann", "why"),
    ]


def test_live_does_all_and_says_what_it_recorded(draft: Mapping) -> None:
    """A32: as the page's button, where one person may do it all; the id is as good as the name."""
    code, said = run(str(draft.pk), "live")
    assert (code, state()) == (0, "live")
    assert "recorded as tested at revision 1" in said
    assert "recorded as approved at revision 1" in said
    assert [one for one, *_ in told()] == ["live", "approved", "tested"]
    assert Cursor.objects.filter(mapping=draft).exists()


@pytest.mark.parametrize("verb", ["test", "approve", "live", "pause", "resume"])
def test_a_step_is_refused_as_on_the_page(draft: Mapping, verb: str) -> None:
    """X9: a property that HubSpot does not have; exit code 2, the reason, and nothing has changed."""
    factories.FieldMappingFactory(mapping=draft, local="city", remote="town")
    code, said = run("People", verb)
    assert (code, state(), told()) == (2, "draft", [])
    assert said.strip().endswith("Nothing was changed.")


def test_a_mapping_of_a_portal_that_is_not_connected_is_refused(draft: Mapping) -> None:
    draft.portal.state = "new"
    draft.portal.save()
    code, said = run("People", "live")
    assert (code, state()) == (2, "draft")
    assert "enter its access token" in said


def test_a_dry_run_says_it_and_changes_nothing(draft: Mapping) -> None:
    """Exit code 3 where there is something to do, 2 where it would be refused."""
    code, said = run("People", "live", "--dry-run")
    assert (code, state(), told()) == (3, "draft", [])
    assert "would be switched on" in said
    assert not Cursor.objects.exists()
    assert run("People", "pause", "--dry-run")[0] == 2


def test_what_is_there_already_is_no_second_step(draft: Mapping) -> None:
    run("People", "live")
    before = told()
    assert run("People", "live") == (
        0,
        "Nothing to do: “People” is live at revision 1, tested at revision 1, approved at revision 1.\n",
    )
    assert run("People", "live", "--dry-run")[0] == 0
    assert told() == before


def test_a_person_has_only_the_permissions_of_that_person(draft: Mapping) -> None:
    """R: who may not approve on the page may not do so here."""
    factories.UserFactory(username="bob", permissions=["change_mapping"])
    factories.UserFactory(username="eve")
    for who, verb, wanted in (("eve", "test", "change_mapping"), ("bob", "approve", "approve_mapping")):
        code, said = run("People", verb, "--by", who)
        assert (code, state()) == (2, "draft")
        assert wanted in said
    code, said = run("People", "live", "--by", "bob")
    assert (code, "Can approve mappings" in said) == (2, True)


def test_two_persons_are_two_persons_here_too(draft: Mapping, two_persons: None) -> None:
    """A32: nobody is named, or the same person again: refused."""
    for name in ("ann", "bob"):
        factories.UserFactory(username=name, permissions=["change_mapping", "approve_mapping"])
    assert run("People", "live", "--by", "ann")[0] == 2
    assert run("People", "test", "--by", "ann")[0] == 0
    assert run("People", "approve")[0] == 2
    assert run("People", "approve", "--by", "ann")[0] == 2
    assert run("People", "approve", "--by", "bob")[0] == 0
    assert run("People", "live", "--by", "ann")[0] == 0
    assert state() == "live"


def test_the_json_says_where_the_mapping_stands(draft: Mapping) -> None:
    code, said = run("People", "live", "--json")
    found = json.loads(said)
    assert (code, found["state"], found["tested"], found["is_done"]) == (0, "live", 1, True)
    assert found["recorded"] == ["tested", "approved"]
    code, said = run("People", "resume", "--json")
    assert (code, json.loads(said)["is_done"]) == (0, False)
    run("People", "pause")
    Mapping.objects.update(state="draft")
    code, said = run("People", "pause", "--json")
    assert (code, "nothing to pause" in json.loads(said)["refusal"]) == (2, True)


def test_without_a_match_key_it_goes_live_with_a_warning(draft: Mapping) -> None:
    MatchKey.objects.all().delete()
    draft.fields.filter(local="email").delete()  # without the key, letters of an address would come back different
    code, said = run("People", "live")
    assert (code, "no match key" in said) == (0, True)


def test_a_name_that_means_nobody_is_an_error(draft: Mapping) -> None:
    with pytest.raises(CommandError, match=r"There is no mapping 'Poeple'. Mappings: 'People'"):
        run("Poeple", "live")
    with pytest.raises(CommandError, match="There is no user 'nobody'"):
        run("People", "live", "--by", "nobody")
    factories.UserFactory(username="gone", is_active=False)
    with pytest.raises(CommandError, match="'gone' is switched off"):
        run("People", "live", "--by", "gone")
    assert state() == "draft"
