"""Host code that raises, rewrites and saves again: contained in its record, and at rest after few writes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db.models import signals as django_signals

from crmsync import adapters, signals
from crmsync.models import InboxEvent, OutboxEntry
from project.demo.models import Person
from tests.flows import recipes
from tests.flows.conftest import Sync


@contextmanager
def heard(signal, receiver: Callable[..., None]) -> Iterator[None]:
    signal.connect(receiver, sender=Person)
    try:
        yield
    finally:
        signal.disconnect(receiver, sender=Person)


def shout(sender, instance, **kwargs) -> None:
    instance.city = instance.city.upper()


def shout_again(sender, instance, **kwargs) -> None:
    """Saves in its own receiver, as hosts do."""
    if instance.city != instance.city.upper():
        instance.city = instance.city.upper()
        instance.save()


def rest(sync: Sync) -> None:
    """Nothing is written any more, however often it is looked at."""
    recipes.settle(sync)
    before = sync.writes()
    for _ in range(3):
        recipes.settle(sync)
    assert sync.writes() == before


# --- Rewriting ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("signal", "receiver"),
    [(django_signals.pre_save, shout), (django_signals.post_save, shout_again)],
    ids=["rewrites", "saves again"],
)
def test_a_save_that_rewrites_what_was_pulled_comes_to_rest(sync: Sync, ada, ada_id, signal, receiver) -> None:
    """Fault 43, I12: HubSpot's value goes through the host's own save, what that made is sent back once."""
    before = sync.writes()
    with heard(signal, receiver):
        sync.hub.ui_update("contacts", ada_id, {"city": "graz"})
        rest(sync)
        ada.refresh_from_db()
        assert (ada.city, sync.contact(ada_id)["city"]) == ("GRAZ", "GRAZ")
        assert sync.writes() == before + 1
        ada.city = "wien"
        ada.save()
        rest(sync)
    ada.refresh_from_db()
    assert (ada.city, sync.contact(ada_id)["city"]) == ("WIEN", "WIEN")


def test_two_that_undo_each_other_are_stopped_and_shown(sync: Sync, ada: Person, ada_id: str) -> None:
    """Fault 43, I12: a workflow of HubSpot's lower-cases what the host's save() upper-cases. That could go on for
    ever: after some rounds the value is left as it is on both sides, and a row says why and what to do."""
    before = sync.writes()
    other = Person.objects.create(email="bob@example.com")
    with heard(django_signals.pre_save, shout):
        sync.hub.ui_update("contacts", ada_id, {"city": "graz"})
        for _ in range(60):
            recipes.settle(sync)
            if sync.contact(ada_id)["city"] != "graz":
                sync.hub.ui_update("contacts", ada_id, {"city": "graz"})
        assert sync.writes() - before < 20
        rest(sync)
        parked = InboxEvent.objects.get(state="parked")
        assert (parked.remote_id, parked.last_code) == (ada_id, "record.flipping")
        assert "city" in parked.last_message
        other.city = "linz"
        other.save()
        rest(sync)
    assert {one["properties"].get("city") for one in sync.contacts()} == {"graz", "LINZ"}


# --- Raising --------------------------------------------------------------------------------------------------------


def refuse_bob(sender, instance, **kwargs) -> None:
    if instance.first_name == "Bob":
        raise ZeroDivisionError("private words")


@pytest.mark.parametrize("signal", [django_signals.pre_save, django_signals.post_save])
@pytest.mark.parametrize("by", ["webhook", "bulk run"])
def test_a_receiver_that_raises_stops_its_record_only(sync: Sync, signal, by: str) -> None:
    """Fault 43, I14: the others of the batch are made; the one is parked without a half-made row or its values."""
    if by == "bulk run":
        sync.hub.set_webhooks(lose=1.0)
    for name in ("Ann", "Bob", "Cem"):
        sync.hub.ui_create("contacts", {"email": f"{name.lower()}@example.com", "firstname": name})
    with heard(signal, refuse_bob):
        if by == "bulk run":
            sync.backfill("backfill_pull")
        recipes.settle(sync)
    assert set(Person.objects.values_list("first_name", flat=True)) == {"Ann", "Cem"}
    parked = InboxEvent.objects.get()
    assert parked.state == "parked"
    assert "ZeroDivisionError" in parked.last_message
    assert "private" not in parked.last_message
    InboxEvent.objects.update(state="due", due_at="2020-01-01T00:00Z")
    sync.drain()
    assert Person.objects.filter(first_name="Bob").exists()


class _Moody(adapters.LocalAdapter):
    """Reads and writes all but one."""

    def read(self, row, path):
        if row.last_name == "unreadable":
            raise ZeroDivisionError("private words")
        return super().read(row, path)

    def write(self, row, values):
        if values.get("last_name") == "unwritable":
            raise ZeroDivisionError("private words")
        return super().write(row, values)


@pytest.fixture
def moody() -> Iterator[None]:
    adapters.register(Person, _Moody)
    yield
    adapters._registry.pop(Person)


def test_an_adapter_that_raises_stops_its_record_only(sync: Sync, moody) -> None:
    """Fault 43, I14: in both directions."""
    for name in ("fine", "unreadable", "good"):
        Person.objects.create(email=f"{name}@example.com", last_name=name)
    for name in ("nice", "unwritable", "well"):
        sync.hub.ui_create("contacts", {"email": f"{name}@example.com", "lastname": name})
    recipes.settle(sync)
    assert {one["properties"]["lastname"] for one in sync.contacts()} == {
        "fine",
        "good",
        "nice",
        "unwritable",
        "well",
    }
    assert set(Person.objects.values_list("last_name", flat=True)) == {"fine", "unreadable", "good", "nice", "well"}
    for parked in (OutboxEntry.objects.get(), InboxEvent.objects.get()):
        assert parked.state == "parked"
        assert "private" not in parked.last_message


def test_a_receiver_of_our_own_signals_stops_nothing(sync: Sync, ada: Person, ada_id: str) -> None:
    """Fault 43: it raises, or saves the row again; the sync has settled before, and comes to rest."""

    def raise_here(sender, **kwargs) -> None:
        raise ZeroDivisionError

    def save_again(sender, local_pk, **kwargs) -> None:
        Person.objects.get(pk=local_pk).save()

    with (
        heard(signals.post_pull, raise_here),
        heard(signals.post_pull, save_again),
        heard(signals.post_push, save_again),
    ):
        sync.hub.ui_update("contacts", ada_id, {"city": "Graz"})
        rest(sync)
        ada.refresh_from_db()
        assert ada.city == "Graz"
        ada.city = "Wien"
        ada.save()
        rest(sync)
    assert sync.contact(ada_id)["city"] == "Wien"
    assert sync.queued() == (0, 0)
