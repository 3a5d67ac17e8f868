"""Was a user's value replaced in silence? Pure: two histories and the logged conflicts of a cell in, findings out.

A *cell* is one field of one pair of records. Each side has a history: every value the cell held there, in that side's
own order, with who wrote it. A user's write is accounted for when

- it is the last of its side (that both sides end equal is checked elsewhere), or
- the next write of its side is a user's: a person saw the value and replaced it, or
- the next write is crmsync's, and brings a value that a user typed on the other side *after* this one had been
  carried there: that user replaced it knowingly, or
- the conflict log has this value on this side, with the other side, or nobody yet, as the winner.

Anything else is a silent overwrite. What it cannot see: blank values and values typed twice in one cell (the storm
types each value once), a value that crmsync read and dropped without ever replacing it (the comparison of the worlds
sees that), and orders between the two sides other than "carried before": no two clocks are compared.
It does not judge who should have won, and a conflict logged without need is no finding.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

LOCAL, REMOTE = "local", "remote"


@dataclass(frozen=True, slots=True)
class Write:
    """One value a cell held on one side."""

    value: str
    is_user: bool


@dataclass(frozen=True, slots=True)
class Logged:
    """A row of the conflict log; ``winner`` is a side, or empty while a person is asked."""

    local: str
    remote: str
    winner: str


@dataclass(frozen=True, slots=True)
class Account:
    """How the users' writes of one or more cells ended."""

    final: int = 0
    superseded: int = 0
    carried: int = 0
    logged: int = 0
    silent: tuple[str, ...] = ()

    def __add__(self, other: "Account") -> "Account":
        return Account(
            self.final + other.final,
            self.superseded + other.superseded,
            self.carried + other.carried,
            self.logged + other.logged,
            self.silent + other.silent,
        )


def judge(local: Sequence[Write], remote: Sequence[Write], log: Sequence[Logged]) -> Account:
    """The account of one cell."""
    found = Account()
    for side, mine, theirs in ((LOCAL, local, remote), (REMOTE, remote, local)):
        for place, write in enumerate(mine):
            if write.is_user and write.value:
                found += _judge_one(side, mine, place, theirs, log)
    return found


def _judge_one(
    side: str, mine: Sequence[Write], place: int, theirs: Sequence[Write], log: Sequence[Logged]
) -> Account:
    value = mine[place].value
    if place == len(mine) - 1:
        return Account(final=1)
    after = mine[place + 1]
    if after.is_user:
        return Account(superseded=1)
    if _is_replaced_knowingly(value, after.value, theirs):
        return Account(carried=1)
    if any(is_logged(row, side, value) for row in log):
        return Account(logged=1)
    return Account(silent=(f"{value!r} typed on the {side} side was replaced by {after.value!r}",))


def _is_replaced_knowingly(value: str, by: str, theirs: Sequence[Write]) -> bool:
    typed = [place for place, write in enumerate(theirs) if write.is_user and write.value == by]
    held = [place for place, write in enumerate(theirs) if write.value == value]
    return bool(typed and held) and held[0] < typed[-1]


def is_logged(row: Logged, side: str, value: str) -> bool:
    """Whether this row says that the value lost on this side, or waits for a person."""
    shown = row.local if side == LOCAL else row.remote
    return shown == value and row.winner != side


def mark_users(values: Iterable[str], typed_there: Iterable[str]) -> list[Write]:
    """A local history from its values alone: crmsync invents nothing, so a value is a user's unless it was typed on
    the other side, or was there before."""
    seen = set(typed_there)
    found = []
    for value in values:
        found.append(Write(value, bool(value) and value not in seen))
        seen.add(value)
    return found
