"""A plan is a value: what would be done for some pairs, to be shown, counted, refused or applied."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from crmsync.engine import across, changes, errors, localvalues, pairplan, record, remotevalues, spec, terms

# Of other records nothing came in, so nothing came in blank.
_TOLD = (terms.Outcome.CREATED, terms.Outcome.ADOPTED, terms.Outcome.UPDATED, terms.Outcome.UNCHANGED)


@dataclass(frozen=True, slots=True)
class Plan:
    """The plans of the pairs considered, made under one revision of a mapping (``spec.revision``)."""

    spec: spec.MappingSpec
    pairs: tuple[changes.PairPlan, ...]
    made_at: datetime

    @property
    def is_empty(self) -> bool:
        """Whether neither side would be written; links and bases may still be."""
        return not any(one.is_write for one in self.pairs)

    def counts(self) -> dict[terms.Outcome, int]:
        """How many pairs had each outcome; together they are the pairs considered."""
        return dict(Counter(one.outcome for one in self.pairs))

    def creates(self, side: terms.SideName) -> int:
        """How many records would be made on a side."""
        return sum(one.creates is side for one in self.pairs)

    def updates(self, side: terms.SideName) -> int:
        """How many existing records of a side would be written."""
        return sum(bool(_writes(one, side)) and one.creates is not side for one in self.pairs)

    def archives(self, side: terms.SideName) -> int:
        """How many records of a side would be archived or deleted."""
        return sum(one.archives is side for one in self.pairs)


def make_plan(mapping: spec.MappingSpec, pairs: Iterable[changes.Pair], now: datetime) -> Plan:
    """One PairPlan for each pair, in their order; ``now`` is stamped on it, and relative dates count from there."""
    scheme = pairplan.make_scheme(mapping, now)
    plans = tuple(pairplan.decide(scheme, pair) for pair in pairs)
    taken = across.taken_over(mapping)
    return Plan(mapping, tuple(_with_notes(taken, one) for one in plans) if taken else plans, now)


def _with_notes(taken: Sequence[spec.FieldSpec], one: changes.PairPlan) -> changes.PairPlan:
    """With a note where values of associated records are blank because nobody says which record counts."""
    if one.pair.remote is None or one.outcome not in _TOLD:
        return one
    notes = across.notes(taken, one.pair.remote.values, one.pair.link.base if one.pair.link else {})
    return replace(one, notes=(*one.notes, *notes)) if notes else one


def make_bases(
    mapping: spec.MappingSpec,
    done: changes.PairPlan,
    *,
    local: record.Record | None = None,
    remote: record.Record | None = None,
) -> dict[int, changes.BaseValue]:
    """The bases to store after a pair's plan was applied.

    ``local`` and ``remote`` are the records as the written sides *answered*; None for a side that was not
    written, or whose write failed. A field whose write has no answer gets no base, so that it is decided
    again. The half of a side that was not written is what the plan saw, not what is there by now: a change
    that came between stays a change.
    """
    bases = dict(done.settles)
    local_ids = {write.field_id for write in done.local_writes}
    remote_ids = {write.field_id for write in done.remote_writes}
    for one in mapping.fields:
        if one.id not in local_ids and one.id not in remote_ids:
            continue
        here = local if one.id in local_ids else done.pair.local
        there = remote if one.id in remote_ids else done.pair.remote
        if here is None or there is None:
            continue
        try:
            text = localvalues.text_of(here.values.get(one.local), one)
        except errors.ConvertError:
            continue
        bases[one.id] = changes.BaseValue(text, remotevalues.text_of(there.values.get(one.remote), one))
    return bases


def _writes(one: changes.PairPlan, side: terms.SideName) -> tuple[changes.FieldWrite, ...]:
    return one.local_writes if side is terms.SideName.LOCAL else one.remote_writes
