"""Reads both sides of some keys under lease and makes the pairs a plan is made of."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from crmsync import conf
from crmsync.engine import changes, localvalues, record, terms
from crmsync.flows import dossier, made, merges, partners, scope, throttle
from crmsync.hubspot import errors
from crmsync.ledger import links
from crmsync.models import Link


def gather(
    one: scope.Scope, items: Sequence[dossier.Item], now: datetime, wanted: terms.Direction
) -> list[dossier.Case]:
    """Cases with ``pair`` set where a decision can be made and ``stop`` where not."""
    cases = _cases(one, items, now)
    made.recall(one, _open(cases))
    _read_local(one, cases)
    throttle.hold(one, cases, now)
    _read_remote(one, cases)
    _find_created(one, cases)
    cases = merges.find(one, cases)
    _stop_unmatched(one, cases)
    partners.match(one, _open(cases))
    for case in cases:
        if case.stop is None:
            _end(case)
        if case.stop is None:
            case.pair = _pair(one, case, wanted)
    return cases


def _cases(one: scope.Scope, items: Sequence[dossier.Item], now: datetime) -> list[dossier.Case]:
    """One case a record: items that turn out to be two ends of one link are merged."""
    known = links.take(
        one.spec.id,
        {i.local_pk for i in items if i.local_pk},
        one.spec.portal_id,
        one.spec.object_type,
        {i.remote_id for i in items if i.remote_id},
        one.lease,
        now + timedelta(seconds=conf.current().LEASE_SECONDS),
    )
    by_local = {link.local_pk: link for link in known if link.mapping_id == one.spec.id}
    by_remote = {link.remote_id: link for link in known if link.remote_id}
    cases: dict[object, dossier.Case] = {}
    for item in items:
        link = by_local.get(item.local_pk) if item.local_pk else by_remote.get(item.remote_id)
        key = ("link", link.pk) if link else (item.local_pk, item.remote_id)
        case = cases.get(key)
        if case is None:
            case = cases[key] = dossier.Case([], link=link)
        case.items.append(item)
        case.local_pk = item.local_pk or case.local_pk or (link.local_pk if link else "")
        case.remote_id = item.remote_id or case.remote_id or (link.remote_id or "" if link else "")
        case.local = item.local or case.local
        if item.remote and not _is_stale(item, link):
            case.remote = item.remote
        if link and link.mapping_id != one.spec.id:
            case.stop = _linked_elsewhere(one, link)
        elif link and link.in_canary and one.keeper is None:
            case.stop = dossier.IN_CANARY
        elif link and link.lease != one.lease:
            case.stop = dossier.BUSY
    return list(cases.values())


# A page read this long before a link was last written may show what HubSpot had before that write;
# workers' clocks may differ by as much.
_STALE = timedelta(seconds=60)


def _is_stale(item: dossier.Item, link: Link | None) -> bool:
    """Whether a record read before the lease was ours may be older than the link's base."""
    return bool(link and link.synced_at and item.read_at and link.synced_at > item.read_at - _STALE)


def _linked_elsewhere(one: scope.Scope, link: Link) -> dossier.Stop:
    """Where fixed values tell mappings apart, a record of another one is no news."""
    conditions = (condition for rule in one.spec.rules if rule.is_membership for condition in rule.conditions)
    is_told_apart = any(condition.side is terms.SideName.REMOTE for condition in conditions)
    return dossier.Stop(
        terms.Reason.OTHER_MAPPING.value if is_told_apart else "record.linked_elsewhere",
        f"HubSpot record {link.remote_id} is linked by the mapping “{link.mapping}” to {link.local_pk}.",
        outcome=terms.Outcome.EXCLUDED,
    )


def _open(cases: Iterable[dossier.Case]) -> list[dossier.Case]:
    return [case for case in cases if case.stop is None]


def _read_local(one: scope.Scope, cases: list[dossier.Case]) -> None:
    """A row read before the lease was ours may be stale, so linked rows are read now."""
    need = [c for c in _open(cases) if c.local_pk and (c.local is None or c.link)]
    found = one.local.read({c.local_pk for c in need}) if need else {}
    for case in need:
        case.local = found.get(case.local_pk)
    for case in _open(cases):
        _stop_unreadable(one, case)


def _stop_unreadable(one: scope.Scope, case: dossier.Case) -> None:
    """A rule cannot judge a record by a value whose code raised; where only a field holds it, the field waits."""
    asked = {c.field for rule in one.spec.rules for c in rule.conditions if c.side is terms.SideName.LOCAL}
    for path in sorted(asked) if case.local else ():
        if isinstance(value := case.local.values.get(path), record.Unreadable):
            case.stop = dossier.stop_for(localvalues.unreadable(value))


def _read_remote(one: scope.Scope, cases: list[dossier.Case]) -> None:
    need = [c for c in _open(cases) if c.remote_id and c.remote is None]
    if not need:
        return
    found, failed = one.remote.read({c.remote_id for c in need})
    for case in need:
        error = failed.get(case.remote_id)
        if error is not None and not isinstance(error, errors.NotFound):
            case.stop = dossier.stop_for(error)
        else:
            case.remote = found.get(case.remote_id)


def _find_created(one: scope.Scope, cases: list[dossier.Case]) -> None:
    """Links whose create may have happened before a crash: ask HubSpot by the unique create key."""
    need = {
        c.link.create_key: c
        for c in _open(cases)
        if c.link and c.link.state == links.State.CREATING and not c.remote_id
    }
    if not need:
        return
    for key, found in one.remote.read_by_create_key(need.keys()).items():
        need[key].remote = found
        need[key].remote_id = found.key.id


def _stop_unmatched(one: scope.Scope, cases: list[dossier.Case]) -> None:
    """Records without a partner wait while it cannot be known which one is theirs, or whether they may have one."""
    if one.spec.unmatched:
        for case in _open(cases):
            if case.link is None:
                case.stop = dossier.Stop(
                    "field.property_gone", one.spec.unmatched, outcome=terms.Outcome.FAILED, park=True
                )


def _end(case: dossier.Case) -> None:
    """A link that ended stays ended: a record deleted on one side is not made again by an edit on the other.

    It lives again only when both records are there, as after a restore in HubSpot.
    """
    if case.link and case.link.state == links.State.ENDED and not (case.local and case.remote):
        case.stop = dossier.Stop(
            "record.tombstone",
            "This record's partner was deleted, so it is kept apart. Unlink it to let it sync as a new record.",
            outcome=terms.Outcome.EXCLUDED,
        )


def _pair(one: scope.Scope, case: dossier.Case, wanted: terms.Direction) -> changes.Pair:
    state = None
    if case.link:
        values = case.remote.values if case.remote else None
        state = changes.LinkState(
            id=case.link.pk,
            base=links.effective_base(case.link, one.spec, values),
            creating=case.link.state == links.State.CREATING,
            ended=case.link.state == links.State.ENDED,
        )
    return changes.Pair(
        local=case.local,
        remote=case.remote,
        link=state,
        candidates=case.candidates,
        wanted=wanted,
        is_asked=any(item.is_asked for item in case.items),
    )
