"""Which associations of one record are made, removed, waited for or left: three-way, one relation at a time.

The base is what was made and remembered (``Known``). An edge that crmsync did not make is never removed in
HubSpot: it is left, and remembered as left, so that it is not taken back into Django either.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from crmsync.engine import edgesingle, edgeterms, spec, terms

Step = edgeterms.Step


def decide(one: spec.AssociationSpec, seen: edgeterms.Seen, ways: edgeterms.Ways) -> tuple[Step, ...]:
    """Every step of this record's relation, also those that keep what is there; no step, no memory."""
    decide_these = _several if one.is_several else edgesingle.decide
    return tuple(decide_these(one, seen, ways))


def changes(steps: Iterable[Step], side: terms.SideName) -> list[Step]:
    """The steps that write a side."""
    return [step for step in steps if step.move in _WRITES[side]]


_WRITES: Final = {
    terms.SideName.REMOTE: (terms.EdgeMove.ADD_REMOTE, terms.EdgeMove.CUT_REMOTE),
    terms.SideName.LOCAL: (terms.EdgeMove.ADD_LOCAL, terms.EdgeMove.CUT_LOCAL),
}


def _several(one: spec.AssociationSpec, seen: edgeterms.Seen, ways: edgeterms.Ways) -> Iterator[Step]:
    """Many-to-many: additions and removals of each side go to the other, edge by edge."""
    local = {other.local_pk: other for other in seen.local}
    remote = {other.remote_id: other for other in seen.remote}
    wanted = {other.remote_id for other in seen.local}
    bases = [known for known in seen.known if known.is_base and not known.is_stale(seen.local)]
    for known in bases:
        yield from _of_base(known, ways, known.local_pk in local, known.remote_id in remote, wanted)
    mine, theirs = {known.local_pk for known in bases}, {known.remote_id for known in bases}
    for other in seen.local:
        if other.local_pk not in mine:
            yield from _of_local(other, seen, remote, ways)
    left = {known.remote_id for known in seen.known if known.state is terms.EdgeState.LEFT}
    for other in seen.remote:
        if other.remote_id not in theirs and other.remote_id not in wanted:
            yield from _of_remote(other, other.remote_id in left, ways)


def _of_base(
    known: edgeterms.Known, ways: edgeterms.Ways, in_local: bool, in_remote: bool, wanted: set[str]
) -> Iterator[Step]:
    if in_local and in_remote:
        yield known.step(terms.EdgeMove.KEEP)
    elif in_local:
        yield edgeterms.lost(known, ways)
    elif in_remote and known.remote_id not in wanted:
        yield edgeterms.dropped(known, ways)


def _of_local(
    other: edgeterms.Other, seen: edgeterms.Seen, remote: dict[str, edgeterms.Other], ways: edgeterms.Ways
) -> Iterator[Step]:
    if other.remote_id in remote:
        yield edgeterms.keep(other, seen)
    elif ways.pushes and not other.remote_id:
        yield edgeterms.wait(other, is_ours=True)
    elif ways.pushes:
        yield other.step(terms.EdgeMove.ADD_REMOTE, is_ours=True)


def _of_remote(other: edgeterms.Other, is_left: bool, ways: edgeterms.Ways) -> Iterator[Step]:
    if is_left:
        yield edgeterms.leave(other)
    elif ways.pulls and not other.local_pk:
        yield edgeterms.wait(other)
    elif ways.pulls:
        yield other.step(terms.EdgeMove.ADD_LOCAL)
