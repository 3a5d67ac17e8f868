"""Planted failures: what the network and HubSpot do to a request on a bad day, in a seeded order.

| kind | what happens |
|---|---|
| status | the answer has ``status`` (5xx, 429, 423, 477, 401 …); ``policy`` is the 429's policyName, or EXPIRED |
| reset | the connection is cut |
| timeout | nothing is answered for ``delay`` seconds, then the connection is cut |
| slow | the answer comes after ``delay`` seconds |
| truncated, html, empty | status 200 with half a body, an HTML page, or no body |
| partial | a ``share`` of the inputs of a batch fails, as entries of a 207 |

``after`` True lets the portal do what was asked before it goes wrong. ``times`` counts the requests that are hit
(None: no end), ``probability`` says how likely each matching request is hit. ``method``, ``operation``, ``family``
must be equal, ``path`` is searched as a regular expression and ``contains`` as a text in the body.
"""

import random
import re
from dataclasses import dataclass, fields
from typing import Any

from crmsync.fakehub import auth, errors, exchange, limits

KINDS = {"status", "reset", "timeout", "slow", "truncated", "html", "empty", "partial"}
PAGE = "<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"
LONG = 30.0  # seconds a time-out lasts unless told; longer than any client waits
MESSAGES = {423: "The resource is locked, please retry.", 477: "This account is being migrated to another region."}


@dataclass(slots=True)
class Fault:
    kind: str
    status: int = 500
    times: int | None = 1
    probability: float = 1.0
    method: str = ""
    operation: str = ""
    family: str = ""
    path: str = ""
    contains: str = ""
    after: bool = False
    delay: float = 0.0
    policy: str = ""
    retry_after: int | None = None
    share: float = 0.5
    category: str = "INTERNAL_ERROR"
    hits: int = 0

    @property
    def name(self) -> str:
        shown = f"{self.kind} {self.status}" if self.kind == "status" else self.kind
        return f"{shown} after" if self.after else shown

    @property
    def is_before(self) -> bool:
        """Does it keep the portal from doing what was asked?"""
        return self.kind in {"status", "reset", "timeout"} and not self.after

    def matches(self, call: exchange.Call, operation: str, family: str) -> bool:
        return (
            (self.times is None or self.hits < self.times)
            and self.method in {"", call.method}
            and self.operation in {"", operation}
            and self.family in {"", family}
            and (not self.path or re.search(self.path, call.path) is not None)
            and (not self.contains or self.contains.encode() in call.body)
        )

    def spoil(self, response: exchange.Response | None) -> exchange.Response:
        """The answer the caller gets instead of ``response`` (None: the request was not served)."""
        served = response or exchange.Response(500)
        if self.kind == "reset":
            served.drop = "reset"
        elif self.kind == "timeout":
            served.drop, served.delay = "timeout", self.delay or LONG
        elif self.kind == "slow":
            served.delay = self.delay
        elif self.kind == "status":
            return self._status_answer()
        elif self.kind in {"truncated", "html", "empty"}:
            return self._garbled(served)
        return served

    def _garbled(self, served: exchange.Response) -> exchange.Response:
        if self.kind == "html":
            return exchange.Response(200, PAGE.format("Just a moment").encode(), {"Content-Type": "text/html"})
        body = b"" if self.kind == "empty" else served.body[: len(served.body) // 2]
        return exchange.Response(200, body, {"Content-Type": exchange.JSON_TYPE})

    def _status_answer(self) -> exchange.Response:
        if self.status >= 502:
            return exchange.Response(self.status, PAGE.format(self.status).encode(), {"Content-Type": "text/html"})
        refusal = self._refusal()
        answer = exchange.answer(refusal.body("00000000-0000-0000-0000-00000000fa17"), self.status)
        answer.headers.update(refusal.headers)
        if self.retry_after is not None:
            answer.headers["Retry-After"] = str(self.retry_after)
        return answer

    def _refusal(self) -> errors.RefusalError:
        if self.status == 429:
            return limits.refuse(self.policy or "TEN_SECONDLY_ROLLING")
        if self.status == 401:
            return auth.expired(0, 60_000) if self.policy == "EXPIRED" else auth.invalid()
        return errors.RefusalError(self.status, MESSAGES.get(self.status, "internal error"))


class Faults:
    """The planted faults of a portal; the first one that matches a request hits it."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.planted: list[Fault] = []

    def plant(self, kind: str, **facts: Any) -> Fault:
        if kind not in KINDS:
            raise ValueError(f"unknown kind of fault: {kind}")
        unknown = facts.keys() - {one.name for one in fields(Fault)}
        if unknown:
            raise ValueError(f"unknown facts of a fault: {', '.join(sorted(unknown))}")
        fault = Fault(kind, **facts)
        self.planted.append(fault)
        return fault

    def clear(self) -> None:
        self.planted.clear()

    def pick(self, call: exchange.Call, operation: str, family: str) -> Fault | None:
        for fault in self.planted:
            if fault.matches(call, operation, family) and self._rng.random() < fault.probability:
                fault.hits += 1
                return fault
        return None

    def item_failure(self, fault: Fault | None, one: dict[str, Any]) -> dict[str, Any] | None:
        """The 207 entry of one input that a partial fault hits; inputs that nothing names are spared."""
        if fault is None or fault.kind != "partial":
            return None
        trace = one.get("objectWriteTraceId")
        if (trace is None and "id" not in one) or self._rng.random() >= fault.share:
            return None
        context = {"ids": [str(one["id"])]} if trace is None else {}
        return errors.RefusalError(500, "internal error", fault.category, context=context).item(trace)
