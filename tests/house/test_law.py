"""The law of the house is worth something only if each rule can fail: here every one is broken once."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# A line added to a file, and the contract it must break.
CRIMES = {
    "engine/terms.py": ("import crmsync.models", "floors"),
    "models/cursor.py": ("from crmsync.engine import plan", "models"),
    "engine/match.py": ("import django", "pure"),
    "hubspot/errors.py": ("import django", "hubspot"),
    "flows/push.py": ("import redis", "queue"),
    "flows/pull.py": ("import requests", "http"),
    "conf.py": ("import environ", "host"),
    "ledger/inbox.py": ("from crmsync.hubspot import webhooks", "door-to-hubspot"),
    "flows/settle.py": ("from crmsync.flows import apply", "acyclic"),
}


def lint(folder: Path) -> dict[str, str]:
    """Contract name -> KEPT or BROKEN, as import-linter reports them in a folder."""
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache", "--no-logo"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin", "COLUMNS": "300"},
    )
    found = dict(re.findall(r"^(.+?) (KEPT|BROKEN)", done.stdout, flags=re.MULTILINE))
    assert found, done.stdout + done.stderr
    return found


def names() -> dict[str, str]:
    """Contract id -> its name in pyproject.toml."""
    text = (ROOT / "pyproject.toml").read_text()
    return dict(re.findall(r'^id = "(.+)"\nname = "(.+)"', text, flags=re.MULTILINE))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "crmsync", tmp_path / "crmsync", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_every_rule_can_fail(copy: Path) -> None:
    """One planted import for each contract breaks exactly those."""
    assert {rule for _, rule in CRIMES.values()} == set(names())
    for path, (line, _) in CRIMES.items():
        file = copy / "crmsync" / path
        file.write_text(f"{file.read_text()}\n{line}\n")
    verdicts = lint(copy)
    for rule, name in names().items():
        assert verdicts.get(name) == "BROKEN", rule


def test_a_file_without_a_room_fails(copy: Path) -> None:
    """The layers are exhaustive, so that no utils.py can appear."""
    (copy / "crmsync" / "utils.py").write_text('"""Everything."""\n')
    assert lint(copy)[names()["floors"]] == "BROKEN"
