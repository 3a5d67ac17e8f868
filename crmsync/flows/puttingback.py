"""PuttingBack: a canary's batch when it is dropped; what it wrote is put back, unless somebody edited it since."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from crmsync.engine import canary as engine
from crmsync.engine import changes, columns, errors, record, spec, terms
from crmsync.engine import plan as plans
from crmsync.flows import dossier, scope, trying
from crmsync.ledger import canaries, links
from crmsync.models import CanaryRecord

_LOCAL = terms.SideName.LOCAL
# The rule of a write that undoes one, and the reason that the log shows.
RULE = "canary.dropped"


@dataclass(slots=True)
class _Draft:
    local: list[changes.FieldWrite] = field(default_factory=list)
    remote: list[changes.FieldWrite] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


class PuttingBack:
    """The keeper of such a batch; ``rows`` by link."""

    def __init__(self, rows: Iterable[CanaryRecord]) -> None:
        self.rows = {row.link_id: row for row in rows}

    def make_plan(self, one: spec.MappingSpec, pairs: Sequence[changes.Pair], now: datetime) -> plans.Plan:
        """Writes that undo what was written, and nothing else; by what is known now that the links are ours."""
        known = canaries.reread(self.rows.values())
        self.rows = {pk: row for pk, row in known.items() if row.state != canaries.State.DROPPED}
        fields = {links.key_of(each): each for each in one.fields}
        return plans.Plan(one, tuple(self._plan(fields, pair) for pair in pairs), now)

    def _plan(self, fields: Mapping[str, spec.FieldSpec], pair: changes.Pair) -> changes.PairPlan:
        row = self.rows.get(pair.link.id) if pair.link is not None else None
        if row is None:
            return changes.PairPlan(pair, terms.Outcome.UNCHANGED)
        draft = _Draft()
        for written in canaries.written_of(row):
            _add(draft, fields.get(written.field), written, pair)
        row.said = draft.left
        is_told = draft.local or draft.remote or draft.left
        return changes.PairPlan(
            pair,
            terms.Outcome.UPDATED if is_told else terms.Outcome.UNCHANGED,
            RULE if is_told else "",
            " ".join(["The canary was dropped.", *draft.left]) if is_told else "",
            local_writes=tuple(draft.local),
            remote_writes=tuple(draft.remote),
        )

    def before(self, one: scope.Scope, cases: Sequence[dossier.Case], planned: plans.Plan) -> None:
        """A record that is no longer linked, or was dropped by another process, is left."""
        for case in cases:
            if case.link is None or case.link.pk not in self.rows:
                case.stop = case.stop or trying.DROPPING

    def after(self, one: scope.Scope, works: Sequence, refreshed: Mapping[str, record.Record]) -> None:
        """The links' bases as they were, so that the live mapping has nothing to carry; the records are done."""
        done = [self.rows[work.link.pk] for work in works if work.stop is None and work.link is not None]
        canaries.restore({row.link_id: row.base for row in done})
        for row in done:
            row.state = canaries.State.DROPPED
        canaries.save(done, ["state", "said"])


def _add(draft: _Draft, one: spec.FieldSpec | None, written: engine.Written, pair: changes.Pair) -> None:
    seen = pair.local if written.side is _LOCAL else pair.remote
    is_writable = one is not None and one.held is None and seen is not None and not seen.archived
    current = trying.text_of(seen, one, written.side) if is_writable else None
    fate = engine.decide(written, current) if is_writable else engine.Fate.LOST
    if fate is engine.Fate.PUT_BACK:
        try:
            write = _undo(one, written, current)
        except errors.ConvertError:
            fate = engine.Fate.LOST
        else:
            (draft.local if written.side is _LOCAL else draft.remote).append(write)
    if fate in (engine.Fate.EDITED, engine.Fate.LOST):
        draft.left.append(say(written, fate))


def say(one: engine.Written, fate: engine.Fate) -> str:
    """A value that is left as it is, without the value."""
    local, _, remote = one.field.partition("|")
    name = local if one.side is _LOCAL else remote
    return f"{name} in {one.side.label} {_WORDS[fate]}."


_WORDS = {
    engine.Fate.EDITED: "was edited since, so it is left as it is",
    engine.Fate.LOST: "cannot be written any more, so it is left as it is",
}


def _undo(one: spec.FieldSpec, written: engine.Written, current: str | None) -> changes.FieldWrite:
    """The write of what was there; HubSpot's value is its string as it was read, Django's as exact as it is known."""
    raw = canaries.from_raw(written.raw)
    if written.side is not _LOCAL:
        clears = links.is_clearing(one, written.before, current)
        return changes.FieldWrite(one.id, one.remote, raw or "", current, RULE, clears_first=clears)
    if raw is None and written.before is not None:
        raw = columns.value_of(written.before, one)
    return changes.FieldWrite(one.id, one.local, raw, current, RULE)
