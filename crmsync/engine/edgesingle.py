"""A foreign key and an association: one partner at most in Django, perhaps several in HubSpot."""

from collections.abc import Iterator

from crmsync.engine import edgeterms, spec, terms

Step = edgeterms.Step
_SHOWN = 5


def decide(one: spec.AssociationSpec, seen: edgeterms.Seen, ways: edgeterms.Ways) -> Iterator[Step]:
    """The present partner of each side against the one both had agreed on."""
    here = seen.local[0] if seen.local else None
    bases = [known for known in seen.known if known.is_base]
    base = bases[0] if bases else None
    if base is not None and base.is_stale(seen.local):
        base = None
    wanted = here.remote_id if here else ""
    left = {known.remote_id for known in seen.known if known.state is terms.EdgeState.LEFT} - {wanted}
    there = tuple(other for other in seen.remote if other.remote_id not in left)
    for other in seen.remote:
        if other.remote_id in left:
            yield edgeterms.leave(other)
    if base is None:
        yield from _first(one, seen, ways, here, there)
    else:
        yield from _agreed(one, seen, ways, base, here, there)


def _first(
    one: spec.AssociationSpec,
    seen: edgeterms.Seen,
    ways: edgeterms.Ways,
    here: edgeterms.Other | None,
    there: tuple[edgeterms.Other, ...],
) -> Iterator[Step]:
    """Nothing was agreed on: a blank side is filled; of two partners, HubSpot's counts unless we made the record."""
    if here is not None and here.remote_id and _has(there, here.remote_id):
        yield edgeterms.keep(here, seen)
    elif here is not None and (not there or not ways.pulls or (ways.pushes and _is_ours(here, seen))):
        yield from _push(here, ways, is_ours=_is_ours(here, seen))
    elif there and ways.pulls:
        yield from _pull(there)


def _is_ours(here: edgeterms.Other, seen: edgeterms.Seen) -> bool:
    """Whether Django's partner counts: HubSpot's record was made of ours, or waited to be associated like this."""
    waited = any(
        known.state is terms.EdgeState.WAITING and known.is_ours and known.local_pk == here.local_pk
        for known in seen.known
    )
    return seen.is_made_by_us or waited


def _agreed(
    one: spec.AssociationSpec,
    seen: edgeterms.Seen,
    ways: edgeterms.Ways,
    base: edgeterms.Known,
    here: edgeterms.Other | None,
    there: tuple[edgeterms.Other, ...],
) -> Iterator[Step]:
    is_same_here = here is not None and here.local_pk == base.local_pk
    is_same_there = _has(there, base.remote_id)
    if is_same_here and is_same_there:
        yield base.step(terms.EdgeMove.KEEP)
    elif is_same_here:
        yield from _changed_there(one, seen, ways, base, there)
    elif is_same_there:
        yield from _changed_here(seen, ways, base, here, there)
    elif here is not None and _has(there, here.remote_id):
        yield edgeterms.keep(here, seen)
    elif there and ways.pulls:
        yield from _pull(there)
    elif here is not None:
        yield from _push(here, ways, is_ours=True)


def _changed_here(
    seen: edgeterms.Seen,
    ways: edgeterms.Ways,
    base: edgeterms.Known,
    here: edgeterms.Other | None,
    there: tuple[edgeterms.Other, ...],
) -> Iterator[Step]:
    """Django has another partner or none; what was agreed on before goes, if it is ours to remove."""
    if here is not None and _has(there, here.remote_id):
        yield edgeterms.keep(here, seen)
    elif here is not None:
        yield from _push(here, ways, is_ours=True)
    elif ways.pushes and ways.pulls:  # who cleared the key wants none of the others either
        yield from (edgeterms.leave(other) for other in there if other.remote_id != base.remote_id)
    yield edgeterms.dropped(base, ways)


def _changed_there(
    one: spec.AssociationSpec,
    seen: edgeterms.Seen,
    ways: edgeterms.Ways,
    base: edgeterms.Known,
    there: tuple[edgeterms.Other, ...],
) -> Iterator[Step]:
    """HubSpot has another partner or none."""
    is_automatic = bool(there) and base.is_ours and all(other.remote_id in seen.automatic for other in there)
    is_chosen = base.reason == edgeterms.THEIRS  # by a person, who wants no rule to say otherwise
    if not is_chosen and (not ways.pulls or is_automatic):
        yield edgeterms.put_back(base, ways)
    elif len(there) == 1 and there[0].local_pk:
        yield there[0].step(terms.EdgeMove.ADD_LOCAL)
    elif len(there) == 1:
        kept = {"reason": edgeterms.THEIRS} if is_chosen else {}
        yield base.step(terms.EdgeMove.KEEP, **kept)
        yield edgeterms.wait(there[0])
    elif there:
        yield base.step(terms.EdgeMove.REFUSE, reason=edgeterms.SEVERAL, detail=_several_text(there))
    elif one.is_required:
        detail = (
            f"The association was removed in HubSpot, but {one.local} must not be empty in Django: associate the"
            " record again in HubSpot, or choose another in Django."
        )
        yield base.step(terms.EdgeMove.REFUSE, reason=edgeterms.REQUIRED, detail=detail)
    else:
        yield base.step(terms.EdgeMove.CUT_LOCAL)


def _push(here: edgeterms.Other, ways: edgeterms.Ways, *, is_ours: bool) -> Iterator[Step]:
    if not ways.pushes:
        return
    if here.remote_id:
        yield here.step(terms.EdgeMove.ADD_REMOTE, is_ours=True)
    else:
        yield edgeterms.wait(here, is_ours=is_ours)


def _pull(there: tuple[edgeterms.Other, ...]) -> Iterator[Step]:
    if len(there) > 1:
        yield Step(terms.EdgeMove.REFUSE, reason=edgeterms.SEVERAL, detail=_several_text(there))
    elif there[0].local_pk:
        yield there[0].step(terms.EdgeMove.ADD_LOCAL)
    else:
        yield edgeterms.wait(there[0])


def _has(there: tuple[edgeterms.Other, ...], remote_id: str) -> bool:
    return bool(remote_id) and any(other.remote_id == remote_id for other in there)


def _several_text(there: tuple[edgeterms.Other, ...]) -> str:
    shown = ", ".join(sorted(other.remote_id for other in there)[:_SHOWN])
    more = f" and {len(there) - _SHOWN} more" if len(there) > _SHOWN else ""
    return (
        f"HubSpot has several partners ({shown}{more}), and Django holds one: remove the others in HubSpot, or map"
        " the label that only one of them has."
    )
