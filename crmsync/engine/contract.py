"""Contract: what a mapping uses of both sides, and what was discovered of HubSpot's, as lint judges them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from crmsync.engine import rehearse, spec, terms


@dataclass(frozen=True, slots=True)
class Column:
    """What is known of a Django field; ``choices`` without the blank one, empty where it takes anything."""

    local_type: terms.LocalType
    is_writable: bool = True
    choices: frozenset[str] = frozenset()
    max_length: int | None = None


@dataclass(frozen=True, slots=True)
class Property:
    """A discovered property. ``kind`` None: of a type that cannot be synced. ``options`` of a pipeline or stage
    property are the ids of those; ``elsewhere`` are stages of pipelines that the mapping's records are never in.
    ``max_length`` is a validation rule's."""

    kind: terms.RemoteType | None
    options: frozenset[str] = frozenset()
    is_read_only: bool = False
    is_calculated: bool = False
    exists: bool = True
    is_unique: bool = False
    is_stage: bool = False
    elsewhere: frozenset[str] = frozenset()
    max_length: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """An active field mapping; ``pushes`` and ``pulls`` as the mapping's direction allows them.

    ``column`` None: it cannot be mapped, as ``refusal`` says; both empty where the model itself is not usable.
    """

    id: int
    local: str
    remote: str
    pushes: bool = True
    pulls: bool = True
    column: Column | None = None
    refusal: str = ""
    to_remote: Mapping[str, str] = field(default_factory=dict)
    to_local: Mapping[str, str] = field(default_factory=dict)
    unmapped: terms.UnmappedPolicy = terms.UnmappedPolicy.HOLD
    only_new: bool = False

    @property
    def has_map(self) -> bool:
        """Whether there is a value map; what becomes of values it does not hold, ``unmapped`` says."""
        return bool(self.to_remote or self.to_local)


class Named(NamedTuple):
    """What a match key, a rule's condition or a fixed value names on one side; ``owner`` is its or the rule's name.

    ``refusal``: why the Django field cannot be used, or not with this value; blank where it can, and for HubSpot's.
    """

    owner: str
    side: terms.SideName
    name: str
    refusal: str = ""
    operator: terms.Operator = terms.Operator.NOT_EMPTY
    value: str = ""


class Relation(NamedTuple):
    """An active association; ``held`` says why it cannot work, None where it can. ``unlinked``: the name of the
    mapping that it leads to, where that one is not live; else blank. ``is_next``: neither of the two was started yet.
    """

    owner: str
    held: spec.EdgeHold | None = None
    unlinked: str = ""
    is_next: bool = False


@dataclass(frozen=True, slots=True)
class MappingFacts:
    """A mapping as its rows say. ``others``: by property, the other mappings that push it in the same portal and
    object type; ``rivals`` are those of them that nothing tells apart from this one.
    ``local_required``: columns that a new Django row must be given a value for.
    ``members``: by property, the fixed values that keep another mapping's HubSpot records out."""

    id: int
    label: str
    object_type: str
    pushes: bool = True
    pulls: bool = True
    creates_remote: bool = True
    creates_local: bool = True
    rows: tuple[Row, ...] = ()
    keys: tuple[Named, ...] = ()
    conditions: tuple[Named, ...] = ()
    fixed: tuple[Named, ...] = ()
    relations: tuple[Relation, ...] = ()
    members: Mapping[str, str] = field(default_factory=dict)
    model_refusal: str = ""
    local_required: tuple[str, ...] = ()
    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rivals: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    missing_scopes: tuple[str, ...] = ()
    missing_optional: tuple[str, ...] = ()
    key_property: str = ""
    is_key_made: bool = False

    @property
    def is_told_apart(self) -> bool:
        """Whether fixed values keep another mapping's HubSpot records out."""
        return bool(self.members)

    @property
    def pushed(self) -> frozenset[str]:
        """The properties that some row or fixed value fills."""
        rows = frozenset(one.remote for one in self.rows if one.pushes)
        return rows | {one.name for one in self.fixed if one.side is terms.SideName.REMOTE}


@dataclass(frozen=True, slots=True)
class Schema:
    """What was discovered of one object type. No properties: nobody looked.

    ``required``: what HubSpot itself demands on a create; of each group one must be set. ``unique``: the properties
    that take one of the slots for unique ones. ``pipelines``: stage ids by pipeline id.
    """

    properties: Mapping[str, Property] = field(default_factory=dict)
    rules: tuple[rehearse.RuleFacts, ...] = ()
    required: tuple[tuple[str, ...], ...] = ()
    unique: tuple[str, ...] = ()
    pipelines: Mapping[str, frozenset[str]] = field(default_factory=dict)


# What HubSpot itself demands of a new record, whatever an account's admins say; of each group one must be set.
# HubSpot: object guides (contacts, companies, deals, tickets), create a record.
DEMANDED: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "contacts": (("email", "firstname", "lastname"),),
    "companies": (("name", "domain"),),
    "deals": (("dealname",), ("dealstage",)),
    "tickets": (("subject",), ("hs_pipeline_stage",)),
}
# What HubSpot demands besides where the object type has several pipelines: a stage does not say its own.
DEMANDED_OF_SEVERAL: Final[dict[str, tuple[tuple[str, ...], ...]]] = {"deals": (("pipeline",),)}
