"""The demo's world: which processes it is made of, where they listen, and what they are told."""

import http.client
import socket
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import environ

from project import broker
from project.supervisor import Process, Supervisor

START_SECONDS = 60.0
# The fake portal is a Professional one; no demo should wait minutes after a kill or a lost webhook.
OPTIONS = {
    "CRMSYNC_OPT_BURST_PER_10_SECONDS": "190",
    "CRMSYNC_OPT_LEASE_SECONDS": "10",
    "CRMSYNC_OPT_POLL_SECONDS": "10",
    "CRMSYNC_OPT_FULL_POLL_SECONDS": "60",
    "CRMSYNC_OPT_SWEEP_SECONDS": "2",
}
LOCALHOST = "127.0.0.1"


class WorldError(Exception):
    """The world could not be started; the message says why, for a person."""


@dataclass(frozen=True, slots=True)
class World:
    """A running demo, as its story sees it."""

    directory: Path
    web_url: str
    fakehub_url: str
    redis_url: str  # empty: no Redis, the workers look into the database themselves
    client_secret: str  # signs webhooks; the portal must be connected with the same
    seed: int
    workers: tuple[str, ...]
    supervisor: Supervisor
    env: Mapping[str, str] = field(repr=False)

    @property
    def webhook_url(self) -> str:
        return f"{self.web_url}/crmsync/webhook/"

    @property
    def redirect_uri(self) -> str:
        return f"{self.web_url}/crmsync/oauth/callback/"


@dataclass(frozen=True, slots=True)
class Wishes:
    """How the world shall be."""

    directory: Path
    private: Path  # a folder only we can enter, with a short path: sockets go there
    port: int = 0  # of the web server; 0: any free one
    workers: int = 1
    seed: int = 1
    with_redis: bool = True


def make_world(wishes: Wishes, supervisor: Supervisor, report: Callable[[str], None]) -> World:
    """Choose addresses and start Redis, of which the others' environment depends."""
    fakehub_port, free_port = find_free_ports(2)
    web_url, fakehub_url = (f"http://{LOCALHOST}:{port}" for port in (wishes.port or free_port, fakehub_port))
    redis_url = start_redis(wishes, supervisor, report) if wishes.with_redis else ""
    return World(
        directory=wishes.directory,
        web_url=web_url,
        fakehub_url=fakehub_url,
        redis_url=redis_url,
        client_secret="demo-client-secret",  # of the fake HubSpot on loopback, so no secret
        seed=wishes.seed,
        workers=tuple(f"worker-{number}" for number in range(1, wishes.workers + 1)),
        supervisor=supervisor,
        env=make_env(wishes.directory, web_url=web_url, fakehub_url=fakehub_url, redis_url=redis_url),
    )


def find_free_ports(count: int) -> list[int]:
    """Ports of the loopback address that nobody listens on."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((LOCALHOST, 0))
        return [each.getsockname()[1] for each in sockets]


def make_env(directory: Path, *, web_url: str, fakehub_url: str, redis_url: str) -> dict[str, str]:
    """The environment of all processes: the caller's, with the world's addresses."""
    env = environ.Env()
    loopback = f"{LOCALHOST},localhost"
    return {
        **env.ENVIRON,
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "DEBUG": "1",
        "DATABASE_URL": env.str("DATABASE_URL", default="") or f"sqlite:///{directory / 'db.sqlite3'}",
        "REDIS_URL": redis_url,
        "HUBSPOT_API_URL": fakehub_url,
        "HUBSPOT_AUTHORIZE_URL": f"{fakehub_url}/oauth/authorize",
        "CRMSYNC_PUBLIC_URL": web_url,
        **OPTIONS,
        "PYTHONUNBUFFERED": "1",
        "NO_PROXY": loopback,
        "no_proxy": loopback,
    }


def start_redis(wishes: Wishes, supervisor: Supervisor, report: Callable[[str], None]) -> str:
    """The address of a Redis: the caller's, else one of our own, else none."""
    if given := environ.Env().str("REDIS_URL", default=""):
        if not broker.is_answering(given):
            raise WorldError("The Redis that REDIS_URL names does not answer.")
        report("Redis: the one that REDIS_URL names")
        return given
    path = wishes.private / "redis.sock"
    server = broker.start_server(supervisor, path, wishes.directory / "redis")
    if server is None:
        report("Redis: none on this machine, so the workers look into the database themselves")
        return ""
    report(f"Redis: {server}, on a private socket")
    return f"unix://{path}?db=0"


def make_processes(world: World) -> list[Process]:
    """Everything but Redis, in the order it is started."""
    fakehub = (
        *("-m", "crmsync.fakehub", "--port", world.fakehub_url.rpartition(":")[2]),
        *("--state", str(world.directory / "fakehub.jsonl"), "--seed", str(world.seed)),
        *("--search-lag", "2", "--client-secret", world.client_secret, "--webhook-url", world.webhook_url),
    )
    web = ("manage.py", "runserver", "--noreload", world.web_url.removeprefix("http://"))
    scheduler = ("manage.py", "rqcron", "project.cron")
    worker = ("manage.py", "rqworker", "crmsync") if world.redis_url else ("manage.py", "crmsync_worker")
    commands = {"fakehub": fakehub, "web": web}
    if world.redis_url:
        commands["scheduler"] = scheduler
    commands |= dict.fromkeys(world.workers, worker)
    return [Process(name, (sys.executable, *argv), world.env) for name, argv in commands.items()]


def start_processes(world: World) -> None:
    for process in make_processes(world):
        world.supervisor.add(process)
    wait_until_answered("fakehub", world.fakehub_url, "/", world.supervisor)
    wait_until_answered("web", world.web_url, "/admin/login/", world.supervisor)


def wait_until_answered(name: str, url: str, path: str, supervisor: Supervisor) -> None:
    """Return when the process answers HTTP at all; raise with its last words if it ended or never did."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and not supervisor.failures(name):
        try:
            connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
            connection.request("GET", path)
            connection.getresponse().read()
            connection.close()
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
        else:
            return
    raise WorldError(f"{name} did not start:\n{supervisor.read_log(name)}")
