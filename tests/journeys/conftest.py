"""The small world of the flow tests, for stories that cross rooms, and a migrated database for real processes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.flows.conftest import hub, make_sync, sync

__all__ = ["hub", "make_sync", "sync"]

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the host's tables and no rows, for tests to copy."""
    path = tmp_path_factory.mktemp("migrated") / "db.sqlite3"
    env = {**os.environ, "DATABASE_URL": f"sqlite:///{path}", "REDIS_URL": ""}
    env["DJANGO_SETTINGS_MODULE"] = "project.settings"
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=env, check=True)
    return path


@pytest.fixture
def database(migrated: Path, tmp_path: Path) -> Path:
    """A SQLite file of one test, migrated and empty."""
    return Path(shutil.copy(migrated, tmp_path / "db.sqlite3"))
