"""The demo in one command: ``python -m project.launch``.

Starts a fake HubSpot, the product's web server, a scheduler, workers and a Redis of their own, tells a story of what
crmsync does with them, and serves until Ctrl-C. Whatever happens to it, no process is left behind.
"""

import argparse
import fcntl
import importlib
import importlib.util
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import django
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection

from crmsync.fakehub import defaults
from project import leash
from project.supervisor import HOME, Supervisor
from project.world import Wishes, World, WorldError, make_world, start_processes

STORY = "project.demo.story"  # has ``run(world, check) -> int``
LOGIN = "demo"
MARK = ".demo"  # says that a folder is ours to delete
FAILED, INTERRUPTED = 1, 130
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    if options.with_parent:
        leash.tie_to(os.getppid(), signal.SIGTERM)
    end_by_signal()
    try:
        return launch(options)
    except WorldError as error:
        say(str(error))
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m project.launch", description="Run crmsync's demo.")
    parser.add_argument("--check", action="store_true", help="tell the story, verify it, and end")
    parser.add_argument("--keep", action="store_true", help="go on with the data of the last demo")
    parser.add_argument("--directory", type=Path, default=HOME / "var" / "demo", help="where its data is")
    parser.add_argument("--port", type=int, default=0, help="of the web server (default: a free one)")
    parser.add_argument("--workers", type=int, default=1, help="how many worker processes")
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same data")
    parser.add_argument("--no-redis", action="store_true", help="run without Redis, even if there is one")
    parser.add_argument("--with-parent", action="store_true", help="end when the parent process ends")
    return parser.parse_args(arguments)


def launch(options: argparse.Namespace) -> int:
    """Start everything, tell the story, serve; stop everything whatever happens."""
    with ExitStack() as stack:
        directory = stack.enter_context(open_directory(options.directory.resolve(), keep=options.keep))
        private = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="crmsync-", dir="/tmp")))
        supervisor = stack.enter_context(Supervisor(logs=directory / "logs", report=say))
        stack.callback(heed_no_signal)  # called first when the stack unwinds
        wishes = Wishes(
            directory=directory,
            private=private,
            port=options.port,
            workers=options.workers,
            seed=options.seed,
            with_redis=not options.no_redis,
        )
        world = make_world(wishes, supervisor, say)
        prepare_database(world, keep=options.keep)
        start_processes(world)
        return tell_and_serve(world, check=options.check)


def tell_and_serve(world: World, *, check: bool) -> int:
    say(f"Everything runs. Logs: {world.directory / 'logs'}")
    code = tell_story(world, check=check)
    if check:
        return code
    say(f"The product: {world.web_url}/")
    say(f"Its admin:   {world.web_url}/admin/  (user {LOGIN}, password {LOGIN})")
    app = defaults.DEMO_APP
    say(f"To try OAuth, change its portal: client id {app['client_id']}, client secret {app['client_secret']}")
    say("Ctrl-C ends it all.")
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        say("Ending.")
    return code


def tell_story(world: World, *, check: bool) -> int:
    if importlib.util.find_spec(STORY) is None:
        return 0
    return importlib.import_module(STORY).run(world, check)


def prepare_database(world: World, *, keep: bool) -> None:
    """Make the tables and the login, in this process, which from here on sees what its children see."""
    os.environ.update(world.env)
    django.setup()
    if not keep and connection.introspection.table_names():
        raise WorldError("The database that DATABASE_URL names has tables; name an empty one, or use --keep.")
    call_command("migrate", verbosity=0)
    users = get_user_model().objects
    if not users.filter(username=LOGIN).exists():
        users.create_superuser(username=LOGIN, email=f"{LOGIN}@example.com", password=LOGIN)
    connection.close()


@contextmanager
def open_directory(directory: Path, *, keep: bool) -> Iterator[Path]:
    """The demo's folder, empty unless `keep`, and ours alone as long as we run."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    with directory.with_name(f"{directory.name}.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WorldError(f"Another demo runs in {directory}; end it, or name another --directory.") from None
        if not keep and directory.exists():
            remove(directory)
        directory.mkdir(exist_ok=True)
        (directory / MARK).touch()
        yield directory


def remove(directory: Path) -> None:
    """Delete the data of an earlier demo, and nothing else that may be in a folder somebody named."""
    if any(directory.iterdir()) and not (directory / MARK).exists():
        raise WorldError(f"{directory} is not a demo's folder; name an empty or a new one.")
    shutil.rmtree(directory)


def end_by_signal() -> None:
    """Let a closed terminal and a plain `kill` do what Ctrl-C does, even where a shell had it ignored."""
    for number in SIGNALS:
        signal.signal(number, signal.default_int_handler)


def heed_no_signal() -> None:
    """From here on all is being ended, which takes a few seconds at most; a second Ctrl-C must not cut it short."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
