"""Reports as one Markdown table, with the machine and its load beneath."""

import os
import platform
import sqlite3
from collections.abc import Iterable, Iterator
from statistics import median
from typing import Any

from benchmarks.goals import GOALS, Goal

HEAD = "| goal | what | database | median (min–max) | floor | stretch | verdict |\n|---|---|---|---|---|---|---|"
NAMES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}


def make(reports: list[dict[str, Any]]) -> str:
    """The table; a measurement that did not run has a line too."""
    lines = [line for report in reports for line in make_lines(report)]
    return "\n".join([HEAD, *lines, "", _machine(reports)])


def make_lines(report: dict[str, Any]) -> Iterator[str]:
    """A line a goal."""
    database = report["database"]
    if "error" in report:
        yield f"| | {report['name']} | {NAMES[database]} | did not run: {report['error']} | | | **FAILED** |"
        return
    for key, values in report["values"].items():
        goal = GOALS[key]
        floor, stretch = (_bound(goal, name, database) for name in ("floor", "stretch"))
        shown = f"{_spread(values)}{_fact(values, report['facts'][key])}"
        verdict = goal.verdict(values, database)
        yield f"| {goal.number} | {goal.what} | {NAMES[database]} | {shown} | {floor} | {stretch} | {verdict} |"


def _bound(goal: Goal, name: str, database: str) -> str:
    bound = goal.bound(name, database)
    return "" if bound is None else f"{goal.sense} {_number(bound)}"


def _spread(values: list[float]) -> str:
    middle, least, most = (_number(one) for one in (median(values), min(values), max(values)))
    return middle if least == most else f"{middle} ({least}–{most})"


def _fact(values: list[float], facts: list[str]) -> str:
    """What the run nearest to the median was made of."""
    nearest = min(range(len(values)), key=lambda number: abs(values[number] - median(values)))
    return f" [{facts[nearest]}]" if facts[nearest] else ""


def _number(value: float) -> str:
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 20 else f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.3g}"


def _machine(reports: Iterable[dict[str, Any]]) -> str:
    loads = [one for report in reports for one in report.get("load", [])] or [0.0]
    return (
        f"{os.cpu_count()} cores, load {min(loads):.1f}–{max(loads):.1f}, Python {platform.python_version()},"
        f" SQLite {sqlite3.sqlite_version}. In brackets: crmsync's rate against the bare one's, same run."
    )
