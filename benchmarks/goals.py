"""What is owed: every goal's number, its words, its floor and its aim; a measurement knows only the goal's key."""

from dataclasses import dataclass
from statistics import median

AT_LEAST, AT_MOST, SHOWN = "≥", "≤", ""


@dataclass(frozen=True, slots=True)
class Goal:
    """One line of the table. ``floor`` and ``stretch`` are one number, or one a kind of database."""

    number: str
    what: str
    sense: str = SHOWN
    floor: float | dict[str, float] | None = None
    stretch: float | dict[str, float] | None = None

    def bound(self, name: str, database: str) -> float | None:
        value = getattr(self, name)
        return value.get(database) if isinstance(value, dict) else value

    def verdict(self, values: list[float], database: str) -> str:
        """By the median: "stretch", "floor", "MISSED", or nothing where nothing is owed."""
        floor, stretch = self.bound("floor", database), self.bound("stretch", database)
        if floor is None:
            return ""
        if stretch is not None and self._holds(median(values), stretch):
            return "stretch"
        return "floor" if self._holds(median(values), floor) else "MISSED"

    def _holds(self, value: float, bound: float) -> bool:
        slack = 1e-9 * max(abs(value), abs(bound))
        return value >= bound - slack if self.sense == AT_LEAST else value <= bound + slack


def both(sqlite: float, postgres: float) -> dict[str, float]:
    return {"sqlite": sqlite, "postgres": postgres}


GOALS: dict[str, Goal] = {
    "pull.fast": Goal("1", "backfill (bulk mode), rows/s ÷ bare bulk_create", AT_LEAST, 1.5, 2.5),
    "pull.fetch": Goal("1", "backfill (bulk mode), rows/s ÷ fetch only"),
    "pull.calls": Goal("4", "calls per 1,000 records pulled", AT_MOST, 10.1, 10.0),
    "pull.again": Goal("–", "second backfill, nothing changed: time ÷ the first's", AT_MOST, 1 / 3),
    "pull.again_writes": Goal("–", "second backfill, nothing changed: writes to the host's tables", AT_MOST, 0),
    "pull.save": Goal("–", "backfill (save mode), rows/s ÷ loop of save(), commit each", AT_LEAST, 0.6),
    "pull.save_page": Goal("–", "backfill (save mode), rows/s ÷ loop of save(), commit each 100"),
    "latency.pull": Goal("2", "backfill at 20 ms, rows/s ÷ fetch only", AT_LEAST, 0.95, 0.98),
    "push.create": Goal("9", "push of new records, records/s ÷ bare batch create", AT_LEAST, 0.40, 0.60),
    "push.create_calls": Goal("11", "push of new records: calls per record", AT_MOST, 0.0101, 0.0100),
    "push.create_writes": Goal("11", "push of new records: write calls per record", AT_MOST, 0.0101, 0.0100),
    "push.update": Goal("9", "push of updates, records/s ÷ bare batch update", AT_LEAST, 0.40, 0.60),
    "push.update_calls": Goal("11", "push of updates: calls per record"),
    "push.update_writes": Goal("11", "push of updates: write calls per record", AT_MOST, 0.0101, 0.0100),
    "push.blind": Goal("9", "the same without VERIFY_WRITES, ÷ bare batch update", AT_LEAST, 0.40, 0.60),
    "push.blind_calls": Goal("11", "the same without VERIFY_WRITES: calls per record", AT_MOST, 0.0101, 0.0100),
    "push.saves_calls": Goal("11", "each record saved 10 times first: calls per save", AT_MOST, 0.00101, 0.0010),
    "push.saves_writes": Goal(
        "11", "each record saved 10 times first: write calls per save", AT_MOST, 0.00101, 0.001
    ),
    "save.mapped": Goal("12", "save(), time ÷ plain, mapped field", AT_MOST, both(1.40, 1.75), both(1.15, 1.10)),
    "save.unmapped": Goal("13", "save(), time ÷ plain, no mapped field", AT_MOST, 1.08, 1.05),
    "save.load": Goal("13", "rows loaded, time ÷ plain", AT_MOST, 1.10, 1.02),
    "save.bulk": Goal("14", "1,000 saves in one transaction, time ÷ plain", AT_MOST, 1.25, 1.10),
    "save.statements": Goal("12", "extra statements per save, BEGIN and COMMIT apart"),
    "webhook.hundred": Goal(
        "15", "webhook of 100 events, requests/s ÷ bare 204", AT_LEAST, both(0.18, 0.12), both(0.23, 0.15)
    ),
    "webhook.one": Goal(
        "16", "webhook of 1 event, requests/s ÷ bare 204", AT_LEAST, both(0.30, 0.20), both(0.37, 0.26)
    ),
    "webhook.p99": Goal("17", "webhook, p99 in ms, 10 threads × 100 events", AT_MOST, 150, 50),
    "webhook.lost": Goal("15", "acknowledged, but not in the database", AT_MOST, 0),
    "webhook.forged": Goal("17", "forged or stale taken", AT_MOST, 0, 0),
    "planner.same": Goal("–", "planner, 12 fields, nothing changed: records a CPU second", AT_LEAST, 30_000),
    "planner.one": Goal("–", "planner, 12 fields, one changed: records a CPU second", AT_LEAST, 30_000),
    "planner.created": Goal("–", "planner, 12 fields, all created: records a CPU second", AT_LEAST, 30_000),
    "memory.pull": Goal("5", "backfill: peak at the large size ÷ peak at the small", AT_MOST, 1.10, 1.03),
    "memory.pull_mib": Goal("5", "backfill: peak at the large size, MiB", AT_MOST, 120, 80),
    "memory.push": Goal("5", "push backfill: peak at the large size ÷ at the small", AT_MOST, 1.10, 1.03),
    "memory.push_mib": Goal("5", "push backfill: peak at the large size, MiB", AT_MOST, 120, 80),
    "strangers.rows": Goal("U9", "link-only backfill of strangers: rows left in any table", AT_MOST, 0),
    "strangers.peak": Goal("5", "the same: peak at the large size ÷ peak at the small", AT_MOST, 1.10, 1.03),
    "storm.time": Goal("18", "storm: time until quiet ÷ plain loop", AT_MOST, 0.5, 0.3),
    "storm.calls": Goal("18", "storm: calls ÷ ⌈D/100⌉", AT_MOST, 2, 1.1),
}
# The doorbell in Redis must not cost a save or a webhook its goal.
GOALS |= {
    key.replace(".", "_rq.", 1): Goal(goal.number, f"{goal.what} (RUNNER rq)", goal.sense, goal.floor, goal.stretch)
    for key, goal in GOALS.items()
    if key in ("save.mapped", "save.bulk", "save.statements", "webhook.hundred", "webhook.one")
}
