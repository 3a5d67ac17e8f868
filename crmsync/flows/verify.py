"""Finds values of HubSpot users that a write of ours replaced unseen: those between our read and our write.

HubSpot offers no conditional write, so this is found afterwards, in the property history, never prevented.
What we read and what we sent stand on the link (``sent``) from before the write until this was looked up, so
that a kill at any moment, or a history that could not be read, only delays it.
"""

from collections.abc import Iterable, Mapping, Sequence

from django.utils import timezone

from crmsync.engine import across, changes, combined, convert, spec, terms
from crmsync.flows import bases, scope
from crmsync.ledger import inbox, journal, links

RULE = "written in HubSpot between our read and our write"


def recover(one: scope.Scope, works: Iterable) -> None:
    """Links that still carry ``sent``: a worker died, or could not look, between write and settling."""
    left = [work for work in works if work.case.link is not None and work.case.link.sent and work.link.remote_id]
    look(one, left)
    journal.record_conflicts([row for work in left for row in bases.conflicts_of(one.spec, work, work.raced)])
    for work in left:
        work.raced = []


def look(one: scope.Scope, works: Sequence) -> None:
    """Read each record back with the history of what was sent, and note in its work what was found.

    ``raced``: values we replaced. ``is_unverified``: the history could not be read. ``is_behind``: HubSpot
    has something in another field that the plan did not see.
    """
    if not works:
        return
    fields = {links.key_of(field): field for field in one.spec.fields}
    sent = {key for work in works for key in work.link.sent if key in fields}
    names = sorted({fields[key].remote for key in sent if fields[key].held is None})
    found, failed = one.remote.histories({work.link.remote_id for work in works}, names)
    for work in works:
        shown = found.get(work.link.remote_id)
        work.is_unverified = work.link.remote_id in failed
        if shown is None:
            continue
        for key, (local, ours, read) in work.link.sent.items():
            if key in fields:
                history = shown.history.get(fields[key].remote, ())
                work.raced += _overwritten(fields[key], work, local, ours, read, history)
        work.is_behind |= _is_behind(one.spec, work, shown.values)


def _overwritten(
    field: spec.FieldSpec, work, local: str | None, ours: str | None, read: str | None, history: Sequence
) -> list[changes.Clash]:
    """Values that came after what we read and before what we wrote; ``history`` is newest first."""
    texts = [convert.remote_text(entry.value, field) for entry in history]
    if ours not in texts:
        return []  # our write never came, or HubSpot keeps it in another form
    found, before = [], texts[texts.index(ours) + 1 :]
    if links.is_clearing(field, ours, read) and None in before:
        before.remove(None)  # ours as well, so that HubSpot lets the value go back
    for text in before:
        if text == read:
            break
        base = work.plan.pair.link.base.get(field.id) if work.plan.pair.link else None
        found.append(changes.Clash(field.id, base, local, text, terms.SideName.LOCAL, RULE))
    return found


def _is_behind(one: spec.MappingSpec, work, values: Mapping[str, object]) -> bool:
    """Whether a field that we did not write differs from what the plan was made with; values of associated records
    are not read back."""
    remote = work.plan.pair.remote
    if remote is None:
        return False
    sent = {write.name for write in work.plan.remote_writes}
    return any(
        convert.remote_text(values.get(field.remote), field)
        != convert.remote_text(remote.values.get(field.remote), field)
        for field in one.fields
        if sent.isdisjoint(combined.parts(field.remote)) and not across.is_across(field.remote)
    )


def pull_again(one: scope.Scope, works: Iterable) -> None:
    """Records in which something else changed meanwhile are due at once: their webhook may be lost."""
    behind = [(one.spec.id, work.link.remote_id) for work in works if work.is_behind and work.link]
    if behind:
        inbox.put(behind, timezone.now())
