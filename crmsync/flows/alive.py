"""Tells that this process works, so that a page can say whether anybody does."""

import os
import socket
import time

from django.utils import timezone

from crmsync.ledger import heartbeats

_last: dict[tuple[int, str], float] = {}


def beat(role: str) -> None:
    """Beat for this process in a role ("worker", "scheduler"), if the last beat is a while ago."""
    key = (os.getpid(), role)
    if time.monotonic() - _last.get(key, float("-inf")) < heartbeats.BEAT_SECONDS:
        return
    _last[key] = time.monotonic()
    heartbeats.beat(
        f"{socket.gethostname()}:{os.getppid()}" if role == "worker" else socket.gethostname(), role, timezone.now()
    )


def beat_both() -> int:
    """Beat for a process that is its own scheduler; 0, because it is no work."""
    beat("worker")
    beat("scheduler")
    return 0
