"""Recalls rows made in another database whose links a crash kept from being stored, so that none is made twice."""

from collections.abc import Iterable

from crmsync.flows import dossier, scope
from crmsync.ledger import links, slips


def recall(one: scope.Scope, cases: Iterable[dossier.Case]) -> None:
    """Give records without a link the partner that was made for them, if it is there and nobody else's."""
    lonely = [case for case in cases if case.link is None] if one.local.is_elsewhere else []
    if not lonely:
        return
    by_local = {case.local_pk: case for case in lonely if case.local_pk}
    by_remote = {case.remote_id: case for case in lonely if case.remote_id}
    for remote_id, local_pk in _living(one, set(by_local), set(by_remote)):
        if case := by_remote.get(remote_id):
            case.local_pk = local_pk
        elif case := by_local.get(local_pk):
            case.remote_id = remote_id


def _living(one: scope.Scope, local_pks: set[str], remote_ids: set[str]) -> list[tuple[str, str]]:
    """(HubSpot id, primary key) of rows that are there; without those of which a living link holds either end."""
    found = slips.find_made(one.mapping, local_pks, remote_ids, one.local.alias)
    if not found:
        return []
    pks, ids = {pk for _, pk in found}, {key for key, _ in found}
    rows = one.local.instances(pks)
    held = links.find(one.spec.id, pks, one.spec.portal_id, one.spec.object_type, ids)
    living = [link for link in held if link.state != links.State.ENDED]
    ours = {link.local_pk for link in living if link.mapping_id == one.spec.id}
    theirs = {link.remote_id for link in living}
    return [(key, pk) for key, pk in found if pk in rows and pk not in ours and key not in theirs]
