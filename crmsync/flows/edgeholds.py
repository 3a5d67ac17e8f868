"""Associations that cannot work at present: a record that they have something to do for waits with the reason."""

from collections.abc import Sequence

from crmsync.engine import edgeterms, spec, terms
from crmsync.flows import dossier, edgejoin, scope
from crmsync.ledger import edges as memory
from crmsync.models import Edge
from crmsync.sides import relations

_STATE = terms.EdgeState
# What a record has, or is known to have, on each side.
_LOCAL = frozenset({_STATE.MADE, _STATE.REFUSED})
_REMOTE = frozenset({_STATE.MADE, _STATE.REFUSED, _STATE.LEFT})


def hold(one: scope.Scope, works: Sequence, wanted: terms.Direction) -> None:
    """Park linked records that differ from what was agreed on; fields and other associations went on before.

    Nothing can be compared where Django has no such relation any more: its memory is left as it is.
    """
    gone = terms.EdgeProblem.RELATION_GONE
    held = [each for each in one.spec.associations if each.held is not None and each.held.code is not gone]
    if not held or not works:
        return
    local = relations.read(one.local, held, [work.link.local_pk for work in works])
    rows = memory.find([work.link.pk for work in works])
    for each in held:
        ways = edgejoin.ways_of(one.spec, each, wanted)
        _read(one, each, ways, works)
        for work in works:
            known = rows.get((work.link.pk, each.id), [])
            is_news = ways.pushes and _has_local_news(local[each.local].get(work.link.local_pk, ()), known)
            is_news = is_news or (_may_be_pulled(each, ways, work) and _has_remote_news(each, work, known))
            if is_news and work.stop is None:
                work.stop = dossier.Stop(each.held.code.value, each.held.message, work.plan.outcome, park=True)


def _read(one: scope.Scope, each: spec.AssociationSpec, ways: edgeterms.Ways, works: Sequence) -> None:
    mine = [work for work in works if _may_be_pulled(each, ways, work)]
    edgejoin.read_partners(
        one, [work.case for work in mine], each.to_type, {id(work.case): work.link.remote_id for work in mine}
    )
    for work in mine:
        work.stop = work.stop or work.case.stop


def _may_be_pulled(each: spec.AssociationSpec, ways: edgeterms.Ways, work) -> bool:
    """Whether HubSpot may have something to say about it, and can be asked."""
    is_there = each.held.code is not terms.EdgeProblem.TYPE_GONE
    return ways.pulls and is_there and any(item.remote_id for item in work.case.items)


def _has_local_news(present: Sequence[str], known: Sequence[Edge]) -> bool:
    return set(present) != {row.local_pk for row in known if row.state in _LOCAL and row.local_pk}


def _has_remote_news(each: spec.AssociationSpec, work, known: Sequence[Edge]) -> bool:
    """Whoever is associated, whatever the label: which label it is cannot be told now."""
    partners = {one.remote_id for one in work.case.partners.get(each.to_type, ())}
    return partners != {row.remote_id for row in known if row.state in _REMOTE and row.remote_id}
