"""MappingSpec, FieldSpec, RuleSpec: a mapping frozen for one run, with its revision."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from crmsync.engine import terms

# The unique property that holds crmsync's random create key in HubSpot.
KEY_PROPERTY = "crmsync_key"


@dataclass(frozen=True, slots=True)
class ValueMap:
    """Two tables, one a direction: local text -> HubSpot value, and HubSpot value -> local text.

    A value that a table does not hold passes unchanged when ``strict`` is off; else it is a ConvertError.
    ``remote_default`` is the owner that is sent for users who have none.
    """

    to_remote: Mapping[str, str] = field(default_factory=dict)
    to_local: Mapping[str, str] = field(default_factory=dict)
    strict: bool = True
    remote_default: str | None = None


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One local path <-> one property.

    ``options``: the property's option values where it has any, else empty. ``max_length``, ``max_digits`` and
    ``decimal_places`` are the local column's. ``local_choices``: the column's choices as text, else empty.
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


@dataclass(frozen=True, slots=True)
class ConditionSpec:
    """One line of a sync rule; ``value`` is typed text, lists are separated by semicolons."""

    side: terms.SideName
    field: str
    operator: terms.Operator
    value: str = ""


@dataclass(frozen=True, slots=True)
class RuleSpec:
    """Which records take part, for one direction; gates creation, and updates too when told so."""

    id: int
    name: str
    direction: terms.Direction
    join: terms.Join
    conditions: tuple[ConditionSpec, ...]
    gates_updates: bool = False


@dataclass(frozen=True, slots=True)
class MatchSpec:
    """A pair of fields whose equal normalised values make two records partners."""

    local: str
    remote: str
    normaliser: terms.Normaliser = terms.Normaliser.EXACT
    unique_remote: bool = False


@dataclass(frozen=True, slots=True)
class MappingSpec:
    """A mapping as planned with; ``key_property`` holds crmsync's random create key in HubSpot."""

    id: int
    revision: int
    portal_id: int
    local_model: str
    object_type: str
    direction: terms.Direction
    fields: tuple[FieldSpec, ...]
    match: tuple[MatchSpec, ...] = ()
    rules: tuple[RuleSpec, ...] = ()
    creates_remote: bool = True
    creates_local: bool = True
    deletes: terms.DeletePolicy = terms.DeletePolicy.UNLINK
    key_property: str = KEY_PROPERTY
    modified_property: str = "hs_lastmodifieddate"

    def pushes(self, one: FieldSpec) -> bool:
        """Whether this field may be written to HubSpot under this mapping."""
        return self.direction.pushes and one.direction.pushes

    def pulls(self, one: FieldSpec) -> bool:
        """Whether this field may be written locally under this mapping."""
        return self.direction.pulls and one.direction.pulls
