"""A short, seeded turn of the chaos proof; ``make chaos`` runs it in full."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from benchmarks.chaos import oracle
from project.supervisor import HOME

SECONDS = 280  # after which a stuck proof is ended; it takes a quarter of that


def run_chaos(folder: Path, *arguments: str) -> str:
    """One proof in a process of its own, on the database and with the runner that these tests were told to use."""
    argv = [sys.executable, "-m", "benchmarks.chaos", *arguments, "--directory", str(folder / "world")]
    if not settings.REDIS_URL:
        argv.append("--no-redis")
    env = {**os.environ, "DATABASE_URL": settings.DATABASE_URL if is_postgres() else ""}
    done = subprocess.run(
        argv,
        cwd=HOME,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def is_postgres() -> bool:
    return "postgresql" in settings.DATABASES["default"]["ENGINE"]


@pytest.mark.processes
def test_killed_workers_change_no_outcome(tmp_path: Path) -> None:
    said = run_chaos(tmp_path, "kill", "--rounds", "3", "--people", "45", "--seed", "7")
    assert "kill 3 of 3" in said
    assert ("FLUSHALL" in said) is bool(settings.REDIS_URL)


@pytest.mark.processes
def test_edits_on_both_sides_under_disturbed_webhooks_lose_nothing(tmp_path: Path) -> None:
    said = run_chaos(tmp_path, "storm", "--edits", "150", "--people", "45", "--seed", "7")
    assert "150 edits typed" in said


@pytest.mark.processes
def test_the_worst_moments_lose_nothing(tmp_path: Path) -> None:
    """Kills, races and a lost webhook exactly between reading, writing and remembering."""
    said = run_chaos(tmp_path, "moments", "--seed", "7")
    assert "moment 5" in said


USER, OURS = True, False


def account(local: list[tuple[str, bool]], remote: list[tuple[str, bool]], *log: oracle.Logged) -> oracle.Account:
    return oracle.judge([oracle.Write(*one) for one in local], [oracle.Write(*one) for one in remote], log)


def test_a_value_replaced_by_one_typed_before_it_was_seen_is_silent() -> None:
    found = account([("old", OURS), ("mine", USER), ("yours", OURS)], [("old", OURS), ("yours", USER)])
    assert len(found.silent) == 1
    assert "'mine'" in found.silent[0]


def test_the_conflict_log_accounts_for_it_only_where_it_lost() -> None:
    histories = ([("mine", USER), ("yours", OURS)], [("yours", USER)])
    assert not account(*histories, oracle.Logged("mine", "yours", "remote")).silent
    assert account(*histories, oracle.Logged("mine", "yours", "local")).silent
    assert account(*histories, oracle.Logged("other", "mine", "remote")).silent


def test_a_value_that_was_carried_may_be_replaced_by_who_saw_it() -> None:
    found = account([("mine", USER), ("yours", OURS)], [("mine", OURS), ("yours", USER)])
    assert (found.carried, found.silent) == (1, ())


def test_an_old_value_that_comes_back_is_silent() -> None:
    """A stale read written over a newer value: the old value was typed before the new one was carried."""
    local = [("old", OURS), ("new", USER), ("old", OURS)]
    assert account(local, [("old", OURS), ("new", OURS), ("old", OURS)]).silent


def test_a_user_may_change_their_mind() -> None:
    found = account([("first", USER), ("second", USER)], [("second", OURS)])
    assert (found.superseded, found.final) == (1, 1)


def test_whose_value_it_is_follows_from_who_typed_it_elsewhere() -> None:
    found = oracle.mark_users(["was there", "pulled", "typed", "was there"], ["pulled"])
    assert [write.is_user for write in found] == [True, False, True, False]
