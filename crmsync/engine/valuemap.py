"""Value maps: what a value is called on the other side, a table for each direction.

Several local values may share one HubSpot value. Then the way back is not the inverse, and nothing here
tries to make it so: the memory is the base, which holds what *each* side answered. While the HubSpot value
stays what the base says, the local one is never moved (see ``diff``).
"""

from collections.abc import Collection, Iterable, Mapping

from crmsync.engine import errors, spec, terms


def to_remote(text: str, value_map: spec.ValueMap, known: Collection[str] = ()) -> str:
    """The HubSpot value for a local text; ``known`` are the property's options, empty where it takes any text.

    A text without a line passes unchanged through a map that is not strict, unless HubSpot does not know it and
    there is a default; else it becomes the default, or is a ConvertError ``option_unknown`` without one.
    """
    said = value_map.to_remote.get(text)
    if said is not None:
        return said
    return _unmapped(text, value_map.remote_default, known, "HubSpot value", strict=value_map.strict)


def to_local(text: str, value_map: spec.ValueMap, known: Collection[str] = ()) -> str:
    """The local text for a HubSpot value, as ``to_remote``; ``known`` are the column's choices."""
    said = value_map.to_local.get(text)
    if said is not None:
        return said
    return _unmapped(text, value_map.local_default, known, "local value", strict=value_map.strict)


def all_to_remote(choices: Iterable[str], value_map: spec.ValueMap, known: Collection[str] = ()) -> list[str]:
    """``to_remote`` of every choice."""
    return [to_remote(choice, value_map, known) for choice in choices]


def all_to_local(choices: Iterable[str], value_map: spec.ValueMap, known: Collection[str] = ()) -> list[str]:
    """``to_local`` of every choice."""
    return [to_local(choice, value_map, known) for choice in choices]


def is_injective(table: Mapping[str, str]) -> bool:
    """Whether no two values of a table become the same value."""
    return len(set(table.values())) == len(table)


def find_unstable(value_map: spec.ValueMap) -> dict[str, str | None]:
    """Local texts that a trip to HubSpot and back would move, with where they would end (None: nowhere).

    These need the memory of the base; a mapping's round-trip proof lists them.
    """
    moved: dict[str, str | None] = {}
    for text, said in value_map.to_remote.items():
        back = value_map.to_local.get(said, value_map.local_default if value_map.strict else said)
        if back != text:
            moved[text] = back
    return moved


def _unmapped(text: str, default: str | None, known: Collection[str], wanted: str, *, strict: bool) -> str:
    is_sayable = not known or text in known
    if not strict and (is_sayable or default is None):
        return text
    if default is None:
        raise _unknown(text, wanted)
    return default


def _unknown(text: str, wanted: str) -> errors.ConvertError:
    return errors.ConvertError(
        terms.Problem.OPTION_UNKNOWN,
        f'The value map has no {wanted} for "{text[:80]}": add a line for it.',
    )
