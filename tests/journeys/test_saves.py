"""A save and its dirty mark are one transaction, whatever kills the process, proven with real processes.

Each test runs a small script in a process of its own on a database file of its own, lets it kill itself with
SIGKILL at the worst moment, and counts the rows of both tables from outside.
"""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.processes

SETUP = """
import os, signal
import django
django.setup()
from django.conf import settings
from crmsync import jobs, receivers
from crmsync.flows import capture
from crmsync.models import Mapping, Portal
from project.demo.models import Person

def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

portal = Portal.objects.create(label="P", hub_id=1, state="connected")
Mapping.objects.create(portal=portal, label="People", model_label="demo.Person", object_type="contacts", state="live")
"""
CREATE = "Person.objects.create(email='a@example.com')"


@pytest.fixture
def run(database: Path):
    env = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{database}",
        "REDIS_URL": "",
        "DJANGO_SETTINGS_MODULE": "project.settings",
    }

    def run_script(script: str, **extra: str) -> tuple[int, int, int]:
        """(exit code, people, dirty marks) after the script."""
        done = subprocess.run(
            [sys.executable, "-c", SETUP + script], cwd=ROOT, env={**env, **extra}, check=False, capture_output=True
        )
        connection = sqlite3.connect(database)
        counts = [
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("demo_person", "crmsync_outboxentry")
        ]
        connection.close()
        return done.returncode, counts[0], counts[1]

    return run_script


def test_killed_before_the_mark(run) -> None:
    """Fault 3, I1: in autocommit Django would have kept the row; here neither is there."""
    script = "capture.capture = die\n" + CREATE
    assert run(script) == (-9, 0, 0)


def test_killed_between_the_mark_and_the_commit(run) -> None:
    """Fault 3, I1: the row and the mark vanish together."""
    script = "jobs.ring_on_commit = die\n" + CREATE
    assert run(script) == (-9, 0, 0)


def test_killed_between_the_commit_and_the_bell(run) -> None:
    """Fault 2: the row is there and so is its mark, which the sweep will find."""
    script = "jobs.ring = die\nsettings.CRMSYNC = {**settings.CRMSYNC, 'RUNNER': 'rq'}\n" + CREATE
    assert run(script) == (-9, 1, 1)


@pytest.mark.parametrize(
    "save",
    [
        "Person.objects.create(email='a@example.com')",
        "Person(email='a@example.com').save()",
        "Person.objects.get_or_create(email='a@example.com')",
        "Person.objects.update_or_create(email='a@example.com', defaults={'city': 'X'})",
    ],
)
def test_every_saving_path_is_captured(run, save) -> None:
    """I1: captured paths leave one mark in the same transaction."""
    assert run(save) == (0, 1, 1)


def test_redis_that_is_away_harms_no_save(run) -> None:
    """Fault 5: the save succeeds and its mark waits for the sweep."""
    script = "Person.objects.create(email='a@example.com')"
    assert run(script, REDIS_URL="redis://127.0.0.1:1") == (0, 1, 1)
