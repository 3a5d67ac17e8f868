"""Two processes try or drop one canary at the same time: neither forgets nor undoes what the other one did."""

from collections.abc import Callable

from crmsync.flows import canary, scope
from crmsync.ledger import canaries
from crmsync.models import Canary, CanaryRecord, Link
from project.demo.models import Person
from tests.flows.test_canary import make_people, sent_to, settle_all, start, version

__all__ = ["version"]  # a fixture


def between(monkeypatch, act: Callable[[], object]) -> None:
    """Another process acts after the records were read, and before their links are leased."""
    plain = scope.open_scope

    def opens(*args, **facts):
        monkeypatch.setattr(scope, "open_scope", plain)
        act()
        return plain(*args, **facts)

    monkeypatch.setattr(scope, "open_scope", opens)


def test_two_who_try_at_once_forget_nothing(sync, version, monkeypatch) -> None:
    """F20: the second one finds it tried, and does not take what the first one wrote for what was there before."""
    (ada,) = make_people(sync, 1)
    one = canaries.open_one(version, [Link.objects.get().pk], None)
    between(monkeypatch, lambda: canary.go_on(Canary.objects.get()))
    assert canary.go_on(one) == 0
    assert sent_to(sync, ada) == "life 0"
    assert canary.drop(one) == canary.Dropped(1)
    assert sent_to(sync, ada) is None


def test_what_was_answered_after_a_drop_began_is_put_back(sync, version, monkeypatch) -> None:
    """F20: HubSpot keeps a value in a form of its own, which a drop must not take for somebody's edit."""
    (ada,) = make_people(sync, 1)
    one = start(version, ada)
    written = CanaryRecord.objects.get().writes
    CanaryRecord.objects.update(writes=[{**each, "wanted": "other", "is_answered": False} for each in written])
    between(monkeypatch, lambda: CanaryRecord.objects.update(writes=written))
    assert canary.drop(one).left == ()
    assert sent_to(sync, ada) is None


def test_two_who_drop_at_once_do_not_take_back_what_the_live_mapping_did_since(sync, version, monkeypatch) -> None:
    """F20: for the second one nothing is left to do."""
    (ada,) = make_people(sync, 1)
    one = start(version, ada)

    def meanwhile() -> None:
        canary.drop(Canary.objects.get())
        Person.objects.get(pk=ada.pk).save()
        sync.hub.ui_update("contacts", Link.objects.get().remote_id, {"city": "Oslo"})
        settle_all(sync)
        start(version, ada)

    between(monkeypatch, meanwhile)
    canary.drop(one)
    version.refresh_from_db()
    assert Link.objects.get().base["city|city"] == ["Oslo", "Oslo"]
    assert (version.locked_by, sent_to(sync, ada)) == (canaries.LOCK, "life 0")
