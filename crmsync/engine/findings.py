"""Findings: what can be wrong between a mapping and its portal, how bad it is, what happens then, and the remedy."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from crmsync.engine import contract, terms


class Severity(terms.Term):
    """Worst first."""

    ERROR = "error", "error"
    WARNING = "warning", "warning"
    INFO = "info", "information"


class Code(terms.Term):
    """What is wrong; the values are stable, and docs/problems.md explains each."""

    MODEL = "lint.model", "Django model not usable"
    NOT_DISCOVERED = "lint.not_discovered", "fields not discovered"
    NOTHING_MAPPED = "lint.nothing_mapped", "nothing maps"
    PROPERTY_MISSING = "lint.property_missing", "property missing"
    PROPERTY_ARCHIVED = "lint.property_archived", "property archived"
    TYPE_UNKNOWN = "lint.type_unknown", "type that cannot be synced"
    TYPE_IMPOSSIBLE = "lint.type_impossible", "types do not go together"
    TYPE_LOSSY = "lint.type_lossy", "types differ"
    TYPE_NARROW = "lint.type_narrow", "whole numbers only"
    READ_ONLY = "lint.read_only", "property is read-only"
    CALCULATED = "lint.calculated", "property is calculated"
    LOCAL_FIELD = "lint.local_field", "Django field not usable"
    LOCAL_READ_ONLY = "lint.local_read_only", "Django field is read-only"
    OPTION_MISSING = "lint.option_missing", "option gone"
    STAGE_MISSING = "lint.stage_missing", "pipeline or stage gone"
    STAGE_ELSEWHERE = "lint.stage_elsewhere", "stage of another pipeline"
    CHOICE_UNMAPPED = "lint.choice_unmapped", "choice without an option"
    OPTION_UNMAPPED = "lint.option_unmapped", "option without a choice"
    VALUE_TOO_LONG = "lint.value_too_long", "option longer than the column"
    LENGTH = "lint.length", "longer texts possible"
    MATCH_KEY = "lint.match_key", "match key gone"
    MATCH_NOT_UNIQUE = "lint.match_not_unique", "match key not unique"
    KEY_PROPERTY = "lint.key_property", "key property gone or not unique"
    NO_UNIQUE_LEFT = "lint.no_unique_left", "no room for the key property"
    REQUIRED = "lint.required", "required property not filled"
    REQUIRED_WHEN = "lint.required_when", "property required under a condition"
    CONDITION = "lint.condition", "sync rule or fixed value that cannot be met"
    SCOPE = "lint.scope", "scope missing"
    SCOPE_OPTIONAL = "lint.scope_optional", "optional scope missing"
    WRITTEN_TWICE = "lint.written_twice", "written by two rows"
    SHARED_TARGET = "lint.shared_target", "written by two mappings"
    RIVALS = "lint.rivals", "two mappings for the same records"
    LOCAL_REQUIRED = "lint.local_required", "required Django field not filled"
    LABEL_MISSING = "lint.label_missing", "association label gone"
    ASSOCIATION = "lint.association", "association not usable"
    TARGET_NOT_LIVE = "lint.target_not_live", "associated mapping not live"
    TARGET_NEXT = "lint.target_next", "associated mapping goes live, too"


@dataclass(frozen=True, slots=True)
class Finding:
    """``field_id`` is the row's, None where it is about the whole mapping; ``field`` names row, rule or key."""

    code: Code
    severity: Severity
    mapping: str
    mapping_id: int
    field_id: int | None
    field: str
    sentence: str
    effect: str
    remedy: str


class Said(NamedTuple):
    """A finding before the mapping's name and its meaning are put to it."""

    code: Code
    sentence: str
    row: contract.Row | None = None
    about: str = ""


_STOPS: Final = "The whole mapping stops: it is paused at its next record, or cannot be set live."
_WAITS: Final = "This field alone waits, its values are kept; all other fields go on."
_UNTIED: Final = (
    "This association alone waits, nothing is added or removed; where its foreign key must not be empty, new records"
    " from HubSpot wait with it."
)
_HELD: Final = "The field of such a record is held back; its other fields go on, and the record is parked."
_REFUSED: Final = "HubSpot refuses the write, and the record is parked."
_REFRESH: Final = "Then refresh the portal's fields."

MEANING: Final[dict[Code, tuple[Severity, str, str]]] = {
    Code.MODEL: (Severity.ERROR, _STOPS, "Name the model in CRMSYNC['MODELS'], or choose another one."),
    Code.NOT_DISCOVERED: (Severity.ERROR, _STOPS, "Press “Refresh fields” on the portal's page."),
    Code.NOTHING_MAPPED: (Severity.ERROR, "Nothing is written on either side.", "Add a row, or switch one on."),
    Code.PROPERTY_MISSING: (Severity.ERROR, _WAITS, f"Create it in HubSpot, or map another one. {_REFRESH}"),
    Code.PROPERTY_ARCHIVED: (Severity.ERROR, _WAITS, f"Restore it in HubSpot, or switch the row off. {_REFRESH}"),
    Code.TYPE_UNKNOWN: (Severity.ERROR, _WAITS, "Map another property, or switch the row off."),
    Code.TYPE_IMPOSSIBLE: (Severity.ERROR, _WAITS, "Map another property."),
    Code.TYPE_LOSSY: (Severity.WARNING, _HELD, "Map a property of the same type, or give the row one direction."),
    Code.TYPE_NARROW: (Severity.INFO, _HELD, "Keep to whole numbers in HubSpot, or map a decimal field."),
    Code.READ_ONLY: (Severity.ERROR, _WAITS, "Set the row's direction to “from HubSpot”."),
    Code.CALCULATED: (Severity.ERROR, _REFUSED, "Set the row's direction to “from HubSpot”."),
    Code.LOCAL_FIELD: (Severity.ERROR, _WAITS, "Choose another Django field, or switch the row off."),
    Code.LOCAL_READ_ONLY: (Severity.ERROR, _WAITS, "Set the row's direction to “to HubSpot”."),
    Code.OPTION_MISSING: (Severity.ERROR, _HELD, f"Add the option in HubSpot, or change the value map. {_REFRESH}"),
    Code.STAGE_MISSING: (Severity.ERROR, _HELD, f"Add it in HubSpot, or change the value map. {_REFRESH}"),
    Code.STAGE_ELSEWHERE: (
        Severity.ERROR,
        "HubSpot refuses such a stage, and the record is parked; a line from HubSpot is never used.",
        "Name a stage of the mapping's own pipeline, or correct its fixed value or the pipeline's row.",
    ),
    Code.CHOICE_UNMAPPED: (Severity.WARNING, _HELD, "Add a line to the value map, or an option in HubSpot."),
    Code.OPTION_UNMAPPED: (Severity.WARNING, _HELD, "Add a line to the value map, or a choice in Django."),
    Code.VALUE_TOO_LONG: (Severity.WARNING, _HELD, "Widen the column, or map the option to a shorter value."),
    Code.LENGTH: (Severity.INFO, f"Nothing is cut. {_HELD}", "Widen the column, or limit the length in HubSpot."),
    Code.MATCH_KEY: (
        Severity.ERROR,
        "Records without a link wait, since their partner cannot be known; linked ones go on.",
        "Correct the match key.",
    ),
    Code.MATCH_NOT_UNIQUE: (
        Severity.INFO,
        "Where several records match, none of them is linked.",
        "Merge duplicates, or match by a unique property.",
    ),
    Code.KEY_PROPERTY: (
        Severity.ERROR,
        "Creates in HubSpot fail, or one whose answer is lost cannot be found again.",
        "Restore it in HubSpot; if its values need not be unique there, delete it and make it again as unique text.",
    ),
    Code.NO_UNIQUE_LEFT: (
        Severity.ERROR,
        "crmsync cannot make the property by which a record is never created twice, so the mapping is paused.",
        f"Delete one that nobody needs in HubSpot, or switch off “create missing records in HubSpot”. {_REFRESH}",
    ),
    Code.REQUIRED: (
        Severity.ERROR,
        "HubSpot refuses every create, and the records are parked; updates go on.",
        "Add a row to HubSpot for it, or let the mapping create nothing there.",
    ),
    Code.REQUIRED_WHEN: (Severity.WARNING, _REFUSED, "Add a row to HubSpot for it, or change the rule in HubSpot."),
    Code.CONDITION: (
        Severity.ERROR,
        "Records without a link wait, since the rule cannot be asked; one that gates updates pauses the mapping.",
        "Correct the sync rule.",
    ),
    Code.SCOPE: (
        Severity.ERROR,
        "HubSpot refuses such calls, and the mapping is paused until the scope is granted.",
        "Grant it in HubSpot, then reconnect on the portal's page; with a token press “Test connection” there.",
    ),
    Code.SCOPE_OPTIONAL: (
        Severity.INFO,
        "Everything else works without it.",
        "Grant it in HubSpot, then test the connection.",
    ),
    Code.WRITTEN_TWICE: (
        Severity.ERROR,
        "Each of the two rows undoes what the other one writes.",
        "Make one of them one-way, or switch it off.",
    ),
    Code.SHARED_TARGET: (
        Severity.WARNING,
        "A HubSpot record belongs to the mapping that links it first; the other one leaves it out.",
        "Let one mapping only write it, or keep their records apart by fixed values.",
    ),
    Code.RIVALS: (
        Severity.ERROR,
        "A HubSpot record belongs to the mapping that links it first; the other one's are parked, or made twice.",
        "Give one of them a fixed value or sync rule, let the row only write new records, or let one mapping write.",
    ),
    Code.LOCAL_REQUIRED: (
        Severity.WARNING,
        "Unless your save() fills it, the database refuses new rows, and the records are parked.",
        "Add a row from HubSpot, give the column a default, or let the mapping create nothing in Django.",
    ),
    Code.LABEL_MISSING: (
        Severity.ERROR,
        _UNTIED,
        f"Choose one of the labels there are, or add this one in HubSpot. {_REFRESH}",
    ),
    Code.ASSOCIATION: (
        Severity.ERROR,
        _UNTIED,
        "Correct the association's row on the mapping's page, or switch it off.",
    ),
    Code.TARGET_NOT_LIVE: (
        Severity.WARNING,
        "Its records are not linked, so what is to be associated with them waits.",
        "Set the other mapping live, or switch the association off.",
    ),
    Code.TARGET_NEXT: (
        Severity.INFO,
        "Nothing flows yet. What is to be associated waits until both are live, whichever comes first.",
        "Make the other mapping live, too.",
    ),
}
