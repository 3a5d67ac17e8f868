"""A deployment with old and new workers together: two copies of the host's code, real processes, one database.

The host is copied twice, and one copy gets a changed model and its migration. Truth is asked of Django's rows, from
outside, and of the fakehub's records and ledger.
"""

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks import places
from crmsync.fakehub.defaults import DEMO_TOKEN
from project.demo.hub import Hub

pytestmark = pytest.mark.processes

ROOT = Path(__file__).resolve().parents[2]
JOB_TITLE = "    job_title = models.CharField(max_length=150, blank=True)\n"
NICKNAME = '    nickname = models.CharField(max_length=150, blank=True, default="", db_default="")\n'
SETUP = """
import sys
import django
django.setup()
from django.core.management import call_command
from django.utils import timezone
from crmsync.flows import backfill, connect, discover
from crmsync.ledger import credentials, inbox
from crmsync.models import FieldMapping, InboxEvent, Mapping, OutboxEntry, Portal
from project.demo import mappings
from project.demo.models import Person
people = Mapping.objects.filter(label="People").first()
"""
START = """
entered = credentials.Entered("static", token=sys.argv[1], client_secret="two-versions-secret")
portal = connect.connect(Portal(label="Two versions"), entered)
discover.discover(portal)
people, *others = mappings.load(portal)
for one in others:
    one.delete()
people.fields.exclude(local__in=["email", "first_name", "last_name", "city", "job_title"]).delete()
Person.objects.create(email="ada@example.com", first_name="Ada", city="London", job_title="Analyst")
"""
MIGRATE = """
import importlib
call_command("makemigrations", "demo", "-v0", "-n", "next", skip_checks=True)
importlib.invalidate_caches()
call_command("migrate", "-v0", skip_checks=True)
"""
WORK = 'call_command("crmsync_worker", "--once")'
MAP_NICKNAME = """
FieldMapping.objects.create(mapping=people, local="nickname", remote="website")
people.save()
"""
EDIT = """
ada = Person.objects.get()
ada.city, ada.nickname = "Paris", "Countess"
ada.save()
"""
HEAR = "inbox.put([(people.pk, sys.argv[1])], timezone.now())"
ALL_DUE = """
for rows in (OutboxEntry, InboxEvent):
    rows.objects.update(due_at=timezone.now())
"""
CHECK = """
from django.core.management import execute_from_command_line
sys.argv = ["manage.py", "check", "--database", "default", "--tag", "crmsync_contract"]
sys.stderr = sys.stdout
try:
    execute_from_command_line(sys.argv)
except SystemExit:
    pass
"""
WAITS = "SELECT count(*) FROM crmsync_outboxentry WHERE state = 'due'"


@dataclass(frozen=True)
class Site:
    """One database and one HubSpot, and two versions of the host's code, "old" and "new"."""

    folder: Path
    env: dict[str, str]
    hub: Hub

    def change(self, old: str, new: str, *scripts: str, given: str = "") -> None:
        """Another model in the new version, and its migration, made and applied; the scripts in the same process."""
        models = self.folder / "new" / "project" / "demo" / "models.py"
        text = models.read_text()
        assert old in text
        models.write_text(text.replace(old, new))
        self.run("new", MIGRATE, *scripts, given=given)

    def run(self, version: str, *scripts: str, given: str = "") -> str:
        """Scripts in a process of a version, one after the other; what they print."""
        with self.spawn(version, *scripts, given=given) as process:
            out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        return out.strip()

    def spawn(self, version: str, *scripts: str, given: str = "") -> subprocess.Popen[str]:
        home = self.folder / version
        env = {**self.env, "PYTHONPATH": f"{home}{os.pathsep}{ROOT}"}
        argv = [sys.executable, "-c", "\n".join((SETUP, *scripts)), given]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(argv, cwd=home, env=env, text=True, **pipes)

    def query(self, statement: str) -> tuple[object, ...]:
        connection = sqlite3.connect(self.folder / "db.sqlite3")
        try:
            return connection.execute(statement).fetchone()
        finally:
            connection.close()

    def ada(self, *columns: str) -> tuple[object, ...]:
        """Her row, as the database has it."""
        return self.query(f"SELECT {', '.join(columns)} FROM demo_person")

    def contact(self) -> tuple[str, dict[str, str]]:
        """Her id and values in HubSpot."""
        (found,) = self.hub.records("contacts")
        return found["id"], found["properties"]


@pytest.fixture
def site(database: Path) -> Iterator[Site]:
    """Ada is in sync, and the new version's code is still the old one's."""
    with places.open_hub() as address:
        site = Site(database.parent, places.make_env(f"sqlite:///{database}", address), Hub(address))
        for version in ("old", "new"):
            ignored = shutil.ignore_patterns("__pycache__", "recipes", "static")
            shutil.copytree(ROOT / "project", site.folder / version / "project", ignore=ignored)
        site.run("old", START, WORK, given=DEMO_TOKEN)
        assert site.contact()[1]["jobtitle"] == "Analyst"
        yield site


@pytest.fixture
def added(site: Site) -> Site:
    """The new version has a field that is mapped already; both sides were edited since."""
    number, _ = site.contact()
    site.hub.update("contacts", {number: {"lastname": "Lovelace"}})
    site.change(JOB_TITLE, JOB_TITLE + NICKNAME, MAP_NICKNAME, EDIT, HEAR, given=number)
    return site


def test_an_old_worker_leaves_what_newer_code_has_set_up(added: Site) -> None:
    """Fault 35: it writes nothing on either side and forgets nothing; the new worker does it all."""
    writes, before = added.hub.writes(), added.contact()
    added.run("old", WORK)
    assert (added.hub.writes(), added.contact()) == (writes, before)
    assert added.ada("city", "nickname", "last_name") == ("Paris", "Countess", "")
    assert added.query(WAITS) == (1,)
    assert added.query("SELECT state, problem FROM crmsync_mapping") == ("live", "")

    added.run("new", ALL_DUE, WORK)
    _, values = added.contact()
    assert (values["city"], values["website"], values["lastname"]) == ("Paris", "Countess", "Lovelace")
    assert added.ada("city", "nickname", "last_name") == ("Paris", "Countess", "Lovelace")
    assert added.query(WAITS) == (0,)


def test_a_backfill_waits_for_the_new_worker(added: Site) -> None:
    """Fault 35: an old worker takes no page of it, so that none lacks the new field."""
    added.run("new", 'OutboxEntry.objects.all().delete()\nbackfill.start(people, "backfill_push")')
    writes = added.hub.writes()
    added.run("old", WORK)
    assert added.hub.writes() == writes
    added.run("new", "from crmsync.models import Run\nRun.objects.update(leased_until=None)", WORK)
    assert added.contact()[1]["website"] == "Countess"


def test_old_and_new_workers_side_by_side_end_as_the_new_one_alone(added: Site) -> None:
    """Fault 35: whichever of them takes a row first."""
    workers = [added.spawn(version, 'call_command("crmsync_worker")') for version in ("old", "new")]
    try:
        while added.query(WAITS) != (0,) and all(one.poll() is None for one in workers):
            time.sleep(0.2)  # ended by the time limit of every test
    finally:
        for one in workers:
            one.terminate()
        for one in workers:
            one.communicate(timeout=60)
    _, values = added.contact()
    assert (values["city"], values["website"]) == ("Paris", "Countess")
    assert added.ada("city", "nickname") == ("Paris", "Countess")


def test_a_dropped_column_stops_old_workers_and_holds_its_field_in_new_ones(site: Site) -> None:
    """Fault 35: the old code's statements fail, so it writes nothing; the new one says what is wrong, syncs the other
    fields and leaves HubSpot's value alone."""
    site.change(JOB_TITLE, "", EDIT)
    writes, before = site.hub.writes(), site.contact()
    site.run("old", WORK)
    assert (site.hub.writes(), site.contact()) == (writes, before)
    assert site.query(WAITS) == (1,)

    assert "crmsync.E008" in site.run("new", CHECK)
    site.run("new", ALL_DUE, WORK)
    _, values = site.contact()
    assert (values["city"], values["jobtitle"]) == ("Paris", "Analyst")
    assert site.query(WAITS) == (0,)
