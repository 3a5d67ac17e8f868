"""Does what a plan says, record by record: HubSpot first, then Django and the link in one transaction."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils import timezone

from crmsync import conf
from crmsync.engine import changes, convert, rules, terms, twins
from crmsync.engine import plan as plans
from crmsync.flows import bases, dossier, options, relearn, scope, settle, verify
from crmsync.hubspot import errors
from crmsync.ledger import journal, links
from crmsync.models import Link


@dataclass(slots=True)
class Work:
    """One planned record on its way: its case, its plan, its link, and what HubSpot answered."""

    case: dossier.Case
    plan: changes.PairPlan
    link: Link | None = None
    answered: dict[str, str | None] = field(default_factory=dict)
    raced: list[changes.Clash] = field(default_factory=list)
    stop: dossier.Stop | None = None
    is_archived: bool = False
    is_stored: bool = False
    is_unverified: bool = False
    is_behind: bool = False
    logged: set[int] = field(default_factory=set)
    is_dirty: bool = False
    damped: dossier.Stop | None = None


def apply(one: scope.Scope, cases: list[dossier.Case], plan: plans.Plan) -> list[Work]:
    """Apply a plan made of these cases (same order); each work ends settled or with a ``stop``."""
    works = [Work(case, pair_plan, case.link) for case, pair_plan in zip(cases, plan.pairs, strict=True)]
    verify.recover(one, works)
    options.add_missing(one, works)
    _reserve(one, works)
    _intend(one, works)
    _note_conflicts(one, works)
    _archive_remote(one, works)
    _create_remote(one, works)
    _update_remote(one, works)
    _take_back(one, works)
    settle.settle(one, [work for work in works if work.stop is None])
    verify.pull_again(one, works)
    return works


def _going(works: Iterable[Work], wanted: Callable[[Work], object]) -> list[Work]:
    return [work for work in works if work.stop is None and wanted(work)]


def _until() -> datetime:
    return timezone.now() + timedelta(seconds=conf.current().LEASE_SECONDS)


def _reserve(one: scope.Scope, works: list[Work]) -> None:
    """Links of records about to be created in HubSpot, or adopted, are committed before any call.

    A link for a record to be created in Django is made together with its row, when its key is known.
    """
    fresh = _going(works, lambda w: w.link is None and (w.plan.adopts or w.plan.creates is terms.SideName.REMOTE))
    until = _until()
    for work in fresh:
        remote_id = work.plan.pair.remote.key.id if work.plan.pair.remote else None
        work.link = links.make(one.spec, work.plan.pair.local.key.id, remote_id, one.lease, until)
        work.link.sent = _sent(one, work)
    adopted = [work.link.remote_id for work in fresh if work.link.remote_id]
    if adopted:
        links.forget_ended(one.spec.portal_id, one.spec.object_type, adopted)
    lost = links.insert([work.link for work in fresh]) if fresh else set()
    for work in fresh:
        if work.link.local_pk in lost:
            work.link, work.stop = (
                None,
                dossier.Stop("record.lease", "Another worker linked this record.", seconds=1.0),
            )


def _intend(one: scope.Scope, works: list[Work]) -> None:
    """Write down what will be sent before it is sent; and the remote id that a match or a create key found."""
    changed = []
    for work in _going(works, lambda w: w.link is not None and w.case.link is not None):
        remote = work.plan.pair.remote
        found = remote.key.id if remote and not work.link.remote_id else None
        if found or work.plan.remote_writes:
            work.link.remote_id = found or work.link.remote_id
            work.link.sent = _sent(one, work)
            changed.append(work.link)
    links.save_many(changed, ["remote_id", "sent"])


def _sent(one: scope.Scope, work: Work) -> dict[str, list[str | None]]:
    """For each field to be sent: the local text, what is sent, and what HubSpot had when we read it."""
    fields = {f.id: f for f in one.spec.fields}
    pair, found = work.plan.pair, {}
    for write in work.plan.remote_writes:
        one_field = fields[write.field_id]
        read = pair.remote.values.get(write.name) if pair.remote else None
        found[links.key_of(one_field)] = [
            bases.text_of(pair.local, one_field),
            convert.remote_text(write.value, one_field),
            convert.remote_text(read, one_field),
        ]
    return found


def _note_conflicts(one: scope.Scope, works: list[Work]) -> None:
    """A HubSpot user's value that is about to be replaced is in the conflict log before it is replaced: a
    worker killed after the write leaves nothing else that knows of it (I10)."""
    rows = []
    for work in _going(works, lambda w: w.plan.remote_writes and w.plan.clashes):
        sent = {write.field_id for write in work.plan.remote_writes}
        lost = [
            clash for clash in work.plan.clashes if clash.field_id in sent and clash.winner is terms.SideName.LOCAL
        ]
        work.logged = {clash.field_id for clash in lost}
        rows += bases.conflicts_of(one.spec, work, lost)
    journal.record_conflicts(rows)


def _take_back(one: scope.Scope, works: list[Work]) -> None:
    """HubSpot certainly refused these: what their conflicts said was not replaced."""
    refused = [w for w in works if w.stop is not None and w.logged and w.stop.park]
    for work in refused:
        names = [links.key_of(f) for f in one.spec.fields if f.id in work.logged]
        journal.forget_conflicts(one.spec.id, work.link.local_pk, names, work.link.synced_at)


def _renew(one: scope.Scope) -> None:
    links.renew(one.lease, _until())


def _properties(work: Work) -> dict[str, str]:
    """What is sent; a new record gets the mapping's fixed values, too."""
    fixed = {one.field: str(one.value) for one in work.plan.fixed}
    return fixed | {write.name: str(write.value) for write in work.plan.remote_writes}


def _archive_remote(one: scope.Scope, works: list[Work]) -> None:
    going = _going(works, lambda w: w.plan.archives is terms.SideName.REMOTE)
    if not going:
        return
    _renew(one)
    settled = one.remote.archive([work.link.remote_id for work in going])
    for work in going:
        error = settled.failed.get(work.link.remote_id)
        if error is not None and not isinstance(error, errors.NotFound):
            work.stop = dossier.stop_for(error)
        work.is_archived = work.stop is None


def _create_remote(one: scope.Scope, works: list[Work]) -> None:
    going = _going(works, lambda w: w.plan.creates is terms.SideName.REMOTE)
    if not going:
        return
    _renew(one)
    settled = one.remote.create({work.link.create_key: _properties(work) for work in going})
    others = _others(one, settled.failed.values())
    for work in going:
        answer = settled.done.get(work.link.create_key)
        if answer is not None:
            work.link.remote_id = answer.id
            work.link.remote_modified_at = answer.updated_at
            work.answered = dict(answer.properties)
            work.is_behind = twins.is_followed(one.paired, work.plan)
        else:
            _not_created(one, work, settled.failed[work.link.create_key], others)


def _others(one: scope.Scope, failed: Iterable[errors.HubSpotError]) -> set[str]:
    """Records there already, named by conflicts, whose fixed values are another mapping's."""
    ids = {error.existing_id for error in failed if isinstance(error, errors.Conflict) and error.existing_id}
    if not ids or not any(rule.is_membership for rule in one.spec.rules):
        return set()
    found, _failed = one.remote.read(ids)
    now = timezone.now()
    return {key for key, there in found.items() if not rules.decide_membership(one.spec, None, there, now=now).passed}


def _not_created(one: scope.Scope, work: Work, error: errors.HubSpotError, others: set[str]) -> None:
    """A conflict names the record that is there already: adopt it, unless it is somebody else's partner."""
    existing = error.existing_id if isinstance(error, errors.Conflict) else ""
    if not existing:
        work.stop = relearn.stop_for(one, error)
        return
    if existing in others:
        work.case.matched = [(terms.SideName.REMOTE, existing)]
        work.stop = dossier.Stop(
            "record.other_mapping",
            f"HubSpot record {existing} has the same unique value, and its fixed values belong to another mapping.",
            outcome=terms.Outcome.EXCLUDED,
        )
        links.drop(work.link, one.lease)
        return
    links.forget_ended(one.spec.portal_id, one.spec.object_type, [existing])
    holder = links.holder(one.spec.portal_id, one.spec.object_type, existing)
    if holder is not None and holder.pk != work.link.pk:
        work.case.matched = [(terms.SideName.REMOTE, existing)]
        work.stop = dossier.Stop(
            "record.linked_elsewhere",
            f"HubSpot record {existing} has the same unique value and is linked to {holder.local_pk} in Django.",
            outcome=terms.Outcome.EXCLUDED,
        )
        links.drop(work.link, one.lease)
        return
    work.link.remote_id, work.link.state, work.link.sent = existing, links.State.LINKED, {}
    links.save_fenced(work.link, one.lease, ["remote_id", "state", "sent"])
    work.stop = dossier.Stop("record.adopted", "HubSpot has this record already; it is adopted.", seconds=0.0)


def _update_remote(one: scope.Scope, works: list[Work]) -> None:
    going = _going(works, lambda w: w.plan.remote_writes and w.plan.creates is not terms.SideName.REMOTE)
    if not going:
        return
    _renew(one)
    _clear_first(one, going)
    going = _going(going, lambda w: True)
    settled = one.remote.update({work.link.remote_id: _properties(work) for work in going})
    for work in going:
        answer = settled.done.get(work.link.remote_id)
        if answer is None:
            work.stop = relearn.stop_for(one, settled.failed[work.link.remote_id])
        else:
            work.answered = dict(answer.properties)
            work.is_behind = twins.is_followed(one.paired, work.plan)
    done = [work for work in going if work.stop is None]
    if conf.current().VERIFY_WRITES:
        verify.look(one, done)
    for work in done:
        _stamp_seen(work, settled.done[work.link.remote_id].updated_at)


def _clear_first(one: scope.Scope, works: list[Work]) -> None:
    """Clears what HubSpot does not let go back otherwise. What will be sent stands on the link already, so that a
    worker killed here leaves a field to be filled, never a blank to be pulled."""
    clearing = {
        work.link.remote_id: {write.name: "" for write in work.plan.remote_writes if write.clears_first}
        for work in works
        if any(write.clears_first for write in work.plan.remote_writes)
    }
    settled = one.remote.update(clearing) if clearing else None
    for work in works:
        if settled is not None and work.link.remote_id in settled.failed:
            work.stop = dossier.stop_for(settled.failed[work.link.remote_id])


def _stamp_seen(work: Work, answered_at: datetime | None) -> None:
    """The record as of our write counts as seen only if we looked at all of it; else a poll shall find it."""
    looked = conf.current().VERIFY_WRITES and not (work.is_behind or work.is_unverified)
    read = work.plan.pair.remote
    work.link.remote_modified_at = answered_at if looked else read.modified_at if read else None
