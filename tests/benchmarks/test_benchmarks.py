"""Every measurement runs at a tiny size and gives finite numbers of goals in the table; no time is judged."""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import __main__ as bench
from benchmarks import places, table
from benchmarks.goals import GOALS, Goal

SIZES = {"pull": 30, "latency": 30, "push": 30, "save": 20, "webhook": 20, "planner": 50, "storm": 100, "memory": 40}
# These count what must not happen, or calls that a size this small may spare.
MAY_BE_ZERO = {"pull.again_writes", "webhook.lost", "webhook.forged"}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory):
    with places.open_template("sqlite", tmp_path_factory.mktemp("bench")) as found:
        yield found


@pytest.mark.processes
@pytest.mark.parametrize("name", SIZES)
def test_measures(name: str, template: places.Template, tmp_path: Path) -> None:
    out = tmp_path / "report.json"
    argv = [sys.executable, "-m", "benchmarks.child", name, "--runs", "1", "--size", str(SIZES[name])]
    with template.copy() as database, places.open_hub() as hub:
        env = places.make_env(database, hub)
        ended = subprocess.run([*argv, "--out", str(out)], env=env, cwd=places.HOME, capture_output=True, check=False)
    assert ended.returncode == 0, ended.stderr.decode()[-3000:]
    report = json.loads(out.read_text())
    expected = {key for key in GOALS if key.startswith(f"{name}.")}
    assert set(report["values"]) == expected
    for key, values in report["values"].items():
        assert all(math.isfinite(one) and (one > 0 or key in MAY_BE_ZERO) for one in values), (key, values)
    assert table.make([report]).count("\n|") == 1 + len(expected)


def test_every_measurement_has_goals() -> None:
    assert {key.split(".")[0] for key in GOALS} == set(bench.NAMES)


def test_a_verdict_goes_by_the_median() -> None:
    goal = Goal("1", "rate", "≥", 1.5, 2.5)
    assert goal.verdict([1.0, 1.6, 9.0], "sqlite") == "floor"
    assert goal.verdict([2.5], "sqlite") == "stretch"
    assert goal.verdict([1.49], "sqlite") == "MISSED"


def test_a_floor_may_differ_by_database() -> None:
    goal = Goal("12", "time", "≤", {"sqlite": 1.4, "postgres": 1.75})
    assert (goal.verdict([1.6], "sqlite"), goal.verdict([1.6], "postgres")) == ("MISSED", "floor")


def test_a_measurement_that_failed_is_in_the_table() -> None:
    assert "**FAILED**" in table.make([{"name": "pull", "database": "sqlite", "error": "no room"}])
