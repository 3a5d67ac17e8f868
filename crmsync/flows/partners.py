"""Finds the partners of records that have no link: exactly one free match links, several or none do not."""

from collections.abc import Callable, Iterable

from django.utils import timezone

from crmsync.engine import match as matching
from crmsync.engine import record, rules, spec, terms
from crmsync.flows import dossier, scope
from crmsync.ledger import links
from crmsync.sides import remote

Wanted = tuple[dossier.Case, list[str]]
_LOCAL, _REMOTE = terms.SideName.LOCAL, terms.SideName.REMOTE
# More than a person looks at; no log line grows without bound.
_MOST_MATCHED = 20


def match(one: scope.Scope, cases: list[dossier.Case]) -> None:
    """Partners of records that have no link, by the mapping's match keys in order."""
    lonely = [c for c in cases if c.link is None and _is_member(one, c.local, c.remote)]
    for key in one.spec.match:
        _match_remote(one, key, _wanted(lonely, lambda case, key=key: _of_local(case, key)))
        _match_local(one, key, _wanted(lonely, lambda case, key=key: _of_remote(one, case, key)))
        lonely = [c for c in lonely if not c.candidates and c.stop is None and not (c.local and c.remote)]
    _refuse_shared(cases)


def _wanted(cases: list[dossier.Case], values_of: Callable[[dossier.Case], list[str]]) -> list[Wanted]:
    """(case, the values it may be matched by) of the cases that have any."""
    found = [(case, values_of(case)) for case in cases]
    return [(case, values) for case, values in found if values]


def _of_local(case: dossier.Case, key: spec.MatchSpec) -> list[str]:
    if case.local is None or case.remote is not None:
        return []
    value = case.local.values.get(key.local)
    normal = matching.normalise(value, key.normaliser)
    return [] if normal is None else [str(value)]


def _of_remote(one: scope.Scope, case: dossier.Case, key: spec.MatchSpec) -> list[str]:
    """Several where HubSpot keeps several: a contact is found by each of its addresses."""
    if case.remote is None or case.local is not None:
        return []
    return sorted(remote.match_texts(one.spec, key, case.remote))


def _match_remote(one: scope.Scope, key: spec.MatchSpec, wanted: list[Wanted]) -> None:
    if not wanted:
        return
    values = {value for _, several in wanted for value in several}
    found = _members(one, one.remote.find(key, values))
    with_rows = [value for value in values if matching.normalise(value, key.normaliser) in found]
    local_twins = one.local.find(key, with_rows)
    taken = _taken(one, remote_ids={r.key.id for rows in found.values() for r in rows})
    for case, (value,) in wanted:
        normal = matching.normalise(value, key.normaliser)
        rows = {r.key.id: r for r in found.get(normal, [])}
        twins = [pk for pk in local_twins.get(normal, []) if pk != case.local_pk] if rows else []
        _choose(case, sorted(rows), twins, taken)
        if case.remote_id:
            case.remote = rows[case.remote_id]


def _match_local(one: scope.Scope, key: spec.MatchSpec, wanted: list[Wanted]) -> None:
    if not wanted:
        return
    found = one.local.find(key, sorted({value for _, several in wanted for value in several}))
    taken = _taken(one, local_pks={pk for pks in found.values() for pk in pks})
    chosen = []
    for case, values in wanted:
        normals = [matching.normalise(value, key.normaliser) for value in values]
        pks = list(dict.fromkeys(pk for normal in normals for pk in found.get(normal, [])))
        if len(pks) > 1:
            case.candidates = len(pks)
            _note(case, _LOCAL, pks)
        elif pks and taken.get(pks[0]) == "":
            case.stop = dossier.BUSY  # most likely our own create, whose answer is not stored yet
        elif pks and pks[0] in taken:
            _note(case, _LOCAL, pks)
            case.stop = dossier.Stop(
                "record.linked_elsewhere",
                f"The only match, {pks[0]} in Django, is linked to HubSpot record {taken[pks[0]]}.",
                outcome=terms.Outcome.EXCLUDED,
            )
        elif pks:
            case.local_pk = pks[0]
            chosen.append(case)
    if chosen:
        _read_chosen(one, chosen)


def _read_chosen(one: scope.Scope, chosen: list[dossier.Case]) -> None:
    """What only a read shows to be another mapping's was no match."""
    rows = one.local.read({case.local_pk for case in chosen})
    for case in chosen:
        case.local = rows.get(case.local_pk)
        if not _is_member(one, case.local, None):
            case.local, case.local_pk = None, ""


def _choose(case: dossier.Case, ids: list[str], twins: list[str], taken: dict[str, str]) -> None:
    """Exactly one free HubSpot record for exactly one local row is a match; several are not.

    ``twins`` are the other local rows with the same value.
    """
    if len(ids) == 1 and ids[0] in taken:
        _note(case, _REMOTE, ids)
        case.stop = dossier.Stop(
            "record.linked_elsewhere",
            f"The only match, HubSpot record {ids[0]}, is linked to {taken[ids[0]]} in Django.",
            outcome=terms.Outcome.EXCLUDED,
        )
    elif len(ids) == 1 and not twins:
        case.remote_id = ids[0]
    elif ids:
        case.candidates = max(len(ids), len(twins) + 1)
        _note(case, _REMOTE, ids)
        _note(case, _LOCAL, twins)


def _is_member(one: scope.Scope, local: record.Record | None, there: record.Record | None) -> bool:
    """Whether fixed values leave a record to this mapping; another mapping's is no candidate here."""
    return rules.decide_membership(one.spec, local, there, now=timezone.now()).passed


def _members(one: scope.Scope, found: dict[str, list[record.Record]]) -> dict[str, list[record.Record]]:
    kept = {normal: [row for row in rows if _is_member(one, None, row)] for normal, rows in found.items()}
    return {normal: rows for normal, rows in kept.items() if rows}


def _note(case: dossier.Case, side: terms.SideName, keys: Iterable[str]) -> None:
    case.matched = [*case.matched, *((side, key) for key in keys)][:_MOST_MATCHED]


def _taken(
    one: scope.Scope, *, remote_ids: set[str] = frozenset(), local_pks: set[str] = frozenset()
) -> dict[str, str]:
    """Keys that a living link holds already -> the other end of that link."""
    found = links.find(one.spec.id, local_pks, one.spec.portal_id, one.spec.object_type, remote_ids)
    rows = [link for link in found if link.state != links.State.ENDED]
    if remote_ids:
        return {link.remote_id: link.local_pk for link in rows if link.remote_id}
    return {link.local_pk: link.remote_id or "" for link in rows}


def _refuse_shared(cases: list[dossier.Case]) -> None:
    """Two cases of one batch that chose the same partner: neither takes it."""
    for name in ("remote_id", "local_pk"):
        seen: dict[str, list[dossier.Case]] = {}
        for case in (one for one in cases if one.stop is None):
            if case.link is None and case.local and case.remote:
                seen.setdefault(getattr(case, name), []).append(case)
        for shared in seen.values():
            if len(shared) > 1:
                _unmatch(shared)


def _unmatch(shared: list[dossier.Case]) -> None:
    """Each keeps only its own end; the partner they share and the others' ends are what matched."""
    ends = [(case.local_pk, case.remote_id) for case in shared]
    for case, (own_pk, own_id) in zip(shared, ends, strict=True):
        case.candidates = len(shared)
        if any(item.local_pk for item in case.items):
            case.remote, case.remote_id = None, ""
            _note(case, _REMOTE, [own_id])
            _note(case, _LOCAL, dict.fromkeys(pk for pk, _ in ends if pk != own_pk))
        else:
            case.local, case.local_pk = None, ""
            _note(case, _LOCAL, [own_pk])
            _note(case, _REMOTE, dict.fromkeys(key for _, key in ends if key != own_id))
