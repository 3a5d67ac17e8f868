"""Reads both sides of some keys under lease and makes the pairs a plan is made of."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from crmsync import conf
from crmsync.engine import changes, match, record, terms
from crmsync.flows import failures, scope
from crmsync.hubspot import errors
from crmsync.ledger import links
from crmsync.models import Link


@dataclass(frozen=True, slots=True)
class Item:
    """A key to look at, from either side; ``remote`` is a record just read directly (a backfill page)."""

    local_pk: str = ""
    remote_id: str = ""
    local: record.Record | None = None
    remote: record.Record | None = None
    read_at: datetime | None = None


@dataclass(slots=True)
class Case:
    """One record under work: the items that named it, its link, both sides, and a verdict if it stops here."""

    items: list[Item]
    local_pk: str = ""
    remote_id: str = ""
    link: Link | None = None
    local: record.Record | None = None
    remote: record.Record | None = None
    candidates: int = 0
    pair: changes.Pair | None = None
    stop: "Stop | None" = None


@dataclass(frozen=True, slots=True)
class Stop:
    """A record that goes no further now: wait (``seconds``), park, or be done with an outcome."""

    code: str
    message: str
    outcome: terms.Outcome = terms.Outcome.WAITING
    seconds: float | None = None
    counts: bool = False
    park: bool = False
    verdict: failures.Verdict | None = None


# Another worker holds the record: look again soon.
_BUSY = Stop("record.lease", "Another worker is syncing this record.", seconds=1.0)


def gather(one: scope.Scope, items: Sequence[Item], now: datetime, wanted: terms.Direction) -> list[Case]:
    """Cases with ``pair`` set where a decision can be made and ``stop`` where not."""
    cases = _cases(one, items, now)
    _read_local(one, cases)
    _read_remote(one, cases)
    _find_created(one, cases)
    _match(one, cases)
    for case in cases:
        if case.stop is None:
            _end(case)
        if case.stop is None:
            case.pair = _pair(one, case, wanted)
    return cases


def _cases(one: scope.Scope, items: Sequence[Item], now: datetime) -> list[Case]:
    """One case a record: items that turn out to be two ends of one link are merged."""
    known = links.find(
        one.spec.id,
        {i.local_pk for i in items if i.local_pk},
        one.spec.portal_id,
        one.spec.object_type,
        {i.remote_id for i in items if i.remote_id},
    )
    mine = [link for link in known if link.mapping_id == one.spec.id]
    held = links.lease(mine, one.lease, now, conf.current().LEASE_SECONDS)
    by_local = {link.local_pk: held.get(link.pk, link) for link in mine}
    by_remote = {link.remote_id: held.get(link.pk, link) for link in known if link.remote_id}
    cases: dict[object, Case] = {}
    for item in items:
        link = by_local.get(item.local_pk) if item.local_pk else by_remote.get(item.remote_id)
        key = ("link", link.pk) if link else (item.local_pk, item.remote_id)
        case = cases.get(key)
        if case is None:
            case = cases[key] = Case([], link=link)
        case.items.append(item)
        case.local_pk = item.local_pk or case.local_pk or (link.local_pk if link else "")
        case.remote_id = item.remote_id or case.remote_id or (link.remote_id or "" if link else "")
        case.local = item.local or case.local
        if item.remote and not _is_stale(item, link):
            case.remote = item.remote
        if link and link.mapping_id != one.spec.id:
            case.stop = _linked_elsewhere(link)
        elif link and link.pk not in held:
            case.stop = _BUSY
    return list(cases.values())


# A page read this long before a link was last written may show what HubSpot had before that write;
# workers' clocks may differ by as much.
_STALE = timedelta(seconds=60)


def _is_stale(item: Item, link: Link | None) -> bool:
    """Whether a record read before the lease was ours may be older than the link's base."""
    return bool(link and link.synced_at and item.read_at and link.synced_at > item.read_at - _STALE)


def _linked_elsewhere(link: Link) -> Stop:
    return Stop(
        "record.linked_elsewhere",
        f"HubSpot record {link.remote_id} is linked by the mapping “{link.mapping}” to {link.local_pk}.",
        outcome=terms.Outcome.EXCLUDED,
    )


def _open(cases: Iterable[Case]) -> list[Case]:
    return [case for case in cases if case.stop is None]


def _read_local(one: scope.Scope, cases: list[Case]) -> None:
    """A row read before the lease was ours may be stale, so linked rows are read now."""
    need = [c for c in _open(cases) if c.local_pk and (c.local is None or c.link)]
    found = one.local.read({c.local_pk for c in need}) if need else {}
    for case in need:
        case.local = found.get(case.local_pk)


def _read_remote(one: scope.Scope, cases: list[Case]) -> None:
    need = [c for c in _open(cases) if c.remote_id and c.remote is None]
    if not need:
        return
    found, failed = one.remote.read({c.remote_id for c in need})
    for case in need:
        error = failed.get(case.remote_id)
        if error is not None and not isinstance(error, errors.NotFound):
            case.stop = stop_for(error)
        else:
            case.remote = found.get(case.remote_id)


def stop_for(error: Exception) -> Stop:
    """How a record stops because of an exception."""
    verdict = failures.classify(error)
    kind = failures.Kind
    return Stop(
        verdict.code,
        verdict.message,
        outcome=terms.Outcome.FAILED if verdict.kind is kind.PARK else terms.Outcome.WAITING,
        seconds=verdict.retry_after,
        counts=verdict.kind is kind.RETRY,
        park=verdict.kind is kind.PARK,
        verdict=verdict,
    )


def _find_created(one: scope.Scope, cases: list[Case]) -> None:
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


def _match(one: scope.Scope, cases: list[Case]) -> None:
    """Partners of records that have no link, by the mapping's match keys in order."""
    lonely = [c for c in _open(cases) if c.link is None]
    for key in one.spec.match:
        _match_remote(one, key, _values(lonely, "local", key.local))
        _match_local(one, key, _values(lonely, "remote", key.remote))
        lonely = [c for c in lonely if not c.candidates and c.stop is None and not (c.local and c.remote)]
    _refuse_shared(cases)


def _values(cases: list[Case], side: str, name: str) -> list[tuple[Case, str]]:
    """(case, its match value) of the cases that have one on this side."""
    found = [(case, _text(getattr(case, side), name)) for case in cases]
    return [(case, value) for case, value in found if value is not None]


def _text(one: record.Record | None, name: str) -> str | None:
    value = one.values.get(name) if one else None
    return None if value is None or value == "" else str(value)


def _match_remote(one: scope.Scope, key, wanted: list[tuple[Case, str]]) -> None:
    wanted = [(case, value) for case, value in wanted if case.remote is None]
    if not wanted:
        return
    found = one.remote.find(key, {value for _, value in wanted})
    local_twins = one.local.find(
        key, [value for _, value in wanted if match.normalise(value, key.normaliser) in found]
    )
    taken = _taken(one, remote_ids={r.key.id for rows in found.values() for r in rows})
    for case, value in wanted:
        normal = match.normalise(value, key.normaliser)
        rows = {r.key.id: r for r in found.get(normal, [])}
        twins = len(local_twins.get(normal, [])) if rows else 0
        _choose(case, list(rows), twins, taken)
        if case.remote_id:
            case.remote = rows[case.remote_id]


def _match_local(one: scope.Scope, key, wanted: list[tuple[Case, str]]) -> None:
    wanted = [(case, value) for case, value in wanted if case.local is None]
    if not wanted:
        return
    found = one.local.find(key, [value for _, value in wanted])
    taken = _taken(one, local_pks={pk for pks in found.values() for pk in pks})
    chosen = []
    for case, value in wanted:
        pks = found.get(match.normalise(value, key.normaliser), [])
        free = [pk for pk in pks if pk not in taken]
        if len(pks) == 1 and taken.get(pks[0]) == "":
            case.stop = _BUSY  # most likely our own create, whose answer is not stored yet
            continue
        if len(pks) == 1 and free:
            case.local_pk = pks[0]
            chosen.append(case)
        elif len(pks) == 1:
            case.stop = Stop(
                "record.linked_elsewhere",
                f"The only match, {pks[0]} in Django, is linked to HubSpot record {taken[pks[0]]}.",
                outcome=terms.Outcome.EXCLUDED,
            )
        else:
            case.candidates = len(pks)
    rows = one.local.read({case.local_pk for case in chosen}) if chosen else {}
    for case in chosen:
        case.local = rows.get(case.local_pk)


def _choose(case: Case, ids: list[str], twins: int, taken: dict[str, str]) -> None:
    """Exactly one free HubSpot record for exactly one local row is a match; several are not."""
    if len(ids) == 1 and ids[0] in taken:
        case.stop = Stop(
            "record.linked_elsewhere",
            f"The only match, HubSpot record {ids[0]}, is linked to {taken[ids[0]]} in Django.",
            outcome=terms.Outcome.EXCLUDED,
        )
    elif len(ids) == 1 and twins <= 1:
        case.remote_id = ids[0]
    elif ids:
        case.candidates = max(len(ids), twins)


def _taken(
    one: scope.Scope, *, remote_ids: set[str] = frozenset(), local_pks: set[str] = frozenset()
) -> dict[str, str]:
    """Keys that a link holds already -> the other end of that link."""
    rows = links.find(one.spec.id, local_pks, one.spec.portal_id, one.spec.object_type, remote_ids)
    if remote_ids:
        return {link.remote_id: link.local_pk for link in rows if link.remote_id}
    return {link.local_pk: link.remote_id or "" for link in rows}


def _refuse_shared(cases: list[Case]) -> None:
    """Two cases of one batch that chose the same partner: neither takes it."""
    for name in ("remote_id", "local_pk"):
        seen: dict[str, list[Case]] = {}
        for case in _open(cases):
            if case.link is None and case.local and case.remote:
                seen.setdefault(getattr(case, name), []).append(case)
        for shared in seen.values():
            if len(shared) > 1:
                _unmatch(shared)


def _unmatch(shared: list[Case]) -> None:
    for case in shared:
        case.candidates = len(shared)
        if any(item.local_pk for item in case.items):
            case.remote, case.remote_id = None, ""
        else:
            case.local, case.local_pk = None, ""


def _end(case: Case) -> None:
    """A link that ended stays ended: a record deleted on one side is not made again by an edit on the other.

    It lives again only when both records are there, as after a restore in HubSpot.
    """
    if case.link and case.link.state == links.State.ENDED and not (case.local and case.remote):
        case.stop = Stop(
            "record.tombstone",
            "This record's partner was deleted, so it is kept apart. Unlink it to let it sync as a new record.",
            outcome=terms.Outcome.EXCLUDED,
        )


def _pair(one: scope.Scope, case: Case, wanted: terms.Direction) -> changes.Pair:
    state = None
    if case.link:
        values = case.remote.values if case.remote else None
        state = changes.LinkState(
            id=case.link.pk,
            base=links.effective_base(case.link, one.spec, values),
            creating=case.link.state == links.State.CREATING,
        )
    return changes.Pair(local=case.local, remote=case.remote, link=state, candidates=case.candidates, wanted=wanted)
