"""Exactly one match links, on every path; several leave it to a person, who sees the candidates and decides."""

import gc

import pytest
from django.apps import apps
from django.utils import timezone

from crmsync.engine import record
from crmsync.engine.terms import Direction, Normaliser
from crmsync.flows import backfill, candidates, poll
from crmsync.models import Cursor, Link, LogEntry, Mapping, OutboxEntry
from project.demo import mappings
from project.demo.models import Organisation, Person
from tests.flows import recipes
from tests.flows.conftest import Sync

TO_HUBSPOT, FROM_HUBSPOT = ["save", "backfill_push"], ["webhook", "poll", "backfill_pull"]


@pytest.fixture
def firms(sync: Sync) -> Mapping:
    """Organisations, found by their name, which HubSpot lets several have; link only."""
    mapping = sync.mappings[mappings.ORGANISATIONS]
    mapping.match_keys.all().delete()
    recipes.match(mapping, "name", "name")
    mapping.creates_local = mapping.creates_remote = False
    mapping.save()
    return mapping


def poll_all(sync: Sync) -> None:
    Cursor.objects.update(due_at=timezone.now())
    while poll.poll_due() >= 0:
        pass
    sync.drain()


def arrive(sync: Sync, firms: Mapping, path: str, others: int) -> tuple[str, set[str]]:
    """One record named Acme comes by a path, when the other side has so many; (its key, their keys)."""
    acme = {"name": "Acme"}
    if path in TO_HUBSPOT:
        there = set(sync.hub.plant("companies", [acme] * others))
        if path == "save":
            row = Organisation.objects.create(**acme)
            sync.drain()
        else:
            (row,) = Organisation.objects.bulk_create([Organisation(**acme)])
            sync.backfill(path, firms)
        return str(row.pk), there
    poll_all(sync)
    rows = Organisation.objects.bulk_create([Organisation(**acme) for _ in range(others)])
    if path != "webhook":
        sync.hub.set_webhooks(lose=1.0)
    key = sync.hub.ui_create("companies", acme)
    if path == "webhook":
        recipes.settle(sync)
    elif path == "poll":
        poll_all(sync)
    else:
        sync.backfill(path, firms)
    return key, {str(row.pk) for row in rows}


def entry_of(firms: Mapping, key: str) -> LogEntry | None:
    rows = LogEntry.objects.filter(mapping=firms)
    return (rows.filter(local_pk=key) | rows.filter(remote_id=key)).first()


def links_of(mapping: Mapping) -> set[tuple[str, str]]:
    return set(Link.objects.filter(mapping=mapping).values_list("local_pk", "remote_id"))


def firm_names(sync: Sync) -> list[str]:
    return sorted(one["properties"]["name"] for one in sync.hub.records("companies"))


# --- Every path ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [*TO_HUBSPOT, *FROM_HUBSPOT])
def test_exactly_one_match_links(sync: Sync, firms: Mapping, path: str) -> None:
    """X10."""
    key, (other,) = arrive(sync, firms, path, 1)
    assert links_of(firms) == {(key, other) if path in TO_HUBSPOT else (other, key)}


@pytest.mark.parametrize("path", [*TO_HUBSPOT, *FROM_HUBSPOT])
def test_several_are_left_with_the_candidates(sync: Sync, firms: Mapping, path: str) -> None:
    """X10, Fault 40: none is chosen, nothing is made, and the log names what matched; in a bulk run, too."""
    key, others = arrive(sync, firms, path, 2)
    assert links_of(firms) == set()
    entry = entry_of(firms, key)
    assert (entry.outcome, entry.reason) == ("excluded", "too_many_candidates")
    side = "remote" if path in TO_HUBSPOT else "local"
    assert sorted(entry.candidates) == sorted([side, other] for other in others)
    assert (Organisation.objects.count(), len(firm_names(sync))) == ((1, 2) if path in TO_HUBSPOT else (2, 1))


@pytest.mark.parametrize("path", [*TO_HUBSPOT, *FROM_HUBSPOT])
def test_none_is_left_with_the_reason(sync: Sync, firms: Mapping, path: str) -> None:
    """X10, U8: the reason is in the log; a bulk run counts it instead, because strangers may be a million."""
    key, _others = arrive(sync, firms, path, 0)
    assert links_of(firms) == set()
    entry = entry_of(firms, key)
    assert (entry.reason if entry else "") == ("" if path.startswith("backfill") else "link_only")
    assert Organisation.objects.count() + len(firm_names(sync)) == 1


def test_several_rows_for_one_record_are_left_too(sync: Sync, firms: Mapping) -> None:
    """X10: each row of one page wants the same company; the log of each names it and the other row."""
    (there,) = sync.hub.plant("companies", [{"name": "Acme"}])
    one, other = Organisation.objects.bulk_create([Organisation(name="Acme"), Organisation(name="ACME ")])
    sync.backfill("backfill_push", firms)
    assert links_of(firms) == set()
    assert entry_of(firms, str(one.pk)).candidates == [["remote", there], ["local", str(other.pk)]]
    assert entry_of(firms, str(other.pk)).candidates == [["remote", there], ["local", str(one.pk)]]


def test_what_is_linked_elsewhere_is_named(sync: Sync, firms: Mapping) -> None:
    """Fault 40: another record's partner is never taken; the log says which record that is."""
    key, (other,) = arrive(sync, firms, "save", 1)
    Organisation.objects.filter(pk=key).update(name="Renamed")
    late = Organisation.objects.create(name="Acme")
    sync.drain()
    assert links_of(firms) == {(key, other)}
    entry = entry_of(firms, str(late.pk))
    assert (entry.reason, entry.candidates) == ("record.linked_elsewhere", [["remote", other]])


# --- Values -------------------------------------------------------------------------------------------------------


@pytest.fixture
def mary(sync: Sync) -> str:
    """A contact whose second address was the one of a contact that was merged into it; no webhook told of it."""
    sync.hub.set_webhooks(lose=1.0)
    sync.people.creates_local = sync.people.creates_remote = False
    sync.people.save()
    first, second = (sync.hub.ui_create("contacts", {"email": f"{name}@example.com"}) for name in ("main", "other"))
    survivor = sync.hub.ui_merge("contacts", first, second)
    recipes.settle(sync)
    return survivor


@pytest.mark.parametrize("path", ["save", "backfill_pull", "backfill_push"])
@pytest.mark.parametrize("normaliser", [Normaliser.EMAIL, Normaliser.EMAIL_PLUS, Normaliser.TRIMMED])
def test_a_contact_is_found_by_its_second_address(sync: Sync, mary: str, path: str, normaliser: str) -> None:
    """Fault 40, U3: from either side."""
    sync.people.match_keys.update(normaliser=normaliser)
    if path == "save":
        person = Person.objects.create(email="Other@Example.com")
        sync.drain()
    else:
        (person,) = Person.objects.bulk_create([Person(email="Other@Example.com")])
        sync.backfill(path)
    assert links_of(sync.people) == {(str(person.pk), mary)}


def test_two_rows_with_both_addresses_take_none(sync: Sync, mary: str) -> None:
    """Fault 40: the contact matches each of them, so a person decides."""
    rows = Person.objects.bulk_create([Person(email="main@example.com"), Person(email="other@example.com")])
    sync.backfill("backfill_pull")
    assert links_of(sync.people) == set()
    assert sorted(entry_of(sync.people, mary).candidates) == sorted(["local", str(row.pk)] for row in rows)


@pytest.mark.parametrize("path", ["backfill_pull", "backfill_push"])
@pytest.mark.parametrize(
    ("normaliser", "field", "name", "ours", "theirs", "is_partner"),
    [
        (Normaliser.EMAIL_PLUS, "email", "email", "Ann@x.org", "ann+news@x.org", True),
        (Normaliser.EMAIL_PLUS, "email", "email", "ann+shop@x.org", "ann@x.org", True),
        (Normaliser.EMAIL_PLUS, "email", "email", "ann+shop@x.org", "ann+news@x.org", True),
        (Normaliser.EMAIL_PLUS, "email", "email", "ann+shop@x.org", "anna@x.org", False),
        (Normaliser.EMAIL, "email", "email", "ann+shop@x.org", "ann@x.org", False),
        (Normaliser.PHONE, "phone", "phone", "0044 20 7946 0000", "+442079460000", True),
        (Normaliser.PHONE, "phone", "phone", "+44 (20) 7946-0000", "442079460000", True),
        (Normaliser.PHONE, "phone", "phone", "020 7946 0000", "+442079460000", False),
    ],
)
def test_values_are_compared_as_the_key_says(
    sync: Sync, path, normaliser, field, name, ours, theirs, is_partner
) -> None:
    """U3: by an address without its tag, or by all digits of a phone number, whichever side is looked through."""
    sync.people.match_keys.all().delete()
    sync.people.creates_local = sync.people.creates_remote = False
    sync.people.save()
    recipes.match(sync.people, field, name, normaliser)
    (person,) = Person.objects.bulk_create([Person(**{"email": "ours@example.com", field: ours})])
    (key,) = sync.hub.plant("contacts", [{"email": "theirs@example.com", name: theirs}])
    sync.backfill(path)
    assert links_of(sync.people) == ({(str(person.pk), key)} if is_partner else set())


def test_several_keys_are_tried_in_order(sync: Sync, firms: Mapping) -> None:
    """U3: two keys on one field, the stricter first; a match by the first spares the second."""
    sync.people.match_keys.all().delete()
    sync.people.creates_local = False
    sync.people.save()
    for normaliser in (Normaliser.EMAIL, Normaliser.EMAIL_PLUS):
        recipes.match(sync.people, "email", "email", normaliser)
    rows = Person.objects.bulk_create([Person(email="ann@x.org"), Person(email="bob@x.org")])
    ann, bob = sync.hub.plant("contacts", [{"email": "Ann@x.org"}, {"email": "bob+news@x.org"}])
    sync.backfill("backfill_pull")
    assert links_of(sync.people) == {(str(rows[0].pk), ann), (str(rows[1].pk), bob)}


def test_a_portal_of_strangers_costs_no_row(sync: Sync) -> None:
    """U9: 3,000 newsletter contacts leave no row of any table behind, and no page but the last is kept in memory."""
    sync.people.creates_local = False
    sync.people.save()
    Person.objects.bulk_create([Person(email="known@example.com")])
    sync.hub.plant("contacts", [{"email": f"reader{n}@example.com", "lastname": "Canary"} for n in range(3000)])
    known = sync.hub.plant("contacts", [{"email": "known@example.com"}])
    sync.backfill("backfill_push")
    models = [model for label in ("crmsync", "demo") for model in apps.get_app_config(label).get_models()]
    before = {model.__name__: model.objects.count() for model in models}
    run, alive = backfill.start(sync.people, "backfill_pull"), []
    for number, _page in enumerate(backfill.pages(run)):
        if number % 10 == 0:
            gc.collect()
            alive.append(sum(isinstance(one, record.Record) for one in gc.get_objects()))
    assert run.counts == {"excluded": 3000, "unchanged": 1}
    assert len(alive) == 4
    assert max(alive) <= 2 * backfill.PAGE
    after = {model.__name__: model.objects.count() for model in models}
    counted = before.keys() - {"ApiUsage"}  # calls are counted by the hour, however many records they were about
    assert {name: after[name] - before[name] for name in counted if after[name] != before[name]} == {"Run": 1}
    assert {remote_id for _pk, remote_id in links_of(sync.people)} == set(known)


# --- What a person decides ----------------------------------------------------------------------------------------


@pytest.fixture
def acme(sync: Sync, firms: Mapping) -> LogEntry:
    """A row that two companies match."""
    arrive(sync, firms, "save", 2)
    return candidates.waiting().get()


def test_a_chosen_candidate_is_linked_and_synced(sync: Sync, firms: Mapping, acme: LogEntry) -> None:
    """X10: both records are brought together as at a first contact, and the case is closed."""
    _first, chosen = candidates.partners_of(acme)
    Organisation.objects.update(city="Leeds")
    candidates.link(acme, chosen, "ida")
    recipes.settle(sync)
    assert links_of(firms) == {(acme.local_pk, chosen)}
    assert sync.hub.record("companies", chosen)["properties"]["city"] == "Leeds"
    assert not candidates.waiting().exists()
    assert LogEntry.objects.get(reason="by_hand").detail == "Linked by ida."


@pytest.mark.parametrize("direction", [Direction.BOTH, Direction.PULL])
def test_a_chosen_row_is_linked_from_hubspots_side(sync: Sync, firms: Mapping, direction: str) -> None:
    firms.direction = direction
    firms.save()
    key, _rows = arrive(sync, firms, "webhook", 2)
    sync.hub.ui_update("companies", key, {"city": "Oslo"})
    entry = candidates.waiting().get()
    chosen = candidates.partners_of(entry)[1]
    candidates.link(entry, chosen, "ida")
    sync.drain()
    assert links_of(firms) == {(chosen, key)}
    assert Organisation.objects.get(pk=chosen).city == "Oslo"


def test_another_ones_partner_is_refused_with_its_place(sync: Sync, firms: Mapping, acme: LogEntry) -> None:
    """Fault 40: a link is never taken away, whoever presses the button."""
    chosen = candidates.partners_of(acme)[0]
    holder = Organisation.objects.create(name="Elsewhere")
    sync.drain()
    Link.objects.create(
        mapping=firms,
        portal=sync.portal,
        object_type="companies",
        local_pk=str(holder.pk),
        remote_id=chosen,
        create_key="f" * 32,
    )
    with pytest.raises(candidates.ChoiceError, match=f"HubSpot record {chosen} is linked to {holder.pk} in Django"):
        candidates.link(acme, chosen, "ida")
    assert links_of(firms) == {(str(holder.pk), chosen)}
    assert not LogEntry.objects.filter(reason="by_hand").exists()


def test_what_is_no_candidate_or_gone_is_refused(sync: Sync, firms: Mapping, acme: LogEntry) -> None:
    chosen = candidates.partners_of(acme)[0]
    with pytest.raises(candidates.ChoiceError, match="not one of the candidates"):
        candidates.link(acme, acme.local_pk, "ida")
    sync.hub.ui_archive("companies", chosen)
    with pytest.raises(candidates.ChoiceError, match=f"HubSpot has no record {chosen} any more"):
        candidates.link(acme, chosen, "ida")
    Organisation.objects.all().delete()
    with pytest.raises(candidates.ChoiceError, match="Django has no record"):
        candidates.link(acme, candidates.partners_of(acme)[1], "ida")
    assert links_of(firms) == set()


def test_a_new_record_is_made_though_others_match(sync: Sync, firms: Mapping, acme: LogEntry) -> None:
    """X10: asked for by a person, in a mapping that makes none by itself."""
    candidates.create(acme, "ida")
    assert not candidates.waiting().exists()
    recipes.settle(sync)
    assert firm_names(sync) == ["Acme"] * 3
    ((local_pk, remote_id),) = links_of(firms)
    assert local_pk == acme.local_pk
    assert remote_id not in candidates.partners_of(acme)


def test_a_value_hubspot_takes_once_makes_no_second(sync: Sync) -> None:
    """Fault 40: it would be refused by HubSpot, so it is refused before, with what would do."""
    sync.people.creates_remote = False
    sync.people.save()
    rows = Person.objects.bulk_create([Person(email="ann@x.org"), Person(email="ANN@x.org")])
    sync.hub.plant("contacts", [{"email": "ann@x.org"}])
    sync.backfill("backfill_push")
    entry = candidates.waiting().get(local_pk=str(rows[0].pk))
    with pytest.raises(candidates.ChoiceError, match="takes each email once"):
        candidates.create(entry, "ida")
    assert not OutboxEntry.objects.exists()
    assert links_of(sync.people) == set()


def test_a_record_that_is_left_is_off_the_list_until_it_changes(sync: Sync, firms: Mapping, acme: LogEntry) -> None:
    candidates.leave(acme, "ida")
    assert not candidates.waiting().exists()
    Organisation.objects.get().save()
    sync.drain()
    assert candidates.waiting().get().local_pk == acme.local_pk
    assert links_of(firms) == set()


def test_only_the_last_word_on_a_record_waits(sync: Sync, firms: Mapping, acme: LogEntry) -> None:
    """One line a record, however often it was looked at; none once its values differ."""
    row = Organisation.objects.get()
    row.save()
    sync.drain()
    assert LogEntry.objects.filter(reason="too_many_candidates").count() == 2
    assert candidates.waiting().get().pk > acme.pk
    row.name = "Acme of Leeds"
    row.save()
    sync.drain()
    assert not candidates.waiting().exists()
