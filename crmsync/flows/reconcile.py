"""The one pipeline behind every door: gather, plan, refuse if unsafe, apply, remember. The only writer of records."""

import dataclasses
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone

from crmsync.engine import plan as plans
from crmsync.engine import safety, terms
from crmsync.flows import apply, candidates, dossier, edgejoin, edges, edgewaits, gather, merges, parents, scope
from crmsync.ledger import journal, links, portals
from crmsync.models import LogEntry

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one item: its outcome, and the stop if it has to be looked at again."""

    item: dossier.Item
    outcome: terms.Outcome
    stop: dossier.Stop | None = None


def preview(
    one: scope.Scope, items: Sequence[dossier.Item], wanted: terms.Direction = terms.Direction.BOTH
) -> tuple[plans.Plan, list[dossier.Case]]:
    """The plan for these keys and the cases that stopped before one; writes nothing but leases."""
    try:
        _, open_cases, stopped, plan = _plan(one, items, wanted)
        return plan, [*stopped, *open_cases]
    finally:
        links.release(one.lease)


def foresee(one: scope.Scope, items: Sequence[dossier.Item], wanted: terms.Direction) -> list[edgejoin.Join]:
    """What would be done about the associations of linked records; writes nothing but leases."""
    try:
        _, open_cases, _, plan = _plan(one, items, wanted)
        works = [apply.Work(case, pair, case.link) for case, pair in zip(open_cases, plan.pairs, strict=True)]
        return edges.foresee(one, works, wanted)
    finally:
        links.release(one.lease)


def reconcile(
    one: scope.Scope,
    items: Sequence[dossier.Item],
    wanted: terms.Direction = terms.Direction.BOTH,
    limits: safety.Limits | None = None,
) -> list[Result]:
    """Bring these records together; one result an item. UnsafePlanError before anything was written."""
    try:
        _, open_cases, stopped, plan = _plan(one, items, wanted)
        if limits is not None:
            safety.raise_if_unsafe(plan, limits)
        open_cases, held, plan = _hold(one, open_cases, plan)
        stopped += held
        if not portals.is_at(one.spec.id, one.spec.revision):
            stopped, open_cases, plan = [*stopped, *_edited(open_cases)], [], dataclasses.replace(plan, pairs=())
        merges.store(one, open_cases)
        parents.order(one, open_cases, plan.pairs, wanted)
        if one.keeper is not None:
            one.keeper.before(one, open_cases, plan)
        open_cases, waiting, plan = _going_on(open_cases, plan)
        stopped += waiting
        works = apply.apply(one, open_cases, plan)
        edges.join(one, works, wanted)
        _forget_gone(one, works)
        edgewaits.explain(one, stopped, works)
        results = [_of_case(item, case.stop) for case in stopped for item in case.items]
        results += [_of_work(item, work) for work in works for item in work.case.items]
        _log_stops(one, stopped, works)
        return results
    finally:
        links.release(one.lease)


def _plan(one: scope.Scope, items: Sequence[dossier.Item], wanted: terms.Direction):
    now = timezone.now()
    cases = gather.gather(one, items, now, wanted)
    stopped = [case for case in cases if case.stop is not None]
    going = [case for case in cases if case.stop is None]
    make_plan = one.keeper.make_plan if one.keeper is not None else plans.make_plan
    return now, going, stopped, make_plan(one.spec, [case.pair for case in going], now)


def _hold(one: scope.Scope, cases: list[dossier.Case], plan: plans.Plan):
    """Set records aside that would write a side held back: half of a plan could overwrite its other half."""
    if not one.held:
        return cases, [], plan
    pairs = list(zip(cases, plan.pairs, strict=True))
    held = [case for case, pair in pairs if any(pair.touches(side) for side in one.held)]
    for case in held:
        case.stop = dossier.HELD
    return _going_on(cases, plan)


def _going_on(cases: list[dossier.Case], plan: plans.Plan):
    """The cases that go on, those that were stopped after they were planned, and the plan of the former."""
    pairs = list(zip(cases, plan.pairs, strict=True))
    going = [(case, pair) for case, pair in pairs if case.stop is None]
    stopped = [case for case in cases if case.stop is not None]
    if not stopped:
        return cases, [], plan
    return [case for case, _ in going], stopped, dataclasses.replace(plan, pairs=tuple(pair for _, pair in going))


def _edited(cases: list[dossier.Case]) -> list[dossier.Case]:
    """Planned under a revision that is gone: nothing of it is written (Fault 34)."""
    for case in cases:
        case.stop = dossier.EDITED
    return cases


def _of_case(item: dossier.Item, stop: dossier.Stop) -> Result:
    return Result(item, stop.outcome, stop)


def _of_work(item: dossier.Item, work: apply.Work) -> Result:
    """A record with a field held back keeps its outcome, and is parked, so that it is seen and can be retried."""
    if work.stop is not None:
        return Result(item, work.stop.outcome, work.stop)
    if work.is_unverified:
        message = "HubSpot did not show its history; what our write may have replaced is looked up again."
        return Result(item, work.plan.outcome, dossier.Stop("remote.unverified", message, seconds=5.0))
    if work.damped is not None:
        return Result(item, work.plan.outcome, work.damped)
    if work.plan.problems:
        problem = work.plan.problems[0]
        stop = dossier.Stop(f"field.{problem.code}", problem.message, outcome=work.plan.outcome, park=True)
        return Result(item, work.plan.outcome, stop)
    if work.plan.outcome is terms.Outcome.FAILED:
        return Result(item, work.plan.outcome, dossier.Stop(work.plan.reason, work.plan.detail, park=True))
    return Result(item, work.plan.outcome)


def _forget_gone(one: scope.Scope, works: list[apply.Work]) -> None:
    """A record that waited for somebody to choose its partner, and was deleted instead."""
    cases = [work.case for work in works if work.link is None and work.plan.reason == terms.Reason.GONE]
    if cases:
        candidates.forget_gone(one.spec.id, {case.local_pk for case in cases if case.local_pk}, _ids(cases))


def _ids(cases: list[dossier.Case]) -> set[str]:
    return {case.remote_id for case in cases if case.remote_id}


def _log_stops(one: scope.Scope, stopped: list[dossier.Case], works: list[apply.Work]) -> None:
    """Stops that a person may have to see are in the log; waiting for a lease is not."""
    found = [(case, case.stop) for case in stopped]
    found += [(work.case, work.stop) for work in works if work.stop is not None]
    shown = (terms.Outcome.FAILED, terms.Outcome.EXCLUDED)
    journal.log(
        LogEntry(
            mapping_id=one.spec.id,
            run_id=one.run_id,
            revision=one.spec.revision,
            local_pk=case.local_pk,
            remote_id=case.remote_id,
            outcome=stop.outcome,
            reason=stop.code,
            detail=stop.message,
            candidates=case.matched,
        )
        for case, stop in found
        if stop.outcome in shown
        and stop.code != terms.Reason.OTHER_MAPPING
        and (case.matched or not one.run_id or stop.outcome is not terms.Outcome.EXCLUDED)
    )
