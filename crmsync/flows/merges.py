"""Links and associations follow a merge in HubSpot: the record that is left takes the place of those that went.

Where several of the records that were merged are linked, nobody but a person can say whose partner the new one is:
their links stay, and nothing is written to it through them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from crmsync import conf
from crmsync.engine import record, terms
from crmsync.flows import dossier, scope
from crmsync.ledger import edges, journal, links, queue
from crmsync.models import InboxEvent, Link, LogEntry, OutboxEntry
from crmsync.sides import merged

CODE = "remote.merged"


@dataclass(slots=True)
class _Merge:
    """A record that is left, the ids it had before, and the cases of this batch that are about it."""

    found: record.Record
    ids: set[str] = field(default_factory=set)
    cases: list[dossier.Case] = field(default_factory=list)


def find(one: scope.Scope, cases: list[dossier.Case]) -> list[dossier.Case]:
    """The cases, those of one merge joined in one; their links name the record that is left. Nothing is stored."""
    merges = _find_merges(one, [case for case in cases if case.stop is None])
    if not merges:
        return cases
    keys = {key for merge in merges for key in (*merge.ids, merge.found.key.id)}
    known = links.find(one.spec.id, (), one.spec.portal_id, one.spec.object_type, keys)
    dropped: set[int] = set()
    for merge in merges:
        claims = [link for link in known if link.remote_id in merge.ids | {merge.found.key.id}]
        living = [link for link in claims if link.state == links.State.LINKED]
        dropped |= _settle(one, merge, living or [link for link in claims if _was_taken_for_gone(link)])
    return [case for case in cases if id(case) not in dropped]


def store(one: scope.Scope, cases: Iterable[dossier.Case]) -> None:
    """Remember where links and edges lead to by now."""
    for case in (case for case in cases if case.merged and case.stop is None):
        link, now = case.link, timezone.now()
        with transaction.atomic():
            if not links.still_ours([link], one.lease):
                case.stop = dossier.BUSY
                continue
            links.forget_ended(one.spec.portal_id, one.spec.object_type, [link.remote_id])
            links.save_fenced(link, one.lease, ["remote_id"])
            edges.follow(one.spec.id, case.merged, link.remote_id)
            edges.wake(one.spec.id, [(link.local_pk, link.remote_id)], now)
            _retry_held(one, case, now)
            journal.log([_entry(one, case)])


def _retry_held(one: scope.Scope, case: dossier.Case, now: datetime) -> None:
    """What waited, on either side, for somebody to choose."""
    pulls = InboxEvent.objects.filter(mapping=one.spec.id, remote_id__in=[*case.merged, case.link.remote_id])
    pushes = OutboxEntry.objects.filter(mapping=one.spec.id, local_pk=case.link.local_pk)
    for rows in (pulls, pushes):
        queue.retry(rows.filter(last_code=CODE), now)


def _was_taken_for_gone(link: Link) -> bool:
    """Whether the link ended before anybody knew that its record was merged."""
    return link.state == links.State.ENDED and link.reason == terms.Reason.REMOTE_GONE


# --- What was merged ----------------------------------------------------------------------------------------------


def _find_merges(one: scope.Scope, cases: list[dossier.Case]) -> list[_Merge]:
    """Told by the record that is left, or asked of HubSpot for a linked one that is gone."""
    by_id: dict[str, _Merge] = {}
    for case in cases:
        if case.link is None and case.remote is not None and (ids := merged.old_ids(case.remote)):
            merge = by_id.setdefault(case.remote_id, _Merge(case.remote))
            merge.ids |= ids
            merge.cases.append(case)
    lost = [case for case in cases if _is_lost(case)]
    known = {old: merge.found for merge in by_id.values() for old in merge.ids}
    asked = {case.remote_id for case in lost} - known.keys()
    found, failed = merged.find(one.remote, asked) if asked else ({}, {})
    for case in lost:
        left = known.get(case.remote_id) or found.get(case.remote_id)
        if case.remote_id in failed:
            case.stop = dossier.stop_for(failed[case.remote_id])
        elif left is not None:
            merge = by_id.setdefault(left.key.id, _Merge(left))
            merge.ids |= {case.remote_id, *merged.old_ids(left)}
            merge.cases.append(case)
    return list(by_id.values())


def _is_lost(case: dossier.Case) -> bool:
    """Whether it is a linked record that HubSpot did not show."""
    is_linked = case.link is not None and case.link.state == links.State.LINKED
    return bool(is_linked and case.remote_id and case.remote is None)


# --- Whose partner it is ------------------------------------------------------------------------------------------


def _settle(one: scope.Scope, merge: _Merge, claims: list[Link]) -> set[int]:
    """What becomes of the cases of a merge; the ids of those that are taken up by another one."""
    if len(claims) > 1:
        _stop(merge, _ask(merge, claims))
        return set()
    if not claims or claims[0].remote_id == merge.found.key.id:
        return set()
    (link,) = claims
    if link.mapping_id != one.spec.id:
        reason = terms.Reason.OTHER_MAPPING.value
        text = f"HubSpot made record {merge.found.key.id} of one that “{link.mapping}” has linked; it follows there."
        _stop(merge, dossier.Stop(reason, text, outcome=terms.Outcome.EXCLUDED))
        return set()
    return _follow(one, merge, link)


def _ask(merge: _Merge, claims: list[Link]) -> dossier.Stop:
    pks = ", ".join(sorted(link.local_pk for link in claims))
    text = (
        f"HubSpot merged the records that are linked to {pks} in Django into record {merge.found.key.id}. Unlink all"
        " but the one that is to keep it, then retry that one."
    )
    return dossier.Stop(CODE, text, outcome=terms.Outcome.FAILED, park=True)


def _stop(merge: _Merge, stop: dossier.Stop) -> None:
    """Only the records that went and the one that is left stop: a link whose id the merge kept goes on."""
    for case in merge.cases:
        case.stop = stop


def _follow(one: scope.Scope, merge: _Merge, link: Link) -> set[int]:
    mine = next((case for case in merge.cases if case.link is not None and case.link.pk == link.pk), None)
    case = mine or merge.cases[0]
    if mine is None:
        until = timezone.now() + timedelta(seconds=conf.current().LEASE_SECONDS)
        ends = ([link.local_pk], one.spec.portal_id, one.spec.object_type, [])
        taken = links.take(one.spec.id, *ends, one.lease, until)
        link = next((each for each in taken if each.pk == link.pk), link)
        if link.lease != one.lease:
            case.stop = dossier.BUSY
            return set()
        case.local = one.local.read({link.local_pk}).get(link.local_pk)
    if link.in_canary and one.keeper is None:  # the canary follows it when it ends, and the events are woken then
        _stop(merge, dossier.IN_CANARY)
        return set()
    others = [each for each in merge.cases if each is not case]
    case.items = [item for each in (case, *others) for item in each.items]
    case.merged = frozenset(merge.ids | {link.remote_id})
    link.remote_id = merge.found.key.id
    case.link, case.local_pk, case.remote_id, case.remote = link, link.local_pk, link.remote_id, merge.found
    return {id(each) for each in others}


def _entry(one: scope.Scope, case: dossier.Case) -> LogEntry:
    return LogEntry(
        mapping_id=one.spec.id,
        run_id=one.run_id,
        revision=one.spec.revision,
        local_pk=case.link.local_pk,
        remote_id=case.link.remote_id,
        outcome=terms.Outcome.ADOPTED,
        reason=terms.Reason.MERGED.value,
        detail=f"{terms.Reason.MERGED.label}; the link follows from {', '.join(sorted(case.merged))}.",
    )
