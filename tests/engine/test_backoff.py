"""Backoff: doubling delays with two caps."""

from datetime import UTC, datetime

import pytest

from crmsync.engine import backoff

NOW = datetime(2024, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("attempts", "facts", "seconds"),
    [
        (0, {}, 2),
        (1, {}, 2),
        (2, {}, 4),
        (5, {}, 32),
        (9, {}, 512),
        (10, {}, 900),
        (10**9, {}, 900),
        (1, {"jitter": 0.5}, 3),
        (10, {"jitter": 0.9}, 900),
        (1, {"retry_after": 60.0}, 60),
        (9, {"retry_after": 1.5, "jitter": 0.5}, 1.5),
        (1, {"retry_after": 1e9}, 86_400),
        (2, {"retry_after": 0}, 4),
        (2, {"retry_after": None}, 4),
    ],
)
def test_the_next_attempt(attempts, facts, seconds):
    assert (backoff.next_attempt_at(attempts, NOW, **facts) - NOW).total_seconds() == seconds
