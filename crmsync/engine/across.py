"""Across: paths such as "companies>industry", and which of several associated records their values are taken from."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from crmsync.engine import changes, combined, spec, terms

MARK: Final = ">"
# HubSpot: properties that every object type has; beside the values it tells whose values they are.
_ID: Final = "hs_object_id"
# HubSpot: associations, association type ids. HubSpot itself knows one primary company of a contact, and makes the
# first one that; elsewhere the only record there is stands for itself.
_ALWAYS_LABELLED: Final = {("contacts", "companies")}
_PRIMARY: Final = "primary"

ONLY_READ: Final = "a value of an associated record is only read, never written. Set the direction to “from HubSpot”."


@dataclass(frozen=True, slots=True)
class Partner:
    """An associated record and the labels of its association, "" for the unlabelled type."""

    id: str
    labels: tuple[str, ...] = ()


def split(remote: str) -> tuple[str, str]:
    """("companies", "industry") of a path, ("", the name) of a property of the record itself."""
    object_type, _, name = remote.rpartition(MARK)
    return object_type, name


def join(object_type: str, name: str) -> str:
    """The path of another object type's property."""
    return f"{object_type}{MARK}{name}"


def is_across(remote: str) -> bool:
    """Whether this names a property of an associated record."""
    return MARK in remote


def find_fault(remote: str) -> str:
    """Why a path cannot be used, as a sentence; "" where it can."""
    object_type, name = split(remote)
    if object_type and name and MARK not in object_type and not combined.is_combined(remote):
        return ""
    return f"“{remote}” is not an object type, a > and one property of it, such as companies{MARK}industry."


def by_type(names: Iterable[str]) -> dict[str, list[str]]:
    """Property names by object type, sorted; "" is the record's own type."""
    found: dict[str, list[str]] = {}
    for object_type, name in sorted({split(one) for one in names}):
        found.setdefault(object_type, []).append(name)
    return found


def types_of(names: Iterable[str]) -> tuple[str, ...]:
    """The other object types that some names lead to, sorted."""
    return tuple(one for one in by_type(names) if one)


def read_by(mapping: spec.MappingSpec) -> dict[str, list[str]]:
    """What a mapping takes over from associated records: property names by object type."""
    return by_type(one.remote for one in taken_over(mapping))


def taken_over(mapping: spec.MappingSpec) -> list[spec.FieldSpec]:
    """The fields of a mapping whose values come from associated records, without those that cannot work now."""
    return [one for one in mapping.fields if is_across(one.remote) and mapping.pulls(one) and one.held is None]


def choose(from_type: str, to_type: str, partners: Sequence[Partner]) -> Partner | None:
    """The one whose values count: the labelled primary one, else the only one where HubSpot keeps no primary."""
    primary = [one for one in partners if any(label.strip().lower() == _PRIMARY for label in one.labels)]
    if len(primary) == 1:
        return primary[0]
    is_alone = len(partners) == 1 and (from_type, to_type) not in _ALWAYS_LABELLED
    return partners[0] if is_alone else None


def make_values(
    object_type: str,
    names: Iterable[str],
    partners: Sequence[Partner],
    chosen: Partner | None,
    values: Mapping[str, str | None],
) -> dict[str, str | None]:
    """What a record shows of its associated one, by path; and whose it is, or how many there are to choose from."""
    found = {join(object_type, name): values.get(name) for name in names}
    found[_source_path(object_type)] = chosen.id if chosen else None
    if chosen is None and partners:
        found[_count_path(object_type)] = str(len(partners))
    return found


def source_key(object_type: str) -> str:
    """How a link's base names the record that values were taken from: it has no local end."""
    return f"|{_source_path(object_type)}"


def source_of(values: Mapping[str, object], object_type: str) -> list[str | None] | None:
    """What a link's base keeps under that name; None where values were taken from nobody."""
    found = values.get(_source_path(object_type))
    return [None, str(found)] if found else None


def notes(
    fields: Iterable[spec.FieldSpec],
    values: Mapping[str, object],
    base: Mapping[int, changes.BaseValue],
) -> tuple[changes.FieldProblem, ...]:
    """Why fields became blank, or came in blank: several records are associated and none is the primary one.

    Said once: a field that was blank before is blank for the same reason.
    """
    return tuple(
        changes.FieldProblem(one.id, terms.Problem.NO_PRIMARY.value, _sentence(one, str(count)))
        for one in fields
        if (count := values.get(_count_path(split(one.remote)[0]))) and _is_news(base.get(one.id))
    )


def _is_news(known: changes.BaseValue | None) -> bool:
    return known is None or known.remote is not None


def _sentence(one: spec.FieldSpec, count: str) -> str:
    object_type, name = split(one.remote)
    return (
        f"Of its {object_type} ({count} associated) not exactly one is the primary one, so {name} counts as blank."
        " Make one the primary one in HubSpot."
    )


def _source_path(object_type: str) -> str:
    return join(object_type, _ID)


def _count_path(object_type: str) -> str:
    return join(object_type, "")
