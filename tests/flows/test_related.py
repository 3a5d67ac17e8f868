"""A value read along foreign keys: a change of the related row is captured with it and sent without any poll."""

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crmsync import api, receivers
from crmsync.engine import terms
from crmsync.flows import discover, push, spread
from crmsync.ledger import queue
from crmsync.models import Cursor, FieldMapping, Mapping, MatchKey, OutboxEntry, Reader, RuleCondition, SyncRule
from crmsync.sides import guard
from project.demo.models import Opportunity, Organisation, Person
from tests.flows.conftest import Sync

FRAME = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")


@pytest.fixture
def firm(sync: Sync) -> Organisation:
    """An organisation with one person, both linked and in sync."""
    firm = Organisation.objects.create(name="Old", domain="firm.example.com")
    Person.objects.create(email="staff@example.com", organisation=firm)
    sync.drain()
    sync.deliver()
    sync.drain()
    assert sync.queued() == (0, 0)
    return firm


def rename(firm: Organisation, name: str = "New") -> None:
    firm.name = name
    firm.save()


def company_of(sync: Sync, email: str = "staff@example.com") -> str | None:
    (found,) = [one["properties"] for one in sync.contacts() if one["properties"]["email"] == email]
    return found.get("company")


def marks(mapping) -> list[tuple[str, str]]:
    """(via, key) of a mapping's entries."""
    return sorted(OutboxEntry.objects.filter(mapping=mapping).values_list("via", "local_pk"))


def statements(act) -> list[str]:
    with CaptureQueriesContext(connection) as seen:
        act()
    return [one["sql"] for one in seen if not one["sql"].startswith(FRAME)]


# --- Capture ------------------------------------------------------------------------------------------------------


def test_a_rename_is_pushed_without_any_poll(sync, firm) -> None:
    """I1, I18, A13, F4: renaming an organisation sends its people's company with the next drain, once."""
    assert not Cursor.objects.filter(due_at__lte=timezone.now()).exists()
    before = sync.writes()
    rename(firm)
    assert marks(sync.people) == [("organisation", str(firm.pk))]
    assert marks(sync.mappings["Organisations"]) == [("", str(firm.pk))]
    sync.drain()
    assert company_of(sync) == "New"
    assert sync.writes() == before + 2  # the company and its person
    assert sync.queued() == (0, 0)
    sync.deliver()
    sync.drain()
    assert sync.writes() == before + 2  # I8: nothing comes back


def test_a_rolled_back_rename_marks_nothing(sync, firm) -> None:
    """I1, Fault 4: the mark is part of the host's transaction."""
    with transaction.atomic():
        rename(firm)
        assert sync.queued() != (0, 0)
        transaction.set_rollback(True)
    assert sync.queued() == (0, 0)


def test_a_save_costs_one_statement_whoever_reads_it(sync, firm) -> None:
    """I1, F4: 5,000 people of one organisation cost its save no more than one person does."""
    few = statements(firm.save)
    Person.objects.bulk_create(Person(email=f"p{n}@example.com", organisation=firm) for n in range(5000))
    many = statements(firm.save)
    receivers.disconnect(Organisation)
    try:
        plain = statements(firm.save)
    finally:
        receivers.connect(Organisation)
    assert len(few) == len(many) == len(plain) + 1
    assert marks(sync.people) == [("organisation", str(firm.pk))]


def test_nobody_reads_a_row_that_is_new(sync) -> None:
    """I1: making a row costs what it costs where no path leads to it."""
    made = statements(lambda: Organisation.objects.create(name="New"))
    assert sum("crmsync" in sql for sql in made) == 1
    assert marks(sync.people) == []


def test_two_hops(sync, firm) -> None:
    """I18, F4: a deal shows the organisation of its contact; both rows on the way are captured."""
    deals = sync.mappings["Opportunities"]
    sync.hub.add_property("deals", "demo_firm", "string", "text", label="Firm")
    discover.discover(sync.portal)
    FieldMapping.objects.create(mapping=deals, local="contact__organisation__name", remote="demo_firm")
    FieldMapping.objects.filter(mapping=deals, remote="demo_firm").update(direction="push")
    person = Person.objects.get()
    Opportunity.objects.create(name="Deal", contact=person)
    sync.drain()
    rename(firm)
    assert marks(deals) == [("contact__organisation", str(firm.pk))]
    sync.drain()
    (record,) = sync.hub.records("deals")
    assert record["properties"]["demo_firm"] == "New"
    person.organisation = Organisation.objects.create(name="Next", domain="next.example.com")
    person.save()
    assert marks(deals) == [("contact", str(person.pk))]
    sync.drain()
    assert sync.hub.record("deals", record["id"])["properties"]["demo_firm"] == "Next"


@pytest.mark.parametrize("what", ["match key", "rule"])
def test_match_keys_and_rules_read_too(sync, firm, what) -> None:
    """I9: who takes part, and who partners whom, can hang on a related row as well."""
    deals = sync.mappings["Opportunities"]
    if what == "rule":
        rule = SyncRule.objects.create(mapping=deals, name="Big firms")
        RuleCondition.objects.create(rule=rule, side="local", field="organisation__employees", operator="eq")
    else:
        MatchKey.objects.create(mapping=deals, local="organisation__name", remote="dealname")
    rename(firm)
    assert marks(deals) == [("organisation", str(firm.pk))]


@pytest.mark.parametrize(
    "change",
    [{"is_active": False}, {"direction": "pull"}, {"local": "organisation"}, {"local": "organisationXXname"}],
    ids=lambda change: "-".join(map(str, *change.items())),
)
def test_what_does_not_read_is_not_marked(sync, firm, change) -> None:
    """I8: an inactive field, one that only pulls, another path (the underscores are no wildcards)."""
    row = FieldMapping.objects.get(mapping=sync.people, local="organisation__name")
    for name, value in change.items():
        setattr(row, name, value)
    row.save()
    rename(firm)
    assert marks(sync.people) == []


def test_a_draft_is_not_marked_and_a_paused_mapping_is(sync, firm) -> None:
    """I1: as for rows of its own."""
    sync.people.state = terms.MappingState.DRAFT
    sync.people.save()
    rename(firm, "A")
    assert marks(sync.people) == []
    sync.people.state = terms.MappingState.PAUSED
    sync.people.save()
    rename(firm, "B")
    assert marks(sync.people) == [("organisation", str(firm.pk))]
    assert spread.spread_due() == 0
    sync.people.state = terms.MappingState.LIVE
    sync.people.save()
    sync.drain()
    assert company_of(sync) == "B"


def test_bulk_statements_are_told(sync, firm) -> None:
    """E10, F4: mark_dirty after QuerySet.update marks what reads the rows, too."""
    Organisation.objects.update(name="Bulk")
    assert api.mark_dirty(Organisation.objects.all()) == 2
    assert marks(sync.people) == [("organisation", str(firm.pk))]
    sync.drain()
    assert company_of(sync) == "Bulk"


def test_a_model_that_is_not_registered_is_told(sync, firm) -> None:
    """E10, F4: saving a user captures nothing, but mark_dirty finds the people who read them."""
    FieldMapping.objects.create(mapping=sync.people, local="owner__username", remote="jobtitle", direction="push")
    user = get_user_model().objects.create(username="boss")
    assert not any("outbox" in sql for sql in statements(user.save))
    assert api.mark_dirty([user]) == 1
    assert marks(sync.people) == [("owner", str(user.pk))]


# --- The sync's own writes ----------------------------------------------------------------------------------------


def test_a_pulled_name_is_pushed_to_its_people(sync, firm) -> None:
    """I8, I9, A13: the sync's own write of an organisation is no change of it, but one of its people."""
    (company,) = sync.hub.records("companies")
    sync.hub.ui_update("companies", company["id"], {"name": "Theirs"})
    before = sync.writes()
    sync.deliver()
    sync.drain()
    firm.refresh_from_db()
    assert firm.name == "Theirs"
    assert company_of(sync) == "Theirs"
    assert sync.writes() == before + 1


def test_the_guard_holds_back_the_row_and_not_its_readers(sync, firm) -> None:
    """I8: what is written by the sync is marked for others only, by one statement."""
    with guard.writing([("demo.Organisation", str(firm.pk))]):
        seen = statements(firm.save)
    assert sum("outbox" in sql for sql in seen) == 1
    assert marks(sync.mappings["Organisations"]) == []
    assert marks(sync.people) == [("organisation", str(firm.pk))]


def test_what_nobody_reads_is_pulled_without_a_mark(sync) -> None:
    """I8: people could roll opportunities up, but no mapping does: the sync's own write of one marks nothing."""
    deal = Opportunity.objects.create(name="Deal")
    sync.drain()
    with guard.writing([("demo.Opportunity", str(deal.pk))]):
        assert sum("crmsync" in sql for sql in statements(deal.save)) == 1
    assert sync.queued() == (0, 0)


# --- Deletes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["row", "queryset"])
def test_a_deleted_organisation_leaves_its_people(sync, firm, by) -> None:
    """I1, I18: SET_NULL empties the key before post_delete, so the people are marked before."""
    FieldMapping.objects.filter(mapping=sync.people, remote="company").update(blanks=terms.BlankPolicy.CLEAR)
    person = Person.objects.get()
    firm.delete() if by == "row" else Organisation.objects.filter(pk=firm.pk).delete()
    assert marks(sync.people) == [("", str(person.pk))]
    sync.drain()
    assert not company_of(sync)


def test_a_rolled_back_delete_marks_nothing(sync, firm) -> None:
    """I1, Fault 4."""
    with transaction.atomic():
        firm.delete()
        assert sync.queued() != (0, 0)
        transaction.set_rollback(True)
    assert sync.queued() == (0, 0)


def test_a_delete_that_nobody_reads_marks_only_itself(sync, ada) -> None:
    """I1: opportunities point to people, but no mapping reads along that key."""
    key = str(ada.pk)
    Opportunity.objects.create(name="Deal", contact=ada)
    sync.drain()
    ada.delete()
    assert marks(sync.people) == [("", key)]
    assert marks(sync.mappings["Opportunities"]) == []


@pytest.mark.parametrize("stale", [{"via": "employer"}, {"model_label": "demo.Gone"}], ids=str)
def test_a_delete_goes_on_where_the_model_changed(sync, firm, stale) -> None:
    """I1, I14: a path or a model that is gone from the code must not stop the host's delete."""
    if "via" in stale:
        Reader.objects.filter(mapping=sync.people).exclude(via="").update(**stale)
    else:
        Mapping.objects.filter(pk=sync.people.pk).update(**stale)
    firm.delete()
    assert marks(sync.people) == []


# --- An entry of a related row is no record -----------------------------------------------------------------------


def test_it_is_never_taken_for_a_record(sync, firm) -> None:
    """I5: the organisation's key is a person's key as well; pushing people leaves the entry alone."""
    rename(firm)
    now = timezone.now()
    if not Person.objects.filter(pk=firm.pk).exists():
        Person.objects.bulk_create([Person(pk=firm.pk, email="twin@example.com")])
    assert queue.due_mappings(OutboxEntry, now) == [sync.mappings["Organisations"].pk]
    assert push.push(sync.people.pk) == 0
    assert marks(sync.people) == [("organisation", str(firm.pk))]
    assert queue.due_mappings(OutboxEntry, now, related=True) == [sync.people.pk]


def test_there_is_one_entry_for_each_path_and_row(sync, firm) -> None:
    """I4: entries are coalesced by mapping, path and key, by constraint."""
    for name in ("A", "B", "C"):
        rename(firm, name)
    assert marks(sync.people) == [("organisation", str(firm.pk))]
    OutboxEntry.objects.create(mapping=sync.people, local_pk=str(firm.pk))
    with pytest.raises(IntegrityError), transaction.atomic():
        OutboxEntry.objects.create(mapping=sync.people, via="organisation", local_pk=str(firm.pk))
