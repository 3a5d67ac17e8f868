"""Which set-ups of several databases work, and what the checks and the doctor say of the others."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.db import router
from django.utils import timezone

from crmsync import checks
from crmsync.flows import diagnose
from crmsync.ledger import slips
from crmsync.models import Slip
from crmsync.paths import fields, walk
from project.demo.models import Person
from tests.flows import hosts
from tests.flows.conftest import Sync
from tests.flows.elsewhere import SECOND, both, firm, moved
from tests.hostapp import routers
from tests.hostapp.models import Job

__all__ = ["firm", "moved"]

pytestmark = [both, pytest.mark.usefixtures("moved")]


def test_a_path_into_another_database_is_refused(settings) -> None:
    """U2: no statement reads rows of two databases; the sentence says so, and nothing reads along it."""
    with hosts.registered(settings), routers.living_in("default", "hostapp.Client"):
        with pytest.raises(fields.LocalFieldError, match="another database"):
            walk.resolve(Job, "client__name")
        assert list(walk.vias(Job, "client__name")) == []
        assert walk.resolve(Job, "title").hops == ()


def e005(settings) -> list[str]:
    with hosts.registered(settings):
        return [f"{one.msg} {one.hint}" for one in checks.check_settings(None) if one.id == "crmsync.E005"]


def test_models_of_another_database_are_no_error(settings) -> None:
    """U2, E3: what works is not complained of."""
    assert e005(settings) == []


def test_a_database_that_may_not_have_our_table_is_an_error(settings, monkeypatch) -> None:
    """U2, I1, E3: where row and slip could not be one transaction nothing is promised; the check says what to do."""
    monkeypatch.setattr(routers.Second, "allow_migrate", lambda *args, **hints: False, raising=False)
    with routers.living_in("default", "demo", "hostapp"), routers.living_in(SECOND, "hostapp.Note", "hostapp.Tag"):
        found = e005(settings)
    assert [one.partition(" ")[0] for one in found] == ["hostapp.Note", "hostapp.Tag"]
    assert all("crmsync.routers.Router" in one for one in found)


def test_a_database_that_there_is_not_is_an_error(settings) -> None:
    """E3: a router's slip of the pen."""
    with routers.living_in("default", "demo", "hostapp"), routers.living_in("secnd", "hostapp.Note"):
        (found,) = e005(settings)
    assert "“secnd”, which DATABASES lacks" in found


def test_our_own_tables_are_not_read_from_a_replica(settings) -> None:
    """I6, I7, E3: a link that a replica does not show yet would be made twice; our router keeps it right."""
    with routers.reading_from(SECOND, "crmsync"):
        (found,) = e005(settings)
        settings.DATABASE_ROUTERS = ["crmsync.routers.Router", *settings.DATABASE_ROUTERS]
        assert e005(settings) == []
    assert "crmsync.routers.Router" in found


def test_our_router_makes_no_table_but_that_of_slips_elsewhere(settings) -> None:
    """U2: a host's other database gets one table."""
    settings.DATABASE_ROUTERS = ["crmsync.routers.Router"]
    ours = apps.get_app_config("crmsync").get_models()
    assert [one for one in ours if router.allow_migrate_model(SECOND, one)] == [Slip]
    assert router.allow_migrate_model("default", Slip)
    assert router.allow_migrate_model(SECOND, Person)


def test_a_database_without_our_table_is_named_with_the_command(monkeypatch) -> None:
    """U2, E3: the check says what to run, and is quiet where the table is there."""
    assert checks.check_slips(None, databases=["default", SECOND]) == []
    monkeypatch.setattr(slips, "is_ready", lambda alias: False)
    assert checks.check_slips(None, databases=["default"]) == []
    (found,) = checks.check_slips(None, databases=["default", SECOND])
    assert (found.id, "migrate --database=second" in found.hint) == ("crmsync.E005", True)


def test_the_doctor_tells_of_slips_that_are_not_carried(sync: Sync, monkeypatch) -> None:
    """U16, T4: how many changes wait there, and since when."""
    Person.objects.create(email="a@example.com")
    Slip.objects.using(SECOND).update(captured_at=timezone.now() - timedelta(hours=1))
    found = diagnose.report()
    assert [(one["database"], one["due"]) for one in found["elsewhere"]] == [(SECOND, 1)]
    assert "system.slips" in {one["code"] for one in found["problems"]}
