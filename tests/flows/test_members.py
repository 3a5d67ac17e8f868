"""Fixed values: which mapping a record belongs to, and what new records get, by every way in."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from crmsync.engine.terms import Direction
from crmsync.flows import poll
from crmsync.ledger import specs
from crmsync.models import Cursor, InboxEvent, Link, LogEntry, Mapping, OutboxEntry
from project.demo.models import Opportunity, Organisation, Person
from tests.flows import recipes
from tests.flows.conftest import Sync

_STAGES = {
    "default": [("open", "appointmentscheduled"), ("quoted", "presentationscheduled"), ("won", "closedwon")],
    recipes.JOBS: [("open", "waiting"), ("quoted", "working"), ("won", "invoiced")],
}


@pytest.fixture
def bare(make_sync: Callable[..., Sync]) -> Sync:
    """A portal whose demo mappings are drafts, so that only a test's own mappings run."""
    return make_sync("draft")


@pytest.fixture
def by_kind(bare: Sync) -> Sync:
    """Organisations of retail are companies, those of education are contacts; HubSpot knows nothing of kinds."""
    for object_type, name, kind in (("companies", "name", "retail"), ("contacts", "lastname", "education")):
        fields = [("name", name), ("city", "city")]
        mapping = recipes.make(bare, "demo.Organisation", object_type, fields)
        recipes.match(mapping, "name", name)
        recipes.fix(mapping, "local", "industry", kind)
    return bare


def deals_in(sync: Sync, pipeline: str, model: str = "demo.Opportunity", **facts) -> Mapping:
    """Rows to the deals of one pipeline, each status one of its stages."""
    fields = [("name", "dealname"), ("amount", "amount"), ("status", "dealstage")]
    mapping = recipes.make(sync, model, "deals", fields, **facts)
    recipes.match(mapping, "name", "dealname")
    recipes.map_values(mapping, "dealstage", _STAGES[pipeline])
    recipes.fix(mapping, "remote", "pipeline", pipeline)
    return mapping


def poll_all(sync: Sync) -> None:
    Cursor.objects.update(due_at="2000-01-01T00:00Z")
    while poll.poll_due() >= 0:
        pass
    sync.drain()


def nothing_told() -> bool:
    """No line says that a record was left out, and nothing waits for a person."""
    queued = [*OutboxEntry.objects.all(), *InboxEvent.objects.all()]
    return not queued and not LogEntry.objects.filter(outcome__in=["excluded", "failed", "waiting"]).exists()


# --- One model, two object types ----------------------------------------------------------------------------------


def test_a_kind_decides_the_object_type_two_way(by_kind: Sync) -> None:
    """A3: rows of one model are companies or contacts by a field, each two-way, and the other mapping is not told."""
    for name, kind in (("Shop", "retail"), ("School", "education"), ("Bank", "finance")):
        Organisation.objects.create(name=name, industry=kind)
    recipes.settle(by_kind)
    (company,), (contact,) = by_kind.hub.records("companies"), by_kind.hub.records("contacts")
    assert (company["properties"]["name"], contact["properties"]["lastname"]) == ("Shop", "School")
    by_kind.hub.ui_update("companies", company["id"], {"city": "Leeds"})
    by_kind.hub.ui_update("contacts", contact["id"], {"city": "York"})
    recipes.settle(by_kind)
    assert dict(Organisation.objects.values_list("name", "city")) == {"Shop": "Leeds", "School": "York", "Bank": ""}
    assert nothing_told()


@pytest.mark.parametrize("uses_save", [True, False])
def test_a_new_record_becomes_a_row_of_its_kind(by_kind: Sync, uses_save: bool) -> None:
    """A3: the way in; the row gets the kind of its mapping, one by one and in bulk."""
    Mapping.objects.filter(model_label="demo.Organisation").update(uses_save=uses_save)
    by_kind.hub.ui_create("companies", {"name": "Market"})
    by_kind.hub.ui_create("contacts", {"lastname": "College"})
    recipes.settle(by_kind)
    assert set(Organisation.objects.values_list("name", "industry")) == {
        ("Market", "retail"),
        ("College", "education"),
    }
    assert (len(by_kind.hub.records("companies")), len(by_kind.hub.records("contacts"))) == (2 - 1, 1)


@pytest.mark.parametrize("kind", ["backfill_pull", "backfill_push"])
def test_backfills_take_only_their_own(by_kind: Sync, kind: str) -> None:
    """A3: a bulk run of one mapping neither links nor makes what is the other's, though the name is the same."""
    OutboxEntry.objects.all().delete()
    shop = Organisation.objects.create(name="Twin", industry="retail")
    school = Organisation.objects.create(name="Twin", industry="education")
    OutboxEntry.objects.all().delete()
    by_kind.hub.set_webhooks(lose=1.0)
    company = by_kind.hub.ui_create("companies", {"name": "Twin"})
    contact = by_kind.hub.ui_create("contacts", {"lastname": "Twin"})
    for mapping in Mapping.objects.filter(state="live"):
        by_kind.backfill(kind, mapping)
    assert dict(Link.objects.values_list("local_pk", "remote_id")) == {str(shop.pk): company, str(school.pk): contact}
    assert Organisation.objects.count() == 2


def test_a_row_that_changes_its_kind_is_left_alone_and_kept(by_kind: Sync) -> None:
    """A3: what belongs to another mapping by now is written no more, its company stays, and it is told once."""
    row = Organisation.objects.create(name="Shop", industry="retail")
    recipes.settle(by_kind)
    for city in ("Leeds", "York"):
        row.industry, row.city = "education", city
        row.save()
        recipes.settle(by_kind)
    (company,), (contact,) = by_kind.hub.records("companies"), by_kind.hub.records("contacts")
    assert (company["properties"].get("city"), contact["properties"]["city"]) == (None, "York")
    told = LogEntry.objects.filter(outcome="excluded")
    assert [one.reason for one in told] == ["other_mapping"]
    assert Link.objects.filter(state="linked", local_pk=str(row.pk)).count() == 2


def test_the_deletion_of_a_row_does_not_archive_anothers_deal(bare: Sync) -> None:
    """A deal that was moved to another pipeline is not archived with the row it was made of."""
    recipes.add_jobs(bare)
    deals_in(bare, "default", deletes_remote="archive")
    row = Opportunity.objects.create(name="Fence", status="quoted")
    recipes.settle(bare)
    (key,) = recipes.deals(bare)
    bare.hub.ui_update("deals", key, {"pipeline": recipes.JOBS, "dealstage": "working"})
    recipes.settle(bare)
    row.delete()
    recipes.settle(bare)
    assert list(recipes.deals(bare)) == [key]


# --- Deals and pipelines ------------------------------------------------------------------------------------------


def test_two_models_share_the_deals_of_a_portal(bare: Sync) -> None:
    """A5, X16: two models, each with its filter, pipeline and field list; neither takes the other's deals."""
    recipes.add_jobs(bare)
    quotes = deals_in(bare, "default")
    recipes.gate(quotes, Direction.PUSH, ("local", "status", "not_equals", "open"))
    tasks = recipes.make(bare, "demo.Organisation", "deals", [("name", "dealname"), ("notes", "description")])
    recipes.fix(tasks, "remote", "pipeline", recipes.JOBS)
    recipes.fix(tasks, "remote", "dealstage", "waiting", decides=False)
    recipes.fix(tasks, "local", "industry", "retail")
    Opportunity.objects.create(name="Quote", amount=Decimal(10), status="quoted")
    Opportunity.objects.create(name="Too early", status="open")
    Organisation.objects.create(name="Task", notes="By hand", industry="retail")
    Organisation.objects.create(name="Other", industry="finance")
    recipes.settle(bare)
    found = recipes.by_pipeline(bare)
    assert (found["default"]["dealname"], found["default"]["dealstage"]) == ("Quote", "presentationscheduled")
    assert (found["jobs"]["dealname"], found["jobs"]["description"]) == ("Task", "By hand")
    assert found["jobs"]["dealstage"] == "waiting"
    assert Opportunity.objects.count() == Organisation.objects.count() == 2


@pytest.mark.parametrize("by", ["webhook", "poll", "backfill"])
def test_a_deal_becomes_a_row_of_its_pipelines_mapping(bare: Sync, by: str) -> None:
    """A5: by every way in; the other mapping leaves no line, nothing parked and nothing linked."""
    recipes.add_jobs(bare)
    deals_in(bare, "default")
    tasks = recipes.make(bare, "demo.Organisation", "deals", [("name", "dealname")])
    recipes.fix(tasks, "remote", "pipeline", recipes.JOBS)
    if by != "webhook":
        poll_all(bare)
        bare.hub.set_webhooks(lose=1.0)
    bare.hub.ui_create("deals", {"dealname": "Sale", "pipeline": "default", "dealstage": "closedwon"})
    bare.hub.ui_create("deals", {"dealname": "Work", "pipeline": recipes.JOBS, "dealstage": "working"})
    if by == "poll":
        poll_all(bare)
    if by == "backfill":
        for mapping in Mapping.objects.filter(state="live"):
            bare.backfill("backfill_pull", mapping)
    for _ in range(2):
        recipes.settle(bare)
    assert list(Opportunity.objects.values_list("name", "status")) == [("Sale", "won")]
    assert list(Organisation.objects.values_list("name", flat=True)) == ["Work"]
    assert nothing_told()


def test_a_match_is_not_made_with_anothers_record(bare: Sync) -> None:
    """A row finds its partner among the deals of its own pipeline only."""
    recipes.add_jobs(bare)
    deals_in(bare, "default")
    bare.hub.set_webhooks(lose=1.0)
    other = bare.hub.ui_create("deals", {"dealname": "Roof", "pipeline": recipes.JOBS, "dealstage": "working"})
    Opportunity.objects.create(name="Roof", status="quoted")
    bare.drain()
    made = recipes.by_pipeline(bare)["default"]
    assert made["dealstage"] == "presentationscheduled"
    assert Link.objects.get().remote_id != other


def test_a_record_that_hubspot_holds_to_be_unique_is_not_taken_from_another(bare: Sync) -> None:
    """HubSpot refuses a second contact with the address; the first is another mapping's and stays untouched."""
    recipes.add_property(bare, "contacts", "kind")
    mapping = recipes.make(bare, "demo.Person", "contacts", [("email", "email"), ("city", "city")])
    recipes.fix(mapping, "remote", "kind", "customer")
    key = bare.hub.ui_create("contacts", {"email": "ada@example.com", "kind": "supplier"})
    Person.objects.create(email="ada@example.com", city="Leeds")
    recipes.settle(bare)
    assert not bare.contact(key).get("city")
    assert not Link.objects.exists()
    assert LogEntry.objects.filter(reason="record.other_mapping").exists()


def test_a_quote_is_made_in_the_pipeline_and_stage_of_its_mapping(bare: Sync) -> None:
    """A9, X16: the mapping alone names the pipeline, and the first stage of what has none of its own."""
    recipes.add_jobs(bare)
    mapping = recipes.make(bare, "demo.Opportunity", "deals", [("name", "dealname")], direction=Direction.PUSH)
    recipes.fix(mapping, "remote", "pipeline", recipes.JOBS)
    recipes.fix(mapping, "remote", "dealstage", "working", decides=False)
    Opportunity.objects.create(name="Fence")
    recipes.settle(bare)
    ((key, deal),) = recipes.deals(bare).items()
    assert (deal["pipeline"], deal["dealstage"]) == ("jobs", "working")
    bare.hub.ui_update("deals", key, {"dealstage": "invoiced"})
    recipes.settle(bare)
    assert recipes.deals(bare)[key]["dealstage"] == "invoiced"


def test_stages_are_kept_for_each_pipeline(bare: Sync) -> None:
    """A10: one status is another stage in another pipeline; the linked deals move to it, and back in."""
    recipes.add_jobs(bare)
    for pipeline, operator in (("default", "greater"), (recipes.JOBS, "less")):
        recipes.gate(deals_in(bare, pipeline), Direction.PUSH, ("local", "amount", operator, "1000"))
    rows = [Opportunity.objects.create(name=f"Of {n}", amount=Decimal(n), status="quoted") for n in (10, 5000)]
    recipes.settle(bare)
    for row in rows:
        row.status = "won"
        row.save()
    recipes.settle(bare)
    found = recipes.by_pipeline(bare)
    assert {name: deal["dealstage"] for name, deal in found.items()} == {"default": "closedwon", "jobs": "invoiced"}
    key = Link.objects.get(local_pk=str(rows[0].pk)).remote_id
    bare.hub.ui_update("deals", key, {"dealstage": "working"})
    recipes.settle(bare)
    rows[0].refresh_from_db()
    assert rows[0].status == "quoted"


def test_one_row_has_a_deal_in_each_mapping(bare: Sync) -> None:
    """A11: a row that is won gets a second deal in another pipeline; both are linked and follow the row."""
    recipes.add_jobs(bare)
    deals_in(bare, "default")
    jobs = deals_in(bare, recipes.JOBS)
    recipes.gate(jobs, Direction.PUSH, ("local", "status", "equals", "won"))
    row = Opportunity.objects.create(name="Roof", status="quoted")
    recipes.settle(bare)
    assert set(recipes.by_pipeline(bare)) == {"default"}
    row.status = "won"
    row.save()
    recipes.settle(bare)
    found = recipes.by_pipeline(bare)
    assert {name: one["dealstage"] for name, one in found.items()} == {"default": "closedwon", "jobs": "invoiced"}
    links = Link.objects.filter(local_pk=str(row.pk), state="linked")
    assert links.count() == len(set(links.values_list("mapping", flat=True))) == 2
    for key in links.values_list("remote_id", flat=True):
        bare.hub.ui_update("deals", key, {"dealname": f"Roof {key}"})
        recipes.settle(bare)
        row.refresh_from_db()
        assert row.name == f"Roof {key}"
        assert {one["dealname"] for one in recipes.deals(bare).values()} == {row.name}
    assert Opportunity.objects.count() == 1


def test_a_fields_own_value_goes_before_an_initial_one(bare: Sync) -> None:
    """A value that is only given at first leaves the field to its mapping."""
    mapping = recipes.make(
        bare, "demo.Organisation", "companies", [("name", "name"), ("city", "city")], direction=Direction.PUSH
    )
    recipes.fix(mapping, "remote", "city", "Nowhere", decides=False)
    Organisation.objects.create(name="Placed", city="Leeds")
    Organisation.objects.create(name="Lost")
    bare.drain()
    found = {one["properties"]["name"]: one["properties"].get("city") for one in bare.hub.records("companies")}
    assert found == {"Placed": "Leeds", "Lost": "Nowhere"}


# --- What cannot be ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "field", "value", "words"),
    [
        ("remote", "pipeline", "nonsense", "not one of: default, jobs"),
        ("remote", "dealstage", "nonsense", "not one of"),
        ("remote", "dealname", "x", "Take one of them out"),
        ("remote", "nonsense", "x", "do not have"),
        ("remote", "hs_object_id", "5", "does not let anyone write"),
        ("local", "status", "nonsense", "not one of: lost, open, quoted, won"),
        ("local", "nonsense", "x", "has no field"),
        ("local", "name", "x", "Take one of them out"),
        ("local", "close_at", "soon", "Write it as 2026-05-31"),
        ("local", "organisation__industry", "retail", "cannot be written in Django"),
    ],
)
def test_a_fixed_value_that_cannot_be_is_refused(bare: Sync, side: str, field: str, value: str, words: str) -> None:
    """The mapping says so before it runs, with the values that are known."""
    recipes.add_jobs(bare)
    mapping = recipes.make(bare, "demo.Opportunity", "deals", [("name", "dealname")])
    recipes.fix(mapping, side, field, value)
    with pytest.raises(specs.SpecError, match=words):
        specs.load(mapping)


def test_a_stage_of_another_pipeline_is_refused(bare: Sync) -> None:
    """X16: a stage belongs to the pipeline in use."""
    recipes.add_jobs(bare)
    mapping = recipes.make(bare, "demo.Opportunity", "deals", [("name", "dealname")])
    recipes.fix(mapping, "remote", "pipeline", recipes.JOBS)
    recipes.fix(mapping, "remote", "dealstage", "closedwon", decides=False)
    with pytest.raises(specs.SpecError, match="The pipeline “Jobs” has no stage “closedwon”"):
        specs.load(mapping)
