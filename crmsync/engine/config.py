"""Configuration as a value: mappings as a file holds them, by names that mean the same in every portal."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar

from crmsync.engine import errors, terms

# The format of the file. A key's default belongs to it: it is left out of the file, so it must not change within it.
VERSION = 1
BARE_OPERATORS = {terms.Operator.IS_EMPTY, terms.Operator.NOT_EMPTY}

Row = TypeVar("Row")
Key = TypeVar("Key", bound=Hashable)


class NameKind(terms.Term):
    """What has an id in one portal only, and goes by name in a file."""

    STAGE = "stage", "stage"
    PIPELINE = "pipeline", "pipeline"
    OWNER = "owner", "owner"
    USER = "user", "user"
    ID = "id", "id"


@dataclass(frozen=True, slots=True)
class Named:
    """One such thing: a stage by its label and its pipeline's, a pipeline by its label, an owner by e-mail, a local
    user by user name. ``ID`` is what has no name of its own, taken as it is."""

    kind: NameKind
    name: str
    pipeline: str = ""


Value = str | Named
Values = str | Named | tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class ValueConfig:
    """A line of a value map."""

    local: Value
    remote: Value
    direction: terms.Direction = terms.Direction.BOTH


@dataclass(frozen=True, slots=True)
class FieldConfig:
    local: str
    remote: str
    direction: terms.Direction = terms.Direction.BOTH
    write_mode: terms.WriteMode = terms.WriteMode.OVERWRITE
    conflict: terms.ConflictPolicy = terms.ConflictPolicy.PREFER_HUBSPOT
    blanks: terms.BlankPolicy = terms.BlankPolicy.KEEP
    unmapped: terms.UnmappedPolicy = terms.UnmappedPolicy.HOLD
    default_local: Value = ""
    default_remote: Value = ""
    movement: terms.Movement = terms.Movement.ANY
    throttle_minutes: int = 0
    is_active: bool = True
    note: str = ""
    value_map: tuple[ValueConfig, ...] = ()

    def __str__(self) -> str:
        return f"{self.local} ↔ {self.remote}"


@dataclass(frozen=True, slots=True)
class MatchConfig:
    local: str
    remote: str
    normaliser: terms.Normaliser = terms.Normaliser.TRIMMED


@dataclass(frozen=True, slots=True)
class ConditionConfig:
    """``value`` is a tuple only where the operator takes several and each goes by name."""

    side: terms.SideName
    field: str
    operator: terms.Operator = terms.Operator.EQUALS
    value: Values = ""
    group: int = 1


@dataclass(frozen=True, slots=True)
class FixedConfig:
    side: terms.SideName
    field: str
    value: Value
    decides: bool = True

    def __str__(self) -> str:
        return f"fixed value {self.field}"


@dataclass(frozen=True, slots=True)
class AssociationConfig:
    """``to`` is the name of the other mapping, in the same file or portal."""

    local: str
    to: str
    label: str = ""
    direction: terms.Direction = terms.Direction.BOTH
    brings: bool = True
    is_active: bool = True
    note: str = ""

    def __str__(self) -> str:
        return f"association {self.local} ↔ {self.to}"


@dataclass(frozen=True, slots=True)
class RuleConfig:
    name: str
    direction: terms.Direction = terms.Direction.BOTH
    join: terms.Join = terms.Join.ALL
    groups_join: terms.Join = terms.Join.ANY
    gates_updates: bool = False
    unlinks: bool = False
    is_active: bool = True
    conditions: tuple[ConditionConfig, ...] = ()

    def __str__(self) -> str:
        return f"rule “{self.name}”"


@dataclass(frozen=True, slots=True)
class MappingConfig:
    """``object_type`` is the name of a custom object, never its id of one portal."""

    name: str
    model: str
    object_type: str
    direction: terms.Direction = terms.Direction.BOTH
    creates_remote: bool = True
    creates_local: bool = True
    deletes_remote: terms.DeletePolicy = terms.DeletePolicy.UNLINK
    deletes_local: terms.DeletePolicy = terms.DeletePolicy.UNLINK
    uses_save: bool = True
    match_keys: tuple[MatchConfig, ...] = ()
    fields: tuple[FieldConfig, ...] = ()
    rules: tuple[RuleConfig, ...] = ()
    fixed_values: tuple[FixedConfig, ...] = ()
    associations: tuple[AssociationConfig, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a file cannot be applied: where in it, and one sentence with the remedy."""

    place: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.place}: {self.sentence}" if self.place else self.sentence


class ConfigError(errors.EngineError):
    """A file that cannot be applied, with everything that is wrong with it; nothing of it was."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


def find_problems(mappings: Iterable[MappingConfig]) -> Iterator[Problem]:
    """What no portal could take: names given twice, two rows that write one target, conditions without a value."""
    mappings = tuple(mappings)
    for name in _repeated(mappings, lambda one: one.name):
        yield Problem(name, "Two mappings have this name. Give each its own.")
    for one in mappings:
        for text in chain(_in_fields(one), _in_targets(one), _in_rules(one), _in_records(one)):
            yield Problem(one.name, text)


def _in_fields(mapping: MappingConfig) -> Iterator[str]:
    for pair in _repeated(mapping.fields, str):
        yield f"The field {pair} is there twice. Take one of them out."
    for key in _repeated(mapping.match_keys, lambda one: f"{one.local} = {one.remote}"):
        yield f"The match key {key} is there twice. Take one of them out."
    for one in mapping.fields:
        if len(set(one.value_map)) < len(one.value_map):
            yield f"A line of the value map of {one} is there twice. Take one of them out."


def _in_targets(mapping: MappingConfig) -> Iterator[str]:
    """Each of two rows that write the same would undo the other."""
    active = [one for one in mapping.fields if one.is_active]
    if mapping.direction.pulls:
        for name in _repeated((one for one in active if one.direction.pulls), lambda one: one.local):
            yield f"Two fields write “{name}” in Django. Make one of them one-way, or switch it off."
    if mapping.direction.pushes:
        for name in _repeated((one for one in active if one.direction.pushes), lambda one: one.remote):
            yield f"Two fields write “{name}” in HubSpot. Make one of them one-way, or switch it off."


def _in_rules(mapping: MappingConfig) -> Iterator[str]:
    for name in _repeated(mapping.rules, lambda one: one.name):
        yield f"Two sync rules are named “{name}”. Give each its own name."
    for rule in mapping.rules:
        for one in rule.conditions:
            if one.operator not in BARE_OPERATORS and not one.value:
                yield f"A condition of the {rule} on “{one.field}” has no value. Give one, or choose “is_empty”."


def _in_records(mapping: MappingConfig) -> Iterator[str]:
    for side, name in _repeated(mapping.fixed_values, lambda one: (one.side, one.field)):
        yield f"“{name}” in {side.label} has two fixed values. Take one of them out."
    for key in _repeated(mapping.associations, lambda one: (one.local, one.to, one.label)):
        yield f"The association {key[0]} ↔ {key[1]} is there twice. Take one of them out."


def _repeated(rows: Iterable[Row], key: Callable[[Row], Key]) -> list[Key]:
    counts = Counter(map(key, rows))
    return [one for one, count in counts.items() if count > 1]
