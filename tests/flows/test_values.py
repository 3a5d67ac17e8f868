"""What happens to values between the sides: unmapped ones, options that are added, movement, combinations, twins."""

import json

import pytest
from django.utils import timezone

from crmsync.engine import config
from crmsync.engine.terms import BlankPolicy, ConflictPolicy, Direction, Movement, UnmappedPolicy
from crmsync.flows import apply, configure, discover, options, scope
from crmsync.hubspot import properties
from crmsync.ledger import specs
from crmsync.models import Conflict, Credential, FieldMapping, InboxEvent, Link, LogEntry, OutboxEntry, RemoteProperty
from project.demo.models import Opportunity, Organisation, Person
from tests.flows import recipes
from tests.flows.conftest import Sync
from tests.flows.test_faults import Killed, die, revive


def setting(sync: Sync, local: str, /, **facts) -> FieldMapping:
    row = sync.people.fields.get(local=local)
    FieldMapping.objects.filter(pk=row.pk).update(**facts)
    return row


def one_contact(sync: Sync) -> dict[str, str | None]:
    (contact,) = sync.contacts()
    return contact["properties"]


def rest(sync: Sync) -> int:
    """Everything that could bring an echo, twice; how many writes it came to."""
    writes = sync.writes()
    for _ in range(2):
        recipes.settle(sync)
        sync.backfill("backfill_pull")
        sync.backfill("backfill_push")
    return sync.writes() - writes


def patches(sync: Sync) -> list:
    return sync.hub.ledger.requests("properties.update")


# --- Values that are not mapped -----------------------------------------------------------------------------------


def unmap(sync: Sync, value: str) -> None:
    sync.people.fields.get(local="status").value_map.filter(local_value=value).delete()


def test_an_unmapped_value_is_held_back(sync: Sync) -> None:
    """X14, X24: the field waits for a person, who reads which one; the others of the record go on."""
    unmap(sync, "former")
    Person.objects.create(email="p@example.com", status="former", city="Leeds")
    sync.drain()
    assert (one_contact(sync)["city"], one_contact(sync).get("hs_lead_status")) == ("Leeds", None)
    row = OutboxEntry.objects.get()
    assert (row.state, row.last_code) == ("parked", "field.option_unknown")
    assert "status ↔ hs_lead_status" in row.last_message


def test_an_unmapped_value_passes_unchanged(sync: Sync) -> None:
    """X14: both ways; what the other side has no option or choice for is still held back."""
    setting(sync, "status", unmapped=UnmappedPolicy.PASS)
    sync.people.fields.get(local="status").value_map.all().delete()
    recipes.map_values(sync.people, "hs_lead_status", [("customer", "CONNECTED")])
    recipes.add_property(sync, "contacts", "spare", "enumeration", fieldType="select",
                         options=[{"label": "Lead", "value": "lead"}])  # fmt: skip
    setting(sync, "status", remote="spare")
    Person.objects.create(email="a@example.com", status="lead")
    Person.objects.create(email="b@example.com", status="former")
    sync.drain()
    found = {one["properties"]["email"]: one["properties"].get("spare") for one in sync.contacts()}
    assert found == {"a@example.com": "lead", "b@example.com": None}
    assert OutboxEntry.objects.get().last_code == "field.option_unknown"


@pytest.mark.parametrize("has_lines", [True, False])
def test_a_default_stands_for_unmapped_values(sync: Sync, has_lines: bool) -> None:
    """X14, X15: out and in, with a value map and without one; and its echo moves nothing (L8)."""
    setting(sync, "status", unmapped=UnmappedPolicy.DEFAULT, default_remote="OPEN", default_local="prospect")
    unmap(sync, "former")
    if not has_lines:
        sync.people.fields.get(local="status").value_map.all().delete()
    row = Person.objects.create(email="out@example.com", status="former")
    sync.hub.ui_create("contacts", {"email": "in@example.com", "hs_lead_status": "BAD_TIMING"})
    recipes.settle(sync)
    assert {one["properties"]["email"]: one["properties"]["hs_lead_status"] for one in sync.contacts()} == {
        "out@example.com": "OPEN", "in@example.com": "BAD_TIMING",
    }  # fmt: skip
    assert Person.objects.get(email="in@example.com").status == "prospect"
    rest(sync)
    row.refresh_from_db()
    assert row.status == "former"
    assert rest(sync) == 0


# --- Options that are added ---------------------------------------------------------------------------------------


@pytest.fixture
def adding(sync: Sync) -> Sync:
    setting(sync, "lead_source", unmapped=UnmappedPolicy.ADD)
    sync.people.fields.get(local="lead_source").value_map.all().delete()
    recipes.add_property(sync, "contacts", "source", "enumeration", fieldType="select",
                         options=[{"label": "Web", "value": "website"}])  # fmt: skip
    setting(sync, "lead_source", remote="source")
    return sync


def test_a_missing_option_is_added_before_the_write(adding: Sync) -> None:
    """Fault 33: with the value's label, beside those there are, by one change for the whole batch."""
    for number, source in enumerate(("fair", "partner", "fair", "website")):
        Person.objects.create(email=f"p{number}@example.com", lead_source=source)
    adding.drain()
    assert sorted(one["properties"]["source"] for one in adding.contacts()) == ["fair", "fair", "partner", "website"]
    assert len(patches(adding)) == 1
    discover.discover(adding.portal)
    row = RemoteProperty.objects.get(name="source")
    assert row.options == [["website", "Web"], ["fair", "Trade fair"], ["partner", "Partner"]]
    assert rest(adding) == 0
    Person.objects.create(email="again@example.com", lead_source="fair")
    adding.drain()
    assert len(patches(adding)) == 1


def test_an_option_that_somebody_else_took_away_is_added_again(adding: Sync, monkeypatch) -> None:
    """Fault 36: another system writes its own list between our reading and our writing."""
    found, get = [], properties.get

    def late(client, object_type, name):
        answer = get(client, object_type, name)
        found.append(name)
        if len(found) == 2:  # after our change: the other one's list, made before it, arrives
            adding.hub.portal.properties["0-1"]["source"].data["options"] = [
                option for option in adding.hub.portal.properties["0-1"]["source"].data["options"]
                if option["value"] != "fair"
            ]  # fmt: skip
            adding.hub.portal.properties["0-1"]["source"].refresh()
            return get(client, object_type, name)
        return answer

    monkeypatch.setattr(properties, "get", late)
    Person.objects.create(email="p@example.com", lead_source="fair")
    adding.drain()
    assert one_contact(adding)["source"] == "fair"
    assert len(patches(adding)) == 2


def test_only_one_worker_changes_a_propertys_options(adding: Sync) -> None:
    """Fault 36: the other one's records wait a moment and lose nothing."""
    Person.objects.create(email="p@example.com", lead_source="fair")
    one = scope.open_scope(adding.people.pk)
    (field,) = [one for one in one.spec.fields if one.remote == "source"]
    with options._lock(one, field) as is_ours:
        assert is_ours
        adding.drain()
        assert adding.contacts() == []
        row = OutboxEntry.objects.get()
        assert (row.state, row.last_code, row.attempts) == ("due", "record.lease", 0)
    OutboxEntry.objects.update(due_at=timezone.now())
    adding.drain()
    assert one_contact(adding)["source"] == "fair"


def test_without_the_scope_only_that_field_is_held_back(adding: Sync) -> None:
    """Fault 26, C24: the missing scope is named, everything else of the record is written."""
    first = Person.objects.create(email="first@example.com")
    adding.drain()
    scopes = ["crm.objects.contacts.read", "crm.objects.contacts.write", "crm.schemas.contacts.read"]
    adding.hub.add_token("pat-na1-may-not-change-properties", scopes)
    Credential.objects.update(token="pat-na1-may-not-change-properties")
    first.lead_source, first.city = "fair", "Leeds"
    first.save()
    adding.drain()
    assert (one_contact(adding)["city"], one_contact(adding).get("source")) == ("Leeds", None)
    row = OutboxEntry.objects.get()
    assert (row.state, row.last_code) == ("parked", "field.option_unknown")
    assert "crm.schemas.contacts.write" in row.last_message
    adding.people.refresh_from_db()
    assert adding.people.state == "live"


def test_what_cannot_be_an_option_is_held_back(adding: Sync) -> None:
    """Fault 41: a semicolon would be two options."""
    setting(adding, "lead_source", local="job_title")
    FieldMapping.objects.filter(mapping=adding.people, remote="jobtitle").delete()
    Person.objects.create(email="p@example.com", job_title="this; that")
    adding.drain()
    assert patches(adding) == []
    assert "semicolon" in OutboxEntry.objects.get().last_message


# --- Movement -----------------------------------------------------------------------------------------------------


@pytest.fixture
def staged(sync: Sync) -> Sync:
    """The status is the lifecycle stage."""
    row = setting(sync, "status", remote="lifecyclestage", movement=Movement.FORWARD)
    row.value_map.all().delete()
    stages = [("lead", "lead"), ("prospect", "opportunity"), ("customer", "customer")]
    for ours, theirs in stages:
        row.value_map.create(local_value=ours, remote_value=theirs, direction=Direction.BOTH)
    return sync


def begin(sync: Sync, status: str) -> tuple[Person, str]:
    row = Person.objects.create(email="p@example.com", status=status)
    recipes.settle(sync)
    (contact,) = sync.contacts()
    return row, contact["id"]


def test_a_stage_never_goes_back_in_hubspot(staged: Sync) -> None:
    """A17: the field stays, with a note in the log; nothing is parked and nothing is repeated."""
    row, key = begin(staged, "prospect")
    row.status = "lead"
    row.save()
    recipes.settle(staged)
    assert staged.contact(key)["lifecyclestage"] == "opportunity"
    assert staged.queued() == (0, 0)
    assert "the field moves forward only" in LogEntry.objects.latest("id").detail
    assert rest(staged) == 0
    row.status = "customer"
    row.save()
    recipes.settle(staged)
    assert staged.contact(key)["lifecyclestage"] == "customer"


def test_a_stage_never_goes_back_in_django(staged: Sync) -> None:
    """A17: a person in HubSpot may go back there; ours stays."""
    row, key = begin(staged, "prospect")
    staged.hub.ui_update("contacts", key, {"lifecyclestage": "lead"})
    recipes.settle(staged)
    row.refresh_from_db()
    assert row.status == "prospect"
    assert rest(staged) == 0
    staged.hub.ui_update("contacts", key, {"lifecyclestage": "customer"})
    recipes.settle(staged)
    row.refresh_from_db()
    assert row.status == "customer"


def test_of_two_edits_the_further_one_stays(staged: Sync) -> None:
    """A17, I10: HubSpot would win, but it went back; what lost is in the conflict log."""
    row, key = begin(staged, "prospect")
    row.status = "customer"
    row.save()
    staged.hub.ui_update("contacts", key, {"lifecyclestage": "lead"})
    recipes.settle(staged)
    row.refresh_from_db()
    assert (row.status, staged.contact(key)["lifecyclestage"]) == ("customer", "customer")
    assert Conflict.objects.get().remote_value == "lead"
    assert rest(staged) == 0


def test_a_stage_is_cleared_before_it_goes_back(staged: Sync) -> None:
    """A17: HubSpot drops a step back without a word; so it is cleared first, and nobody's edit is seen in that."""
    setting(staged, "status", movement=Movement.CLEAR_FIRST)
    row, key = begin(staged, "customer")
    row.status = "lead"
    row.save()
    recipes.settle(staged)
    row.refresh_from_db()
    assert (row.status, staged.contact(key)["lifecyclestage"]) == ("lead", "lead")
    assert not Conflict.objects.exists()
    assert rest(staged) == 0


@pytest.mark.parametrize("blanks", list(BlankPolicy))
def test_killed_between_the_clearing_and_the_value(staged: Sync, monkeypatch, blanks: str) -> None:
    """Fault 1: the blank in HubSpot is ours: it is filled, and never pulled."""
    setting(staged, "status", movement=Movement.CLEAR_FIRST, blanks=blanks)
    row, key = begin(staged, "customer")
    row.status = "lead"
    row.save()
    with monkeypatch.context() as patch:
        clear = apply._clear_first
        patch.setattr(apply, "_clear_first", lambda *args: (clear(*args), die()))
        with pytest.raises(Killed):
            staged.drain()
    assert not staged.contact(key).get("lifecyclestage")
    revive()
    staged.deliver()
    InboxEvent.objects.update(due_at=timezone.now())
    recipes.settle(staged)
    row.refresh_from_db()
    assert (row.status, staged.contact(key)["lifecyclestage"]) == ("lead", "lead")
    assert not Conflict.objects.exists()


# --- Combined values ----------------------------------------------------------------------------------------------


def test_a_stage_keys_on_a_combination(sync: Sync) -> None:
    """A10, A29: status and name together choose the stage."""
    mapping = recipes.make(
        sync,
        "demo.Opportunity",
        "deals",
        [("name", "dealname"), ("status+organisation__country", "dealstage", Direction.PUSH)],
        direction=Direction.PUSH,
    )
    sync.mappings["Opportunities"].delete()
    recipes.map_values(
        mapping, "dealstage", [("won + AU", "closedwon"), ("won + NZ", "contractsent"), ("open +", "closedlost")]
    )
    au, nz = (Organisation.objects.create(name=one, country=one, domain=f"{one}.example.com") for one in ("AU", "NZ"))
    row = Opportunity.objects.create(name="a", status="won", organisation=au)
    Opportunity.objects.create(name="b", status="won", organisation=nz)
    Opportunity.objects.create(name="c", status="open")
    recipes.settle(sync)
    assert {one["dealname"]: one["dealstage"] for one in recipes.deals(sync).values()} == {
        "a": "closedwon", "b": "contractsent", "c": "closedlost",
    }  # fmt: skip
    au.country = "NZ"
    au.save()
    recipes.settle(sync)
    found = {one["dealname"]: one["dealstage"] for one in recipes.deals(sync).values()}
    assert found["a"] == "contractsent", "a related part was not captured"
    assert rest(sync) == 0
    row.refresh_from_db()
    assert row.status == "won"


def test_a_status_keys_on_pipeline_and_stage(sync: Sync) -> None:
    """A10: one map for two pipelines, on the way in."""
    recipes.add_jobs(sync)
    mapping = recipes.make(
        sync, "demo.Opportunity", "deals",
        [("name", "dealname"), ("status", "pipeline+dealstage", Direction.PULL)], direction=Direction.PULL,
    )  # fmt: skip
    sync.mappings["Opportunities"].delete()
    lines = [("won", "default + closedwon"), ("quoted", "jobs + waiting")]
    recipes.map_values(mapping, "pipeline+dealstage", lines, Direction.PULL)
    sync.hub.ui_create("deals", {"dealname": "a", "pipeline": "default", "dealstage": "closedwon"})
    sync.hub.ui_create("deals", {"dealname": "b", "pipeline": "jobs", "dealstage": "waiting"})
    recipes.settle(sync)
    assert dict(Opportunity.objects.values_list("name", "status")) == {"a": "won", "b": "quoted"}
    assert rest(sync) == 0


def test_a_combination_that_names_nothing_is_refused(sync: Sync) -> None:
    setting(sync, "status", local="status+nothing", direction=Direction.PUSH)
    with pytest.raises(specs.SpecError, match="nothing"):
        specs.check(sync.people)


# --- Twins --------------------------------------------------------------------------------------------------------


@pytest.fixture
def twins(sync: Sync) -> Sync:
    """Pushed by one row, keyed on status and city, and pulled by another; the two tables are no inverses."""
    row = setting(sync, "status", direction=Direction.PULL)
    row.value_map.all().delete()
    recipes.map_values(
        sync.people, "hs_lead_status", [("lead", "NEW"), ("customer", "CONNECTED"), ("former", "OPEN")]
    )
    other = FieldMapping.objects.create(
        mapping=sync.people, local="status+city", remote="hs_lead_status", direction=Direction.PUSH, position=99,
        conflict=ConflictPolicy.PREFER_LOCAL,
    )  # fmt: skip
    for ours, theirs in (("prospect + Leeds", "NEW"), ("lead + Leeds", "NEW"), ("customer + Leeds", "CONNECTED"),
                         ("former + Leeds", "UNQUALIFIED"), ("lead +", "NEW"), ("former +", "OPEN"),
                         ("customer +", "CONNECTED")):  # fmt: skip
        other.value_map.create(local_value=ours, remote_value=theirs, direction=Direction.PUSH)
    return sync


def test_what_one_row_pushes_does_not_come_back_by_its_twin(twins: Sync) -> None:
    """L8: prospect is NEW, which is lead on the way in; it stays prospect, at the create and at an edit."""
    row = Person.objects.create(email="p@example.com", status="prospect", city="Leeds")
    recipes.settle(twins)
    assert one_contact(twins)["hs_lead_status"] == "NEW"
    assert rest(twins) == 0
    for status, theirs in (("former", "UNQUALIFIED"), ("prospect", "NEW")):
        row.refresh_from_db()
        row.status = status
        row.save()
        recipes.settle(twins)
        row.refresh_from_db()
        assert (row.status, one_contact(twins)["hs_lead_status"]) == (status, theirs)
    assert rest(twins) == 0
    assert not Conflict.objects.exists()


def test_what_one_row_pulls_does_not_go_back_by_its_twin(twins: Sync) -> None:
    """L8: OPEN is former on the way in, and former in Leeds would be UNQUALIFIED."""
    key = twins.hub.ui_create("contacts", {"email": "p@example.com", "city": "Leeds", "hs_lead_status": "OPEN"})
    recipes.settle(twins)
    row = Person.objects.get()
    assert (row.status, twins.contact(key)["hs_lead_status"]) == ("former", "OPEN")
    rest(twins)
    twins.hub.ui_update("contacts", key, {"hs_lead_status": "CONNECTED"})
    recipes.settle(twins)
    twins.hub.ui_update("contacts", key, {"hs_lead_status": "OPEN"})
    recipes.settle(twins)
    row.refresh_from_db()
    assert (row.status, twins.contact(key)["hs_lead_status"]) == ("former", "OPEN")
    assert rest(twins) == 0


@pytest.mark.parametrize(
    ("policy", "status", "stage"),
    [
        (ConflictPolicy.PREFER_LOCAL, "former", "UNQUALIFIED"),
        (ConflictPolicy.PREFER_HUBSPOT, "customer", "CONNECTED"),
    ],
)
def test_twins_that_both_want_a_property_clash(twins: Sync, policy: str, status: str, stage: str) -> None:
    """I10, Fault 5: the pushing row's policy decides, the loser is in the conflict log, and then there is rest."""
    FieldMapping.objects.filter(local="status+city").update(conflict=policy)
    row = Person.objects.create(email="p@example.com", status="prospect", city="Leeds")
    recipes.settle(twins)
    (contact,) = twins.contacts()
    row.status = "former"
    row.save()
    twins.hub.ui_update("contacts", contact["id"], {"hs_lead_status": "CONNECTED"})
    recipes.settle(twins)
    row.refresh_from_db()
    assert (row.status, twins.contact(contact["id"])["hs_lead_status"]) == (status, stage)
    clash = Conflict.objects.get()
    assert (clash.local_value, clash.remote_value) == ("former + Leeds", "CONNECTED")
    assert rest(twins) == 0


def test_a_row_that_only_reads_the_property_follows(sync: Sync) -> None:
    """I9: no circle, so what one row pushes reaches the field that another one fills from it, without webhooks."""
    setting(sync, "job_title", remote="hs_lead_status", direction=Direction.PULL)
    setting(sync, "status", direction=Direction.PUSH)
    row = Person.objects.create(email="p@example.com", status="lead")
    sync.drain()
    row.status = "customer"
    row.save()
    sync.drain()
    row.refresh_from_db()
    assert row.job_title == "CONNECTED"
    assert rest(sync) == 0


# --- Throttled fields ---------------------------------------------------------------------------------------------


@pytest.fixture
def seen(sync: Sync) -> tuple[Sync, Person]:
    setting(sync, "last_seen_at", throttle_minutes=60)
    row = Person.objects.create(email="p@example.com")
    recipes.settle(sync)
    row.last_seen_at = timezone.now()
    row.save()
    return sync, row


def test_a_fast_field_waits_alone(seen) -> None:
    """L15: nothing is asked of HubSpot, no attempt is counted, and the queue says why and until when."""
    sync, _row = seen
    calls = len(sync.hub.ledger.requests())
    sync.drain()
    assert len(sync.hub.ledger.requests()) == calls
    entry = OutboxEntry.objects.get()
    assert (entry.state, entry.last_code, entry.attempts) == ("due", "field.throttled", 0)
    assert "last_seen_at" in entry.last_message
    assert 3400 < (entry.due_at - timezone.now()).total_seconds() <= 3600


def test_a_fast_field_goes_with_any_other_change(seen) -> None:
    """L15"""
    sync, row = seen
    sync.drain()
    row.city = "Leeds"
    row.save()
    sync.drain()
    assert one_contact(sync)["city"] == "Leeds"
    assert one_contact(sync)["demo_last_seen"]
    assert sync.queued() == (0, 0)


def test_a_fast_field_goes_when_its_time_has_come(seen) -> None:
    """L15"""
    sync, _row = seen
    sync.drain()
    Link.objects.update(synced_at=timezone.now() - timezone.timedelta(minutes=61))
    OutboxEntry.objects.update(due_at=timezone.now())
    sync.drain()
    assert one_contact(sync)["demo_last_seen"]


def test_a_run_waits_for_nobody(seen) -> None:
    """L15: who asks for a full push gets one."""
    sync, _row = seen
    sync.backfill("backfill_push")
    assert one_contact(sync)["demo_last_seen"]


# --- Defaults of new rows -----------------------------------------------------------------------------------------


def test_a_default_of_a_pulled_row_goes_out_at_once(sync: Sync) -> None:
    """I9: HubSpot had no status; the new row's default goes there without waiting for the row's next save."""
    sync.hub.ui_create("contacts", {"email": "p@example.com"})
    sync.deliver()
    sync.drain()
    assert Person.objects.get().status == "lead"
    assert one_contact(sync)["hs_lead_status"] == "NEW"
    assert rest(sync) == 0


# --- In a file ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"local": "status", "unmapped": "default", "default_local": "odd"}, "The default “odd” is none of “status”"),
        ({"local": "city", "unmapped": "add"}, "no options of its own"),
        ({"local": "city", "movement": "forward"}, "no options in an order"),
        ({"local": "city", "remote": "city+nothing", "direction": "pull"}, "no property “nothing”"),
        ({"local": "city", "remote": "city+country", "direction": "push"}, "HubSpot lets nobody write"),
    ],
)
def test_a_file_whose_policies_cannot_work_is_refused(sync: Sync, changes: dict, words: str) -> None:
    """X14, A17, A29: as the page of the row would refuse it."""
    text = json.loads(configure.export(sync.portal, configure.Options()).text)
    (people,) = [one for one in text["mappings"] if one["name"] == "People"]
    (field,) = [one for one in people["fields"] if one["local"] == changes["local"]]
    field.update(changes)
    with pytest.raises(config.ConfigError, match=words):
        configure.make_plan(sync.portal, json.dumps(text), configure.Options())
