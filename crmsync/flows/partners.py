"""Finds the partners of records that have no link: exactly one free match links, several or none do not."""

from crmsync.engine import match as matching
from crmsync.engine import record, spec, terms
from crmsync.flows import dossier, scope
from crmsync.ledger import links


def match(one: scope.Scope, cases: list[dossier.Case]) -> None:
    """Partners of records that have no link, by the mapping's match keys in order."""
    lonely = [c for c in cases if c.link is None]
    for key in one.spec.match:
        _match_remote(one, key, _values(lonely, "local", key.local))
        _match_local(one, key, _values(lonely, "remote", key.remote))
        lonely = [c for c in lonely if not c.candidates and c.stop is None and not (c.local and c.remote)]
    _refuse_shared(cases)


def _values(cases: list[dossier.Case], side: str, name: str) -> list[tuple[dossier.Case, str]]:
    """(case, its match value) of the cases that have one on this side."""
    found = [(case, _text(getattr(case, side), name)) for case in cases]
    return [(case, value) for case, value in found if value is not None]


def _text(one: record.Record | None, name: str) -> str | None:
    value = one.values.get(name) if one else None
    return None if value is None or value == "" else str(value)


def _match_remote(one: scope.Scope, key: spec.MatchSpec, wanted: list[tuple[dossier.Case, str]]) -> None:
    wanted = [(case, value) for case, value in wanted if case.remote is None]
    if not wanted:
        return
    found = one.remote.find(key, {value for _, value in wanted})
    local_twins = one.local.find(
        key, [value for _, value in wanted if matching.normalise(value, key.normaliser) in found]
    )
    taken = _taken(one, remote_ids={r.key.id for rows in found.values() for r in rows})
    for case, value in wanted:
        normal = matching.normalise(value, key.normaliser)
        rows = {r.key.id: r for r in found.get(normal, [])}
        twins = len(local_twins.get(normal, [])) if rows else 0
        _choose(case, list(rows), twins, taken)
        if case.remote_id:
            case.remote = rows[case.remote_id]


def _match_local(one: scope.Scope, key: spec.MatchSpec, wanted: list[tuple[dossier.Case, str]]) -> None:
    wanted = [(case, value) for case, value in wanted if case.local is None]
    if not wanted:
        return
    found = one.local.find(key, [value for _, value in wanted])
    taken = _taken(one, local_pks={pk for pks in found.values() for pk in pks})
    chosen = []
    for case, value in wanted:
        pks = found.get(matching.normalise(value, key.normaliser), [])
        free = [pk for pk in pks if pk not in taken]
        if len(pks) == 1 and taken.get(pks[0]) == "":
            case.stop = dossier.BUSY  # most likely our own create, whose answer is not stored yet
            continue
        if len(pks) == 1 and free:
            case.local_pk = pks[0]
            chosen.append(case)
        elif len(pks) == 1:
            case.stop = dossier.Stop(
                "record.linked_elsewhere",
                f"The only match, {pks[0]} in Django, is linked to HubSpot record {taken[pks[0]]}.",
                outcome=terms.Outcome.EXCLUDED,
            )
        else:
            case.candidates = len(pks)
    rows = one.local.read({case.local_pk for case in chosen}) if chosen else {}
    for case in chosen:
        case.local = rows.get(case.local_pk)


def _choose(case: dossier.Case, ids: list[str], twins: int, taken: dict[str, str]) -> None:
    """Exactly one free HubSpot record for exactly one local row is a match; several are not."""
    if len(ids) == 1 and ids[0] in taken:
        case.stop = dossier.Stop(
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
    for case in shared:
        case.candidates = len(shared)
        if any(item.local_pk for item in case.items):
            case.remote, case.remote_id = None, ""
        else:
            case.local, case.local_pk = None, ""
