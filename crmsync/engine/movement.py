"""Movement: whether a value would take a field back in the order of its property's options."""

from collections.abc import Iterable

from crmsync.engine import spec, terms

Place = tuple[int, int]
"""A pipeline's number, and the place in it; a plain property has one pipeline."""


def is_back(one: spec.FieldSpec, *, present: str | None, wanted: str | None) -> bool:
    """Whether ``wanted`` stands before ``present``, both HubSpot values. What has no order goes anywhere."""
    return _is_before(_place(wanted, one.order), _place(present, one.order))


def goes_back(
    one: spec.FieldSpec, source: terms.SideName, *, local: str | None, remote: str | None, said: str | None
) -> bool:
    """Whether writing ``source``'s value would take the other side back.

    ``local`` and ``remote`` are canonical texts as read now, ``said`` what the local one becomes in HubSpot. The
    place of a local text is that of its HubSpot value; where the map has none on the way out, it stands at the first
    of those that come in as it.
    """
    if not one.order or local is None or remote is None:
        return False
    if source is terms.SideName.LOCAL:
        return is_back(one, present=remote, wanted=said)
    wanted = _place(remote, one.order)
    held = [place for text in _stands_for(local, one) if (place := _place(text, one.order)) is not None]
    return bool(held) and all(_is_before(wanted, place) for place in held)


def _stands_for(local: str, one: spec.FieldSpec) -> Iterable[str]:
    """The HubSpot values that a local text stands for."""
    if one.value_map is None:
        return (local,)
    said = one.value_map.to_remote.get(local)
    if said is not None:
        return (said,)
    meant = [remote for remote, text in one.value_map.to_local.items() if text == local]
    return meant or (local,)


def _place(text: str | None, order: tuple[str, ...]) -> Place | None:
    if not text or text not in order:
        return None
    at = order.index(text)
    return order[:at].count(""), at


def _is_before(one: Place | None, other: Place | None) -> bool:
    return one is not None and other is not None and one[0] == other[0] and one[1] < other[1]
