"""The object table: which model goes with which object type, which way, in which state, and how much is linked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Count, Q

from crmsync.engine import terms
from crmsync.ledger import links
from crmsync.models import FieldMapping, Link, Mapping

# Django is on the left, HubSpot on the right.
ARROWS: Final = {terms.Direction.PUSH: "→", terms.Direction.PULL: "←", terms.Direction.BOTH: "↔"}
_HEAD: Final = ("portal", "mapping", "Django", "", "HubSpot", "state", "fields", "links")


@dataclass(frozen=True, slots=True)
class Row:
    """One mapping. ``fields`` are the active ones, by direction: those that flow each way under the mapping."""

    portal: str
    mapping: str
    model: str
    direction: str
    arrow: str
    object_type: str
    state: str
    fields: int
    fields_by_direction: dict[str, int]
    links: int


def rows(portal: str = "") -> list[Row]:
    """All mappings, or those of a portal by its name; three queries."""
    wanted = Mapping.objects.filter(version_of=None).select_related("portal").order_by("portal__label", "label")
    mappings = list(wanted.filter(portal__label=portal) if portal else wanted)
    ways: dict[int, dict[str, int]] = {}
    active = FieldMapping.objects.filter(mapping__in=mappings, is_active=True).order_by()
    for mapping_id, way, count in active.values_list("mapping_id", "direction").annotate(Count("pk")):
        ways.setdefault(mapping_id, {})[way] = count
    living = Link.objects.filter(~Q(state=links.State.ENDED), mapping__in=mappings).order_by()
    linked = dict(living.values_list("mapping_id").annotate(Count("pk")))
    return [_row(one, ways.get(one.pk, {}), linked.get(one.pk, 0)) for one in mappings]


def _row(one: Mapping, ways: dict[str, int], linked: int) -> Row:
    return Row(
        portal=one.portal.label,
        mapping=one.label,
        model=one.model_label,
        direction=one.direction,
        arrow=ARROWS[terms.Direction(one.direction)],
        object_type=one.object_type,
        state=one.state,
        fields=sum(ways.values()),
        fields_by_direction={way.value: ways.get(way, 0) for way in terms.Direction},
        links=linked,
    )


def as_text(found: Iterable[Row]) -> str:
    """The table with its columns aligned; under ``fields`` how many flow each way: "9 (→2 ←1 ↔6)"."""
    cells = [_HEAD, *(_cells(one) for one in found)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(_HEAD))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join(lines) + "\n"


def _cells(one: Row) -> Sequence[str]:
    ways = " ".join(
        f"{ARROWS[terms.Direction(way)]}{count}" for way, count in one.fields_by_direction.items() if count
    )
    fields = f"{one.fields} ({ways})" if ways else "0"
    state = terms.MappingState(one.state).label
    return (one.portal, one.mapping, one.model, one.arrow, one.object_type, state, fields, str(one.links))
