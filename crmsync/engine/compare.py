"""The fast first look at two records: which fields are not as both sides last agreed.

Nothing is converted here. Most records of most runs are in sync, and for those this is all the work there is.
"""

from collections.abc import Iterable, Mapping

from crmsync.engine import changes, errors, fieldplan, localvalues, record, remotevalues, routes, spec, terms

Changed = tuple[routes.Route, fieldplan.Seen | errors.ConvertError]
"""A field and what is seen of it, or why its local value cannot be read."""


def find_changed(
    fields: Iterable[routes.Route],
    local: record.Record,
    remote: record.Record,
    base: Mapping[int, changes.BaseValue],
) -> list[Changed]:
    """The fields whose canonical texts are not those of the base, or that have none."""
    changed: list[Changed] = []
    find_local, find_remote, find_base = local.values.get, remote.values.get, base.get
    for route in fields:
        one = route.one
        known = find_base(one.id)
        if one.held is not None:
            if route.pushes and _waits(one, find_local(one.local), known):
                changed.append((route, errors.ConvertError(one.held.code, one.held.message)))
            continue
        here, there = find_local(one.local), find_remote(one.remote)
        try:
            # a raw value that equals a canonical text is canonical itself
            if known is not None and (
                (there == known.remote or remotevalues.text_of(there, one) == known.remote)
                and (here == known.local or localvalues.text_of(here, one) == known.local)
            ):
                continue
            text = localvalues.text_of(here, one)
        except errors.ConvertError as error:
            changed.append((route, error))
        else:
            changed.append((route, fieldplan.Seen(text, remotevalues.text_of(there, one), known)))
    return changed


def _waits(one: spec.FieldSpec, value: object, known: changes.BaseValue | None) -> bool:
    """Whether a field that is held has something new to send; of a field that Django lost nothing can be said."""
    if one.held is None or one.held.side is terms.SideName.LOCAL:
        return False
    try:
        return localvalues.text_of(value, one) != (known.local if known else None)
    except errors.ConvertError:
        return True


def is_edited(
    fields: Iterable[routes.Route],
    survivor: record.Record,
    side: terms.SideName,
    base: Mapping[int, changes.BaseValue],
) -> bool:
    """Whether a record holds a change that its lost partner would have received."""
    return any(
        route.flows_from(side)
        and route.one.held is None
        and route.one.id in base
        and _is_changed(route, survivor, side, base[route.one.id])
        for route in fields
    )


def _is_changed(route: routes.Route, survivor: record.Record, side: terms.SideName, known: changes.BaseValue) -> bool:
    one = route.one
    if side is terms.SideName.REMOTE:
        return remotevalues.text_of(survivor.values.get(one.remote), one) != known.remote
    try:
        return localvalues.text_of(survivor.values.get(one.local), one) != known.local
    except errors.ConvertError:
        return True
