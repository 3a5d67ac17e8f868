"""Conflict policies: who wins, and that clocks only matter where the policy says so."""

from datetime import UTC, datetime, timedelta

import pytest

from crmsync.engine import conflict, terms

LOCAL = terms.SideName.LOCAL
REMOTE = terms.SideName.REMOTE
P = terms.ConflictPolicy
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("policy", "local_at", "remote_at", "winner"),
    [
        (P.PREFER_LOCAL, NOON, LATER, LOCAL),
        (P.PREFER_HUBSPOT, LATER, NOON, REMOTE),
        (P.ASK, LATER, NOON, None),
        (P.NEWEST, LATER, NOON, LOCAL),
        (P.NEWEST, NOON, LATER, REMOTE),
        (P.NEWEST, NOON, NOON, REMOTE),
        (P.NEWEST, None, NOON, REMOTE),
        (P.NEWEST, LATER, None, REMOTE),
        (P.NEWEST, None, None, REMOTE),
    ],
)
def test_the_winner(policy, local_at, remote_at, winner):
    assert conflict.decide(policy, local_at=local_at, remote_at=remote_at).winner is winner


def test_only_newest_depends_on_clocks_and_says_so():
    """Feature 12: clock skew of ten minutes changes no result except for "newest"."""
    skewed = NOON + timedelta(minutes=10)
    for policy in set(P) - {P.NEWEST}:
        assert conflict.decide(policy, local_at=NOON, remote_at=skewed) == conflict.decide(
            policy, local_at=skewed, remote_at=NOON
        )
    assert "clock" in conflict.decide(P.NEWEST, local_at=NOON, remote_at=LATER).rule
