"""``python -m benchmarks [names…]``: every measurement on every database at hand, then one Markdown table."""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import places, table
from project import broker
from project.supervisor import Supervisor

# In the order in which they are run: the quick ones first, memory takes the longest.
QUICK = ("pull", "latency", "push", "save", "save_rq", "webhook", "webhook_rq", "planner", "storm")
NAMES = (*QUICK, "memory", "strangers")
Report = dict[str, Any]


def main(arguments: Sequence[str]) -> int:
    options = parse(arguments)
    (places.HOME / "var").mkdir(exist_ok=True)
    reports: list[Report] = []
    with tempfile.TemporaryDirectory(prefix="bench-", dir=places.HOME / "var") as folder:
        directory = Path(folder)
        with open_redis(directory, options.names) as redis:
            for url in databases(options.database):
                reports += measure_all(options, url, redis, directory)
    print(table.make(reports))
    for report in reports:
        for name, text in report.get("profiles", {}).items():
            print(f"\n## Profile of {name}, {report['database']}\n\n{text}")
    if options.json:
        options.json.write_text(json.dumps(reports, indent=1))
    return 1 if any("error" in report for report in reports) else 0


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure crmsync against bare anchors.")
    parser.add_argument("names", nargs="*", help=f"of {', '.join(NAMES)}; default: all")
    parser.add_argument("--database", default="", help="sqlite, postgres, or an address; default: both, if there")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--size", type=int, default=0, help="records; default: each measurement's own")
    parser.add_argument("--profile", action="store_true", help="add profiles of runs that are not counted")
    parser.add_argument("--json", type=Path, help="a file for all values")
    options = parser.parse_intermixed_args(arguments)
    if unknown := set(options.names) - set(NAMES):
        parser.error(f"no measurement is named {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    options.names = options.names or list(NAMES)
    return options


def databases(wanted: str) -> list[str]:
    """Addresses as wished; without a wish SQLite, and PostgreSQL if one answers."""
    if wanted and wanted != "postgres":
        return [wanted]
    server = places.find_postgres()
    if wanted and not server:
        sys.exit("No PostgreSQL answers; name one with --database or DATABASE_URL.")
    return [server] if wanted else ["sqlite", *([server] if server else [])]


@contextmanager
def open_redis(directory: Path, names: Sequence[str]) -> Iterator[str]:
    """The address of a Redis of our own, or "" where there is none or nobody needs it."""
    if not any(name.endswith("_rq") for name in names):
        yield ""
        return
    with (
        tempfile.TemporaryDirectory(prefix="crmsync-", dir="/tmp") as private,
        Supervisor(logs=directory / "logs", report=say) as supervisor,
    ):
        path = Path(private) / "redis.sock"
        found = broker.start_server(supervisor, path, directory / "redis")
        yield f"unix://{path}?db=0" if found else ""


def measure_all(options: argparse.Namespace, url: str, redis: str, directory: Path) -> list[Report]:
    names = [name for name in options.names if redis or not name.endswith("_rq")]
    with places.open_template(url, directory) as template:
        reports = []
        for name in names:
            reports.append(measure_one(options, name, template, redis, directory))
            say("\n".join(table.make_lines(reports[-1])))  # a long run that is cut short has said something
        return reports


def measure_one(
    options: argparse.Namespace, name: str, template: places.Template, redis: str, directory: Path
) -> Report:
    """One measurement in its own process, database and portal; what it reports, or why it did not."""
    kind = places.kind_of(template.address)
    say(f"{name}, {kind}")
    out = directory / "report.json"
    out.unlink(missing_ok=True)
    argv = [sys.executable, "-m", "benchmarks.child", name, "--database", kind, "--out", str(out)]
    argv += ["--runs", str(options.runs), "--size", str(options.size), *(["--profile"] if options.profile else [])]
    with template.copy() as database, places.open_hub() as hub:
        env = places.make_env(database, hub, redis if name.endswith("_rq") else "")
        ended = subprocess.run(argv, cwd=places.HOME, env=env, check=False, stderr=subprocess.PIPE, text=True)
    if ended.returncode:
        say(ended.stderr[-4000:])
        return {"name": name, "database": kind, "error": (ended.stderr.strip().splitlines() or ["killed"])[-1]}
    report: Report = json.loads(out.read_text())
    return report


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
