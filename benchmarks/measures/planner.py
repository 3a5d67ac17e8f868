"""The planner alone: records planned in a second of one core's time, by 100 as a page or a drain brings them."""

import gc
import time
from collections import Counter
from datetime import UTC, datetime

from benchmarks import records
from benchmarks.trial import Trial
from benchmarks.world import BenchError, World
from crmsync.engine import changes, convert, plan, record, spec, terms
from crmsync.ledger import specs

SIZE = 20_000
NOW = datetime(2026, 2, 1, tzinfo=UTC)
_WANTED = {
    "same": terms.Outcome.UNCHANGED,
    "one": terms.Outcome.UPDATED,
    "created": terms.Outcome.CREATED,
}


def measure(trial: Trial) -> None:
    one, count = specs.load(World().mapping), trial.size or SIZE
    cases = {
        "same": [make_pair(one, number) for number in range(count)],
        "one": [make_pair(one, number, city="Elsewhere") for number in range(count)],
        "created": [make_pair(one, number, is_new=True) for number in range(count)],
    }
    gc.freeze()  # what waits to be planned is not garbage; in production it is one page
    for _ in range(trial.runs):
        for what, pairs in cases.items():
            trial.put(what, count / _seconds(one, pairs, _WANTED[what]))
    for what, pairs in cases.items():
        trial.profile(what, lambda given=pairs: _plan(one, given))


def _seconds(one: spec.MappingSpec, pairs: list[changes.Pair], wanted: terms.Outcome) -> float:
    """Processor seconds: other people's load on the machine is not the planner's."""
    start = time.process_time()
    counts = _plan(one, pairs)
    seconds = time.process_time() - start
    if counts != {wanted: len(pairs)}:
        raise BenchError(f"planned {counts}, wanted {wanted}")
    return seconds


def _plan(one: spec.MappingSpec, pairs: list[changes.Pair]) -> Counter[terms.Outcome]:
    counts: Counter[terms.Outcome] = Counter()
    for page in records.chunks(pairs, 100):
        counts.update(plan.make_plan(one, page, NOW).counts())
    return counts


def make_pair(one: spec.MappingSpec, number: int, *, is_new: bool = False, city: str = "") -> changes.Pair:
    """Both sides of a record in agreement, but for the city; a new one is on HubSpot's side only."""
    values = records.make_person(number)
    remote = record.Record(record.RecordKey("contacts", str(number)), records.to_properties(values), NOW)
    if is_new:
        return changes.Pair(None, remote)
    base = {
        f.id: changes.BaseValue(
            convert.local_text(values[f.local], f), convert.remote_text(remote.values[f.remote], f)
        )
        for f in one.fields
    }
    local = values | {"city": city} if city else values
    here = record.Record(record.RecordKey(one.local_model, str(number)), local, NOW)
    return changes.Pair(here, remote, changes.LinkState(number, base))
