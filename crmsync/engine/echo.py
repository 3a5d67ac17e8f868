"""Echo: whether a value that has crossed would be written again, although nobody changed anything.

It asks the planner itself, over a link of two records that hold one field.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from crmsync.engine import changes, errors, plan, record, routes, spec, terms

Settle = Callable[[str, spec.FieldSpec], str]
"""What HubSpot keeps of a text that is sent to a property; ConvertError where it would refuse it."""

_NOW: Final = datetime(2024, 1, 1, tzinfo=UTC)  # a plan is stamped; nothing is decided by it


class Echo(terms.Term):
    """Whether crmsync would write because of it, without anybody changing a value."""

    NEVER = "never", "never"
    WITHOUT_BASE = "without_base", "only when the two records first meet"
    ALWAYS = "always", "each time the record is looked at"


@dataclass(frozen=True, slots=True)
class Road:
    """A field as it flows under its mapping, and what HubSpot makes of its values."""

    mapping: spec.MappingSpec
    route: routes.Route
    settle: Settle

    @property
    def one(self) -> spec.FieldSpec:
        return self.route.one

    def keep(self, text: str) -> str:
        """What HubSpot keeps; a blank is a blank."""
        return self.settle(text, self.one) if text else ""


def find(road: Road, starts: terms.SideName, value: object) -> Echo:
    """Lets the planner sync a value of one side to a blank partner, and asks it again: with the base, and without.

    ``value``: a Python value of the column, or the property's text. With the base kept per side nothing is
    written, however the value came out on the other side: the base holds what *each* side answered.
    """
    world = _World(road, base={road.one.id: changes.BaseValue(None, None)})
    if starts is terms.SideName.LOCAL:
        world.local = value
    else:
        world.remote = str(value)
    try:
        world.apply(world.plan(world.base))
    except errors.ConvertError:
        return Echo.NEVER  # HubSpot refused the write: the record waits for a person
    if world.plan(world.base).is_write:
        return Echo.ALWAYS
    return Echo.WITHOUT_BASE if world.plan({}).is_write else Echo.NEVER


@dataclass(slots=True)
class _World:
    """The one field on both sides of a link, as the planner meets it."""

    road: Road
    local: object = None
    remote: str = ""
    base: dict[int, changes.BaseValue] = field(default_factory=dict)

    def plan(self, base: Mapping[int, changes.BaseValue]) -> changes.PairPlan:
        here, there = self.records()
        link = changes.LinkState(0, base)
        mapping = replace(self.road.mapping, fields=(self.road.one,), rules=(), associations=())
        return plan.make_plan(mapping, [changes.Pair(here, there, link)], _NOW).pairs[0]

    def apply(self, planned: changes.PairPlan) -> None:
        for write in planned.local_writes:
            self.local = write.value
        for write in planned.remote_writes:
            self.remote = self.road.keep(str(write.value))
        here, there = self.records()
        self.base |= plan.make_bases(self.road.mapping, planned, local=here, remote=there)

    def records(self) -> tuple[record.Record, record.Record]:
        one = self.road.one
        here = record.Record(record.RecordKey(self.road.mapping.local_model, "0"), {one.local: self.local})
        there = record.Record(record.RecordKey(self.road.mapping.object_type, "0"), {one.remote: self.remote})
        return here, there
