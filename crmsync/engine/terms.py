"""The vocabulary: every enum of crmsync, each value with the label staff read."""

from enum import StrEnum


class Term(StrEnum):
    """An enum whose members carry a label: ``NAME = "value", "Label"``."""

    label: str

    def __new__(cls, value: str, label: str) -> "Term":
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        return member

    @classmethod
    def choices(cls) -> list[tuple[str, str]]:
        """(value, label) pairs, in the shape Django's ``choices=`` wants."""
        return [(member.value, member.label) for member in cls]


class SideName(Term):
    LOCAL = "local", "Django"
    REMOTE = "remote", "HubSpot"


class Direction(Term):
    """Where values may flow; of a mapping it limits what its fields may do."""

    PUSH = "push", "to HubSpot"
    PULL = "pull", "from HubSpot"
    BOTH = "both", "both ways"

    @property
    def pushes(self) -> bool:
        return self is not Direction.PULL

    @property
    def pulls(self) -> bool:
        return self is not Direction.PUSH


class LocalType(Term):
    """What a local field holds."""

    TEXT = "text", "text"
    INTEGER = "integer", "whole number"
    DECIMAL = "decimal", "decimal number"
    FLOAT = "float", "floating number"
    BOOLEAN = "boolean", "yes/no"
    DATE = "date", "date"
    DATETIME = "datetime", "date and time"
    MULTI = "multi", "several choices"
    USER = "user", "user"


class RemoteType(Term):
    """HubSpot's property type, with multi-checkbox and owner told apart (facts: property field types)."""

    STRING = "string", "text"
    NUMBER = "number", "number"
    BOOL = "bool", "yes/no"
    DATE = "date", "date"
    DATETIME = "datetime", "date and time"
    ENUMERATION = "enumeration", "one option"
    CHECKBOXES = "checkboxes", "several options"
    PHONE_NUMBER = "phone_number", "phone number"
    OWNER = "owner", "HubSpot owner"


class WriteMode(Term):
    OVERWRITE = "overwrite", "overwrite"
    IF_EMPTY = "if_empty", "only if the other side is empty"
    IF_NEW = "if_new", "only when the record is created"
    APPEND = "append", "append to what is there"


class ConflictPolicy(Term):
    """Who wins a field that both sides changed since they last agreed."""

    PREFER_LOCAL = "prefer_local", "Django wins"
    PREFER_HUBSPOT = "prefer_hubspot", "HubSpot wins"
    NEWEST = "newest", "the newest wins (by clock)"
    ASK = "ask", "ask a person"


class BlankPolicy(Term):
    KEEP = "keep", "a blank never clears a value"
    CLEAR = "clear", "a blank clears the value"


class DeletePolicy(Term):
    """What a deletion on one side does to the partner."""

    UNLINK = "unlink", "unlink, keep the other record"
    ARCHIVE = "archive", "archive or delete the other record"


class MappingState(Term):
    DRAFT = "draft", "draft"
    LIVE = "live", "live"
    PAUSED = "paused", "paused"


class Outcome(Term):
    """What became of a record that was considered; every considered record has exactly one."""

    CREATED = "created", "created"
    UPDATED = "updated", "updated"
    ADOPTED = "adopted", "linked to an existing record"
    UNCHANGED = "unchanged", "in sync"
    EXCLUDED = "excluded", "excluded"
    CONFLICT = "conflict", "conflict"
    ARCHIVED = "archived", "archived"
    UNLINKED = "unlinked", "unlinked"
    WAITING = "waiting", "waiting"
    FAILED = "failed", "needs attention"


class Join(Term):
    ALL = "all", "all conditions"
    ANY = "any", "any condition"


class Operator(Term):
    """Operators of a sync rule."""

    EQUALS = "equals", "equals"
    NOT_EQUALS = "not_equals", "does not equal"
    IN = "in", "is one of"
    NOT_IN = "not_in", "is none of"
    CONTAINS = "contains", "contains"
    STARTS_WITH = "starts_with", "starts with"
    GREATER = "greater", "is greater than"
    LESS = "less", "is less than"
    IS_EMPTY = "is_empty", "is empty"
    NOT_EMPTY = "not_empty", "is not empty"


class Normaliser(Term):
    """How match values are made comparable."""

    EXACT = "exact", "exact"
    TRIMMED = "trimmed", "ignoring case and outer blanks"
    EMAIL = "email", "as e-mail address"
    DOMAIN = "domain", "as web domain"
    DIGITS = "digits", "digits only"


class QueueState(Term):
    DUE = "due", "waiting"
    PARKED = "parked", "needs attention"
