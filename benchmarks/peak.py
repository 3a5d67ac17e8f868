"""``python -m benchmarks.peak pull|push``: one backfill as a worker runs it, then its peak memory as JSON."""

import json
import re
import sys
from pathlib import Path

import django


def main(way: str) -> int:
    django.setup()
    from crmsync.flows import backfill
    from crmsync.models import Mapping

    run = backfill.start(Mapping.objects.get(), f"backfill_{way}")
    for _ in backfill.pages(run):
        pass
    print(json.dumps({"peak_mib": peak_mib(), "done": run.done}))
    return 0


def peak_mib() -> float:
    """Of this process since it was started (Linux)."""
    (found,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found) / 1024


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
