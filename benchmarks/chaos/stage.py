"""A world to disturb: its own folder, its own database, the demo's processes, torn down whatever happens.

Nothing of Django's may be imported before `open_stage` has told where the database is.
"""

import argparse
import os
import random
import secrets
import tempfile
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from project import launch
from project.supervisor import Supervisor
from project.world import Wishes, World, WorldError, make_world, start_processes


@dataclass
class Stage:
    """A running world, the seed's source of chance, and what was found wrong so far."""

    world: World
    options: argparse.Namespace
    rng: random.Random
    started: float = field(default_factory=time.monotonic)
    failed: list[str] = field(default_factory=list)

    def say(self, line: str) -> None:
        print(f"  [{time.monotonic() - self.started:6.1f}] {line}", flush=True)

    def fail(self, line: str) -> None:
        self.failed.append(line)
        self.say(f"FAILED {line}")

    @property
    def runner(self) -> str:
        return "RQ" if self.world.redis_url else "crmsync_worker"


@contextmanager
def open_stage(options: argparse.Namespace) -> Iterator[Stage]:
    """Make the database, start everything, yield the stage, and leave nothing behind but the folder."""
    with ExitStack() as stack:
        directory = stack.enter_context(launch.open_directory(options.directory.resolve(), keep=False))
        private = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="crmsync-", dir="/tmp")))
        os.environ["DATABASE_URL"] = stack.enter_context(open_database(options))
        os.environ.pop("REDIS_URL", None)  # FLUSHALL must hit a Redis that is ours alone
        supervisor = stack.enter_context(Supervisor(logs=directory / "logs", report=_report))
        stack.callback(launch.heed_no_signal)
        wishes = Wishes(
            directory=directory,
            private=private,
            workers=options.workers,
            seed=options.seed,
            with_redis=not options.no_redis,
        )
        world = make_world(wishes, supervisor, _report)
        if wishes.with_redis and not world.redis_url:
            raise WorldError("There is no Redis on this machine; say --no-redis to go without.")
        launch.prepare_database(world, keep=False)
        start_processes(world)
        yield Stage(world, options, random.Random(options.seed))


@contextmanager
def open_database(options: argparse.Namespace) -> Iterator[str]:
    """The address of an empty database: of our own on the given PostgreSQL server, else a file in the folder."""
    url = options.database
    if not url.startswith(("postgres", "psql", "pgsql")):
        yield url or f"sqlite:///{options.directory.resolve() / 'db.sqlite3'}"
        return
    name = f"chaos_{secrets.token_hex(6)}"
    with psycopg.connect(_plain(url), autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        try:
            yield _named(url, name)
        finally:
            if not options.keep:
                server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _plain(url: str) -> str:
    """The address as PostgreSQL's own library reads it: a folder of a socket is a parameter there."""
    parts = urllib.parse.urlsplit(url)
    folder, _, name = parts.path.lstrip("/").rpartition("/")
    host = f"host={urllib.parse.quote('/' + folder, safe='')}" if folder else parts.query
    return urllib.parse.urlunsplit(("postgresql", parts.netloc, name, host, ""))


def _named(url: str, name: str) -> str:
    parts = urllib.parse.urlsplit(url)
    return urllib.parse.urlunsplit(parts._replace(path=f"{parts.path.rpartition('/')[0]}/{name}"))


def wait_until(is_so: Callable[[], object], seconds: float, pause: float = 0.2) -> bool:
    """Look again and again; whether it became so in time."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


def _report(line: str) -> None:
    print(f"  ({line})", flush=True)
