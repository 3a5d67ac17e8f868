"""The time a portal lives in: the machine's own time, or one that a test moves by hand.

Seconds are floats since 1970 UTC, ``now_ms`` is the same in whole milliseconds.
"""

import datetime
import email.utils
import functools
import time

DAY_MS = 86_400_000
MANUAL_START_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z


class Clock:
    """Real time, plus whatever was advanced by hand."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self.skew = 0.0  # what the world is told is off by so many seconds: Date headers, times of signatures

    def seconds(self) -> float:
        return time.time() + self.ahead

    def now_ms(self) -> int:
        return int(self.seconds() * 1000)

    def told(self) -> float:
        """Seconds as the outside is told them."""
        return self.seconds() + self.skew

    def stopwatch(self) -> float:
        return time.perf_counter()

    def advance(self, seconds: float) -> None:
        self.ahead += seconds

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class ManualClock(Clock):
    """Time that stands still until it is advanced: the same seed and calls give the same ledger."""

    def __init__(self, start_ms: int = MANUAL_START_MS) -> None:
        super().__init__()
        self._start = start_ms / 1000

    def seconds(self) -> float:
        return self._start + self.ahead

    def now_ms(self) -> int:
        return round(self.seconds() * 1000)

    def stopwatch(self) -> float:
        return self.ahead

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)


@functools.lru_cache(maxsize=16)
def http_date(seconds: int) -> str:
    """``Thu, 01 Jan 2026 00:00:00 GMT``"""
    return email.utils.formatdate(seconds, usegmt=True)


@functools.lru_cache(maxsize=4096)
def iso(ms: int) -> str:
    """``2026-01-01T00:00:00.000Z``, the form of every instant HubSpot answers with."""
    at = datetime.datetime.fromtimestamp(ms // 1000, datetime.UTC)
    return f"{at.year:04}-{at:%m-%dT%H:%M:%S}.{ms % 1000:03d}Z"  # %Y writes no leading zeros


@functools.lru_cache(maxsize=65_536)
def to_ms(text: str) -> int:
    """Milliseconds of an ISO date or instant; ValueError if it is neither."""
    at = datetime.datetime.fromisoformat(text)
    if at.tzinfo is None:
        at = at.replace(tzinfo=datetime.UTC)
    return round(at.timestamp() * 1000)
