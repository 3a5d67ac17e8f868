"""``python -m benchmarks.chaos [moments|kill|storm]``: one proof as wished, or without a word all of them in full."""

import argparse
import importlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.chaos.stage import open_stage
from project import launch
from project.supervisor import HOME
from project.world import WorldError

PROOFS = {
    "moments": "benchmarks.chaos.moments",
    "kill": "benchmarks.chaos.kill",
    "storm": "benchmarks.chaos.storm",
}
PEOPLE = {"moments": 30, "kill": 0, "storm": 150}  # 0: as many as the demo has; few, so that edits meet


def main(arguments: Sequence[str]) -> int:
    if not arguments:
        return run_all()
    options = parse(arguments)
    launch.end_by_signal()
    try:
        return prove(options)
    except WorldError as error:
        print(error)
        return launch.FAILED
    except KeyboardInterrupt:
        return launch.INTERRUPTED


def run_all() -> int:
    """Every proof in full, with Redis (on the database that DATABASE_URL names) and without (on SQLite)."""
    codes = []
    for proof in PROOFS:
        for more in ([], ["--no-redis", "--database", ""]):
            codes.append(
                subprocess.run([sys.executable, "-m", "benchmarks.chaos", proof, *more], check=False).returncode
            )
    return int(any(codes))


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description="Disturb crmsync, then compare.")
    parser.add_argument("proof", choices=PROOFS)
    parser.add_argument("--database", default=os.environ.get("DATABASE_URL", ""), help="a server's, or none: SQLite")
    parser.add_argument("--no-redis", action="store_true", help="workers look into the database themselves")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument(
        "--people", type=int, help="in the product (default: moments 30, kill the demo's 1,000, storm 150)"
    )
    parser.add_argument("--rounds", type=int, default=10, help="kill: how many kills")
    parser.add_argument("--edits", type=int, default=2000, help="storm: how many, half on each side")
    parser.add_argument("--pause", type=float, default=0.1, help="storm: mean seconds between a user's edits")
    parser.add_argument("--duplicate", type=float, default=0.05, help="storm: share of webhooks that come twice")
    parser.add_argument("--reorder", type=float, default=0.10, help="storm: share that come late")
    parser.add_argument("--lose", type=float, default=0.01, help="storm: share that never come")
    parser.add_argument("--kills", type=int, default=0, help="storm: kills among the edits")
    parser.add_argument("--directory", type=Path, help="where its data is (default: below var/)")
    parser.add_argument("--keep", action="store_true", help="do not drop the PostgreSQL database")
    options = parser.parse_args(arguments)
    if options.people is None:
        options.people = PEOPLE[options.proof]
    if options.directory is None:
        options.directory = HOME / "var" / f"chaos-{options.proof}{'-no-redis' if options.no_redis else ''}"
    return options


def prove(options: argparse.Namespace) -> int:
    """One proof; 0 when everything held."""
    print(f"chaos {options.proof}, seed {options.seed}", flush=True)
    with open_stage(options) as stage:
        stage.say(f"{stage.runner}, {stage.world.env['DATABASE_URL'].partition(':')[0]}")
        importlib.import_module(PROOFS[options.proof]).run(stage)
        what = f"chaos {options.proof}, seed {options.seed}, {stage.runner}"
        failed = dict.fromkeys(stage.failed)
        for line in failed:
            print(f"  {line}", flush=True)
        held = not failed
        print(f"{what}: {'everything held' if held else f'{len(failed)} failures'}", flush=True)
        return 0 if held else launch.FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
