"""The demo host's settings: safe without any variable, strict without DEBUG, and the same for every database."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from project.supervisor import HOME

PRINT = """
import json
from project import settings
names = ("DEBUG", "ALLOWED_HOSTS", "CRMSYNC", "RQ_QUEUES", "INSTALLED_APPS", "DATABASES")
print(json.dumps({name: getattr(settings, name) for name in names}))
"""
STRICT = {"DEBUG": "0", "SECRET_KEY": "s" * 50, "FERNET_KEYS": "new,old", "ALLOWED_HOSTS": "crm.example.com"}


def load(**env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PRINT]
    clean = {"PATH": os.environ["PATH"], **env}
    return subprocess.run(command, cwd=HOME, env=clean, capture_output=True, text=True, check=False)


def read(**env: str) -> dict[str, Any]:
    answer = load(**env)
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def test_without_any_variable_it_is_a_demo_on_one_machine() -> None:
    settings = read()

    assert settings["ALLOWED_HOSTS"] == ["127.0.0.1", "localhost", "[::1]"]
    assert settings["CRMSYNC"]["RUNNER"] == "database"
    assert settings["CRMSYNC"]["API_URL"] == "https://api.hubapi.com"
    assert "django_rq" not in settings["INSTALLED_APPS"]
    assert settings["DATABASES"]["default"]["NAME"].endswith("/var/demo.sqlite3")


@pytest.mark.parametrize("missing", ["SECRET_KEY", "FERNET_KEYS", "ALLOWED_HOSTS"])
def test_without_debug_no_key_of_the_demo_is_used(missing: str) -> None:
    assert read(**STRICT)["DEBUG"] is False

    answer = load(**{name: value for name, value in STRICT.items() if name != missing})
    assert answer.returncode != 0
    assert f"Set the {missing} environment variable" in answer.stderr


@pytest.mark.parametrize("url", ["", "sqlite:////tmp/some.sqlite3", "sqlite://:memory:"])
def test_sqlite_is_set_up_for_several_processes_however_it_is_named(url: str) -> None:
    database = read(DATABASE_URL=url)["DATABASES"]["default"]
    assert database["OPTIONS"] == {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }


def test_with_redis_work_is_rung_through_rq() -> None:
    settings = read(REDIS_URL="unix:///tmp/some.sock?db=3")

    assert settings["CRMSYNC"]["RUNNER"] == "rq"
    assert "django_rq" in settings["INSTALLED_APPS"]
    assert settings["RQ_QUEUES"]["crmsync"]["URL"] == "unix:///tmp/some.sock?db=3&socket_connect_timeout=0.5"


def test_options_of_crmsync_can_be_given_one_by_one() -> None:
    settings = read(CRMSYNC_OPT_LEASE_SECONDS="10", CRMSYNC_OPT_READ_TIMEOUT="2.5", CRMSYNC_OPT_VERIFY_WRITES="false")
    options = settings["CRMSYNC"]
    assert (options["LEASE_SECONDS"], options["READ_TIMEOUT"], options["VERIFY_WRITES"]) == (10, 2.5, False)
