"""A product in a database of its own: set up by two commands, and killed between the two commits, for real.

Workers and hosts are scripts of their own; the fakehub is a server; rows are counted from outside.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings

from benchmarks import places
from project.demo import mappings
from project.demo.hub import Hub

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.processes

SETUP = """
import os, signal
import django
django.setup()
from django.conf import settings
from django.core.management import call_command
from django.db import connections, transaction
from django.utils import timezone
from crmsync import jobs, receivers
from crmsync.fakehub.hub import FakeHub
from crmsync.flows import capture, connect, discover
from crmsync.flows import poll as polling
from crmsync.ledger import credentials, portals, slips
from crmsync.models import Cursor, InboxEvent, Link, Mapping, MatchKey, OutboxEntry, Portal, Slip
from project.demo import mappings
from project.demo.models import Organisation, Person

def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

def die_between():
    leave = transaction.Atomic.__exit__
    def leave_and_die(self, kind, value, trace):
        leave(self, kind, value, trace)
        is_out = self.using == "second" and kind is None and not connections["second"].in_atomic_block
        if is_out and connections["default"].in_atomic_block:
            die()
    transaction.Atomic.__exit__ = leave_and_die

def poll():
    Cursor.objects.update(due_at=timezone.now())
    while polling.poll_due() >= 0:
        pass

def revive():
    for model in (InboxEvent, OutboxEntry, Link):
        model.objects.update(lease="", leased_until=None)
"""
CONNECT = """
entered = credentials.Entered("static", token=FakeHub.token, client_secret="bench-client-secret")
portal = connect.connect(Portal(label="P"), entered)
discover.discover(portal)
mappings.load(portal)
MatchKey.objects.all().delete()
for mapping in Mapping.objects.all():
    portals.start_mapping(mapping, timezone.now())
"""
CREATE = "Person.objects.create(email='a@example.com')\n"
WORK = "call_command('crmsync_worker', once=True)\n"
COUNT = "print(Person.objects.count(), Slip.objects.using('second').count(), OutboxEntry.objects.count())"


@dataclass(frozen=True)
class Site:
    """Two databases and a HubSpot."""

    hub: Hub
    env: dict[str, str]

    def manage(self, *arguments: str) -> subprocess.CompletedProcess:
        return self._run(["manage.py", *arguments])

    def run(self, script: str) -> tuple[int, str]:
        """(exit code, what it printed)."""
        done = self._run(["-c", SETUP + script])
        assert done.returncode in (0, -9), done.stderr
        return done.returncode, done.stdout.strip()

    def counts(self) -> str:
        """Rows of the product, slips beside them, and marks in crmsync's own database."""
        return self.run(COUNT)[1]

    def _run(self, arguments: list[str]) -> subprocess.CompletedProcess:
        argv = [sys.executable, *arguments]
        return subprocess.run(argv, cwd=ROOT, env=self.env, check=False, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def kind(tmp_path_factory: pytest.TempPathFactory) -> places.Files | places.Server:
    """Where databases of the kind are that these tests were told to use."""
    is_postgres = "postgresql" in settings.DATABASES["default"]["ENGINE"]
    return places.Server(settings.DATABASE_URL) if is_postgres else places.Files(tmp_path_factory.mktemp("two"))


@pytest.fixture(scope="module")
def migrated(kind) -> Iterator[list[str]]:
    """The addresses of both databases with all tables, to be copied."""
    with ExitStack() as stack:
        found = [stack.enter_context(kind.fresh(None)) for _ in range(2)]
        for alias in ("default", "second"):
            argv = [sys.executable, "manage.py", "migrate", "-v0", f"--database={alias}"]
            subprocess.run(argv, cwd=ROOT, env=make_env(*found), check=True)
        yield found


def make_env(first: str, second: str, hub: str = "http://127.0.0.1:9") -> dict[str, str]:
    """Without a hub nothing answers."""
    names = {"SECOND_DATABASE_URL": second, "DJANGO_SETTINGS_MODULE": "tests.journeys.two_databases"}
    return {**os.environ, **places.make_env(first, hub), **names}


@contextmanager
def open_site(kind, sources: list[str | None]) -> Iterator[Site]:
    with ExitStack() as stack:
        found = [stack.enter_context(kind.fresh(source)) for source in sources]
        hub = stack.enter_context(places.open_hub())
        yield Site(Hub(hub), make_env(*found, hub=hub))


@pytest.fixture
def bare(kind) -> Iterator[Site]:
    """Two empty databases."""
    with open_site(kind, [None, None]) as made:
        yield made


@pytest.fixture
def site(kind, migrated: list[str]) -> Iterator[Site]:
    """Both databases migrated, a portal connected, mappings live and without any match key."""
    with open_site(kind, migrated) as made:
        for name, label, property_type, field_type, options in mappings.CUSTOM_PROPERTIES:
            facts = {"options": [{"label": one, "value": one} for one in options]} if options else {}
            named = {"name": name, "kind": property_type, "field_type": field_type, "label": label}
            made.hub.post("properties/contacts", {**named, **facts})
        made.run(CONNECT)
        yield made


def test_the_check_names_the_command_and_the_command_makes_one_table(bare: Site) -> None:
    """U2, E3: as docs/operations.md says, from nothing to a database with our slips alone."""
    bare.manage("migrate", "-v0")
    asked = bare.manage("check", "--database", "second")
    assert "migrate --database=second" in asked.stderr
    assert bare.manage("migrate", "-v0", "--database=second").returncode == 0
    assert bare.manage("check", "--database", "second").returncode == 0
    _, tables = bare.run("print(*connections['second'].introspection.table_names())")
    assert [one for one in tables.split() if one.startswith("crmsync_")] == ["crmsync_slip"]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("capture.capture = die\n", "0 0 0"),
        ("jobs.ring_on_commit = die\n", "0 0 0"),
        ("jobs.ring = die\n", "1 1 0"),
    ],
)
def test_a_host_that_is_killed_has_both_or_neither(site: Site, script: str, said: str) -> None:
    """Fault 2, Fault 3, I1: before the slip, before the commit, and before the bell."""
    ringing = "settings.CRMSYNC = {**settings.CRMSYNC, 'RUNNER': 'rq'}\n"
    assert site.run(ringing + script + CREATE)[0] == -9
    assert site.counts() == said


def test_a_worker_killed_between_marking_and_deleting_sends_once(site: Site) -> None:
    """Fault 1, I4: the slip is carried twice, the record is made once."""
    site.run(CREATE)
    assert site.run("slips.drop = die\n" + WORK)[0] == -9
    assert site.counts() == "1 1 1"
    site.run("revive()\n" + WORK)
    assert site.counts() == "1 0 0"
    assert len(list(site.hub.records("contacts"))) == 1


def test_a_worker_killed_between_the_row_and_its_link_makes_no_second_row(site: Site) -> None:
    """Fault 1, I7: no match key joins the two, and both the row and the record stay one."""
    site.hub.create("companies", [{"name": "Acme"}])
    assert site.run("poll()\ndie_between()\n" + WORK)[0] == -9
    assert site.run("print(Organisation.objects.count(), Link.objects.count())")[1] == "1 0"
    site.run("revive()\npoll()\n" + WORK)
    site.run("for row in Organisation.objects.all(): row.save()\n" + WORK)
    assert site.run("print(Organisation.objects.count(), Link.objects.count())")[1] == "1 1"
    assert site.counts() == "0 0 0"
    assert len(list(site.hub.records("companies"))) == 1
