"""``python -m benchmarks.child NAME``: one measurement in a process of its own; its values go to a file as JSON.

The environment says where database, portal and Redis are.
"""

import argparse
import dataclasses
import gc
import importlib
import json
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import django

from benchmarks.trial import Trial


def main(arguments: Sequence[str]) -> int:
    options = parse(arguments)
    django.setup()
    # What is logged is made up, but not written: a terminal's speed is not crmsync's.
    logging.getLogger().handlers = [logging.NullHandler()]
    gc.freeze()
    trial = Trial(options.name, options.database, options.runs, options.size, options.profile)
    measure = importlib.import_module(f"benchmarks.measures.{options.name.removesuffix('_rq')}").measure
    before = os.getloadavg()[0]
    measure(trial)
    report = dataclasses.asdict(trial) | {"load": [before, os.getloadavg()[0]]}
    options.out.write_text(json.dumps(report))
    return 0


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.child")
    parser.add_argument("name")
    parser.add_argument("--database", default="sqlite", help="its kind: sqlite or postgres")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--size", type=int, default=0)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
