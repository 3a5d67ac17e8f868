"""Values of the primary associated record: a contact's fields filled from its company, and kept in step with it."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from crmsync.engine.terms import BlankPolicy, Direction, MappingState
from crmsync.flows import across, backfill, checklist, configcheck, discover, intake, lint, poll, scopes
from crmsync.hubspot import associations, search
from crmsync.ledger import configs, inbox, naming, specs
from crmsync.models import (
    Cursor,
    FieldMapping,
    InboxEvent,
    Link,
    LogEntry,
    Mapping,
    OutboxEntry,
    Portal,
    RemoteProperty,
)
from project.demo.models import Opportunity, Person
from tests import factories
from tests.flows import recipes
from tests.flows.conftest import Sync

PRIMARY = 1  # HubSpot: association type ids, contact to company


@pytest.fixture
def crossing(sync: Sync) -> Sync:
    """The people of the demo take their city from their company; companies themselves have no mapping."""
    Mapping.objects.exclude(pk=sync.people.pk).delete()
    sync.people.fields.filter(local="city").delete()
    take(sync.people, "city", "companies>city")
    return sync


def take(mapping: Mapping, local: str, remote: str, **facts) -> FieldMapping:
    row = {"direction": Direction.PULL, "blanks": BlankPolicy.CLEAR, **facts}
    return factories.FieldMappingFactory(mapping=mapping, local=local, remote=remote, **row)


def company(sync: Sync, city: str, **more: str) -> str:
    return sync.hub.ui_create("companies", {"name": f"Firm of {city}", "city": city, **more})


def contact(sync: Sync, name: str, *companies: str) -> str:
    """A contact of several companies, the first of them the primary one."""
    key = sync.hub.ui_create("contacts", {"email": f"{name}@example.com", "firstname": name})
    for number, one in enumerate(companies):
        sync.hub.ui_associate("contacts", key, "companies", one, () if number else (PRIMARY,))
    return key


def hear(sync: Sync) -> None:
    """All of HubSpot's webhooks and the work they make, until HubSpot has nothing more to say."""
    while sync.deliver():
        sync.drain()


def city_of(name: str) -> str:
    return Person.objects.get(email=f"{name}@example.com").city


def is_at_rest() -> bool:
    return not InboxEvent.objects.exists() and not OutboxEntry.objects.exists()


def now_of(sync: Sync) -> int:
    return sync.hub.ledger.last_seq


def reads(sync: Sync, since: int) -> dict[str, int]:
    """How often associations with companies, and companies, were read since then."""
    rows = [row.path for row in sync.hub.ledger.requests(since=since)]
    found = Counter(
        "associations" if "/associations/" in path else "companies"
        for path in rows
        if path.endswith(("companies/batch/read", "companies/contacts/batch/read"))
    )
    return dict(found)


def poll_all(sync: Sync) -> None:
    """Every pass once, then what it found."""
    Cursor.objects.update(due_at=timezone.now())
    while poll.poll_due() >= 0:
        pass
    sync.drain()


def in_round(monkeypatch, number: int, act: Callable[[], object]) -> None:
    """Act once, when HubSpot is asked for that page of associated records (1 is the first)."""
    seen, ask = [], associations.iter_batch

    def watched(*given):
        for page in ask(*given):
            seen.append(page)
            if len(seen) == number:
                act()
            yield page

    monkeypatch.setattr(associations, "iter_batch", watched)


def kill_in_round(monkeypatch, number: int) -> None:
    def kill() -> None:
        raise KeyboardInterrupt

    in_round(monkeypatch, number, kill)


def contact_id(sync: Sync, name: str) -> str:
    (key,) = [one["id"] for one in sync.contacts() if one["properties"]["email"] == f"{name}@example.com"]
    return key


def codes(sync: Sync, remote: str) -> set[str]:
    """The findings of the contract about a row."""
    return {one.code.value for one in lint.of_mapping(sync.people) if remote in one.field}


# --- Values come ------------------------------------------------------------------------------------------------


def test_a_new_contact_comes_with_its_companys_value(crossing) -> None:
    """U19: by webhook; of two companies the primary one counts, though the other is associated, too."""
    turin, rome = company(crossing, "Turin"), company(crossing, "Rome")
    contact(crossing, "ada", turin, rome)
    hear(crossing)
    assert city_of("ada") == "Turin"
    assert is_at_rest()


def test_a_contact_is_found_complete_by_its_match_key(crossing) -> None:
    """U19: a row that finds its contact by e-mail takes the company's value, too."""
    crossing.hub.set_webhooks(lose=1.0)
    contact(crossing, "ada", company(crossing, "Turin"))
    Person.objects.create(email="ada@example.com", first_name="ada")
    crossing.drain()
    assert city_of("ada") == "Turin"
    assert is_at_rest()


def test_a_backfill_makes_two_more_calls_a_hundred_records(crossing) -> None:
    """U19, X24: 150 contacts of 120 companies: an association read and a company read a page, not one a record."""
    hub = crossing.hub
    firms = hub.plant("companies", [{"name": f"F{n}", "city": f"City {n}"} for n in range(120)])
    people = hub.plant("contacts", [{"email": f"p{n}@example.com"} for n in range(150)])
    for number, key in enumerate(people):
        hub.ui_associate("contacts", key, "companies", firms[number % 120], (PRIMARY,))
    crossing.deliver()
    InboxEvent.objects.all().delete()
    before = now_of(crossing)
    crossing.backfill(backfill.Kind.BACKFILL_PULL)
    assert [Person.objects.get(email=f"p{n}@example.com").city for n in (0, 119, 120)] == [
        "City 0",
        "City 119",
        "City 0",
    ]
    assert reads(crossing, before) == {"associations": 2, "companies": 2}


def test_nothing_across_costs_nothing(sync) -> None:
    """U19: a mapping without such a field asks for no association and no other object type, nor does its poll."""
    Mapping.objects.exclude(pk=sync.people.pk).delete()
    contact(sync, "ada", company(sync, "Turin"))
    before = now_of(sync)
    hear(sync)
    poll_all(sync)
    sync.backfill(backfill.Kind.BACKFILL_PULL)
    assert Person.objects.get().email == "ada@example.com"
    assert reads(sync, before) == {}
    assert not [row for row in sync.hub.ledger.requests(since=before) if "companies" in row.path]


def test_a_field_that_does_not_flow_costs_nothing(crossing) -> None:
    """U19: in a mapping that only pushes, nothing is read across."""
    crossing.people.direction = Direction.PUSH
    crossing.people.save()
    before = now_of(crossing)
    Person.objects.create(email="ada@example.com")
    recipes.settle(crossing)
    assert reads(crossing, before) == {}
    contact(crossing, "eve", company(crossing, "Turin"))
    hear(crossing)
    assert is_at_rest()


# --- Values change ----------------------------------------------------------------------------------------------


def test_an_edit_of_a_company_reaches_its_contacts(crossing) -> None:
    """U19: two contacts share a company; one webhook, both rows; what they do not take over moves nobody."""
    turin = company(crossing, "Turin")
    contact(crossing, "ada", turin)
    contact(crossing, "bob", turin)
    hear(crossing)
    crossing.hub.ui_update("companies", turin, {"city": "Genoa"})
    hear(crossing)
    assert (city_of("ada"), city_of("bob")) == ("Genoa", "Genoa")
    before = now_of(crossing)
    crossing.hub.ui_update("companies", turin, {"phone": "+39 011 1"})
    hear(crossing)
    assert not [
        row for row in crossing.hub.ledger.requests(since=before) if "objects" in row.path and "contacts" in row.path
    ]
    assert is_at_rest()


def test_a_lost_webhook_of_a_company_is_found_by_the_poll(crossing) -> None:
    """U19, Fault 19: the pass over the contacts finds the companies that changed."""
    turin = company(crossing, "Turin")
    contact(crossing, "ada", turin)
    hear(crossing)
    poll_all(crossing)
    crossing.hub.set_webhooks(lose=1.0)
    crossing.hub.ui_update("companies", turin, {"city": "Genoa"})
    crossing.deliver()
    poll_all(crossing)
    assert city_of("ada") == "Genoa"
    assert is_at_rest()


def test_the_primary_company_moves(crossing) -> None:
    """U19: another company becomes the primary one, then the plain one changes: only the first counts."""
    turin, rome = company(crossing, "Turin"), company(crossing, "Rome")
    key = contact(crossing, "ada", turin, rome)
    hear(crossing)
    crossing.hub.ui_associate("contacts", key, "companies", rome, (PRIMARY,))
    hear(crossing)
    assert city_of("ada") == "Rome"
    crossing.hub.ui_update("companies", turin, {"city": "Milan"})
    hear(crossing)
    assert city_of("ada") == "Rome"
    crossing.hub.ui_update("companies", rome, {"city": "Ostia"})
    hear(crossing)
    assert city_of("ada") == "Ostia"


@pytest.mark.parametrize(("blanks", "left"), [(BlankPolicy.CLEAR, ""), (BlankPolicy.KEEP, "Turin")])
def test_without_an_association_the_blank_policy_decides(crossing, blanks, left) -> None:
    """U19, X14: the association is taken away; the value is cleared or kept."""
    FieldMapping.objects.filter(remote="companies>city").update(blanks=blanks)
    turin = company(crossing, "Turin")
    key = contact(crossing, "ada", turin)
    hear(crossing)
    crossing.hub.ui_dissociate("contacts", key, "companies", turin)
    hear(crossing)
    assert city_of("ada") == left
    crossing.hub.ui_update("companies", turin, {"city": "Milan"})
    hear(crossing)
    assert city_of("ada") == left
    assert is_at_rest()


@pytest.mark.parametrize("is_lost", [False, True])
def test_an_archived_company_counts_no_more(crossing, is_lost) -> None:
    """U19, Fault 20: associations go with it, so links say who took its values; by webhook or complete pass."""
    turin = company(crossing, "Turin")
    contact(crossing, "ada", turin)
    contact(crossing, "bob", company(crossing, "Rome"))
    hear(crossing)
    crossing.hub.set_webhooks(lose=1.0 if is_lost else 0.0)
    crossing.hub.ui_archive("companies", turin)
    hear(crossing)
    if is_lost:
        assert city_of("ada") == "Turin"
        poll_all(crossing)
    assert (city_of("ada"), city_of("bob")) == ("", "Rome")
    assert is_at_rest()


def test_without_a_primary_company_the_value_is_blank_and_says_why(crossing) -> None:
    """U19: two companies, none primary: a note, once; with a primary one the value comes."""
    turin, rome = company(crossing, "Turin"), company(crossing, "Rome")
    key = contact(crossing, "ada")
    for one in (turin, rome):
        crossing.hub.ui_associate("contacts", key, "companies", one)
    hear(crossing)
    assert city_of("ada") == ""
    assert LogEntry.objects.filter(detail__contains="not exactly one is the primary one").count() == 1
    crossing.hub.ui_update("contacts", key, {"lastname": "Lovelace"})
    hear(crossing)
    assert LogEntry.objects.filter(detail__contains="not exactly one is the primary one").count() == 1
    crossing.hub.ui_associate("contacts", key, "companies", rome, (PRIMARY,))
    hear(crossing)
    assert city_of("ada") == "Rome"


def test_a_local_edit_goes_out_beside_it(crossing) -> None:
    """U19, I8: a push of other fields neither moves the value nor comes back."""
    turin = company(crossing, "Turin")
    key = contact(crossing, "ada", turin)
    hear(crossing)
    row = Person.objects.get()
    row.job_title = "Analyst"
    row.save()
    crossing.drain()
    assert is_at_rest()  # the record as read back, which shows no company, does not seem to have changed
    assert crossing.contact(key)["jobtitle"] == "Analyst"
    before, base = crossing.writes(), Link.objects.get().base
    hear(crossing)
    assert (crossing.writes(), Link.objects.get().base) == (before, base)
    assert (city_of("ada"), is_at_rest()) == ("Turin", True)
    assert crossing.hub.record("companies", turin)["properties"]["city"] == "Turin"


def test_a_value_of_a_deal_comes_from_its_only_contact(sync) -> None:
    """U19: other pairs of types; the only one counts, two without a label do not."""
    Mapping.objects.all().delete()
    mapping = recipes.make(sync, "demo.Opportunity", "deals", [("name", "dealname")])
    take(mapping, "description", "contacts>jobtitle")
    one, two = (sync.hub.ui_create("contacts", {"email": f"{n}@example.com", "jobtitle": n}) for n in ("a", "b"))
    deal = sync.hub.ui_create("deals", {"dealname": "Boat", "dealstage": "appointmentscheduled"})
    sync.hub.ui_associate("deals", deal, "contacts", one)
    hear(sync)
    assert Opportunity.objects.get().description == "a"
    sync.hub.ui_associate("deals", deal, "contacts", two)
    hear(sync)
    assert Opportunity.objects.get().description == ""
    assert is_at_rest()


# --- Large companies, and what goes wrong -------------------------------------------------------------------------


@pytest.fixture
def large(crossing) -> str:
    """A company with 1,100 contacts of the last backfill; no event waits, and no webhook will come."""
    crossing.hub.set_webhooks(lose=1.0)
    (firm,) = crossing.hub.plant("companies", [{"name": "Large", "city": "Turin"}])
    people = crossing.hub.plant("contacts", [{"email": f"p{n}@example.com"} for n in range(1100)])
    for key in people:
        crossing.hub.ui_associate("contacts", key, "companies", firm, (PRIMARY,))
    for number, key in enumerate(people):
        row = Person(pk=number + 1, email=f"p{number}@example.com", city="Turin")
        base = {"city|companies>city": ["Turin", "Turin"], "|companies>hs_object_id": [None, firm]}
        if number == 0:
            Person.objects.bulk_create([row])
        Link(
            mapping=crossing.people,
            portal=crossing.portal,
            object_type="contacts",
            local_pk=str(row.pk),
            remote_id=key,
            create_key=f"key{number}",
            base=base,
        ).save()
    crossing.deliver()
    return firm


def test_a_large_company_is_spread_in_rounds(crossing, large) -> None:
    """U19, I18: its contacts are read 500 a call, put in chunks; the lease is renewed on the way."""
    crossing.hub.ui_update("companies", large, {"city": "Genoa"})
    inbox.put([(crossing.people.pk, large)], timezone.now(), via="companies")
    before = now_of(crossing)
    assert across.spread_due() == 1
    assert InboxEvent.objects.filter(via="").count() == 1100
    assert not InboxEvent.objects.exclude(via="").exists()
    assert reads(crossing, before) == {"associations": 3, "companies": 1}


def test_what_the_links_know_already_is_not_read_again(crossing, large) -> None:
    """U19: a poll that finds the company again makes nobody due."""
    inbox.put([(crossing.people.pk, large)], timezone.now(), via="companies")
    assert across.spread_due() == 1
    assert is_at_rest()


def test_a_large_company_does_not_keep_small_ones(crossing, large, monkeypatch) -> None:
    """U19, I4: killed in the second round, the small company is done and the large one is taken up again."""
    small = company(crossing, "Rome")
    contact(crossing, "ada", small)
    crossing.deliver()
    crossing.hub.ui_update("companies", large, {"city": "Genoa"})
    inbox.put([(crossing.people.pk, one) for one in (large, small)], timezone.now(), via="companies")
    kill_in_round(monkeypatch, 2)
    with pytest.raises(KeyboardInterrupt):
        across.spread_due()
    monkeypatch.undo()
    (left,) = InboxEvent.objects.exclude(via="")
    assert left.remote_id == large
    assert InboxEvent.objects.filter(via="").count() == 500
    InboxEvent.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert across.spread_due() == 1
    assert InboxEvent.objects.filter(via="").count() == 1100
    assert not InboxEvent.objects.exclude(via="").exists()


def test_a_company_that_changes_while_it_is_spread_stays_due(crossing, large, monkeypatch) -> None:
    """I4: dirtied in the second round, all contacts are reached all the same, and the event is due once more."""
    crossing.hub.ui_update("companies", large, {"city": "Genoa"})
    inbox.put([(crossing.people.pk, large)], timezone.now(), via="companies")
    in_round(monkeypatch, 2, lambda: inbox.put([(crossing.people.pk, large)], timezone.now(), via="companies"))
    assert across.spread_due() == 1
    assert InboxEvent.objects.filter(via="").count() == 1100
    assert InboxEvent.objects.exclude(via="").get().state == "due"


def test_a_change_of_a_company_takes_in_nobody_new(crossing) -> None:
    """U19, A27: contacts that nobody linked are left alone: a change of their company is no backfill."""
    turin = company(crossing, "Turin")
    contact(crossing, "ada", turin)
    hear(crossing)
    contact(crossing, "bob", turin)
    crossing.deliver()
    intake.split()
    InboxEvent.objects.all().delete()  # he was there before this mapping: nobody tells of him
    crossing.hub.ui_update("companies", turin, {"city": "Genoa"})
    crossing.deliver()
    intake.split()
    assert across.spread_due() == 1
    assert InboxEvent.objects.filter(via="").count() == 1
    crossing.drain()
    assert (city_of("ada"), Person.objects.count()) == ("Genoa", 1)


def test_an_event_of_a_field_that_was_switched_off_is_done(crossing) -> None:
    """U19: nothing is asked of HubSpot for it."""
    turin = company(crossing, "Turin")
    contact(crossing, "ada", turin)
    hear(crossing)
    inbox.put([(crossing.people.pk, turin)], timezone.now(), via="companies")
    crossing.people.fields.filter(remote="companies>city").update(is_active=False)
    before = now_of(crossing)
    crossing.drain()
    assert is_at_rest()
    assert now_of(crossing) == before


def test_a_passing_fault_keeps_the_event(crossing) -> None:
    """Fault 8: HubSpot answers 500 to the association read; the event waits and is tried again."""
    turin = company(crossing, "Turin")
    contact(crossing, "ada", turin)
    hear(crossing)
    crossing.hub.ui_update("companies", turin, {"city": "Genoa"})
    crossing.hub.plant_fault("status", status=502, path="/associations/", times=None)
    hear(crossing)
    crossing.hub.faults.clear()
    assert InboxEvent.objects.exclude(via="").count() == 1
    assert city_of("ada") == "Turin"
    InboxEvent.objects.update(due_at=timezone.now())
    crossing.drain()
    assert (city_of("ada"), is_at_rest()) == ("Genoa", True)


def test_a_missing_scope_holds_this_field_only(crossing) -> None:
    """U19, A18: what is known not to be granted; the contact's own fields go on, the sentence names the scope."""
    turin = company(crossing, "Turin")
    key = contact(crossing, "ada", turin)
    hear(crossing)
    scope = "crm.objects.companies.read"
    crossing.hub.change_scopes(token=crossing.hub.token, remove=[scope])
    Portal.objects.update(scopes=[one for one in crossing.portal.scopes if one != scope])
    crossing.hub.ui_update("contacts", key, {"jobtitle": "Analyst"})
    crossing.hub.ui_update("companies", turin, {"city": "Genoa"})
    hear(crossing)
    row = Person.objects.get()
    assert (row.job_title, row.city) == ("Analyst", "Turin")
    assert Mapping.objects.get(pk=crossing.people.pk).state == MappingState.LIVE
    (event,) = InboxEvent.objects.all()
    assert (event.via, event.last_code) == ("companies", "field.scope_missing")
    assert scope in event.last_message
    crossing.hub.change_scopes(token=crossing.hub.token, add=[scope])
    Portal.objects.update(scopes=crossing.portal.scopes)
    InboxEvent.objects.update(due_at=timezone.now())
    crossing.drain()
    assert (city_of("ada"), is_at_rest()) == ("Genoa", True)


def test_a_scope_that_nobody_knew_missing_stops_this_mapping_only(sync) -> None:
    """U19: the first refusal pauses the mapping, with the sentence."""
    sync.people.fields.filter(local="bio").delete()
    take(sync.people, "bio", "companies>city")
    contact(sync, "ada", company(sync, "Turin"))
    sync.hub.change_scopes(token=sync.hub.token, remove=["crm.objects.companies.read"])
    hear(sync)
    people = Mapping.objects.get(pk=sync.people.pk)
    assert (people.state, people.problem_code) == (MappingState.PAUSED, "portal.scope_missing")
    assert "crm.objects.companies.read" in people.problem


@pytest.mark.parametrize("direction", [Direction.BOTH, Direction.PUSH])
def test_such_a_field_only_pulls(crossing, direction) -> None:
    """U19: any other direction is refused with the remedy, and holds this field only."""
    crossing.people.fields.filter(remote="companies>city").update(direction=direction)
    with pytest.raises(specs.SpecError, match="Set the direction to “from HubSpot”"):
        specs.check(crossing.people)
    contact(crossing, "ada", company(crossing, "Turin"))
    hear(crossing)
    assert (Person.objects.get().first_name, city_of("ada")) == ("ada", "")


@pytest.mark.parametrize("remote", ["companies>", ">city", "companies>city>name", "companies>city+companies>name"])
def test_a_path_that_is_none_is_refused(crossing, remote) -> None:
    """U19: in one sentence with an example; nothing is asked of HubSpot for it."""
    crossing.people.fields.filter(remote="companies>city").update(remote=remote)
    with pytest.raises(specs.SpecError, match="such as companies>industry"):
        specs.check(crossing.people)


def test_type_and_options_are_the_other_types(crossing) -> None:
    """U19: an enumeration of companies is one for the contact, with its options; a gone property is named."""
    take(crossing.people, "first_name", "companies>industry")
    found = {one.remote: one for one in specs.load(crossing.people).fields}["companies>industry"]
    assert found.remote_type == "enumeration"
    assert "COMPUTER_SOFTWARE" in found.options
    RemoteProperty.objects.filter(object_type="companies", name="industry").delete()
    with pytest.raises(specs.SpecError, match="'companies>industry', which companies of this portal do not have"):
        specs.check(crossing.people)


def test_a_killed_pass_goes_on_among_the_companies(crossing, monkeypatch) -> None:
    """I4, Fault 1: the pages of contacts are not searched again, nor the companies that are in the inbox."""
    crossing.hub.set_webhooks(lose=1.0)
    poll_all(crossing)
    firms = [company(crossing, f"City {n}") for n in range(3)]
    monkeypatch.setattr(search, "PAGE_SIZE", 1)
    Cursor.objects.update(due_at=timezone.now())
    Cursor.objects.filter(kind="full").update(due_at=timezone.now() + timedelta(hours=1))
    seen = []
    put = inbox.put

    def count(keys, now, **facts):
        seen.extend(keys)
        if len(seen) == 2:
            raise KeyboardInterrupt
        return put(keys, now, **facts)

    monkeypatch.setattr(inbox, "put", count)
    with pytest.raises(KeyboardInterrupt):
        poll.poll_due()
    monkeypatch.setattr(inbox, "put", put)
    assert Cursor.objects.get(kind="fast").last_id == f"companies>{firms[0]}"
    Cursor.objects.filter(kind="fast").update(leased_until=None, due_at=timezone.now())
    before = now_of(crossing)
    assert poll.poll_due() == 2
    assert set(InboxEvent.objects.values_list("via", "remote_id")) == {("companies", one) for one in firms}
    assert not crossing.hub.ledger.requests(path="contacts/search", since=before)


def test_a_merge_of_companies_moves_their_contacts(crossing) -> None:
    """U19: contacts of the one that is gone show the survivor's value."""
    turin, rome = company(crossing, "Turin"), company(crossing, "Rome")
    contact(crossing, "ada", turin)
    contact(crossing, "bob", rome)
    hear(crossing)
    crossing.hub.ui_merge("companies", rome, turin)
    hear(crossing)
    ada = next(iter(crossing.hub.associated("contacts", contact_id(crossing, "ada"), "companies")), None)
    expected = "" if ada is None else crossing.hub.record("companies", ada)["properties"]["city"]
    assert city_of("bob") == "Rome"
    assert city_of("ada") == expected
    assert is_at_rest()


# --- What is asked for ----------------------------------------------------------------------------------------------


def test_its_subscriptions_and_scopes_are_asked_for(crossing) -> None:
    """A18, U19: webhooks of the company's property and of the contact's associations; the scope names the reason."""
    wanted = checklist.subscriptions(crossing.portal)
    assert "object.propertyChange companies (0-2) city" in wanted
    assert "object.associationChange contacts (0-1)" in wanted
    assert not [one for one in wanted if ">" in one]
    (need,) = [one for one in scopes.needed(crossing.portal) if one.scope == "crm.objects.companies.read"]
    assert need.reasons == ("People: takes values over from the companies that its contacts are associated with",)


def test_the_contract_knows_the_other_types_properties(crossing) -> None:
    """U19: no finding while all is well; a gone property is one of companies; an unread type is not judged."""
    assert codes(crossing, "companies>city") == {"lint.length"}  # as of a contact's own city
    RemoteProperty.objects.filter(object_type="companies", name="city").update(is_archived=True)
    assert codes(crossing, "companies>city") == {"lint.property_archived"}
    RemoteProperty.objects.filter(object_type="companies", name="city").delete()
    (found,) = [one for one in lint.of_mapping(crossing.people) if "companies>city" in one.field]
    assert found.sentence == "companies have no property city in HubSpot."
    crossing.people.fields.filter(remote="companies>city").update(direction=Direction.BOTH, remote="companies>name")
    assert codes(crossing, "companies>name") == {"lint.read_only", "lint.length"}
    RemoteProperty.objects.filter(object_type="companies").delete()
    assert codes(crossing, "companies>name") == set()


def test_the_type_it_reads_is_discovered(crossing) -> None:
    """U19: tickets have no mapping here, but a value is taken from them."""
    assert not RemoteProperty.objects.filter(object_type="tickets").exists()
    take(crossing.people, "bio", "tickets>subject")
    take(crossing.people, "bio", "ticketz>subject")
    discover.discover(crossing.portal)
    assert RemoteProperty.objects.filter(object_type="tickets", name="subject").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, None),
        ({"remote": "companies>colour"}, "The portal has no property “companies>colour”"),
        ({"direction": Direction.BOTH}, "“companies>city” is a value of an associated record, which is only read."),
    ],
)
def test_a_configuration_may_name_it(crossing, change, words) -> None:
    """U19: what of a file with such a field keeps it from being applied."""
    crossing.people.fields.filter(remote="companies>city").update(**change)
    one = configs.read(Mapping.objects.get(pk=crossing.people.pk))
    found = [
        str(problem) for problem in configcheck.find_problems(one, naming.Names(crossing.portal), crossing.people)
    ]
    assert [text for text in found if words is None or words not in text] == []
    assert bool(found) == (words is not None)
