"""The base of a link once its writes are done: what each side answered, field by field."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from crmsync.engine import across, changes, convert, errors, record, spec, terms, twins
from crmsync.engine import plan as plans
from crmsync.ledger import links
from crmsync.models import Conflict, Link


def base_after(
    one: spec.MappingSpec, pairs: Sequence[twins.Twin], work, after: record.Record | None
) -> tuple[dict[int, changes.BaseValue], bool]:
    """The base once everything is written, and whether Django has something still to be pushed.

    ``after`` is the local row as the database has it now; None where it was not written. ``pairs`` are the mapping's
    twins.
    """
    pair = work.plan.pair
    base = dict(pair.link.base) if pair.link else {}
    base |= plans.make_bases(one, work.plan, local=after, remote=_as_answered(work))
    pulled = {write.field_id: write for write in work.plan.local_writes} if after is not None else {}
    twinned = _rebase(pairs, work, after)
    base |= twinned
    is_dirty = False
    for field in one.fields:
        if field.id in pulled:
            is_dirty |= _keep_ours(one, field, pulled[field.id], after, base)
        elif field.id in twinned:
            continue
        elif work.plan.creates is terms.SideName.LOCAL and field.id in base and after:
            is_dirty |= _keep_default(one, field, after, base)
        elif work.plan.creates is not None and field.id not in base:
            is_dirty |= _blank_on_both(field, work, after, base)
        elif after is not None and pair.local is not None and one.pushes(field):
            is_dirty |= text_of(after, field) != text_of(pair.local, field)
    return base, is_dirty


def _rebase(pairs: Sequence[twins.Twin], work, after: record.Record | None) -> dict[int, changes.BaseValue]:
    """What rows must know of what their twins wrote."""
    if not pairs:
        return {}
    pair = work.plan.pair
    answered = _as_answered(work)
    read = dict(pair.remote.values) if pair.remote else {}
    return twins.rebase(
        pairs,
        work.plan,
        local=after or pair.local,
        remote=read | (dict(answered.values) if answered else {}),
        is_answered=answered is not None,
        is_written=after is not None,
    )


def _keep_default(one: spec.MappingSpec, field: spec.FieldSpec, after: record.Record, base) -> bool:
    """A column's default where HubSpot had nothing: agreed on as it is where the field only pulls, else it goes out
    at once."""
    mine = text_of(after, field)
    if not one.pushes(field):
        base[field.id] = changes.BaseValue(mine, base[field.id].remote)
        return False
    return mine != base[field.id].local


def _as_answered(work) -> record.Record | None:
    """What HubSpot answered is what it has: it trims, lower-cases and renumbers."""
    if not work.answered:
        return None
    sent = {write.name: write.value for write in work.plan.remote_writes}
    return record.Record(record.RecordKey("", ""), {**sent, **work.answered})


def text_of(one: record.Record, field: spec.FieldSpec) -> str | None:
    """The canonical text of a field of a local record; None where it cannot be said at all."""
    try:
        return convert.local_text(one.values.get(field.local), field)
    except errors.ConvertError:
        return None


def _keep_ours(one: spec.MappingSpec, field: spec.FieldSpec, write, after: record.Record, base) -> bool:
    """A host whose save() changed our value is the newer writer: the base keeps what we wrote, and the
    difference is pushed like any local change. Where nothing can be pushed, what it has is agreed on."""
    if after.values.get(field.local) == write.value:
        return False
    wrote = text_of(record.Record(after.key, {field.local: write.value}), field)
    if wrote == text_of(after, field) or not one.pushes(field) or field.id not in base:
        return False
    base[field.id] = changes.BaseValue(wrote, base[field.id].remote)
    return True


def _blank_on_both(field: spec.FieldSpec, work, after: record.Record | None, base) -> bool:
    """A new partner's other fields: blank on both sides is agreed; a default on our side is still to push."""
    pair = work.plan.pair
    ours = after or pair.local
    mine = text_of(ours, field) if ours else None
    remote = work.answered if work.plan.creates is terms.SideName.REMOTE else pair.remote.values
    theirs = convert.remote_text(remote.get(field.remote), field)
    if mine is None and theirs is None:
        base[field.id] = changes.BaseValue(None, None)
    return work.plan.creates is terms.SideName.LOCAL and mine is not None and theirs is None


def outcome_of(work) -> tuple[str, str]:
    """What the link shows: a problem of the last look, else in sync."""
    if work.stop is not None:
        return str(work.stop.outcome), work.stop.code
    if work.plan.problems and work.plan.outcome is not terms.Outcome.CONFLICT:
        return str(terms.Outcome.FAILED), f"field.{work.plan.problems[0].code}"
    settled = (terms.Outcome.CONFLICT, terms.Outcome.EXCLUDED, terms.Outcome.ARCHIVED, terms.Outcome.UNLINKED)
    return str(work.plan.outcome if work.plan.outcome in settled else terms.Outcome.UNCHANGED), work.plan.reason


def stored(one: spec.MappingSpec, work, values: Mapping[int, changes.BaseValue]) -> dict[str, list[str | None]]:
    """The base as the link keeps it, with whose values were taken over from associated records."""
    found, remote = links.to_stored(one, values), work.plan.pair.remote
    for object_type in across.read_by(one):
        key = across.source_key(object_type)
        source = across.source_of(remote.values, object_type) if remote else work.link.base.get(key)
        if source is not None:
            found[key] = source
    return found


def stamp(link: Link, work, base: dict, now: datetime) -> None:
    """Write the outcome of a work into its link."""
    link.base = base
    if not work.is_unverified:  # else what was sent stays, until the history could be read
        link.sent = {}
    link.outcome, link.reason = outcome_of(work)
    link.synced_at = now
    link.state = links.State.ENDED if work.plan.unlinks and work.stop is None else links.State.LINKED
    if not (work.answered or work.is_unverified) and work.plan.pair.remote:
        link.remote_modified_at = work.plan.pair.remote.modified_at


def conflicts_of(one: spec.MappingSpec, work, clashes: Iterable[changes.Clash]) -> list[Conflict]:
    """Conflict rows, not stored, of some clashes of a work."""
    names = {field.id: links.key_of(field) for field in one.fields}
    return [
        Conflict(
            mapping_id=one.id,
            local_pk=local_pk_of(work),
            remote_id=remote_id_of(work),
            field=names[clash.field_id],
            base_local=clash.base.local if clash.base else None,
            base_remote=clash.base.remote if clash.base else None,
            local_value=clash.local,
            remote_value=clash.remote,
            winner=clash.winner or "",
            rule=clash.rule,
        )
        for clash in clashes
    ]


def local_pk_of(work) -> str:
    return work.link.local_pk if work.link else work.case.local_pk


def remote_id_of(work) -> str:
    return (work.link.remote_id if work.link else work.case.remote_id) or ""
