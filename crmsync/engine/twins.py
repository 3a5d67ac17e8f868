"""Twins: a row that pushes a property which another row pulls; who wins, and what each must know of the other.

Two rows are a circle where the one pulls into a field that the other one pushes: what either writes is no news to the
other, and its base is brought up to date at once. Rows that only meet in the property are no circle: the one that
pulls follows what was written there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from crmsync.engine import (
    changes,
    combined,
    conflict,
    convert,
    errors,
    fieldplan,
    localvalues,
    record,
    remotevalues,
    routes,
    spec,
    terms,
)

Decided = tuple[routes.Route, fieldplan.Seen, fieldplan.FieldPlan]

_LOCAL: Final = terms.SideName.LOCAL
_REMOTE: Final = terms.SideName.REMOTE
_DIRECTION: Final = terms.Problem.DIRECTION.value


@dataclass(frozen=True, slots=True)
class Twin:
    """``push`` writes a property that ``pull`` reads; ``is_circle``: and reads the field that ``pull`` writes."""

    push: routes.Route
    pull: routes.Route
    is_circle: bool


def find(fields: Sequence[routes.Route]) -> tuple[Twin, ...]:
    """The twins among the rows of a mapping; most mappings have none."""
    pushing = [one for one in fields if one.pushes]
    return tuple(
        Twin(push, pull, pull.one.local in combined.parts(push.one.local))
        for pull in fields
        if pull.pulls
        for push in pushing
        if push is not pull and push.one.remote in combined.parts(pull.one.remote)
    )


# --- Who wins ---------------------------------------------------------------------------------------------------


def decide(
    twins: Sequence[Twin],
    found: Sequence[Decided],
    around: fieldplan.Around,
    records: tuple[record.Record, record.Record],
) -> Sequence[Decided]:
    """The decisions for a record once twins know of each other; ``records`` are the local and the remote one."""
    if not twins:
        return found
    plans = {route.one.id: (route, seen, plan) for route, seen, plan in found}
    for twin in twins:
        _judge(twin, plans, around, records)
    return [plans[route.one.id] for route, _, _ in found]


def _judge(
    twin: Twin,
    plans: dict[int, Decided],
    around: fieldplan.Around,
    records: tuple[record.Record, record.Record],
) -> None:
    push, pull = plans.get(twin.push.one.id), plans.get(twin.pull.one.id)
    if push is not None and pull is not None and _wants_push(push) and _wants_pull(pull):
        pushed, pulled = _contest(twin, push, pull, around)
        plans[twin.push.one.id], plans[twin.pull.one.id] = (*push[:2], pushed), (*pull[:2], pulled)
    elif pull is not None and _wants_pull(pull) and twin.is_circle and _is_agreed(twin.push.one, *records):
        plans[twin.pull.one.id] = (*pull[:2], fieldplan.SETTLED)
    for one, is_carried in ((push, True), (pull, twin.is_circle)):
        if one is not None and is_carried and one[2].note is not None and one[2].note.code == _DIRECTION:
            plans[one[0].one.id] = (*one[:2], fieldplan.SETTLED)  # the twin carries it


def _wants_push(one: Decided) -> bool:
    return one[2].push is not None or (one[2].waits and not one[0].pulls)


def _wants_pull(one: Decided) -> bool:
    return one[2].pull is not None or (one[2].waits and not one[0].pushes)


def _contest(
    twin: Twin, push: Decided, pull: Decided, around: fieldplan.Around
) -> tuple[fieldplan.FieldPlan, fieldplan.FieldPlan]:
    """Both want the property's value changed: the pushing row's conflict policy decides, and what loses is logged."""
    verdict, is_clash = _find_verdict(push, pull, around)
    clash = _make_clash(push, verdict) if is_clash else None
    if verdict.winner is None:
        return fieldplan.FieldPlan(clash=clash), fieldplan.NOTHING
    if verdict.winner is _LOCAL:
        if push[2].waits:
            return push[2], fieldplan.WAITS
        return replace(push[2], clash=clash), fieldplan.SETTLED if twin.is_circle else fieldplan.NOTHING
    if pull[2].waits:
        return fieldplan.WAITS, pull[2]
    return fieldplan.FieldPlan(settles=True, clash=clash), replace(
        pull[2], clash=None if twin.is_circle else pull[2].clash
    )


def _find_verdict(push: Decided, pull: Decided, around: fieldplan.Around) -> tuple[conflict.Verdict, bool]:
    """The verdict, and whether a value that somebody gave is lost by it."""
    is_ours, is_theirs = _is_still(push[1], _REMOTE), _is_still(pull[1], _LOCAL)
    if is_ours is not is_theirs:
        winner = _LOCAL if is_ours else _REMOTE
        rule = terms.Cause.LOCAL_CHANGED if is_ours else terms.Cause.REMOTE_CHANGED
        return conflict.Verdict(winner, rule), False
    if around.is_made_by_us:
        return conflict.Verdict(_LOCAL, terms.Cause.MADE_BY_US), True
    policy = push[0].one.conflict
    return conflict.decide(policy, local_at=around.local_at, remote_at=around.remote_at), True


def _is_still(seen: fieldplan.Seen, side: terms.SideName) -> bool:
    """Whether a side is as the row last agreed with it."""
    if seen.base is None:
        return False
    return seen.base.local == seen.local if side is _LOCAL else seen.base.remote == seen.remote


def _make_clash(push: Decided, verdict: conflict.Verdict) -> changes.Clash:
    seen = push[1]
    return changes.Clash(push[0].one.id, seen.base, seen.local, seen.remote, verdict.winner, verdict.rule.value)


def _is_agreed(one: spec.FieldSpec, local: record.Record, remote: record.Record) -> bool:
    """Whether HubSpot has already what the row would push: then its twin must not move the local value (L8)."""
    try:
        text = localvalues.text_of(local.values.get(one.local), one)
        said = None if text is None else convert.remote_text(convert.outgoing(text, one), one)
    except errors.ConvertError:
        return False
    return said is not None and said == remotevalues.text_of(remote.values.get(one.remote), one)


# --- What each must know ----------------------------------------------------------------------------------------


def rebase(
    twins: Sequence[Twin],
    done: changes.PairPlan,
    *,
    local: record.Record | None,
    remote: Mapping[str, object],
    is_answered: bool,
    is_written: bool,
) -> dict[int, changes.BaseValue]:
    """The bases of rows in a circle with one that wrote: what both sides have now.

    ``local`` and ``remote`` are as answered, over what was read; ``is_answered`` and ``is_written`` say whether
    HubSpot and Django were written. A value that the host's own save() changed is news to the row that pushes it.
    """
    pushed = {write.field_id for write in done.remote_writes} if is_answered else set()
    pulled = {write.field_id: write for write in done.local_writes} if is_written else {}
    bases: dict[int, changes.BaseValue] = {}
    for twin in twins:
        if not twin.is_circle or local is None:
            continue
        push, pull = twin.push.one, twin.pull.one
        if push.id in pushed and pull.id not in pulled:
            _put(bases, pull, local, remote)
        elif pull.id in pulled and push.id not in pushed and local.values.get(pull.local) == pulled[pull.id].value:
            _put(bases, push, local, remote)
    return bases


def _put(
    bases: dict[int, changes.BaseValue], one: spec.FieldSpec, local: record.Record, remote: Mapping[str, object]
) -> None:
    if any(name not in remote for name in combined.parts(one.remote)):
        return  # HubSpot did not say: the next look is a first contact, which moves nothing that is agreed
    try:
        text = localvalues.text_of(local.values.get(one.local), one)
    except errors.ConvertError:
        return
    bases[one.id] = changes.BaseValue(text, remotevalues.text_of(combined.read(one.remote, remote), one))


def is_followed(twins: Sequence[Twin], done: changes.PairPlan) -> bool:
    """Whether a row outside every circle reads a property that this plan wrote, so that it has to follow."""
    written = {write.field_id for write in done.remote_writes}
    return any(twin.push.one.id in written and not twin.is_circle for twin in twins)
