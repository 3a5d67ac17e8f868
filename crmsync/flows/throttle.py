"""Lets records wait in which only values changed that are sent at most once in some minutes (L15)."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from crmsync.engine import spec
from crmsync.flows import bases, dossier, scope
from crmsync.ledger import links

_WAITS = (
    "Only fields changed that are sent at most once in some minutes ({names}); the record goes then, or with the next"
    " change of another field."
)


def hold(one: scope.Scope, cases: Iterable[dossier.Case], now: datetime) -> None:
    """Stop the cases whose time has not come; only of the queue of local changes, and before HubSpot is asked.

    Nothing waits in a run, after a record was asked for, or while a write of ours is still to be looked up.
    """
    throttled = [field for field in one.spec.fields if field.throttle_minutes]
    if not throttled or one.run_id is not None:
        return
    for case in cases:
        if case.stop is None and _is_from_here(case) and (waiting := _find_waiting(one, case)):
            _stop(case, waiting, now)


def _is_from_here(case: dossier.Case) -> bool:
    is_settled = case.link is not None and case.link.state == links.State.LINKED and not case.link.sent
    from_here = all(item.local_pk and not item.remote_id and not item.is_asked for item in case.items)
    return is_settled and from_here and case.local is not None and case.link.synced_at is not None


def _find_waiting(one: scope.Scope, case: dossier.Case) -> list[spec.FieldSpec]:
    """The throttled fields that changed; none where any other field changed, too."""
    changed = []
    for field in one.spec.fields:
        if not one.spec.pushes(field):
            continue
        base = case.link.base.get(links.key_of(field))
        if base is None or bases.text_of(case.local, field) != base[0]:
            changed.append(field)
    return changed if all(field.throttle_minutes for field in changed) else []


def _stop(case: dossier.Case, waiting: list[spec.FieldSpec], now: datetime) -> None:
    minutes = min(field.throttle_minutes for field in waiting)
    rest = (case.link.synced_at + timedelta(minutes=minutes) - now).total_seconds()
    if rest > 0:
        names = ", ".join(field.local for field in waiting)
        case.stop = dossier.Stop("field.throttled", _WAITS.format(names=names), seconds=rest)
