"""Configuration as code: mappings of one portal as a file, and what that file does to it and to another portal."""

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ProjectState

from crmsync import operations
from crmsync.engine import config
from crmsync.engine.terms import ConflictPolicy, Direction, MappingState
from crmsync.fakehub.hub import FakeHub
from crmsync.flows import configure, connect, discover, meter, versions
from crmsync.ledger import canaries, credentials
from crmsync.models import FieldMapping, Mapping, Portal, RuleCondition, SyncRule, UserLink, ValueMapEntry
from crmsync.sides import remote
from crmsync.testing import fakehub
from project.demo import mappings
from tests import factories

DEALS = "Partner deals"
RECIPE = Path("project/demo/recipes/demo.json")
ROOT = Path(__file__).resolve().parents[2]
PLAIN = configure.Options()


@pytest.fixture
def make_portal(transactional_db: None, settings) -> Iterator[Callable[..., Portal]]:
    """A connected and discovered portal of its own HubSpot: each gives its pipeline, owners and objects other ids."""
    settings.CRMSYNC = {**settings.CRMSYNC, "BURST_PER_10_SECONDS": 0, "RUNNER": "database"}

    def make(label: str, number: int, *, people: tuple[str, ...] = ("ann", "bob"), stages=("New", "Won")) -> Portal:
        hub = FakeHub(seed=number, limits_on=False, portal_id=5000 + number)
        held = [
            {"id": f"{number}{place}", "label": one, "displayOrder": place, "metadata": {}}
            for place, one in enumerate(stages)
        ]
        hub.add_pipeline("deals", {"id": f"p{number}", "label": "Partners", "displayOrder": 1, "stages": held})
        for place, name in enumerate(people):
            hub.add_owner(f"{number}00{place}", f"{name}@example.com", first=name)
        for extra in range(1, number):
            hub.add_object_type(f"other{extra}")
        for name, text, kind, field_type, options in mappings.CUSTOM_PROPERTIES:
            facts = {"options": [{"label": one, "value": one} for one in options]} if options else {}
            hub.add_property("contacts", name, kind, field_type, label=text, **facts)
        hub.add_property(hub.add_object_type("machine"), "serial")
        remote._clients.clear()
        meter._books.clear()
        with fakehub.connected(hub):
            portal = connect.connect(Portal(label=label), credentials.Entered("static", token=hub.token))
            discover.discover(portal)
        return portal

    yield make
    remote._clients.clear()
    meter._books.clear()


@dataclass
class Office:
    """A portal with mappings that name a stage, a pipeline, owners, a user and a custom object."""

    portal: Portal
    file: Path

    def run(self, verb: str, *args: str) -> tuple[int, str]:
        """Exit code and standard output of the command with the file of this office."""
        return run(verb, str(self.file), *args)

    def edit(self, change: Callable[[dict], object]) -> None:
        """Edit the mapping of deals in the file."""
        plain = json.loads(self.file.read_text(encoding="utf-8"))
        change(next(one for one in plain["mappings"] if one["name"] == DEALS))
        self.file.write_text(json.dumps(plain), encoding="utf-8")


def run(*args: str) -> tuple[int, str]:
    out = io.StringIO()
    try:
        call_command("crmsync_config", *args, stdout=out, stderr=io.StringIO())
    except SystemExit as error:
        return int(error.code), out.getvalue()
    return 0, out.getvalue()


def load_deals(portal: Portal) -> Mapping:
    """Deals whose value map, rule and conditions are full of ids of this portal."""
    ids = {stage[1]: stage[0] for stage in portal.pipelines.get(label="Partners").stages}
    row = Mapping.objects.create(
        portal=portal, label=DEALS, model_label="demo.Opportunity", object_type="deals", state=MappingState.LIVE
    )
    for position, pair in enumerate([("name", "dealname"), ("status", "dealstage"), ("owner", "hubspot_owner_id")]):
        FieldMapping.objects.create(
            mapping=row, position=position, local=pair[0], remote=pair[1], note=f"n{position}"
        )
    factories.MatchKeyFactory(mapping=row, local="name", remote="dealname")
    status = row.fields.get(local="status")
    for local, remote_value in (("open", ids["New"]), ("won", ids["Won"])):
        factories.ValueMapEntryFactory(field=status, local_value=local, remote_value=remote_value)
    owners = [UserLink.objects.get(portal=portal, email=f"{name}@example.com").owner_id for name in ("ann", "bob")]
    user = get_user_model().objects.get_or_create(username="clerk")[0]
    rule = SyncRule.objects.create(mapping=row, name="Partners only")
    pipeline = portal.pipelines.get(label="Partners").pipeline_id
    for side, name, operator, value in (
        ("remote", "pipeline", "equals", pipeline),
        ("remote", "hubspot_owner_id", "in", ";".join(owners)),
        ("local", "owner", "not_equals", str(user.pk)),
    ):
        RuleCondition.objects.create(rule=rule, side=side, field=name, operator=operator, value=value)
    return row


@pytest.fixture
def office(make_portal: Callable[..., Portal], tmp_path: Path) -> Office:
    portal = make_portal("One", 1)
    mappings.load(portal)
    load_deals(portal)
    machine = portal.object_types.get(name="machine").object_type
    machines = Mapping.objects.create(
        portal=portal, label="Machines", model_label="demo.Organisation", object_type=machine
    )
    FieldMapping.objects.create(mapping=machines, local="name", remote="serial")
    found = Office(portal, tmp_path / "crm.json")
    assert found.run("export") == (0, "")
    return found


def revisions() -> dict[str, int]:
    return dict(Mapping.objects.values_list("label", "revision"))


# --- Export -------------------------------------------------------------------------------------------------------


def test_a_file_names_what_has_ids(office: Office) -> None:
    """F9: stages with their pipeline, pipelines, owners, users and custom objects by name; no id and no secret."""
    text = office.file.read_text(encoding="utf-8")
    assert '{"local": "won", "remote": {"pipeline": "Partners", "stage": "Won"}}' in text
    assert '"field": "pipeline", "side": "remote", "value": {"pipeline": "Partners"}' in text
    assert '"value": [{"owner": "ann@example.com"}, {"owner": "bob@example.com"}]' in text
    assert '"value": {"user": "clerk"}' in text
    assert '"object_type": "machine"' in text
    assert '{"id"' not in text
    ids = [office.portal.object_types.get(name="machine").object_type, "1000", "1001", '"10"', '"11"', "p1", "5001"]
    assert [one for one in [*ids, FakeHub.token, "live", "One"] if one in text] == []


def test_the_same_rows_give_the_same_bytes(office: Office, tmp_path: Path) -> None:
    """F9: also after they were written anew in another order."""
    before = office.file.read_bytes()
    assert configure.export(office.portal, PLAIN).text.encode() == before
    Mapping.objects.all().delete()
    assert office.run("apply")[0] == 0
    assert configure.export(office.portal, PLAIN).text.encode() == before


def test_chosen_mappings_only(office: Office) -> None:
    """F9."""
    chosen = configure.Options(chosen=(DEALS,))
    plain = json.loads(configure.export(office.portal, chosen).text)
    assert [one["name"] for one in plain["mappings"]] == [DEALS]
    with pytest.raises(config.ConfigError, match="has no mapping “Leads”"):
        configure.export(office.portal, configure.Options(chosen=("Leads",)))


def test_an_id_without_a_name_is_told(office: Office) -> None:
    """F9: the round trip loses nothing, and nobody takes the id for a name."""
    ValueMapEntry.objects.filter(local_value="won", field__mapping__label=DEALS).update(remote_value="777")
    made = configure.export(office.portal, PLAIN)
    assert '{"local": "won", "remote": {"id": "777"}}' in made.text
    assert [str(one).partition(": no name")[0] for one in made.warnings] == [f"{DEALS}: 777"]
    assert configure.make_plan(office.portal, made.text, PLAIN).changes == ()


# --- In step with the admin -----------------------------------------------------------------------------------------


def test_a_file_just_written_changes_nothing(office: Office) -> None:
    """F9."""
    assert office.run("plan") == (0, "Nothing to do: the portal is as the file says.\n")
    before = revisions()
    assert office.run("apply")[0] == 0
    assert office.run("diff") == (0, "")
    assert revisions() == before


def test_an_edit_of_the_rows_is_the_whole_difference(office: Office) -> None:
    """F9: edit in the admin, then diff shows exactly that edit."""
    FieldMapping.objects.filter(mapping__label=DEALS, local="name").update(conflict=ConflictPolicy.PREFER_LOCAL)
    code, text = office.run("diff")
    assert (code, text.splitlines()) == (
        3,
        [
            "--- portal One",
            f"+++ {office.file}",
            f'-{DEALS} › name ↔ dealname › conflict: "prefer_local"',
            f'+{DEALS} › name ↔ dealname › conflict: "prefer_hubspot"',
        ],
    )


def test_a_mapping_added_in_the_admin_is_in_the_difference(office: Office) -> None:
    """F9: in both directions; a plan leaves it alone."""
    factories.MappingFactory(portal=office.portal, label="Extra")
    assert office.run("diff")[1].splitlines()[2:] == ["-Extra: the mapping and its 0 links"]
    assert office.run("plan")[0] == 0


def test_an_edit_of_the_file_is_the_whole_plan(office: Office) -> None:
    """F9: edit the file, then plan shows the same; apply does just that, once."""
    before = revisions()
    office.edit(lambda one: one["fields"][0].update(direction="push"))
    code, text = office.run("plan")
    assert (code, text.splitlines()) == (
        3,
        [
            f'~ {DEALS} › name ↔ dealname › direction: "both" → "push"',
            "To do: 0 to create, 1 to change, 0 to delete.",
        ],
    )
    assert revisions() == before
    assert office.run("apply")[0] == 0
    assert FieldMapping.objects.get(mapping__label=DEALS, local="name").direction == Direction.PUSH
    assert revisions() == {**before, DEALS: before[DEALS] + 1}
    assert office.run("plan")[0] == 0
    assert Mapping.objects.get(label=DEALS).state == MappingState.LIVE


def test_every_part_can_be_edited_in_the_file(office: Office) -> None:
    """F9: parts come, go and change their order, and a second plan is empty."""

    def change(one: dict) -> None:
        one["deletes_remote"] = "archive"
        one["fields"] = [one["fields"][2], one["fields"][1], {"local": "amount", "remote": "amount"}]
        one["fields"][1]["value_map"] = one["fields"][1]["value_map"][::-1][:1]
        one["match_keys"] = [{"local": "description", "remote": "description", "normaliser": "exact"}]
        one["rules"][0]["conditions"].pop()
        one["rules"].append({"name": "Big", "conditions": [{"side": "local", "field": "amount", "value": "9"}]})

    office.edit(change)
    planned = json.loads(office.run("plan", "--json")[1])["changes"]
    assert [one["kind"] for one in planned].count("create") == 3
    assert json.loads(office.run("apply", "--json")[1])["changes"] == planned
    assert office.run("plan")[0] == 0
    row = Mapping.objects.get(label=DEALS)
    assert [one.local for one in row.fields.all()] == ["owner", "status", "amount"]
    assert [one.local for one in row.match_keys.all()] == ["description"]
    assert row.rules.count() == 2


def test_only_the_chosen_mapping_changes(office: Office) -> None:
    """F9."""
    office.edit(lambda one: one.update(deletes_remote="archive"))
    assert office.run("plan", "--mapping", mappings.PEOPLE)[0] == 0
    assert office.run("plan", "--mapping", DEALS)[0] == 3


def test_prune_deletes_what_the_file_lacks(office: Office) -> None:
    """F9: but nothing that is live."""
    extra = factories.MappingFactory(portal=office.portal, label="Extra")
    with pytest.raises(CommandError, match="Extra: The file does not have this mapping, but it is live"):
        office.run("apply", "--prune")
    Mapping.objects.filter(pk=extra.pk).update(state=MappingState.PAUSED)
    assert office.run("plan", "--prune")[1].splitlines()[0] == "- Extra: the mapping and its 0 links"
    assert office.run("apply", "--prune")[0] == 0
    assert not Mapping.objects.filter(label="Extra").exists()


def test_prune_leaves_a_mapping_whose_canary_is_open(office: Office) -> None:
    """F20, F9: with it the values would go that the canary replaced."""
    extra = factories.MappingFactory(portal=office.portal, label="Extra")
    version = versions.prepare(extra, None)
    canaries.open_one(version, [], None)
    Mapping.objects.filter(pk=extra.pk).update(state=MappingState.PAUSED)
    with pytest.raises(CommandError, match=r"Extra: .* a canary of it is open. Drop or promote that first"):
        office.run("apply", "--prune")
    assert Mapping.objects.filter(pk=extra.pk).exists()


# --- Another portal -------------------------------------------------------------------------------------------------


def test_another_portal_gets_its_own_ids(office: Office, make_portal: Callable[..., Portal]) -> None:
    """F9, C11: the same names, other ids; what is new is a draft, and exports to the same file."""
    other = make_portal("Two", 2)
    assert office.run("apply", "--portal", "Two", "--suffix", " 2")[0] == 0
    row = Mapping.objects.get(portal=other, label=f"{DEALS} 2")
    assert row.state == MappingState.DRAFT
    entries = ValueMapEntry.objects.filter(field__mapping=row)
    assert [(one.local_value, one.remote_value) for one in entries] == [("open", "20"), ("won", "21")]
    conditions = RuleCondition.objects.filter(rule__mapping=row, side="remote")
    assert [one.value for one in conditions] == ["p2", "2000;2001"]
    machines = Mapping.objects.get(label="Machines 2").object_type
    assert machines == other.object_types.get(name="machine").object_type
    assert machines != Mapping.objects.get(label="Machines").object_type
    assert office.run("plan", "--portal", "Two", "--suffix", " 2")[0] == 0
    again = configure.export(other, configure.Options(suffix=" 2")).text
    assert again == office.file.read_text(encoding="utf-8")


def test_all_that_a_portal_lacks_is_listed(office: Office, make_portal: Callable[..., Portal]) -> None:
    """F9: with place and remedy, and nothing is applied."""
    other = make_portal("Two", 2, people=("ann",), stages=("New", "Signed"))
    other.properties.filter(name="demo_bio").delete()
    with pytest.raises(CommandError) as caught:
        office.run("apply", "--portal", "Two", "--suffix", " 2")
    text = str(caught.value)
    assert f"{DEALS} 2: The portal has no stage “Won” in the pipeline “Partners”. Known are: " in text
    assert "stage “Signed” in the pipeline “Partners”" in text
    assert f"{DEALS} 2: The portal has no owner “bob@example.com”." in text
    assert "People 2 › bio ↔ demo_bio: The portal has no property “demo_bio”." in text
    assert text.endswith("Nothing was changed.")
    assert not Mapping.objects.filter(portal=other).exists()


def test_a_name_that_another_portal_uses(office: Office, make_portal: Callable[..., Portal]) -> None:
    """F9: mappings are named once in an installation."""
    make_portal("Two", 2)
    with pytest.raises(CommandError, match="is taken by a mapping of the portal “One”"):
        office.run("plan", "--portal", "Two")
    with pytest.raises(CommandError, match="There are several portals"):
        office.run("plan")


def test_a_stage_that_is_there_twice_is_not_guessed(office: Office) -> None:
    """F9: export keeps the id then, and a file's name is refused."""
    row = office.portal.pipelines.get(label="Partners")
    row.stages.append(["12", "Won"])
    row.save()
    assert '"remote": {"id": "11"}' in configure.export(office.portal, PLAIN).text
    with pytest.raises(CommandError, match="has 2 of the stage “Won”"):
        office.run("plan")


# --- What cannot work -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"model": "auth.Group"}, "The model auth.Group is not one that may be mapped"),
        ({"object_type": "robots"}, "has no object type “robots”. Known are: contacts"),
        ({"object_type": "emails"}, "“emails” is not supported. Supported are contacts, companies, deals, tickets"),
        ({"model": "demo.Person"}, "is in use. Give the file's mapping another name"),
        ({"fields": [{"local": "nothing", "remote": "dealname"}]}, "demo.Opportunity has no field 'nothing'"),
        ({"fields": [{"local": "close_at", "remote": "amount"}]}, "cannot be number. Choose another property"),
        ({"fields": [{"local": "close_at", "remote": "createdate"}]}, "HubSpot lets nobody write “createdate”"),
        ({"fields": [{"local": "organisation__name", "remote": "dealname"}]}, "cannot be written in Django"),
        ({"match_keys": [{"local": "name", "remote": "nothing"}]}, "has no property “nothing”"),
        (
            {"rules": [{"name": "R", "conditions": [{"side": "local", "field": "password", "value": "x"}]}]},
            "looks like a secret",
        ),
        (
            {
                "rules": [
                    {
                        "name": "R",
                        "conditions": [
                            {"side": "local", "field": "close_at", "operator": "next_days", "value": "soon"}
                        ],
                    }
                ]
            },
            "“soon” is no number of days",
        ),
        ({"fixed_values": [{"side": "local", "field": "status", "value": "gone"}]}, "“gone” is not one of: lost"),
        ({"fixed_values": [{"side": "remote", "field": "dealname", "value": "x"}]}, "Take one of them out"),
        (
            {"fixed_values": [{"side": "remote", "field": "createdate", "value": "2026-05-31"}]},
            "HubSpot lets nobody write “createdate”, so new records cannot get it",
        ),
        (
            {"fields": [{"local": "status", "remote": "dealstage", "value_map": [{"local": "won", "remote": "x"}]}]},
            "“x” is no stage of this portal",
        ),
        (
            {"fields": [{"local": "status", "remote": "name", "value_map": [{"local": "gone", "remote": "x"}]}]},
            "has no property “name”",
        ),
        (
            {"fields": [{"local": "status", "remote": "dealtype", "value_map": [{"local": "old", "remote": "x"}]}]},
            "“old” is no choice of “status”. Known are: lost, open, quoted, won.",
        ),
        (
            {
                "fields": [
                    {"local": "name", "remote": "dealname", "value_map": [{"local": {"owner": "a"}, "remote": "x"}]}
                ]
            },
            "This names an owner, but a plain text is wanted here",
        ),
    ],
)
def test_what_cannot_work_is_refused(office: Office, change: dict, sentence: str) -> None:
    """F9: by plan and by apply, with nothing changed."""
    before = configure.export(office.portal, PLAIN).text
    office.edit(lambda one: one.update(change))
    for verb in ("plan", "apply"):
        with pytest.raises(CommandError) as caught:
            office.run(verb)
        assert sentence in str(caught.value)
    assert configure.export(office.portal, PLAIN).text == before
    code, text = office.run("apply", "--json")
    assert (code, json.loads(text)["changes"]) == (1, [])


def test_one_wrong_mapping_keeps_all_from_being_applied(office: Office) -> None:
    """F9: all or nothing."""
    before = revisions()
    plain = json.loads(office.file.read_text(encoding="utf-8"))
    for one in plain["mappings"]:
        one["deletes_remote"] = "archive"
    plain["mappings"][0]["model"] = "no.Model"
    office.file.write_text(json.dumps(plain), encoding="utf-8")
    with pytest.raises(CommandError):
        office.run("apply")
    assert revisions() == before


def test_files_that_cannot_be_read(office: Office, tmp_path: Path) -> None:
    """F9: one sentence."""
    with pytest.raises(CommandError, match="cannot be read"):
        run("plan", str(tmp_path / "none.json"))
    (tmp_path / "bad.json").write_bytes(b"\xff\xfe")
    with pytest.raises(CommandError, match="is no UTF-8 text"):
        run("plan", str(tmp_path / "bad.json"))


# --- Locks, recipes and migrations ----------------------------------------------------------------------------------


def test_a_lock_names_the_file(office: Office) -> None:
    """F9: another file must say that it takes over; unlocking gives them back to the admin."""
    before = revisions()
    assert office.run("plan", "--lock")[0] == 3
    assert office.run("apply", "--lock")[0] == 0
    assert set(Mapping.objects.values_list("locked_by", flat=True)) == {office.file.as_posix()}
    assert office.run("plan", "--lock")[0] == 0
    copy = office.file.with_name("copy.json")
    copy.write_bytes(office.file.read_bytes())
    with pytest.raises(CommandError, match=r"is kept in the file “.*crm\.json”"):
        run("plan", str(copy))
    assert run("apply", str(copy), "--lock")[0] == 0
    assert run("apply", str(copy), "--unlock")[0] == 0
    assert set(Mapping.objects.values_list("locked_by", flat=True)) == {""}
    assert revisions() == before


def test_the_recipe_of_the_demo_is_the_demo(make_portal: Callable[..., Portal]) -> None:
    """F9: the file that the documents show makes the demo's mappings."""
    portal = make_portal("Demo", 1)
    mappings.load(portal)
    assert configure.export(portal, PLAIN).text == (ROOT / RECIPE).read_text(encoding="utf-8")


def forwards(operation: operations.ApplyConfig) -> None:
    """Run the operation as ``migrate`` does behind crmsync's own migrations."""
    state = ProjectState.from_apps(apps)
    with connection.schema_editor() as editor:
        operation.database_forwards("shop", editor, state, state)


def test_a_migration_ships_mappings(make_portal: Callable[..., Portal]) -> None:
    """F9: once its portal is there; a new installation and a test database are left alone."""
    operation = operations.ApplyConfig(ROOT / RECIPE, portal="Demo", lock=True)
    forwards(operation)
    assert not Mapping.objects.exists()
    make_portal("Demo", 1)
    forwards(operation)
    forwards(operation)
    found = Mapping.objects.values_list("label", "state", "locked_by", "revision")
    assert sorted(found) == [
        (name, "draft", "demo.json", 2) for name in (mappings.OPPORTUNITIES, mappings.ORGANISATIONS, mappings.PEOPLE)
    ]


def test_a_migration_waits_for_crmsyncs_own(make_portal: Callable[..., Portal]) -> None:
    """F9: today's code must not meet yesterday's tables."""
    make_portal("Demo", 1)
    recorder = MigrationRecorder(connection)
    (app, name) = MigrationLoader(connection).graph.leaf_nodes("crmsync")[0]
    recorder.record_unapplied(app, name)
    try:
        with pytest.raises(operations.ApplyConfigError, match=f'"crmsync", "{name}"'):
            forwards(operations.ApplyConfig(ROOT / RECIPE, portal="Demo"))
    finally:
        recorder.record_applied(app, name)


def test_what_does_not_change_is_not_refused(office: Office) -> None:
    """F9: a property that is gone from an untouched mapping is the lint's to tell; the rest can be applied."""
    office.portal.properties.filter(name="demo_bio").delete()
    office.edit(lambda one: one.update(deletes_remote="archive"))
    assert office.run("apply")[0] == 0


def test_a_migration_that_cannot_be_applied_stops(make_portal: Callable[..., Portal]) -> None:
    """F9: with the names that are missing."""
    portal = make_portal("Demo", 1)
    portal.properties.filter(name="demo_bio").delete()
    with pytest.raises(operations.ApplyConfigError, match="has no property “demo_bio”"):
        forwards(operations.ApplyConfig(ROOT / RECIPE, portal="Demo"))
    assert not Mapping.objects.exists()
