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
    TESTED = "tested", "tested"
    APPROVED = "approved", "approved"
    LIVE = "live", "live"
    PAUSED = "paused", "paused"

    @property
    def is_started(self) -> bool:
        """Whether changes are captured for it: once switched on, also while it is paused."""
        return self in (MappingState.LIVE, MappingState.PAUSED)


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
    NEXT_DAYS = "next_days", "is within the next … days"
    PAST_DAYS = "past_days", "is within the past … days"
    AFTER_DAYS = "after_days", "is more than … days ahead"
    BEFORE_DAYS = "before_days", "is more than … days ago"
    IS_EMPTY = "is_empty", "is empty"
    NOT_EMPTY = "not_empty", "is not empty"


class UnmappedPolicy(Term):
    """What becomes of a value that a value map does not hold, or the other side has no option for."""

    HOLD = "hold", "hold it back and say so"
    PASS = "pass", "pass it unchanged"
    DEFAULT = "default", "use the default value"
    ADD = "add", "add it as an option in HubSpot"


class Movement(Term):
    """Whether a value may go back in the order of the property's options."""

    ANY = "any", "any way"
    FORWARD = "forward", "forward only"
    CLEAR_FIRST = "clear_first", "any way; HubSpot's value is cleared before it goes back"


class Normaliser(Term):
    """How match values are made comparable."""

    EXACT = "exact", "exact"
    TRIMMED = "trimmed", "ignoring case and outer blanks"
    EMAIL = "email", "as e-mail address"
    EMAIL_PLUS = "email_plus", "as e-mail address, without what follows a plus"
    DOMAIN = "domain", "as web domain"
    PHONE = "phone", "as phone number with country code"
    DIGITS = "digits", "digits only"


class EdgeState(Term):
    """What is known of one association between two records."""

    MADE = "made", "associated on both sides"
    WAITING = "waiting", "waiting for the other record to be linked"
    LEFT = "left", "left as it is: removed in Django, but not made by crmsync"
    REFUSED = "refused", "needs attention"


class EdgeProblem(Term):
    """Why an association cannot work at present."""

    LABEL_GONE = "edge.label_gone", "HubSpot has no such label"
    TYPE_GONE = "edge.type_gone", "HubSpot no longer has the other object type"
    RELATION_GONE = "edge.relation_gone", "Django has no such relation"
    UNFIT = "edge.unfit", "the relation and the mapping it leads to do not go together"


class EdgeMove(Term):
    """What is done about one association between two records."""

    KEEP = "keep", "stays as both sides have it"
    ADD_REMOTE = "add_remote", "associated in HubSpot"
    CUT_REMOTE = "cut_remote", "removed in HubSpot"
    ADD_LOCAL = "add_local", "set in Django"
    CUT_LOCAL = "cut_local", "cleared in Django"
    WAIT = "wait", "waits for the other record"
    LEAVE = "leave", "left as it is in HubSpot"
    REFUSE = "refuse", "needs attention"


class QueueState(Term):
    DUE = "due", "waiting"
    PARKED = "parked", "needs attention"


class Problem(Term):
    """Why one field's value was held back; ``DIRECTION``, ``MOVEMENT`` and ``NO_PRIMARY`` are only ever notes,
    nothing is wrong then."""

    TYPE = "type", "the value has the wrong type"
    TOO_LONG = "too_long", "the value is too long"
    LOSSY = "lossy", "the value would lose precision"
    UNREADABLE = "unreadable", "the value could not be computed"
    NUL = "nul", "the text contains a NUL character"
    OPTION_UNKNOWN = "option_unknown", "the other side has no such option"
    DATE_NOT_MIDNIGHT = "date_not_midnight", "a date cannot hold a time of day"
    DIRECTION = "direction", "the field flows the other way only"
    MOVEMENT = "movement", "the field moves forward only"
    PROPERTY_GONE = "property_gone", "HubSpot no longer has the property"
    READ_ONLY = "read_only", "the other side does not let anyone write it"
    RETYPED = "retyped", "the two ends no longer fit together"
    LOCAL_GONE = "local_gone", "Django no longer has the field"
    SCOPE_MISSING = "scope_missing", "the portal lacks the scope to read it"
    NO_PRIMARY = "no_primary", "not exactly one associated record is the primary one"


class Reason(Term):
    """Why a record got its outcome, where the outcome alone does not say it."""

    DIRECTION = "direction", "the mapping or the run does not flow this way"
    MOVEMENT = "movement", "the field moves forward only"
    LINK_ONLY = "link_only", "the mapping makes no new records on this side"
    FILTER = "filter", "a sync rule keeps it out"
    OTHER_MAPPING = "other_mapping", "its fixed values belong to another mapping"
    TOO_MANY_CANDIDATES = "too_many_candidates", "several partners match"
    PARTNER_TAKEN = "partner_taken", "the only match is linked with another record"
    ARCHIVED = "archived", "the record is archived"
    BLANK = "blank", "no mapped field has a value"
    GONE = "gone", "neither side has it"
    LOCAL_GONE = "local_gone", "the Django record is gone"
    REMOTE_GONE = "remote_gone", "the HubSpot record is gone"
    MERGED = "merged", "HubSpot merged the record with another one"
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
    FORWARD = "forward", "both changed: the field moves forward only"


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
