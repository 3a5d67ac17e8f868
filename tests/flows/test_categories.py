"""Relations to tables of values: read as their names, written by looking rows up, one or several, both ways."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crmsync import adapters, checks
from crmsync.engine.terms import BlankPolicy, LocalType
from crmsync.flows import lint
from crmsync.ledger import specs
from crmsync.models import InboxEvent, Mapping, OutboxEntry
from crmsync.models.choices import RunKind
from tests.flows import hosts, recipes
from tests.flows.conftest import Sync
from tests.flows.test_related import marks
from tests.hostapp.models import Job, Status, Tag, Topic

STATES = ["Open", "Won", "VIP", "Fresh"]
FIELDS = [("number", "name"), ("status", "job_status"), ("tags", "job_tags")]


@contextmanager
def mapped(sync: Sync, settings, fields=FIELDS, **facts) -> Iterator[Mapping]:
    """Jobs to companies with a status and tags, for which HubSpot has the same options."""
    with hosts.registered(settings, **facts):
        options = [{"label": one, "value": one} for one in STATES]
        recipes.add_property(sync, "companies", "job_status", "enumeration", options=options)
        recipes.add_property(sync, "companies", "job_tags", "enumeration", field_type="checkbox", options=options)
        mapping = recipes.make(sync, "hostapp.Job", "companies", fields)
        recipes.match(mapping, "number", "name")
        mapping.fields.update(blanks=BlankPolicy.CLEAR)
        for name in STATES[:3]:
            Status.objects.create(name=name)
            Tag.objects.create(name=name)
        sync.drain()
        yield mapping


@pytest.fixture
def jobs(sync: Sync, settings) -> Iterator[Mapping]:
    with mapped(sync, settings) as mapping:
        yield mapping


def company(sync: Sync, name: str = "j1") -> dict:
    (found,) = [one for one in sync.hub.records("companies") if one["properties"]["name"] == name]
    return found


def edit(sync: Sync, **properties: str) -> None:
    """A HubSpot user edits the company; all is brought to rest."""
    sync.hub.ui_update("companies", company(sync)["id"], properties)
    sync.backfill(RunKind.BACKFILL_PULL, Mapping.objects.get(model_label="hostapp.Job"))
    recipes.settle(sync)


def tags_of(job: Job) -> set[str]:
    return set(job.tags.values_list("name", flat=True))


# --- Both ways ----------------------------------------------------------------------------------------------------


def test_one_and_several_are_pushed(sync, jobs) -> None:
    """L4: a foreign key is one option, many-to-many is several; each change of either is sent."""
    job = Job.objects.create(number="j1", status=Status.objects.get(name="Open"))
    job.tags.set(Tag.objects.filter(name__in=["Won", "VIP"]))
    recipes.settle(sync)
    found = company(sync)["properties"]
    assert (found["job_status"], found["job_tags"]) == ("Open", "VIP;Won")
    job.tags.remove(Tag.objects.get(name="VIP"))
    recipes.settle(sync)
    assert company(sync)["properties"]["job_tags"] == "Won"
    job.status = None
    job.save()
    job.tags.clear()
    recipes.settle(sync)
    found = company(sync)["properties"]
    assert (found.get("job_status") or "", found.get("job_tags") or "") == ("", "")


def test_one_and_several_are_pulled(sync, jobs) -> None:
    """L4: rows are looked up by name; the echo of what was written stays quiet."""
    job = Job.objects.create(number="j1")
    recipes.settle(sync)
    edit(sync, job_status="Won", job_tags="Open;VIP")
    job.refresh_from_db()
    assert job.status.name == "Won"
    assert tags_of(job) == {"Open", "VIP"}
    before = sync.writes()
    job.save()
    recipes.settle(sync)
    assert sync.writes() == before
    edit(sync, job_status="", job_tags="")
    job.refresh_from_db()
    assert (job.status, tags_of(job)) == (None, set())


@pytest.mark.parametrize("uses_save", [False, True])
def test_new_rows_get_theirs(sync, jobs, uses_save) -> None:
    """L4: rows made by HubSpot, in bulk where there is only a foreign key, with care where there are several."""
    Mapping.objects.filter(pk=jobs.pk).update(uses_save=uses_save)
    sync.hub.ui_create("companies", {"name": "j1", "job_status": "Open", "job_tags": "VIP"})
    sync.hub.ui_create("companies", {"name": "j2", "job_status": "Won"})
    sync.backfill(RunKind.BACKFILL_PULL, jobs)
    assert {job.number: (job.status.name, tags_of(job)) for job in Job.objects.all()} == {
        "j1": ("Open", {"VIP"}),
        "j2": ("Won", set()),
    }
    recipes.settle(sync)
    assert sync.queued() == (0, 0)


def test_letter_case_is_forgiven(sync, jobs, settings) -> None:
    """L4: a single row that differs in letter case alone is meant; two of them are not guessed between."""
    options = [{"label": one, "value": one} for one in ("won", "vip")]
    recipes.add_property(sync, "companies", "small_status", "enumeration", options=options)
    jobs.fields.filter(remote="job_status").update(remote="small_status")
    Status.objects.create(name="Vip")
    job = Job.objects.create(number="j1")
    recipes.settle(sync)
    edit(sync, small_status="won")
    job.refresh_from_db()
    assert job.status.name == "Won"
    edit(sync, small_status="vip")
    job.refresh_from_db()
    assert job.status.name == "Won"
    assert "There is no status “vip” in Django" in InboxEvent.objects.get(mapping=jobs).last_message


# --- Values that a table lacks ------------------------------------------------------------------------------------


def test_what_a_table_lacks_is_held_and_said(sync, jobs) -> None:
    """L4, E6: the field waits with the remedy, the others go on; adding the row mends it (L9)."""
    job = Job.objects.create(number="j1")
    recipes.settle(sync)
    edit(sync, job_status="Fresh", job_tags="Won")
    job.refresh_from_db()
    assert (job.status, tags_of(job)) == (None, {"Won"})
    stopped = InboxEvent.objects.get(mapping=jobs)
    assert stopped.last_code == "field.option_unknown"
    assert "There is no status “Fresh” in Django: add it, or map it." in stopped.last_message
    assert not Status.objects.filter(name="Fresh").exists()
    Status.objects.create(name="Fresh")
    edit(sync, job_status="Fresh")
    job.refresh_from_db()
    assert job.status.name == "Fresh"


def test_values_are_added_where_the_settings_say_so(sync, settings) -> None:
    """L4: CATEGORIES_CREATE lists tags, not statuses; the new row is made once for many records."""
    with mapped(sync, settings, creates=["hostapp.Tag"]) as jobs:
        for number in ("j1", "j2"):
            sync.hub.ui_create("companies", {"name": number, "job_status": "Fresh", "job_tags": "Fresh"})
        sync.backfill(RunKind.BACKFILL_PULL, jobs)
        assert {job.number: (job.status, tags_of(job)) for job in Job.objects.all()} == {
            "j1": (None, {"Fresh"}),
            "j2": (None, {"Fresh"}),
        }
        assert Tag.objects.filter(name="Fresh").count() == 1
        assert not Status.objects.filter(name="Fresh").exists()


def test_a_long_table_is_looked_up_when_written(sync, jobs, monkeypatch) -> None:
    """L4: more values than are listed: found by the database, and refused there."""
    monkeypatch.setattr("crmsync.paths.categories.MOST", 2)
    assert specs.load(jobs).fields[1].local_choices == frozenset()
    job = Job.objects.create(number="j1")
    recipes.settle(sync)
    edit(sync, job_status="VIP")
    job.refresh_from_db()
    assert job.status.name == "VIP"
    edit(sync, job_status="Fresh")
    stopped = InboxEvent.objects.get(mapping=jobs)
    assert (stopped.last_code, "“Fresh”" in stopped.last_message) == ("field.option_unknown", True)


def test_a_name_that_two_rows_have_is_not_guessed(sync, settings) -> None:
    """L4: a category whose column is not unique names the value that is ambiguous."""
    with mapped(sync, settings, fields=[("number", "name"), ("topic", "job_status")]) as jobs:
        Topic.objects.create(name="Open")
        Topic.objects.create(name="Open")
        job = Job.objects.create(number="j1")
        recipes.settle(sync)
        edit(sync, job_status="Open")
        job.refresh_from_db()
        assert job.topic is None
        said = InboxEvent.objects.get(mapping=jobs).last_message
        assert "Several rows of hostapp.Topic have the name “Open”" in said


# --- Choices and capture ------------------------------------------------------------------------------------------


def test_a_new_status_is_a_choice_at_once(sync, jobs) -> None:
    """L9: the choices are the rows of the table, read with each look."""
    adapter = adapters.adapter_for("hostapp.Job")
    assert [value for value, _ in adapter.choices("status")] == ["Open", "VIP", "Won"]
    Status.objects.create(name="Brand new")
    assert ("Brand new", "Brand new") in adapter.choices("status")
    assert "Brand new" in specs.load(jobs).fields[1].local_choices


def test_a_renamed_category_is_sent(sync, jobs) -> None:
    """L9, I1: every row that reads it is marked by one statement and pushed; for one and for several."""
    job = Job.objects.create(number="j1", status=Status.objects.get(name="Open"))
    job.tags.add(Tag.objects.get(name="Open"))
    recipes.settle(sync)
    for model, via, name in ((Status, "status", "job_status"), (Tag, "tags", "job_tags")):
        row = model.objects.get(name="Open")
        row.name = "Fresh"
        row.save()
        assert (via, str(row.pk)) in marks(jobs)
        recipes.settle(sync)
        assert company(sync)["properties"][name] == "Fresh"


def test_a_deleted_tag_is_sent(sync, jobs) -> None:
    """L4, I1: the rows that had it are marked before it goes."""
    job = Job.objects.create(number="j1")
    job.tags.set(Tag.objects.filter(name__in=["Won", "VIP"]))
    recipes.settle(sync)
    Tag.objects.get(name="Won").delete()
    assert ("", str(job.pk)) in marks(jobs)
    recipes.settle(sync)
    assert company(sync)["properties"]["job_tags"] == "VIP"


def test_a_batch_costs_one_look_for_each_category(sync, jobs) -> None:
    """Performance: fifty pulled records look a status up as often as five."""

    def cost(prefix: str, count: int) -> int:
        for number in range(count):
            sync.hub.ui_create("companies", {"name": f"{prefix}{number}", "job_status": STATES[number % 3]})
        with CaptureQueriesContext(connection) as seen:
            sync.backfill(RunKind.BACKFILL_PULL, jobs)
        assert Job.objects.filter(number__startswith=prefix, status__isnull=False).count() == count
        return sum('FROM "hostapp_status"' in one["sql"] for one in seen)

    assert cost("a", 50) <= cost("b", 5) + 1


def test_a_category_can_be_a_match_key(sync, jobs) -> None:
    """L4, U3: partners are found by the name of the related row."""
    jobs.match_keys.all().delete()
    recipes.match(jobs, "status", "job_status")
    job = Job.objects.create(number="j1", status=Status.objects.get(name="VIP"))
    OutboxEntry.objects.all().delete()
    theirs = sync.hub.ui_create("companies", {"name": "j1", "job_status": "VIP"})
    sync.backfill(RunKind.BACKFILL_PULL, jobs)
    assert [(link.local_pk, link.remote_id) for link in jobs.links.all()] == [(str(job.pk), theirs)]


def test_the_outbox_stays_empty_after_its_own_set(sync, jobs) -> None:
    """I8: setting tags for the sync marks nothing of that row."""
    Job.objects.create(number="j1")
    recipes.settle(sync)
    sync.hub.ui_update("companies", company(sync)["id"], {"job_tags": "Won"})
    sync.backfill(RunKind.BACKFILL_PULL, jobs)
    assert not OutboxEntry.objects.filter(mapping=jobs).exists()


# --- Settings -----------------------------------------------------------------------------------------------------


def test_what_a_category_is(settings) -> None:
    """L4: typed as text or several choices; without the setting a relation is refused with the remedy."""
    with hosts.registered(settings):
        adapter = adapters.adapter_for("hostapp.Job")
        one, several = adapter.describe("status"), adapter.describe("tags")
        assert (one.local_type, one.is_writable, one.category) == (LocalType.TEXT, True, "status")
        assert (several.local_type, several.is_writable, several.category) == (LocalType.MULTI, True, "tag")
    with pytest.raises(adapters.LocalFieldError, match="CATEGORIES"):
        adapters.adapter_for("hostapp.Job").describe("status")


@pytest.mark.parametrize(
    ("change", "number", "words"),
    [
        ({"CATEGORIES": {"hostapp.Nobody": "name"}}, "crmsync.E009", "Nobody"),
        ({"CATEGORIES": {"hostapp.Status": "title"}}, "crmsync.E009", "id, name"),
        ({"CATEGORIES": {"hostapp.Member": "password"}}, "crmsync.E009", "email"),
        ({"CATEGORIES": {"hostapp.Status": 7}}, "crmsync.E009", "name"),
        ({"CATEGORIES": {"hostapp.Topic": "name"}}, "crmsync.W005", "the same name"),
        ({"CATEGORIES_CREATE": ["hostapp.Tag"]}, "crmsync.E009", "no category"),
        ({"CATEGORIES": ["hostapp.Status"]}, "crmsync.E001", "dict"),
    ],
)
def test_a_wrong_category_is_named(settings, change, number, words) -> None:
    """L4, E3: unknown models and fields, secrets, and what is not unique."""
    settings.CRMSYNC = {**settings.CRMSYNC, **change}
    (found,) = checks.check_settings(None)
    assert found.id == number
    assert words in found.msg
    assert found.hint


def test_right_categories_are_silent(settings) -> None:
    right = {"CATEGORIES": {"hostapp.Status": "name"}, "CATEGORIES_CREATE": ["hostapp.Status"]}
    settings.CRMSYNC = {**settings.CRMSYNC, **right}
    assert checks.check_settings(None) == []


# --- Told before it is sent --------------------------------------------------------------------------------------


def unmapped(mapping: Mapping) -> list[str]:
    return [one.sentence for one in lint.of_mapping(mapping) if one.code.endswith("choice_unmapped")]


def test_a_row_of_the_table_without_an_option_is_a_finding(sync, jobs) -> None:
    """L4, L16: as a choice without an option is; a table that grows by itself has no such list."""
    assert unmapped(jobs) == []
    Status.objects.create(name="Odd")
    (said,) = unmapped(jobs)
    assert "status" in said
    assert "Odd" in said


def test_a_row_of_the_table_without_a_line_is_a_finding(sync, jobs) -> None:
    row = jobs.fields.get(local="status")
    for name in STATES[:2]:
        row.value_map.create(local_value=name, remote_value=name)
    (said,) = unmapped(jobs)
    assert "value map" in said
    assert "VIP" in said
