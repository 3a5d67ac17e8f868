"""The host's models in the second database: what is left there, and a crash between the two commits."""

from collections.abc import Iterator

import pytest
from django.db import connections, transaction

from crmsync.models import Slip
from project.demo.models import Organisation, Person
from tests.flows import recipes
from tests.flows.conftest import Sync
from tests.hostapp import routers

SECOND = routers.SECOND
both = pytest.mark.django_db(transaction=True, databases=["default", SECOND])
needs_postgres = pytest.mark.skipif(
    connections["default"].vendor != "postgresql", reason="SQLite has no locks on rows and no server"
)


class Crashed(BaseException):
    """Stands for the end of the process: nothing catches it."""


@pytest.fixture
def moved() -> Iterator[None]:
    """The demo's and the host app's models live in the second database."""
    with routers.living_in(SECOND, "demo", "hostapp"):
        yield


@pytest.fixture
def firm(moved: None, sync: Sync) -> Organisation:
    """An organisation with one person, both linked and in sync."""
    firm = Organisation.objects.create(name="Old", domain="firm.example.com")
    Person.objects.create(email="staff@example.com", organisation=firm)
    recipes.settle(sync)
    assert (sync.queued(), left()) == ((0, 0), [])
    return firm


def left() -> list[tuple[str, str]]:
    """The slips there are: what each says, and of which row."""
    return list(Slip.objects.using(SECOND).order_by("id").values_list("kind", "local_pk"))


def crash_between(monkeypatch) -> None:
    """The process ends when the host's rows are committed and crmsync's are not yet."""
    atomic = transaction.Atomic.__exit__

    def leave(self, kind, value, trace) -> None:
        atomic(self, kind, value, trace)
        was_committed = self.using == SECOND and kind is None and not connections[SECOND].in_atomic_block
        if was_committed and connections["default"].in_atomic_block:
            raise Crashed

    monkeypatch.setattr(transaction.Atomic, "__exit__", leave)
