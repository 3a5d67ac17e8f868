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


class Problem(Term):
    """Why one field's value was held back; ``DIRECTION`` is only ever a note, nothing is wrong then."""

    TYPE = "type", "the value has the wrong type"
    TOO_LONG = "too_long", "the value is too long"
    LOSSY = "lossy", "the value would lose precision"
    NUL = "nul", "the text contains a NUL character"
    OPTION_UNKNOWN = "option_unknown", "the other side has no such option"
    DATE_NOT_MIDNIGHT = "date_not_midnight", "a date cannot hold a time of day"
    DIRECTION = "direction", "the field flows the other way only"


class Reason(Term):
    """Why a record got its outcome, where the outcome alone does not say it."""

    DIRECTION = "direction", "the mapping or the run does not flow this way"
    LINK_ONLY = "link_only", "the mapping makes no new records on this side"
    FILTER = "filter", "a sync rule keeps it out"
    TOO_MANY_CANDIDATES = "too_many_candidates", "several partners match"
    PARTNER_TAKEN = "partner_taken", "the only match is linked with another record"
    ARCHIVED = "archived", "the record is archived"
    BLANK = "blank", "no mapped field has a value"
    GONE = "gone", "neither side has it"
    LOCAL_GONE = "local_gone", "the Django record is gone"
    REMOTE_GONE = "remote_gone", "the HubSpot record is gone"
    EDITED = "edited", "the partner is gone, but this record was edited since"
    ASK = "ask", "a person must choose"
    NOT_WANTED = "not_wanted", "left for a run in the other direction"


class Cause(Term):
    """The rule that led to a write or decided a clash."""

    CREATED = "created", "the record is new"
    LOCAL_CHANGED = "local_changed", "changed in Django"
    REMOTE_CHANGED = "remote_changed", "changed in HubSpot"
    FILL_BLANK = "fill_blank", "first contact: the blank side is filled"
    NOT_BLANK = "not_blank", "both changed: a blank never clears a value"
    ONE_WAY = "one_way", "both changed: the field flows one way"
    MADE_BY_US = "made_by_us", "the record was made from the Django values"
    PREFER_LOCAL = "prefer_local", "both changed: Django wins"
    PREFER_HUBSPOT = "prefer_hubspot", "both changed: HubSpot wins"
    NEWEST = "newest_by_clock", "both changed: the newest wins (by clock)"
    ASK = "ask", "both changed: a person must choose"
    BOTH_KEPT = "both_kept", "both changed: each is appended to the other"


class MatchResult(Term):
    """What looking for a partner came to."""

    LINKED = "linked", "linked already"
    FOUND = "found", "exactly one partner"
    AMBIGUOUS = "ambiguous", "several partners"
    TAKEN = "taken", "the partner is linked with another record"
    NONE = "none", "no partner"


class Difference(Term):
    """What happened to one field since both sides last agreed."""

    UNCHANGED = "unchanged", "nothing changed"
    SETTLED = "settled", "both sides agree anew"
    PUSH = "push", "changed in Django"
    PULL = "pull", "changed in HubSpot"
    BOTH_CHANGED = "both_changed", "changed on both sides"
    UNKNOWN_BASE = "unknown_base", "first contact"
