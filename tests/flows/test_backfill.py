"""Backfills: both ways, resumable at any kill, counted to the last record, written nothing when nothing changed."""

import json

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from crmsync.flows import backfill
from crmsync.models import Link, Run
from project.demo.models import Person


def plant(sync, count: int) -> None:
    sync.hub.set_webhooks(lose=1.0)
    for number in range(count):
        sync.hub.ui_create("contacts", {"email": f"c{number}@example.com", "firstname": f"C{number}"})


def test_pull_then_push(sync) -> None:
    """A28, L14: every record of both sides is linked once, and the counts sum to the records considered."""
    plant(sync, 120)
    Person.objects.bulk_create(Person(email=f"C{n}@Example.com", city="Here") for n in range(0, 240, 2))
    pulled = sync.backfill("backfill_pull")
    pushed = sync.backfill("backfill_push")
    assert sum(pulled.values()) == 120
    assert sum(pushed.values()) == Person.objects.count() == 180
    assert len(sync.contacts()) == 180
    assert Link.objects.exclude(remote_id=None).count() == 180
    assert Person.objects.get(email="C2@Example.com").first_name == "C2"


@pytest.mark.parametrize("uses_save", [True, False])
def test_again_writes_nothing(sync, uses_save) -> None:
    """I8: a second backfill of unchanged records makes no write call and touches no row."""
    sync.people.uses_save = uses_save
    sync.people.save()
    plant(sync, 30)
    sync.backfill("backfill_pull")
    sync.backfill("backfill_push")
    sync.drain()
    before, stamps = sync.writes(), list(Person.objects.order_by("pk").values_list("updated_at", flat=True))
    counts = [sync.backfill(kind) for kind in ("backfill_pull", "backfill_push")]
    assert counts == [{"unchanged": 30}, {"unchanged": 30}]
    assert sync.writes() == before
    assert list(Person.objects.order_by("pk").values_list("updated_at", flat=True)) == stamps


def test_goes_on_from_the_last_page(sync) -> None:
    """A backfill that was cut off goes on where it was; nothing is made twice."""
    plant(sync, 250)
    run = backfill.start(sync.people, "backfill_pull")
    pages = backfill.pages(run)
    next(pages)
    pages.close()
    assert Person.objects.count() == 100
    again = backfill.start(sync.people, "backfill_pull")
    assert again.pk == run.pk
    for _ in backfill.pages(again):
        pass
    assert Person.objects.count() == 250
    assert Run.objects.get().counts == {"created": 250}


def test_the_bulk_way_makes_the_same(sync) -> None:
    """Fast mode: rows and links as through save(), one bad row among them handled alone."""
    sync.people.uses_save = False
    sync.people.save()
    plant(sync, 20)
    sync.hub.ui_create("contacts", {"email": "long@example.com", "firstname": "x" * 101})
    counts = sync.backfill("backfill_pull")
    assert counts["created"] == 21
    assert Person.objects.count() == 21
    assert Link.objects.filter(outcome="failed", reason="field.too_long").count() == 1


def test_a_dry_run_writes_nothing_and_says_so_by_its_exit_code(sync, capsys) -> None:
    """P1: plans everything, writes nothing; exit code 3 when there is something to do."""
    plant(sync, 5)
    before = sync.writes()
    with pytest.raises(SystemExit) as ended:
        call_command("crmsync_backfill", "People", "--dry-run", "--json")
    assert ended.value.code == 3
    assert json.loads(capsys.readouterr().out)["backfill_pull"] == {"created": 5}
    assert (sync.writes(), Person.objects.count(), Run.objects.count()) == (before, 0, 0)


def test_a_limit_refuses_the_page_before_anything_is_written(sync) -> None:
    """A plan that would make too many records is refused whole."""
    plant(sync, 5)
    with pytest.raises(CommandError, match="limit is 3"):
        call_command("crmsync_backfill", "People", "--direction", "pull", "--max-creates", "3", "--no-progress")
    assert Person.objects.count() == 0


def test_an_unknown_mapping_is_named(sync) -> None:
    with pytest.raises(CommandError, match=r"Mappings: .*'People'"):
        call_command("crmsync_backfill", "Nobody")


def test_a_push_only_mapping_has_no_pull(sync) -> None:
    with pytest.raises(CommandError, match="does not flow"):
        call_command("crmsync_backfill", "Opportunities", "--direction", "pull")
