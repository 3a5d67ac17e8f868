"""Readers: which mappings a save concerns is never stale for long, and costs one look-up."""

import threading
from collections.abc import Callable

import pytest
from django.core import management
from django.db import connection, models, transaction
from django.test.utils import CaptureQueriesContext, isolate_apps

from crmsync import jobs
from crmsync.flows import related
from crmsync.ledger import portals, readers, specs
from crmsync.models import FieldMapping, Mapping, MatchKey, OutboxEntry, Reader, RuleCondition, SyncRule
from crmsync.paths import walk
from project.demo.models import Opportunity, Organisation, Person
from tests.flows.conftest import Sync

PERSON, FIRM = ("demo.person", ""), ("demo.organisation", "organisation")


def rows(mapping: Mapping) -> set[tuple[str, str]]:
    return set(Reader.objects.filter(mapping=mapping).values_list("target_label", "via"))


def company(sync: Sync) -> FieldMapping:
    """The field mapping that reads an organisation."""
    return FieldMapping.objects.get(mapping=sync.people, local="organisation__name")


# --- Edits --------------------------------------------------------------------------------------------------------


def test_the_demo_is_right_from_the_start(sync) -> None:
    """F4: each mapping reads its own rows, people read organisations, and users are read without being captured."""
    assert rows(sync.people) == {PERSON, FIRM}
    assert rows(sync.mappings["Opportunities"]) == {("demo.opportunity", "")}
    assert readers.refresh_all() == 0


def test_a_mapping_is_made_with_its_own_reader_or_not_at_all(sync) -> None:
    """I1: from its first moment its rows are captured."""
    values = {"portal": sync.portal, "label": "New", "model_label": "demo.Person", "object_type": "2-1"}
    with transaction.atomic():
        Mapping.objects.create(**values)
        transaction.set_rollback(True)
    assert Reader.objects.filter(target_label="demo.person", via="").count() == 1
    assert rows(Mapping.objects.create(**values)) == {PERSON}


@pytest.mark.parametrize("part", ["field", "match key", "condition"])
def test_an_edit_adds_and_its_end_removes(sync, part) -> None:
    """I1, I9: each part that is read to push has its reader for as long as it is there."""
    deals, wanted = sync.mappings["Opportunities"], ("demo.person", "contact")
    if part == "field":
        one = FieldMapping.objects.create(mapping=deals, local="contact__email", remote="x")
    elif part == "match key":
        one = MatchKey.objects.create(mapping=deals, local="contact__email", remote="x")
    else:
        rule = SyncRule.objects.create(mapping=deals, name="Rule")
        one = RuleCondition.objects.create(rule=rule, side="local", field="contact__email", operator="not_empty")
    assert wanted in rows(deals)
    one.delete()
    assert wanted not in rows(deals)


def test_a_field_or_rule_that_is_switched_off_reads_nothing(sync) -> None:
    """I8: and reads again when it is switched on."""
    rule = SyncRule.objects.create(mapping=sync.people, name="Rule")
    RuleCondition.objects.create(rule=rule, side="local", field="organisation__employees", operator="not_empty")
    field = company(sync)
    for one, left in ((field, {PERSON, FIRM}), (rule, {PERSON})):
        one.is_active = False
        one.save()
        assert rows(sync.people) == left
    rule.is_active = True
    rule.save()
    assert rows(sync.people) == {PERSON, FIRM}
    rule.delete()
    assert rows(sync.people) == {PERSON}


def test_a_deleted_mapping_leaves_none(sync) -> None:
    """I1: nor do its parts, which go before it, make new ones."""
    rule = SyncRule.objects.create(mapping=sync.people, name="Rule")
    RuleCondition.objects.create(rule=rule, side="local", field="organisation__employees", operator="not_empty")
    sync.people.delete()
    assert not Reader.objects.filter(target_label="demo.person").exists()
    Person.objects.create(email="nobody@example.com")
    assert not OutboxEntry.objects.exists()


def test_a_rolled_back_edit_leaves_the_old_rows(sync) -> None:
    """I1, Fault 4: readers are part of the transaction of the edit."""
    with transaction.atomic():
        company(sync).delete()
        assert rows(sync.people) == {PERSON}
        transaction.set_rollback(True)
    assert rows(sync.people) == {PERSON, FIRM}


def test_another_model_is_another_reader(sync) -> None:
    """I1: a mapping that changes its model captures the new one at once."""
    one = Mapping.objects.create(portal=sync.portal, label="New", model_label="demo.Person", object_type="2-1")
    one.model_label = "demo.Opportunity"
    one.save()
    assert rows(one) == {("demo.opportunity", "")}


def in_a_thread(act: Callable[[], object]) -> threading.Thread:
    def run() -> None:
        try:
            act()
        finally:
            connection.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer")
def test_two_edits_at_once_see_each_other(sync) -> None:
    """I1: one ends the last use of a path while the other begins a new one; whoever is second knows both."""
    values = {"mapping": sync.people, "local": "organisation__domain", "remote": "x"}
    with transaction.atomic():
        company(sync).delete()
        thread = in_a_thread(lambda: MatchKey.objects.create(**values))
    thread.join(60)
    assert rows(sync.people) == {PERSON, FIRM}


@pytest.mark.skipif(connection.vendor != "postgresql", reason="a lock that leaves the key alone is PostgreSQL's")
def test_an_edit_does_not_hold_up_the_host(sync) -> None:
    """I1: a save is captured while somebody's edit of its mapping is not committed yet."""
    with transaction.atomic():
        readers.refresh(sync.people.pk)
        thread = in_a_thread(lambda: Person.objects.create(email="host@example.com"))
        thread.join(60)
        assert not thread.is_alive()
    assert OutboxEntry.objects.filter(mapping=sync.people).count() == 1


# --- Bulk statements and changed code -----------------------------------------------------------------------------


@pytest.mark.parametrize("door", ["load", "bump", "start", "sweep"])
def test_a_bulk_edit_is_healed(sync, door) -> None:
    """I1, I9: QuerySet.update and bulk_create tell nobody; the next batch, edit, start or sweep finds it."""
    FieldMapping.objects.filter(pk=company(sync).pk).update(is_active=False)
    lead = {"mapping": sync.mappings["Opportunities"], "remote": "description", "direction": "push"}
    FieldMapping.objects.filter(mapping=lead["mapping"], remote="description").delete()
    FieldMapping.objects.bulk_create([FieldMapping(local="contact__organisation__name", **lead)])
    assert FIRM in rows(sync.people)
    for one in (sync.people, lead["mapping"]):
        {
            "load": lambda one=one: specs.load(one),
            "bump": lambda one=one: portals.bump(one),
            "start": lambda one=one: portals.start_mapping(one, one.created_at),
            "sweep": readers.refresh_all,
        }[door]()
    assert rows(sync.people) == {PERSON}
    paths = {("demo.person", "contact"), ("demo.organisation", "contact__organisation")}
    assert rows(lead["mapping"]) == {("demo.opportunity", ""), *paths}


@pytest.mark.parametrize("runner", ["rq", "database"])
def test_every_sweep_heals(sync, runner) -> None:
    """I9: a mapping that has no work is not loaded; both runners look at all of them."""
    Reader.objects.all().delete()
    if runner == "rq":
        jobs.tick()
    else:
        turns = iter([False, True])
        jobs.run_forever(lambda: next(turns))
    assert rows(sync.people) == {PERSON, FIRM}


def test_a_look_costs_one_statement(sync) -> None:
    """A batch that finds its readers right writes nothing and asks once."""
    with CaptureQueriesContext(connection) as seen:
        specs.load(sync.people)
    assert sum("crmsync_reader" in one["sql"] for one in seen) == 1
    with CaptureQueriesContext(connection) as seen:
        readers.refresh_all()
    assert len(seen) == 3


def test_a_mapping_of_a_model_that_is_gone_keeps_its_own_reader(sync) -> None:
    """I14: the sweep does not stumble over it; its load says what is wrong."""
    Mapping.objects.filter(pk=sync.people.pk).update(model_label="demo.Gone")
    assert readers.refresh_all() == 1
    assert rows(sync.people) == {("demo.gone", "")}
    with pytest.raises(specs.SpecError):
        specs.load(Mapping.objects.get(pk=sync.people.pk))


def test_a_dump_is_loaded_with_its_readers(sync, tmp_path) -> None:
    """I1: the rows of a dump do not clash with rows made while it is loaded."""
    path = tmp_path / "dump.json"
    labels = ["crmsync.portal", "crmsync.mapping", "crmsync.fieldmapping", "crmsync.reader"]
    management.call_command("dumpdata", *labels, output=str(path))
    Mapping.objects.all().delete()
    management.call_command("loaddata", str(path), verbosity=0)
    assert rows(sync.people) == {PERSON, FIRM}


# --- Paths --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "vias"),
    [
        ("name", []),
        ("organisation", []),
        ("contact__organisation__name", ["contact", "contact__organisation"]),
        ("contact__organisation__people__email", ["contact", "contact__organisation"]),
        ("contact__email__name", ["contact"]),
        ("nothing__name", []),
        ("organisation_id__name", ["organisation"]),
    ],
)
def test_the_keys_a_path_follows(path, vias) -> None:
    """F4: forward keys only, up to what is no key; by the names of the fields."""
    own = ("demo.opportunity", "")
    assert {via for _, via in readers.make_rows("demo.Opportunity", [path]) - {own}} == set(vias)


def test_who_can_be_read() -> None:
    """F4, A13: paths from registered models lead to organisations and people, opportunities can be rolled up."""
    assert related.is_readable(Organisation._meta.label)
    assert related.is_readable(Person._meta.label)
    assert related.is_readable(Opportunity._meta.label)
    assert not related.is_readable("hostapp.Note")


@isolate_apps("project.demo")
def test_kin_and_the_three_hops() -> None:
    """F4: a model that points to itself, a multi-table child and a proxy of it; links to parents are no path."""

    class Place(models.Model):
        within = models.ForeignKey("self", on_delete=models.CASCADE)
        name = models.TextField()

        class Meta:
            app_label = "demo"

    class City(Place):
        class Meta:
            app_label = "demo"

    class Nickname(Place):
        class Meta:
            app_label = "demo"
            proxy = True

    assert set(readers._kin(Place)) == set(readers._kin(Nickname)) == {"demo.place", "demo.city", "demo.nickname"}
    assert "demo.place" in readers._kin(City)
    assert not walk.is_kin(Place, Person)
    for model in (Place, City, Nickname):
        assert list(walk._chains(model, walk.HOPS)) == [Place] * 3
        assert walk.ends(model) == {Place}
    assert not walk.is_foreign_key(City._meta.get_field("place_ptr"))
