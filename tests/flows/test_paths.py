"""Computed values, roll-ups and what they hang on: read for a batch, captured, and seen in HubSpot."""

import datetime
from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crmsync import adapters, api
from crmsync.admin import catalogue
from crmsync.engine.terms import BlankPolicy
from crmsync.ledger import specs
from crmsync.models import FieldMapping, LogEntry, Mapping, OutboxEntry
from crmsync.models.choices import RunKind
from crmsync.sides import guard, local
from tests.flows import hosts, recipes
from tests.flows.conftest import Sync
from tests.flows.test_related import marks, statements
from tests.hostapp.models import Client, Job, Line, Member, Note, Place, Restaurant, Topic, UrgentJob

FIELDS = [
    ("number", "name"),
    ("headline", "headline", "push"),
    ("total", "total", "push"),
    ("lines__count", "line_count", "push"),
    ("lines__sum__amount", "line_sum", "push"),
    ("lines__max__done_at", "done_at", "push"),
    ("lines__join__title", "work_done", "push"),
]
KINDS = {"headline": "string", "work_done": "string", "done_at": "datetime"}


@pytest.fixture
def jobs(sync: Sync, settings) -> Iterator[Mapping]:
    """Jobs to companies, with computed values and roll-ups."""
    with hosts.registered(settings):
        for _, remote, *_ in FIELDS[1:]:
            recipes.add_property(sync, "companies", remote, KINDS.get(remote, "number"))
        mapping = recipes.make(sync, "hostapp.Job", "companies", FIELDS)
        recipes.match(mapping, "number", "name")
        yield mapping


def company(sync: Sync, name: str) -> dict:
    (found,) = [one["properties"] for one in sync.hub.records("companies") if one["properties"]["name"] == name]
    return found


def job_with_lines(number: str = "j1") -> Job:
    job = Job.objects.create(number=number, title="Roof")
    done = datetime.datetime(2026, 3, 4, 5, 6, tzinfo=datetime.UTC)
    Line.objects.create(job=job, title="Tiles", amount=Decimal("10.50"), done_at=done)
    Line.objects.create(job=job, title="Gutter", amount=Decimal("4.25"), done_at=done - datetime.timedelta(days=1))
    return job


# --- In HubSpot ---------------------------------------------------------------------------------------------------


def test_what_was_done_and_when(sync, jobs) -> None:
    """A12, A13: a property, a method, the roll-ups of related rows, and the day of the last one."""
    job_with_lines()
    recipes.settle(sync)
    found = company(sync, "j1")
    assert found["headline"] == "j1: Roof"
    assert Decimal(found["total"]) == Decimal(found["line_sum"]) == Decimal("14.75")
    assert found["line_count"] == "2"
    assert found["done_at"].startswith("2026-03-04T05:06:00")
    assert found["work_done"] == "Tiles; Gutter"


def test_an_edited_line_pushes_its_job(sync, jobs) -> None:
    """A12, A13, I1: editing, adding and deleting a line is sent without touching the job, and comes to rest."""
    job = job_with_lines()
    recipes.settle(sync)
    line = Line.objects.get(title="Tiles")
    line.amount = 20
    line.save()
    recipes.settle(sync)
    assert Decimal(company(sync, "j1")["line_sum"]) == Decimal("24.25")
    Line.objects.create(job=job, title="Paint", amount=1)
    recipes.settle(sync)
    assert company(sync, "j1")["work_done"] == "Tiles; Gutter; Paint"
    line.delete()
    recipes.settle(sync)
    assert (company(sync, "j1")["line_count"], company(sync, "j1")["work_done"]) == ("2", "Gutter; Paint")
    before = sync.writes()
    job.save()
    recipes.settle(sync)
    assert sync.writes() == before
    assert sync.queued() == (0, 0)


def test_a_line_that_moves_concerns_both_jobs(sync, jobs) -> None:
    """A12, I1: from one job to another, and to none."""
    first, second = job_with_lines("j1"), job_with_lines("j2")
    recipes.settle(sync)
    line = Line.objects.filter(job=first).first()
    line.job = second
    line.save()
    recipes.settle(sync)
    assert (company(sync, "j1")["line_count"], company(sync, "j2")["line_count"]) == ("1", "3")
    line.job = None
    line.save(update_fields=["job"])
    recipes.settle(sync)
    assert company(sync, "j2")["line_count"] == "2"


def test_the_last_line_leaves_a_sum_of_nothing(sync, jobs) -> None:
    """A13: a count and a sum become 0; the text follows the blank policy."""
    FieldMapping.objects.filter(mapping=jobs, local="lines__join__title").update(blanks=BlankPolicy.CLEAR)
    job_with_lines()
    recipes.settle(sync)
    Line.objects.all().delete()
    recipes.settle(sync)
    found = company(sync, "j1")
    assert (found["line_count"], Decimal(found["line_sum"]), found.get("work_done") or "") == ("0", 0, "")


def test_a_custom_object_and_a_host_model(sync, settings) -> None:
    """U2, L3, X11: any model with any object type, custom ones too, both ways; two mappings share one model."""
    with hosts.registered(settings):
        kind = sync.hub.add_object_type("site", requiredProperties=["site_name"], primaryDisplayProperty="site_name")
        recipes.add_property(sync, kind, "site_name")
        recipes.add_property(sync, kind, "lines_done", "number")
        fields = [("number", "site_name"), ("lines__count", "lines_done", "push")]
        recipes.make(sync, "hostapp.Job", kind, fields)
        recipes.make(sync, "hostapp.Job", "companies", [("number", "name"), ("title", "city")])
        job = job_with_lines()
        recipes.settle(sync)
        (site,) = sync.hub.records(kind)
        assert (site["properties"]["site_name"], site["properties"]["lines_done"]) == ("j1", "2")
        assert company(sync, "j1")["city"] == "Roof"
        sync.hub.ui_update(kind, site["id"], {"site_name": "j1-renamed"})
        sync.backfill(RunKind.BACKFILL_PULL, Mapping.objects.get(object_type=kind))
        job.refresh_from_db()
        assert job.number == "j1-renamed"


# --- What is captured ---------------------------------------------------------------------------------------------


def test_a_line_costs_one_statement(sync, jobs) -> None:
    """I1: made or saved, whoever rolls it up; a row that points elsewhere is looked at, and only then."""
    job = job_with_lines()
    sync.drain()
    made = statements(lambda: Line.objects.create(job=job))
    assert sum("crmsync" in sql for sql in made) == 1
    line = Line.objects.first()
    saved = statements(line.save)
    assert sum("crmsync" in sql for sql in saved) == 1
    assert ("lines", str(line.pk)) in marks(jobs)
    loaded = Line.objects.get(pk=line.pk)
    loaded.job = Job.objects.create(number="j9")
    OutboxEntry.objects.all().delete()
    loaded.save()
    assert ("", str(job.pk)) in marks(jobs)


def test_a_model_that_nobody_reads_costs_nothing(sync, settings) -> None:
    """I1, I8: neither loading, nor the sync's own write."""
    with hosts.registered(settings):
        note = Note.objects.create(text="x")
        with guard.writing([("hostapp.Note", str(note.pk))]):
            assert not any("crmsync" in sql for sql in statements(note.save))
        assert not hasattr(Note.objects.get()._state, "crmsync_loaded")


@pytest.mark.parametrize("way", ["deferred", "by hand", "queryset"])
def test_a_line_moves_however_it_was_loaded(sync, jobs, way) -> None:
    """I1: a deferred key, and an instance made by hand of a known key; a bulk statement is told."""
    job, other = job_with_lines(), Job.objects.create(number="j2")
    line = Line.objects.first()
    OutboxEntry.objects.all().delete()
    if way == "deferred":
        row = Line.objects.only("title").get(pk=line.pk)
        row.job = other
        row.save()
    elif way == "by hand":
        Line(pk=line.pk, job=other, title="again").save()
    else:
        api.mark_dirty([line])
        sync.drain()
        Line.objects.filter(pk=line.pk).update(job=other)
        api.mark_dirty(Line.objects.filter(pk=line.pk))
        sync.drain()
        assert company(sync, "j2")["line_count"] == "1"
        return
    assert ("", str(job.pk)) in marks(jobs)


def test_many_to_many_marks_from_both_ends(sync, settings) -> None:
    """I1, L4: add, remove, set and clear, from either end; and rows of a model of one's own between."""
    with hosts.registered(settings):
        recipes.add_property(sync, "companies", "topic_count", "number")
        mapping = recipes.make(
            sync, "hostapp.Job", "companies", [("number", "name"), ("topics__count", "topic_count", "push")]
        )
        job, topic = Job.objects.create(number="j1"), Topic.objects.create(name="Roofs")
        mine = ("", str(job.pk))
        through = Job.topics.through
        acts = [
            lambda: job.topics.add(topic),
            lambda: job.topics.remove(topic),
            lambda: topic.jobs.add(job),
            topic.jobs.clear,
            lambda: job.topics.set([topic]),
            job.topics.clear,
        ]
        for act in acts:
            OutboxEntry.objects.all().delete()
            act()
            assert mine in marks(mapping)
        OutboxEntry.objects.all().delete()
        between = through.objects.create(job=job, topic=topic)
        assert ("labelling", str(between.pk)) in marks(mapping)
        sync.drain()
        assert company(sync, "j1")["topic_count"] == "1"
        between.delete()
        sync.drain()
        assert company(sync, "j1")["topic_count"] == "0"
        OutboxEntry.objects.all().delete()
        with guard.writing([("hostapp.Job", str(job.pk))]):
            job.topics.add(topic)
        assert mine not in marks(mapping)


def test_the_batch_is_read_in_few_queries(sync, jobs) -> None:
    """Performance: a hundred jobs with lines cost as many statements as two."""
    side = local.LocalSide(specs.load(jobs), specs.adapter_of(jobs))

    def cost() -> int:
        with CaptureQueriesContext(connection) as seen:
            records = side.page("", 200)
        assert all(one.values["lines__count"] == 2 for one in records)
        return len(seen)

    job_with_lines("a"), job_with_lines("b")
    few = cost()
    for number in range(100):
        job_with_lines(f"n{number}")
    assert cost() == few <= 4


def test_a_soft_deleted_line_does_not_count(sync, jobs, monkeypatch) -> None:
    """A13: roll-ups read what the related model's adapter shows."""

    class Paid(adapters.LocalAdapter):
        def queryset(self):
            return super().queryset().filter(is_paid=False)

    monkeypatch.setitem(adapters._registry, Line, Paid)
    job_with_lines()
    recipes.settle(sync)
    line = Line.objects.first()
    line.is_paid = True
    line.save()
    recipes.settle(sync)
    assert company(sync, "j1")["line_count"] == "1"


# --- Errors in the host's code ------------------------------------------------------------------------------------


def test_a_property_that_raises_holds_one_field_of_one_record(sync, settings) -> None:
    """A12, E6: the others go on; path and error class are named, and nothing of the value is."""
    with hosts.registered(settings):
        fields = [("number", "name"), ("title", "city"), ("broken", "description", "push")]
        mapping = recipes.make(sync, "hostapp.Job", "companies", fields)
        Job.objects.create(number="good", title="fine")
        bad = Job.objects.create(number="bad", title="bad")
        sync.drain()
        assert company(sync, "good")["description"] == "fine"
        assert (company(sync, "bad")["city"], company(sync, "bad").get("description")) == ("bad", None)
        (entry,) = OutboxEntry.objects.filter(mapping=mapping)
        assert (entry.local_pk, entry.last_code, entry.state) == (str(bad.pk), "field.unreadable", "parked")
        assert "broken" in entry.last_message
        assert "ZeroDivisionError" in entry.last_message
        said = entry.last_message + "".join(LogEntry.objects.values_list("detail", flat=True))
        assert "private" not in said


def test_a_rule_on_a_value_that_raises_stops_the_record(sync, settings) -> None:
    """A12, X9: a blank in its place could let the record in, or keep it out."""
    with hosts.registered(settings):
        mapping = recipes.make(sync, "hostapp.Job", "companies", [("number", "name")])
        recipes.gate(mapping, "push", ("local", "broken", "is_empty", ""))
        Job.objects.create(number="bad", title="bad")
        sync.drain()
        assert not list(sync.hub.records("companies"))
        assert OutboxEntry.objects.get(mapping=mapping).last_code == "field.unreadable"


def test_a_match_key_must_be_found_by_the_database(sync, settings) -> None:
    """A12, E3: a computed value as match key is refused with the remedy."""
    with hosts.registered(settings):
        mapping = recipes.make(sync, "hostapp.Job", "companies", [("number", "name")])
        recipes.match(mapping, "headline", "name")
        with pytest.raises(specs.SpecError, match="cannot be looked up"):
            specs.load(mapping)


# --- Keys and inheritance -----------------------------------------------------------------------------------------


def test_random_text_and_natural_keys(sync, settings) -> None:
    """U2: a UUID key with a slug that matches, and a text key given by hand; a new row is made by HubSpot for one."""
    with hosts.registered(settings):
        jobs = recipes.make(sync, "hostapp.Job", "companies", [("number", "name"), ("title", "city")])
        recipes.match(jobs, "number", "name")
        fields = [("name", "lastname"), ("code", "firstname", "push")]
        clients = recipes.make(sync, "hostapp.Client", "contacts", fields)
        sync.hub.ui_create("companies", {"name": "J-1", "city": "Theirs"})
        job = Job.objects.create(number="j-1")
        client = Client.objects.create(code="c/ü 1", name="First")
        recipes.settle(sync)
        job.refresh_from_db()
        assert job.title == "Theirs"
        assert len(list(sync.hub.records("companies"))) == 1
        (contact,) = sync.hub.records("contacts")
        assert contact["properties"]["firstname"] == "c/ü 1"
        assert {link.local_pk for link in clients.links.all()} == {client.pk}
        assert {link.local_pk for link in jobs.links.all()} == {str(job.pk)}
        sync.hub.ui_create("companies", {"name": "j-2", "city": "New"})
        sync.backfill(RunKind.BACKFILL_PULL, jobs)
        assert Job.objects.get(number="j-2").title == "New"


def test_a_proxy_is_captured_through_its_concrete_model_and_back(sync, settings) -> None:
    """U2, I1: whichever class was saved."""
    for mapped, saved in ((UrgentJob, Job), (Job, UrgentJob)):
        with hosts.registered(settings, [mapped._meta.label]):
            mapping = recipes.make(sync, mapped._meta.label, "companies", [("number", "name")])
            row = saved.objects.create(number=mapped._meta.model_name)
            assert marks(mapping) == [("", str(row.pk))]
            OutboxEntry.objects.all().delete()
            assert api.mark_dirty([row]) == 1
            OutboxEntry.objects.all().delete()
            saved.objects.get(pk=row.pk).delete()
            assert marks(mapping) == [("", str(row.pk))]
            mapping.delete()


def test_a_multi_table_child_has_its_parents_fields(sync, settings) -> None:
    """U2, L3: read and written; a save of the parent is captured, one of another place is not."""
    with hosts.registered(settings, ["hostapp.Restaurant"]):
        fields = [("name", "name"), ("city", "city"), ("stars", "numberofemployees")]
        mapping = recipes.make(sync, "hostapp.Restaurant", "companies", fields)
        row = Restaurant.objects.create(name="Eat", city="Bonn", stars=2)
        recipes.settle(sync)
        assert (company(sync, "Eat")["city"], company(sync, "Eat")["numberofemployees"]) == ("Bonn", "2")
        place = Place.objects.get(pk=row.pk)
        place.city = "Kiel"
        place.save()
        assert marks(mapping) == [("", str(row.pk))]
        recipes.settle(sync)
        assert company(sync, "Eat")["city"] == "Kiel"
        Place.objects.create(name="Elsewhere").save()
        assert marks(mapping) == []
        (record,) = sync.hub.records("companies")
        sync.hub.ui_update("companies", record["id"], {"city": "Ulm", "numberofemployees": "3"})
        sync.hub.ui_create("companies", {"name": "Drink", "city": "Jena", "numberofemployees": "1"})
        sync.backfill(RunKind.BACKFILL_PULL, mapping)
        found = sorted(Restaurant.objects.values_list("name", "city", "stars"))
        assert found == [("Drink", "Jena", 1), ("Eat", "Ulm", 3)]
        assert Place.objects.get(pk=row.pk).city == "Ulm"
        place.delete()
        assert marks(mapping) == [("", str(row.pk))]


def test_a_custom_user_is_a_contact(sync, settings) -> None:
    """U2, C18: its password is not offered, not read and not sent, directly or along a key."""
    settings.AUTH_USER_MODEL = "hostapp.Member"
    with hosts.registered(settings, ["hostapp.Member"]):
        mapping = recipes.make(sync, "hostapp.Member", "contacts", [("email", "email"), ("name", "lastname")])
        member = Member(email="m@example.com", name="Emm")
        member.set_password("hidden-word")
        member.save()
        recipes.settle(sync)
        (contact,) = sync.hub.records("contacts")
        assert contact["properties"]["lastname"] == "Emm"
        assert member.password not in str(sync.hub.records("contacts"))
        offered = [value for value, _ in catalogue.local_choices(adapters.adapter_for("hostapp.Member"))]
        assert {"email", "name", "last_login"} <= set(offered)
        assert not {"password", "is_authenticated", "is_anonymous"} & set(offered)
        recipes.make(sync, "hostapp.Member", "companies", [("email", "name"), ("password", "city", "push")])
        assert marks(mapping) == []
        other = Mapping.objects.get(model_label="hostapp.Member", object_type="companies")
        assert "looks like a secret" in specs.load(other).fields[1].held.message


def test_times_go_forward(sync, jobs) -> None:
    """A12: the completion date of a job follows its lines."""
    job = job_with_lines()
    recipes.settle(sync)
    Line.objects.create(job=job, done_at=timezone.now().replace(year=2030, month=1, day=2))
    recipes.settle(sync)
    assert company(sync, "j1")["done_at"].startswith("2030-01-02")
