"""crmsync_provision, and crmsync_config with --create-properties: the same from the command line."""

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from crmsync.flows import discover
from crmsync.models import Mapping, Portal, RemoteProperty
from project.demo.models import Person
from tests.flows import provisioned
from tests.flows.conftest import Sync
from tests.flows.provisioned import BIRTH, STATUS, held, made, rows


@pytest.fixture
def people(make_sync) -> Sync:
    return provisioned.strip(make_sync())


def run(*args: str, command: str = "crmsync_provision") -> tuple[int, str]:
    """(exit code, what was printed) of a command."""
    out = io.StringIO()
    try:
        call_command(command, *args, stdout=out, stderr=io.StringIO())
    except SystemExit as end:
        return int(end.code), out.getvalue()
    return 0, out.getvalue()


def test_the_named_fields_get_properties(people: Sync) -> None:
    """U20: exit code 0, and 0 again when there is nothing left to do."""
    code, text = run("People", "--fields", "birth_date, bio=my_bio")
    assert code == 0
    assert f"birth_date → {BIRTH} (date): created, joined with the field" in text
    assert rows(people) == {("birth_date", BIRTH, "push"), ("bio", "my_bio", "push")}
    writes = people.writes()
    code, text = run("People", "--fields", "birth_date,bio")
    assert (code, people.writes()) == (0, writes)
    assert "existed already" in text
    assert made(people) == [BIRTH]


def test_a_dry_run_creates_nothing(people: Sync) -> None:
    """Exit code 3: there is something to do."""
    code, text = run("People", "--fields", "birth_date", "--dry-run")
    assert code == 3
    assert "will be created" in text
    assert (made(people), rows(people)) == ([], set())


def test_all_are_the_models_own_fields(people: Sync) -> None:
    code, text = run(str(people.people.pk), "--all", "--json")
    assert code == 0
    found = {one["field"]: one for one in json.loads(text)}
    assert {"birth_date", "bio", "status", "owner", "credit"} <= set(found)
    assert not any("__" in field for field in found)
    assert (found["status"]["name"], found["status"]["result"]) == (STATUS, "created")
    assert found["status"]["options"][0] == ["lead", "Lead"]
    assert set(made(people)) == {one["name"] for one in found.values()}
    assert run("People", "--all") == (0, "Nothing to do: every field is joined with a property.\n")


def test_a_refused_field_is_exit_code_2(people: Sync) -> None:
    people.hub.add_property("contacts", BIRTH, "number")
    code, text = run("People", "--fields", "birth_date,bio")
    assert code == 2
    assert f"Free is: {BIRTH}_2" in text
    assert rows(people) == {("bio", "django_person_bio", "push")}
    assert run("People", "--fields", "birth_date", "--dry-run")[0] == 2


def test_options_are_added_only_if_asked(people: Sync, monkeypatch) -> None:
    """U20: --add-options confirms them; a dry run lists them."""
    run("People", "--fields", "status")
    status = Person._meta.get_field("status")
    monkeypatch.setattr(status, "choices", [*status.choices, ("vip", "VIP")])
    assert "Options: vip" in run("People", "--fields", "status", "--dry-run")[1]
    assert run("People", "--fields", "status")[0] == 2
    assert len(held(people, STATUS)["options"]) == 4
    assert run("People", "--all", "--add-options")[0] == 0
    assert len(held(people, STATUS)["options"]) == 5


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("Nobody", "--all"), "There is no mapping 'Nobody'. Mappings: 'People'"),
        (("People",), "Name the fields with --fields, or take --all. Fields without a property: id, "),
        (("People", "--fields", "nothing"), "has no field 'nothing'"),
        (("People", "--fields", "owner__password"), "looks like a secret"),
    ],
)
def test_what_cannot_be_is_an_error(people: Sync, args, words) -> None:
    with pytest.raises(CommandError, match=words):
        run(*args)
    assert made(people) == []


def test_a_held_mapping_is_an_error(people: Sync) -> None:
    Mapping.objects.update(held="push")
    for dry in ([], ["--dry-run"]):
        with pytest.raises(CommandError, match="holds back what is sent"):
            run("People", "--all", *dry)
    assert made(people) == []


# --- With a configuration file ------------------------------------------------------------------------------------


@pytest.fixture
def file(people: Sync, tmp_path: Path) -> Path:
    """The mapping in a file, with two more fields whose properties are not there."""
    path = tmp_path / "crm.json"
    run("export", str(path), command="crmsync_config")
    plain = json.loads(path.read_text(encoding="utf-8"))
    plain["mappings"][0]["fields"] += [
        {"direction": "push", "local": "birth_date", "remote": "born_on"},
        {"local": "status", "remote": "stand", "value_map": [{"local": "lead", "remote": "lead"}]},
    ]
    path.write_text(json.dumps(plain), encoding="utf-8")
    return path


def config(verb: str, file: Path, *args: str) -> tuple[int, str]:
    return run(verb, str(file), *args, command="crmsync_config")


def test_without_the_flag_the_file_is_refused(people: Sync, file: Path) -> None:
    with pytest.raises(CommandError, match="The portal has no property “born_on”"):
        config("apply", file)
    assert held(people, "born_on") is None


def test_the_plan_lists_what_would_be_created(people: Sync, file: Path) -> None:
    """U20: and creates nothing."""
    code, text = config("plan", file, "--create-properties")
    assert code == 3
    assert "+ People › HubSpot: would create property born_on (date) for birth_date" in text
    assert "+ People › HubSpot: would create property stand (one option) for status" in text
    assert held(people, "born_on") is None


def test_the_flag_creates_them_first(people: Sync, file: Path) -> None:
    """U20: the file's own names; a second time nothing is left to do."""
    code, text = config("apply", file, "--create-properties")
    assert code == 0
    assert "would create property born_on" in text
    assert (held(people, "born_on")["type"], held(people, "stand")["type"]) == ("date", "enumeration")
    assert rows(people) == {("birth_date", "born_on", "push"), ("status", "stand", "both")}
    assert RemoteProperty.objects.filter(name__in=["born_on", "stand"]).count() == 2
    assert "Nothing to do" in config("apply", file, "--create-properties")[1]


def test_what_is_there_meanwhile_is_used_or_refused(people: Sync, file: Path) -> None:
    """U20: another type than the file needs: no mapping is changed."""
    people.hub.add_property("contacts", "born_on", "number")
    revision = Mapping.objects.get().revision
    with pytest.raises(CommandError, match="holds number, but this field needs date"):
        config("apply", file, "--create-properties")
    assert (Mapping.objects.get().revision, rows(people)) == (revision, set())
    assert held(people, "born_on")["type"] == "number"


def test_a_portal_that_is_held_creates_nothing(people: Sync, file: Path) -> None:
    Portal.objects.update(held="push")
    with pytest.raises(CommandError, match="holds back what is sent"):
        config("apply", file, "--create-properties")
    assert (held(people, "born_on"), rows(people)) == (None, set())


@pytest.mark.parametrize("fault", [{"remote": "Born On"}, {"local": "nothing"}, {"direction": "pull"}])
def test_what_cannot_be_created_is_still_a_problem(people: Sync, file: Path, fault: dict[str, str]) -> None:
    """Bad names and fields, and what only comes from HubSpot."""
    plain = json.loads(file.read_text(encoding="utf-8"))
    plain["mappings"][0]["fields"][-2] |= fault
    file.write_text(json.dumps(plain), encoding="utf-8")
    discover.discover(people.portal)
    with pytest.raises(CommandError, match=r"has no property|has no field"):
        config("plan", file, "--create-properties")
