"""Join: one relation of one record under work, the ways it may flow, HubSpot's partners, and the row of a step."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from crmsync.engine import edgeplan, edgeterms, spec, terms
from crmsync.flows import dossier, scope
from crmsync.models import Edge
from crmsync.sides import edges as remote_edges


@dataclass(slots=True)
class Join:
    """One relation of one record under work: its memory, both sides as they are, and what is done about it."""

    work: object
    one: spec.AssociationSpec
    ways: edgeterms.Ways
    rows: list[Edge]
    local: tuple[str, ...]
    partners: tuple[remote_edges.Partner, ...] = ()
    automatic: frozenset[str] = frozenset()
    seen: edgeterms.Seen = field(default_factory=edgeterms.Seen)
    steps: tuple[edgeplan.Step, ...] = ()
    is_quiet: bool = False
    is_intended: bool = False

    @property
    def remote_id(self) -> str:
        return self.work.link.remote_id

    def theirs(self) -> tuple[remote_edges.Partner, ...]:
        """The partners that carry the label."""
        label = self.one.label
        return tuple(one for one in self.partners if not label or label in one.labels)

    def row_of(self, step: edgeplan.Step, state: terms.EdgeState) -> Edge:
        """An edge row, not stored, of a step."""
        return Edge(
            association_id=self.one.id,
            link=self.work.link,
            local_pk=step.local_pk,
            remote_id=step.remote_id,
            state=state,
            is_ours=step.is_ours,
            asserted=step.asserted,
            reason=step.reason,
            detail=step.detail,
        )


def going(joins: Iterable[Join]) -> list[Join]:
    """Joins that are decided and not stopped; a quiet one was not even looked at."""
    return [one for one in joins if one.work.stop is None and not one.is_quiet]


def ways_of(one: spec.MappingSpec, relation: spec.AssociationSpec, wanted: terms.Direction) -> edgeterms.Ways:
    """The ways a relation may flow under its mapping in this run."""
    every = (one.direction, relation.direction, wanted)
    return edgeterms.Ways(all(way.pushes for way in every), all(way.pulls for way in every))


def read_partners(one: scope.Scope, cases: Iterable[dossier.Case], to_type: str, ids: dict[int, str]) -> None:
    """HubSpot's partners of some cases, by ``id(case)`` -> HubSpot id; a case that cannot be read gets its stop."""
    need = [case for case in cases if id(case) in ids and to_type not in case.partners]
    if not need:
        return
    found, failed = remote_edges.read(one.remote, to_type, {ids[id(case)] for case in need})
    for case in need:
        error = failed.get(ids[id(case)])
        if error is not None:
            case.stop = dossier.stop_for(error)
        case.partners[to_type] = found.get(ids[id(case)], ())
