"""Signed delivery of webhook events: what is due, in which order, how often, and what is lost on purpose.

Nothing is emitted until a target is configured. ``Outbox.take`` and ``settle`` decide, ``Courier`` sends them over
HTTP from a few threads, ``hub.deliver_webhooks`` hands them to a function.
"""

import heapq
import http.client
import math
import random
import threading
import urllib.parse
from dataclasses import dataclass, field
from typing import Any

from crmsync.fakehub import clock, events, exchange, ledger, signing, store

MAX_EVENTS = 100
MAX_IN_FLIGHT = 10
MAX_RETRIES = 10
TIMEOUT = 5.0  # HubSpot counts a slower answer as a failure
REORDER_WINDOWS = 5  # a reordered event comes up to this many batching windows late


@dataclass(order=True, slots=True)
class Parcel:
    """One event on its way; ``due`` are seconds of the portal's clock."""

    due: float
    number: int
    event: dict[str, Any] = field(compare=False)
    attempt: int = 0


class Outbox:
    """``window`` seconds of batching; ``duplicate``, ``reorder`` and ``lose`` are probabilities per event;
    a duplicated event is sent ``copies`` times more; ``spacing`` is the first retry's delay, doubled each time."""

    SETTINGS = ("target", "secret", "window", "duplicate", "copies", "reorder", "lose", "spacing", "max_spacing")

    def __init__(self, time: clock.Clock, book: ledger.Ledger, announcer: events.Announcer, seed: str) -> None:
        self._time = time
        self._book = book
        self.announcer = announcer
        self._rng = random.Random(seed)
        self.target = ""
        self.secret = "fakehub-client-secret"
        self.window = 0.2
        self.duplicate = self.reorder = self.lose = 0.0
        self.copies = 1
        self.spacing = 0.3
        self.max_spacing = 5.0
        self._heap: list[Parcel] = []
        self._count = 0
        self.in_flight = 0
        self.fresh: list[Parcel] = []  # emitted, not yet in the journal
        self.done: list[int] = []  # delivered or given up, not yet in the journal

    def configure(self, **facts: Any) -> None:
        """SETTINGS, and ``seed``, ``subscriptions``, ``app_id``, ``legacy``. A target brings the default
        subscriptions, in their legacy form if ``legacy``, unless others are given or there are some."""
        if "seed" in facts:
            self._rng = random.Random(str(facts.pop("seed")))
        if facts.get("app_id"):
            self.announcer.app_id = int(facts["app_id"])
        facts.pop("app_id", None)
        legacy = facts.pop("legacy", None)
        given = facts.pop("subscriptions", None)
        for name, value in facts.items():
            if name not in self.SETTINGS:
                raise ValueError(f"unknown webhook setting: {name}")
            setattr(self, name, value)
        if given is not None:
            self.announcer.subscriptions = list(given)
        elif legacy is not None or not self.announcer.subscriptions:
            self.announcer.subscriptions = events.default_subscriptions(bool(legacy))

    @property
    def backlog(self) -> int:
        """Events that wait or are being sent."""
        return len(self._heap) + self.in_flight

    def watch(self, change: store.Change) -> None:
        """The store's watcher."""
        if not self.target or not self.announcer.is_heard:
            return
        for event in self.announcer.announce(change):
            self._emit(event)

    def _emit(self, event: dict[str, Any]) -> None:
        if self._rng.random() < self.lose:
            self._book.add(ledger.DeliveryRow, self.target, [event["eventId"]], 0, 0, 0.0, "lost")
            return
        extra = self.copies if self._rng.random() < self.duplicate else 0
        for copy in range(1 + extra):
            late = self._rng.random() * REORDER_WINDOWS if self._rng.random() < self.reorder else 0.0
            self._line_up(Parcel(self._next_window() + self.window * (late + copy), self._count + 1, event))

    def _line_up(self, parcel: Parcel) -> None:
        self.put(parcel)
        self.fresh.append(parcel)

    def _next_window(self) -> float:
        """Events of one window become due together, so that they travel in one batch."""
        now = self._time.seconds()
        return now if self.window <= 0 else (math.floor(now / self.window) + 1) * self.window

    def put(self, parcel: Parcel) -> None:
        """Line up one event, new or from the journal."""
        self._count = max(self._count, parcel.number)
        heapq.heappush(self._heap, parcel)

    def last_due(self) -> float:
        return max((one.due for one in self._heap), default=0.0)

    def wait(self) -> float:
        """Seconds until something is due."""
        return max(self._heap[0].due - self._time.seconds(), 0.0) if self._heap else 3600.0

    def take(self, *, before: float | None = None) -> list[Parcel]:
        """The next batch that is due (or was put before ``before``), of one attempt number."""
        limit = self._time.seconds() if before is None else before
        batch: list[Parcel] = []
        rest: list[Parcel] = []
        while self._heap and self._heap[0].due <= limit and len(batch) < MAX_EVENTS:
            parcel = heapq.heappop(self._heap)
            (batch if not batch or parcel.attempt == batch[0].attempt else rest).append(parcel)
        for parcel in rest:
            heapq.heappush(self._heap, parcel)
        if self.reorder:
            self._rng.shuffle(batch)
        self.in_flight += len(batch)
        return batch

    def pack(self, batch: list[Parcel]) -> tuple[dict[str, str], bytes]:
        """Headers and body of one delivery."""
        body = exchange.encode([{**one.event, "attemptNumber": one.attempt} for one in batch]).encode()
        return signing.headers(self.secret, self.target, body, round(self._time.told() * 1000)), body

    def settle(self, batch: list[Parcel], status: int, seconds: float) -> None:
        """Log the answer; anything but a 2xx is tried again, up to ten times."""
        self.in_flight -= len(batch)
        failed = not 200 <= status < 300
        attempt = batch[0].attempt
        note = "gave up" if failed and attempt >= MAX_RETRIES else ""
        ids = [one.event["eventId"] for one in batch]
        self._book.add(ledger.DeliveryRow, self.target, ids, attempt, status, round(seconds, 4), note)
        if not failed or note:
            self.done += [one.number for one in batch]
            return
        pause = min(self.spacing * 2**attempt, self.max_spacing) * (0.5 + self._rng.random())
        for one in batch:
            self._line_up(Parcel(self._time.seconds() + pause, one.number, one.event, attempt + 1))


class Courier:
    """Sends what is due over HTTP from a few threads, a connection for each delivery."""

    def __init__(self, hub: Any) -> None:
        self._hub = hub
        self._ready = threading.Condition(hub.lock)
        self._stopped = False

    def start(self) -> None:
        for number in range(MAX_IN_FLIGHT):
            threading.Thread(target=self._work, name=f"courier-{number}", daemon=True).start()

    def stop(self) -> None:
        with self._ready:
            self._stopped = True
            self._ready.notify_all()

    def wake(self) -> None:
        """Call it with the lock held, after events were emitted."""
        self._ready.notify()

    def _work(self) -> None:
        hub = self._hub
        while True:
            with self._ready:
                outbox = hub.webhooks  # another one after a reset
                batch = [] if self._stopped else outbox.take()
                if self._stopped:
                    return
                if not batch:
                    self._ready.wait(min(outbox.wait() + 0.001, 1.0))
                    continue
                headers, body = outbox.pack(batch)
            started = hub.clock.stopwatch()
            status = post(outbox.target, headers, body)
            with self._ready:
                outbox.settle(batch, status, hub.clock.stopwatch() - started)
                hub.commit()


def post(url: str, headers: dict[str, str], body: bytes) -> int:
    """One POST; 0 stands for no answer within five seconds."""
    parts = urllib.parse.urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT)
    try:
        connection.request(
            "POST", urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, "")), body, headers
        )
        answer = connection.getresponse()
        answer.read()
        return answer.status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()
