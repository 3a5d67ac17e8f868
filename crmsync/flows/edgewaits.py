"""Says why associations wait: what keeps the other mapping from linking the other record, or what it said of it."""

import dataclasses
import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from django.utils import timezone

from crmsync.engine import edgeplan, edgeterms, edgewaits, terms
from crmsync.flows import dossier, edgejoin, scope
from crmsync.ledger import edges as memory
from crmsync.ledger import journal, links
from crmsync.models import Association, Edge, LogEntry
from crmsync.models import Mapping as MappingRow

_LOCAL, _REMOTE = terms.SideName.LOCAL, terms.SideName.REMOTE
_LEFT = (terms.Outcome.EXCLUDED, terms.Outcome.FAILED)
# Edges told at a time: one company may be waited for by very many contacts.
_CHUNK = 500


def say(joins: Sequence[edgejoin.Join]) -> None:
    """Give each waiting step its reason; one that the other mapping told before stays as it was told."""
    waiting = [join for join in joins if any(step.move is terms.EdgeMove.WAIT for step in join.steps)]
    if not waiting:
        return
    others = _others({join.one.to_mapping_id for join in waiting})
    for join in waiting:
        join.steps = tuple(_said(join, step, others[join.one.to_mapping_id]) for step in join.steps)


def _others(ids: set[int]) -> dict[int, edgewaits.Other]:
    rows = MappingRow.objects.filter(pk__in=ids)
    names = ("pk", "label", "state", "direction", "creates_remote", "creates_local")
    return {
        pk: edgewaits.Other(label, terms.MappingState(state), terms.Direction(direction), *creates)
        for pk, label, state, direction, *creates in rows.values_list(*names)
    }


def _said(join: edgejoin.Join, step: edgeplan.Step, other: edgewaits.Other) -> edgeplan.Step:
    if step.move is not terms.EdgeMove.WAIT:
        return step
    there = _LOCAL if step.local_pk else _REMOTE
    answer = edgewaits.find_obstacle(other, there, brings=join.one.brings)
    if answer is not None:
        return dataclasses.replace(step, reason=answer.code, detail=f"{step.detail} {answer.sentence}")
    for row in join.rows:
        is_same = (row.local_pk, row.remote_id, row.state) == (step.local_pk, step.remote_id, terms.EdgeState.WAITING)
        if is_same and row.reason in edgewaits.TOLD:
            return dataclasses.replace(step, reason=row.reason, detail=row.detail)
    return step


def explain(one: scope.Scope, stopped: Sequence[dossier.Case], works: Sequence) -> None:
    """Tell those that wait for records of this mapping what became of them: left out, or failed."""
    told = dict(_answers(one, stopped, works))
    if not told or not Association.objects.filter(to_mapping=one.spec.id, is_active=True).exists():
        return
    now = timezone.now()
    keys = {side: {key for other, key in told if other is side} for side in (_LOCAL, _REMOTE)}
    rows = memory.waiting_for(one.spec.id, keys[_LOCAL], keys[_REMOTE]).iterator(chunk_size=_CHUNK)
    while chunk := list(itertools.islice(rows, _CHUNK)):
        _tell(chunk, told, now)


def _answers(
    one: scope.Scope, stopped: Sequence[dossier.Case], works: Sequence
) -> Iterator[tuple[tuple[terms.SideName, str], edgewaits.Answer]]:
    found = [(case, case.stop) for case in stopped]
    found += [(work.case, work.stop) for work in works if work.link is None or work.link.state != links.State.LINKED]
    by_case = {id(work.case): work.plan for work in works}
    label = None
    for case, stop in found:
        if case.link is not None and case.link.state == links.State.LINKED:
            continue
        plan = by_case.get(id(case))
        said = (stop.outcome, stop.code, stop.message) if stop else (plan.outcome, plan.reason, plan.detail)
        if said[0] in _LEFT:
            label = label or MappingRow.objects.values_list("label", flat=True).get(pk=one.spec.id)
            answer = edgewaits.explain(label, *said)
            yield from ((key, answer) for key in _keys(case))


def _keys(case: dossier.Case) -> Iterable[tuple[terms.SideName, str]]:
    """The ends that were asked about: the other one, if it has any, is a candidate only."""
    for item in case.items:
        yield (_LOCAL, item.local_pk) if item.local_pk else (_REMOTE, item.remote_id)


def _tell(rows: Sequence[Edge], told: Mapping[tuple[terms.SideName, str], edgewaits.Answer], now: datetime) -> None:
    """What is news is remembered, and stands in the log of the record that waits."""
    news: dict[tuple[str, str], list[Edge]] = defaultdict(list)
    for row in rows:
        answer = told[(_LOCAL, row.local_pk) if row.local_pk else (_REMOTE, row.remote_id)]
        detail = f"{edgeterms.waits_for(row.local_pk, row.remote_id)} {answer.sentence}"
        if (row.reason, row.detail) != (answer.code, detail):
            news[answer.code, detail].append(row)
    for (code, detail), mine in news.items():
        memory.tell(mine, code, detail, now)
        journal.log(_entry(row, code, detail, now) for row in mine)


def _entry(row: Edge, code: str, detail: str, now: datetime) -> LogEntry:
    return LogEntry(
        at=now,
        mapping_id=row.link.mapping_id,
        local_pk=row.link.local_pk,
        remote_id=row.link.remote_id or "",
        outcome=terms.Outcome.WAITING,
        reason=code,
        detail=detail,
    )
