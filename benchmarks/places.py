"""Databases and portals to measure in: an empty database each, a fakehub process each, nothing left behind."""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

HOME = Path(__file__).resolve().parent.parent
USUAL_POSTGRES = "postgres://postgres@127.0.0.1:5432/postgres"
SCHEMES = ("postgres", "postgresql", "psql", "pgsql")


def find_postgres() -> str:
    """The server that DATABASE_URL names, else the one of the usual place; "" if none answers."""
    given = os.environ.get("DATABASE_URL", "")
    url = given if given.startswith(SCHEMES) else USUAL_POSTGRES
    try:
        psycopg.connect(_plain(url), connect_timeout=3).close()
    except psycopg.Error:
        return ""
    return url


def kind_of(url: str) -> str:
    return "postgres" if url.startswith(SCHEMES) else "sqlite"


@contextmanager
def open_template(url: str, directory: Path) -> Iterator["Template"]:
    """A migrated database to copy from; ``url`` "sqlite" is a file in ``directory``."""
    found = Server(url) if kind_of(url) == "postgres" else Files(directory)
    with found.fresh(None) as address:
        migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(migrate, cwd=HOME, env=make_env(address), check=True)
        yield Template(found, address)


class Template:
    """Copies of a migrated database, one a measurement."""

    def __init__(self, places: "Files | Server", address: str) -> None:
        self.places = places
        self.address = address

    @contextmanager
    def copy(self) -> Iterator[str]:
        """The address of a copy, deleted afterwards."""
        with self.places.fresh(self.address) as address:
            yield address


class Files:
    """SQLite: a file each."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @contextmanager
    def fresh(self, source: str | None) -> Iterator[str]:
        with tempfile.TemporaryDirectory(dir=self.directory, ignore_cleanup_errors=True) as folder:
            path = Path(folder) / "bench.sqlite3"
            if source:
                shutil.copy(source.removeprefix("sqlite:///"), path)
            yield f"sqlite:///{path}"


class Server:
    """PostgreSQL: a database each, dropped whatever happens."""

    def __init__(self, url: str) -> None:
        self.url = url

    @contextmanager
    def fresh(self, source: str | None) -> Iterator[str]:
        name = f"bench_{secrets.token_hex(6)}"
        template = f" TEMPLATE {_name_in(source)}" if source else ""
        with psycopg.connect(_plain(self.url), autocommit=True) as server:
            server.execute(f"CREATE DATABASE {name}{template}")
        try:
            yield _named(self.url, name)
        finally:
            with psycopg.connect(_plain(self.url), autocommit=True) as server:
                server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@contextmanager
def open_hub() -> Iterator[str]:
    """The address of a fakehub in a process of its own, without limits."""
    argv = [sys.executable, "-m", "crmsync.fakehub", "--no-limits", "--client-secret", "bench-client-secret"]
    with subprocess.Popen(argv, cwd=HOME, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()


def make_env(database: str, hub: str = "http://127.0.0.1:9", redis: str = "") -> dict[str, str]:
    """The environment of a measured process: production's settings, unpaced, nothing but loopback."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "DEBUG": "0",
        "SECRET_KEY": "bench-only-0123456789-abcdefghijklmnopqrstuvwxyz-0123456789",
        "FERNET_KEYS": "bench-only",
        "ALLOWED_HOSTS": "127.0.0.1",
        # A server keeps its connections; SQLite and PostgreSQL alike.
        "DATABASE_URL": f"{database}{'&' if '?' in database else '?'}conn_max_age=600",
        "REDIS_URL": redis,
        "HUBSPOT_API_URL": hub,
        "CRMSYNC_PUBLIC_URL": "",
        "CRMSYNC_OPT_BURST_PER_10_SECONDS": "0",
        "CRMSYNC_OPT_SEARCH_PER_SECOND": "0",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


def _plain(url: str) -> str:
    """The address as PostgreSQL's own library reads it: a folder of a socket is a parameter there."""
    parts = urllib.parse.urlsplit(url)
    folder, _, name = parts.path.lstrip("/").rpartition("/")
    query = f"host={urllib.parse.quote('/' + folder, safe='')}" if folder else parts.query
    return urllib.parse.urlunsplit(("postgresql", parts.netloc, name, query, ""))


def _named(url: str, name: str) -> str:
    parts = urllib.parse.urlsplit(url)
    return urllib.parse.urlunsplit(parts._replace(path=f"{parts.path.rpartition('/')[0]}/{name}"))


def _name_in(url: str) -> str:
    return urllib.parse.urlsplit(url).path.rpartition("/")[2]
