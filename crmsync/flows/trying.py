"""Trying: a canary's batch under the new version; what each record had is kept before anything is written."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from crmsync.engine import canary as engine
from crmsync.engine import changes, convert, record, spec, terms
from crmsync.engine import plan as plans
from crmsync.flows import bases, dossier, scope
from crmsync.ledger import canaries, links
from crmsync.models import Canary, CanaryRecord

_LOCAL, _REMOTE = terms.SideName.LOCAL, terms.SideName.REMOTE

# What a canary does not do, because it could not be undone.
REFUSED = dossier.Stop(
    "canary.refused",
    "The new version would make, archive, delete or unlink this record. A canary only writes values of linked"
    " records; look at the preview for the rest.",
    outcome=terms.Outcome.EXCLUDED,
)
DROPPING = dossier.Stop("canary.dropping", "The canary is being dropped: nothing more is tried.", seconds=0.0)


class Trying:
    """The keeper of such a batch; ``rows`` by link."""

    def __init__(self, canary: Canary, rows: Iterable[CanaryRecord]) -> None:
        self.canary = canary
        self.rows = {row.link_id: row for row in rows}

    def make_plan(self, one: spec.MappingSpec, pairs: Sequence[changes.Pair], now: datetime) -> plans.Plan:
        """As for any record. The links are ours by now, so what is known of the records is, too."""
        self.rows = canaries.reread(self.rows.values())
        return plans.make_plan(one, pairs, now)

    def before(self, one: scope.Scope, cases: Sequence[dossier.Case], planned: plans.Plan) -> None:
        """Keep the base and the values about to be replaced, committed before any call."""
        going = []
        for case, pair in zip(cases, planned.pairs, strict=True):
            row = self.rows.get(case.link.pk) if case.link is not None else None
            if case.link is not None and (row is None or row.state != canaries.State.WAITING):
                case.stop = case.stop or dossier.BUSY  # another process tried it first
            elif row is None or pair.creates or pair.archives or pair.unlinks or pair.adopts:
                case.stop = case.stop or REFUSED
            elif case.stop is None:
                _keep(one.spec, row, case, pair)
                going.append((case, row))
        if going and not canaries.remember(self.canary, [row for _, row in going]):
            for case, _ in going:
                case.stop = DROPPING

    def after(self, one: scope.Scope, works: Sequence, refreshed: Mapping[str, record.Record]) -> None:
        """Keep what both sides answered, with the link's new base or not at all."""
        done = [work for work in works if work.stop is None and work.link is not None]
        for work in done:
            row = self.rows[work.link.pk]
            fields = {links.key_of(field): field for field in one.spec.fields}
            written = [_answered(each, fields, work, refreshed) for each in canaries.written_of(row)]
            row.writes, row.state = canaries.to_stored(written), canaries.State.TRIED
            row.outcome, row.reason, row.said = work.plan.outcome, work.plan.reason, _say(one.spec, work.plan)
        names = ["writes", "state", "outcome", "reason", "said"]
        canaries.save([self.rows[work.link.pk] for work in done], names)


def _keep(one: spec.MappingSpec, row: CanaryRecord, case: dossier.Case, pair: changes.PairPlan) -> None:
    """The base as the planner saw it: a crash may have left an answer that the link does not know yet."""
    known = canaries.written_of(row)
    if not known:
        row.base = {**case.link.base, **links.to_stored(one, pair.pair.link.base)}
    row.writes = canaries.to_stored(engine.merge(known, _planned(one, pair)))


def _planned(one: spec.MappingSpec, pair: changes.PairPlan) -> list[engine.Written]:
    fields = {field.id: field for field in one.fields}
    sides = ((_LOCAL, pair.local_writes, pair.pair.local), (_REMOTE, pair.remote_writes, pair.pair.remote))
    return [
        engine.Written(
            field=links.key_of(fields[write.field_id]),
            side=side,
            before=text_of(seen, fields[write.field_id], side),
            wanted=_text(write.value, fields[write.field_id], side),
            raw=canaries.to_raw(seen.values.get(write.name)),
        )
        for side, writes, seen in sides
        for write in writes
        if seen is not None
    ]


def _answered(
    one: engine.Written, fields: Mapping[str, spec.FieldSpec], work, refreshed: Mapping[str, record.Record]
) -> engine.Written:
    """What the side has now; of a value that an earlier try wrote, the base says it."""
    field = fields.get(one.field)
    if field is None:
        return one
    if one.side is _REMOTE and field.remote in work.answered:
        after = convert.remote_text(work.answered[field.remote], field)
    elif one.side is _LOCAL and work.link.local_pk in refreshed:
        after = text_of(refreshed[work.link.local_pk], field, _LOCAL)
    elif (base := work.link.base.get(one.field)) is not None:
        after = base[0 if one.side is _LOCAL else 1]
    else:
        return one
    return engine.answer(one, after)


def text_of(one: record.Record, field: spec.FieldSpec, side: terms.SideName) -> str | None:
    """The canonical text of a side's value."""
    return bases.text_of(one, field) if side is _LOCAL else convert.remote_text(one.values.get(field.remote), field)


def _text(value: object, field: spec.FieldSpec, side: terms.SideName) -> str | None:
    name = field.local if side is _LOCAL else field.remote
    return text_of(record.Record(record.RecordKey("", ""), {name: value}), field, side)


def _say(one: spec.MappingSpec, plan: changes.PairPlan) -> list[str]:
    """What was held back, left alone or is asked, field by field."""
    names = {field.id: f"{field.local} ↔ {field.remote}" for field in one.fields}
    found = [problem.message for problem in plan.problems]
    found += [f"{names[note.field_id]}: {note.message}" for note in plan.notes]
    found += [f"{names[clash.field_id]}: {terms.Reason.ASK.label}" for clash in plan.clashes if clash.winner is None]
    return found
