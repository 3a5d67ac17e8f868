"""MappingSpec, FieldSpec, RuleSpec: a mapping frozen for one run, with its revision."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from crmsync.engine import terms

# The unique property that holds crmsync's random create key in HubSpot.
KEY_PROPERTY = "crmsync_key"
# The property in which HubSpot keeps the ids of the records that were merged into one.
MERGED_PROPERTY = "hs_merged_object_ids"


@dataclass(frozen=True, slots=True)
class ValueMap:
    """Two tables, one a direction: local text -> HubSpot value, and HubSpot value -> local text.

    A value that a table does not hold passes unchanged when ``strict`` is off, if the other side takes it; else it
    becomes the default of its direction, or is a ConvertError where there is none. For owners ``remote_default``
    stands for users without one, and ``local_default`` for owners without a user.
    """

    to_remote: Mapping[str, str] = field(default_factory=dict)
    to_local: Mapping[str, str] = field(default_factory=dict)
    strict: bool = True
    remote_default: str | None = None
    local_default: str | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """Why a field cannot work at present, such as a property archived in HubSpot. Its base is kept, nothing is
    written and what changed waits; all other fields go on. ``side`` is the end that is wrong."""

    code: terms.Problem
    message: str
    side: terms.SideName = terms.SideName.REMOTE


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One local path <-> one property.

    ``options``: the property's option values where it has any, else empty. ``max_length``, ``max_digits`` and
    ``decimal_places`` are the local column's. ``local_choices``: the column's choices as text, else empty.
    ``order``: the option values as HubSpot orders them, where ``movement`` needs it; "" stands between the stages of
    two pipelines, which have no order among each other. ``adds_options``: a value that
    is no option may be sent, the option is made first. ``throttle_minutes``: 0 or how seldom it is pushed alone.
    ``category``: what the rows of the related table are called whose names are the local choices, "" for a column;
    ``adds_choices``: a value that the table lacks is added to it.
    """

    id: int
    local: str
    remote: str
    direction: terms.Direction = terms.Direction.BOTH
    local_type: terms.LocalType = terms.LocalType.TEXT
    remote_type: terms.RemoteType = terms.RemoteType.STRING
    write_mode: terms.WriteMode = terms.WriteMode.OVERWRITE
    conflict: terms.ConflictPolicy = terms.ConflictPolicy.PREFER_HUBSPOT
    blanks: terms.BlankPolicy = terms.BlankPolicy.KEEP
    value_map: ValueMap | None = None
    options: frozenset[str] = frozenset()
    local_choices: frozenset[str] = frozenset()
    max_length: int | None = None
    max_digits: int | None = None
    decimal_places: int | None = None
    movement: terms.Movement = terms.Movement.ANY
    order: tuple[str, ...] = ()
    adds_options: bool = False
    throttle_minutes: int = 0
    held: Hold | None = None
    category: str = ""
    adds_choices: bool = False


def is_held(one: FieldSpec, side: terms.SideName) -> bool:
    """Whether a field cannot work because of this end."""
    return one.held is not None and one.held.side is side


@dataclass(frozen=True, slots=True)
class ConditionSpec:
    """One line of a sync rule; ``value`` is typed text, lists are separated by semicolons. Relative dates have a
    number of days."""

    side: terms.SideName
    field: str
    operator: terms.Operator
    value: str = ""
    group: int = 1


@dataclass(frozen=True, slots=True)
class RuleSpec:
    """Which records take part, for one direction; gates creation, and updates too when told so.

    ``join`` joins the conditions of a group, ``groups_join`` the groups. ``unlinks``: a linked record that fails is
    unlinked. ``is_membership``: made of fixed values; a side that has no record yet passes, and a record that fails
    belongs to another mapping.
    """

    id: int
    name: str
    direction: terms.Direction
    join: terms.Join
    conditions: tuple[ConditionSpec, ...]
    gates_updates: bool = False
    groups_join: terms.Join = terms.Join.ANY
    unlinks: bool = False
    is_membership: bool = False


@dataclass(frozen=True, slots=True)
class FixedSpec:
    """A value that new records of a side get: a Python value locally, HubSpot's string remotely."""

    side: terms.SideName
    field: str
    value: object


@dataclass(frozen=True, slots=True)
class EdgeHold:
    """Why an association cannot work at present. Nothing is added or removed on either side and its memory is kept;
    fields and other associations go on."""

    code: terms.EdgeProblem
    message: str


@dataclass(frozen=True, slots=True)
class AssociationSpec:
    """A relation <-> an association. ``is_several``: many-to-many; ``is_required``: the column takes no NULL.

    ``label`` is HubSpot's category and type id as ``RemoteLabel.key`` has them, "" for no label; a held one has none.
    """

    id: int
    local: str
    to_mapping_id: int
    to_type: str
    label: str = ""
    direction: terms.Direction = terms.Direction.BOTH
    brings: bool = True
    is_several: bool = False
    is_required: bool = False
    held: EdgeHold | None = None


@dataclass(frozen=True, slots=True)
class MatchSpec:
    """A pair of fields whose equal normalised values make two records partners."""

    local: str
    remote: str
    normaliser: terms.Normaliser = terms.Normaliser.EXACT
    unique_remote: bool = False


@dataclass(frozen=True, slots=True)
class MappingSpec:
    """A mapping as planned with; ``key_property`` holds crmsync's random create key in HubSpot.

    ``unmatched``: why records without a partner must wait at present, "" where they need not.
    """

    id: int
    revision: int
    portal_id: int
    local_model: str
    object_type: str
    direction: terms.Direction
    fields: tuple[FieldSpec, ...]
    match: tuple[MatchSpec, ...] = ()
    rules: tuple[RuleSpec, ...] = ()
    fixed: tuple[FixedSpec, ...] = ()
    associations: tuple[AssociationSpec, ...] = ()
    unmatched: str = ""
    creates_remote: bool = True
    creates_local: bool = True
    deletes_remote: terms.DeletePolicy = terms.DeletePolicy.UNLINK
    deletes_local: terms.DeletePolicy = terms.DeletePolicy.UNLINK
    key_property: str = KEY_PROPERTY
    modified_property: str = "hs_lastmodifieddate"

    def pushes(self, one: FieldSpec) -> bool:
        """Whether this field may be written to HubSpot under this mapping."""
        return self.direction.pushes and one.direction.pushes

    def pulls(self, one: FieldSpec) -> bool:
        """Whether this field may be written locally under this mapping."""
        return self.direction.pulls and one.direction.pulls
