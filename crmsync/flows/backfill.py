"""Every record of a mapping, page by page in one direction: resumable, counted, never started by itself."""

import dataclasses
import time
from collections.abc import Iterator
from datetime import timedelta

from django.utils import timezone

from crmsync import conf
from crmsync.engine import plan as plans
from crmsync.engine import safety, terms
from crmsync.flows import access, dossier, drain, edgejoin, failures, keyproperty, reconcile, scope
from crmsync.ledger import inbox, journal, outbox, queue, specerror
from crmsync.models import InboxEvent, Mapping, OutboxEntry, Run, choices

Kind = choices.RunKind
PAGE = 100
# Seconds before a run that met a passing fault goes on.
_WAIT = 15.0


def start(mapping: Mapping, kind: str, *, user_id: int | None = None) -> Run:
    """Open a run, or take up the unfinished one; specerror.RunError says why a mapping may not run now.

    Pushes are counted beforehand; HubSpot has no cheap count.
    """
    _refuse(journal.may_go_on(Run(mapping=mapping, kind=kind, revision=mapping.revision)))
    total = None
    if kind == Kind.BACKFILL_PUSH:
        total = scope.open_scope(mapping.pk).local.count()
    return journal.open_run(mapping, kind, user_id=user_id, total=total)


def kinds(mapping: Mapping, direction: terms.Direction) -> list[str]:
    """The runs that a direction means for a mapping: HubSpot's records first, so that they can be matched."""
    both = terms.Direction(mapping.direction)
    found = []
    if direction.pulls and both.pulls:
        found.append(Kind.BACKFILL_PULL)
    if direction.pushes and both.pushes:
        found.append(Kind.BACKFILL_PUSH)
    return found


def pages(run: Run, limits: safety.Limits | None = None) -> Iterator[Run]:
    """Work on a run and yield it after every committed page; stops when taken, stopped or done.

    Whatever ends the iteration (an exception, Ctrl-C, a kill), the run goes on from its last page.
    """
    seconds = conf.current().LEASE_SECONDS
    token = journal.lease_run(run, timezone.now(), seconds)
    if token is None:
        return
    state = journal.State.STOPPED
    try:
        one = scope.open_scope(run.mapping_id, run_id=run.pk)
        keyproperty.ensure(one)
        while True:
            _refuse(journal.may_go_on(run))
            access.raise_if_closed(run.mapping.portal_id)
            one = scope.renewed(one)
            items, cursor = _page(one, run)
            counts = _reconcile(one, run, items, _left(run, limits)) if items else {}
            until = timezone.now() + timedelta(seconds=seconds)
            if not journal.advance(run, token, cursor=cursor, counts=counts, until=until):
                return
            yield run
            if not cursor:
                state = journal.State.FINISHED
                return
    except GeneratorExit:
        state = journal.State.RUNNING
        raise
    finally:
        journal.close_run(run, token, state, timezone.now())


def _refuse(why: str) -> None:
    if why:
        raise specerror.RunError(why)


def _left(run: Run, limits: safety.Limits | None) -> safety.Limits | None:
    """The limits less what the run has created already: they are the run's, not a page's."""
    if limits is None or limits.creates is None:
        return limits
    return dataclasses.replace(limits, creates=max(0, limits.creates - run.counts.get("created", 0)))


def _page(one: scope.Scope, run: Run) -> tuple[list[dossier.Item], str]:
    read_at = timezone.now()
    if run.kind == Kind.BACKFILL_PULL:
        rows, after = one.remote.page(run.cursor, PAGE)
        return [dossier.Item(remote_id=r.key.id, remote=r, read_at=read_at) for r in rows], after
    rows = one.local.page(run.cursor, PAGE)
    after = rows[-1].key.id if len(rows) == PAGE else ""
    return [dossier.Item(local_pk=r.key.id, local=r) for r in rows], after


def _reconcile(one: scope.Scope, run: Run, items: list[dossier.Item], limits: safety.Limits | None) -> dict[str, int]:
    """One page; records that must wait or need a person are left in their queue, counted as such."""
    results = reconcile.reconcile(one, items, _wanted(run), limits)
    rows_of, make = (InboxEvent, _inbox) if run.kind == Kind.BACKFILL_PULL else (OutboxEntry, _outbox)
    counts: dict[str, int] = {}
    for result in results:
        counts[result.outcome] = counts.get(result.outcome, 0) + 1
    stopped = [r for r in results if r.stop is not None and r.stop.outcome is not terms.Outcome.EXCLUDED]
    make(one, [r.item for r in stopped])
    for result in stopped:
        if result.stop.park:
            _park(rows_of, one, result)
        if result.stop.verdict is not None:
            drain.answer(result.stop.verdict, run.mapping_id)
    return counts


def _wanted(run: Run) -> terms.Direction:
    return terms.Direction.PULL if run.kind == Kind.BACKFILL_PULL else terms.Direction.PUSH


def _inbox(one: scope.Scope, items: list[dossier.Item]) -> None:
    inbox.put([(one.spec.id, item.remote_id) for item in items], timezone.now())


def _outbox(one: scope.Scope, items: list[dossier.Item]) -> None:
    outbox.mark_many([one.spec.id], [item.local_pk for item in items], timezone.now())


def _park(rows_of, one: scope.Scope, result: reconcile.Result) -> None:
    is_pull, item = rows_of is InboxEvent, result.item
    key = {"remote_id": item.remote_id} if is_pull else {"local_pk": item.local_pk}
    row = rows_of.objects.filter(mapping_id=one.spec.id, via="", lease="", **key)
    queue.park(rows_of, row.values_list("pk", flat=True), "", code=result.stop.code, message=result.stop.message)


def work_on_runs(seconds: float) -> int:
    """Runs that staff started and nobody works on: a slice of each; how many pages."""
    done, end = 0, time.monotonic() + seconds
    for pk in journal.running(timezone.now()):
        run = Run.objects.get(pk=pk)
        try:
            for _ in pages(run):
                done += 1
                if time.monotonic() > end:
                    break
        except Exception as error:  # the drain loop's net: the run keeps its page and says why it waits
            fail(run, error)
    return done


def fail(run: Run, error: Exception) -> failures.Verdict:
    """A run met an exception between pages: it goes on by itself if waiting can help, else it is stopped."""
    verdict = failures.classify(error)
    drain.answer(verdict, run.mapping_id)
    wait = verdict.retry_after or _WAIT if verdict.kind in (failures.Kind.RETRY, failures.Kind.LIMITED) else None
    journal.set_back(run, verdict.message, timezone.now(), wait)
    return verdict


def preview(mapping: Mapping, kind: str, pages_wanted: int = 1) -> Iterator[plans.Plan]:
    """Plans of the first pages, writing nothing to either side."""
    for plan, _stopped in preview_all(mapping, kind, pages_wanted):
        yield plan


def preview_all(
    mapping: Mapping, kind: str, pages_wanted: int = 1
) -> Iterator[tuple[plans.Plan, list[dossier.Case]]]:
    """As ``preview``, each with the records that stopped before there was a plan for them, such as those that another
    mapping has linked or that several records match."""
    one = scope.open_scope(mapping.pk)
    run = Run(mapping=mapping, kind=kind)
    for _ in range(pages_wanted):
        items, run.cursor = _page(one, run)
        plan, cases = reconcile.preview(one, items, _wanted(run))
        yield plan, [case for case in cases if case.stop is not None]
        if not run.cursor:
            return


def foresee(mapping: Mapping, kind: str) -> list[edgejoin.Join]:
    """What would be done about the associations of the first page's linked records, writing nothing."""
    if not mapping.associations.filter(is_active=True).exists():
        return []
    one = scope.open_scope(mapping.pk)
    run = Run(mapping=mapping, kind=kind)
    return reconcile.foresee(one, _page(one, run)[0], _wanted(run))
