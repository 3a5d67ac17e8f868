"""Does what a plan says, record by record: HubSpot first, then Django and the link in one transaction."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils import timezone

from crmsync import conf
from crmsync.engine import changes, convert, terms
from crmsync.engine import plan as plans
from crmsync.flows import bases, dossier, scope, settle
from crmsync.hubspot import errors
from crmsync.ledger import links
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
    is_dirty: bool = False


def apply(one: scope.Scope, cases: list[dossier.Case], plan: plans.Plan) -> list[Work]:
    """Apply a plan made of these cases (same order); each work ends settled or with a ``stop``."""
    works = [Work(case, pair_plan, case.link) for case, pair_plan in zip(cases, plan.pairs, strict=True)]
    _reserve(one, works)
    _intend(one, works)
    _archive_remote(one, works)
    _create_remote(one, works)
    _update_remote(one, works)
    settle.settle(one, [work for work in works if work.stop is None])
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
    base = {}
    fields = {f.id: f for f in one.spec.fields}
    for write in work.plan.remote_writes:
        field_spec = fields[write.field_id]
        base[write.field_id] = changes.BaseValue(
            bases.text_of(work.plan.pair.local, field_spec), convert.remote_text(write.value, field_spec)
        )
    return links.to_stored(one.spec, base)


def _renew(one: scope.Scope) -> None:
    links.renew(one.lease, _until())


def _properties(work: Work) -> dict[str, str]:
    return {write.name: str(write.value) for write in work.plan.remote_writes}


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
    for work in going:
        answer = settled.done.get(work.link.create_key)
        if answer is not None:
            work.link.remote_id = answer.id
            work.link.remote_modified_at = answer.updated_at
            work.answered = dict(answer.properties)
        else:
            _not_created(one, work, settled.failed[work.link.create_key])


def _not_created(one: scope.Scope, work: Work, error: errors.HubSpotError) -> None:
    """A conflict names the record that is there already: adopt it, unless it is somebody else's partner."""
    existing = error.existing_id if isinstance(error, errors.Conflict) else ""
    if not existing:
        work.stop = dossier.stop_for(error)
        return
    links.forget_ended(one.spec.portal_id, one.spec.object_type, [existing])
    holder = links.holder(one.spec.portal_id, one.spec.object_type, existing)
    if holder is not None and holder.pk != work.link.pk:
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
    settled = one.remote.update({work.link.remote_id: _properties(work) for work in going})
    for work in going:
        answer = settled.done.get(work.link.remote_id)
        if answer is None:
            work.stop = dossier.stop_for(settled.failed[work.link.remote_id])
        else:
            work.answered = dict(answer.properties)
            work.link.remote_modified_at = answer.updated_at
    if conf.current().VERIFY_WRITES:
        _verify(one, [work for work in going if work.stop is None])


def _verify(one: scope.Scope, works: list[Work]) -> None:
    """Read the history back: a HubSpot user's value that fell between our read and our write is logged (I10).

    HubSpot offers no conditional write, so this is found afterwards, never prevented.
    """
    names = sorted({write.name for work in works for write in work.plan.remote_writes})
    if not works:
        return
    histories = one.remote.histories([work.link.remote_id for work in works], names)
    fields = {f.id: f for f in one.spec.fields}
    for work in works:
        shown = histories.get(work.link.remote_id, {})
        for write in work.plan.remote_writes:
            lost = _overwritten(work, write, fields[write.field_id], shown.get(write.name, ()))
            work.raced.extend(lost)


def _overwritten(work: Work, write: changes.FieldWrite, field_spec, history) -> list[changes.Clash]:
    """Values between what we read and what we wrote, newest first in ``history``."""
    ours = convert.remote_text(write.value, field_spec)
    read = convert.remote_text(work.plan.pair.remote.values.get(write.name), field_spec)
    texts = [convert.remote_text(entry.value, field_spec) for entry in history]
    if ours not in texts:
        return []
    found = []
    for text in texts[texts.index(ours) + 1 :]:
        if text == read:
            break
        found.append(
            changes.Clash(
                field_id=write.field_id,
                base=work.plan.pair.link.base.get(write.field_id) if work.plan.pair.link else None,
                local=bases.text_of(work.plan.pair.local, field_spec),
                remote=text,
                winner=terms.SideName.LOCAL,
                rule="written in HubSpot between our read and our write",
            )
        )
    return found
