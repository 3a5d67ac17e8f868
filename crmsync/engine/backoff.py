"""Backoff: when a failed piece of work is tried again."""

from datetime import datetime, timedelta
from typing import Final

FIRST_DELAY: Final = 2.0  # seconds; HubSpot asks for two after a 423, and its ten-second window is soon over
LONGEST_DELAY: Final = 15 * 60.0  # seconds; a repaired portal moves again within a quarter of an hour
LONGEST_RETRY_AFTER: Final = 24 * 3600.0  # seconds; the daily limit is the longest wait HubSpot can mean

_MAX_DOUBLINGS: Final = 20  # 2 s doubled 20 times is far past the longest delay


def next_attempt_at(attempts: int, now: datetime, retry_after: float | None = None, jitter: float = 0.0) -> datetime:
    """The time of the next attempt after ``attempts`` failed ones: 2 s, 4 s, 8 s ... at most 15 minutes.

    ``retry_after`` in seconds, as the server asked, wins over that, up to 24 hours. ``jitter``, 0 to 1, is
    the fraction the delay is prolonged by, so that what failed together does not come back together; by the
    time delays reach the longest one, earlier ones have spread the work already.
    """
    if retry_after is not None and retry_after > 0:
        return now + timedelta(seconds=min(retry_after, LONGEST_RETRY_AFTER))
    doublings = min(max(attempts - 1, 0), _MAX_DOUBLINGS)
    delay = FIRST_DELAY * 2**doublings * (1 + jitter)
    return now + timedelta(seconds=min(delay, LONGEST_DELAY))
