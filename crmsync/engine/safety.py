"""Safety: a plan that would do more than expected is refused as a whole, before anything of it is done."""

from collections.abc import Callable
from dataclasses import dataclass

from crmsync.engine import errors, plan, terms


@dataclass(frozen=True, slots=True)
class Limits:
    """The most records a plan may make, change or archive, both sides together; None for no limit."""

    creates: int | None = None
    updates: int | None = None
    archives: int | None = None


def raise_if_unsafe(planned: plan.Plan, limits: Limits) -> None:
    """Raises UnsafePlanError for what is over its limit, the worst first: archives, creates, updates."""
    for what, count, limit in (
        ("archives", _count(planned.archives), limits.archives),
        ("creates", _count(planned.creates), limits.creates),
        ("updates", _count(planned.updates), limits.updates),
    ):
        if limit is not None and count > limit:
            raise errors.UnsafePlanError(what, count, limit)


def make_archive_limit(considered: int) -> int:
    """20 records or 2 % of those considered, whichever is more: above that it looks like an accident."""
    return max(20, considered * 2 // 100)


def _count(counter: Callable[[terms.SideName], int]) -> int:
    return sum(counter(side) for side in terms.SideName)
