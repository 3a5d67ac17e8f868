"""Why an association waits: what keeps its other record from being linked, and what would do.

Each answer is a code and a sentence with the remedy; the association is made by itself once that is mended.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

from crmsync.engine import terms

NOT_LIVE: Final = "edge.other_not_live"
ONE_WAY: Final = "edge.other_one_way"
NOT_MADE: Final = "edge.other_not_made"
KEPT_OUT: Final = "edge.other_kept_out"
FAILED: Final = "edge.other_failed"
# Said by the other record's own mapping when it looked at it, and true until it does so again.
TOLD: Final = frozenset({KEPT_OUT, FAILED})

_REASON = terms.Reason
# What would do where the other record's own mapping leaves it out; codes of stops speak for themselves.
_REMEDIES: Final[dict[str, str]] = {
    _REASON.OTHER_MAPPING: "Let the association lead to the mapping that it belongs to, or correct its value.",
    _REASON.FILTER: "Correct the record or the sync rule, or tick “bring the other record in”.",
    _REASON.TOO_MANY_CANDIDATES: "Choose its partner on the page Match candidates.",
    _REASON.PARTNER_TAKEN: "Unlink or correct the record that has its partner.",
    _REASON.BLANK: "Give one of its mapped fields a value.",
    _REASON.LINK_ONLY: "Let that mapping create missing records, or tick “bring the other record in”.",
    _REASON.DIRECTION: "Change the direction of that mapping, or switch the association off.",
    _REASON.ARCHIVED: "Restore it in HubSpot, or remove the association.",
}


class Answer(NamedTuple):
    """Why it waits, as a code and a sentence."""

    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Other:
    """The mapping of the other record, as far as it decides whether that one can be linked."""

    label: str
    state: terms.MappingState
    direction: terms.Direction
    creates_remote: bool
    creates_local: bool


def find_obstacle(other: Other, there: terms.SideName, *, brings: bool) -> Answer | None:
    """What keeps every record that is only on one side from being linked; None where nothing does.

    ``there``: the side that has the other record already.
    """
    name = f"“{other.label}”"
    if other.state is terms.MappingState.PAUSED:
        return Answer(NOT_LIVE, f"{name} is paused. Set it live again, and it is associated by itself.")
    if other.state is not terms.MappingState.LIVE:
        sentence = f"{name} is not live yet: it is {other.state.label}."
        return Answer(NOT_LIVE, f"{sentence} Set it live, and it is associated by itself.")
    is_here = there is terms.SideName.LOCAL
    missing = terms.SideName.REMOTE if is_here else terms.SideName.LOCAL
    if not (other.direction.pushes if is_here else other.direction.pulls):
        sentence = f"{name} makes no records in {missing.label}: it does not flow that way."
        return Answer(ONE_WAY, f"{sentence} Make the record there yourself, or change its direction.")
    if not brings and not (other.creates_remote if is_here else other.creates_local):
        sentence = f"{name} only links records, and the association does not bring them in."
        return Answer(NOT_MADE, f"{sentence} Tick “bring the other record in”, or let that mapping create.")
    return None


def explain(label: str, outcome: terms.Outcome, reason: str, detail: str) -> Answer:
    """What became of the other record when its own mapping looked at it; ``detail`` is that mapping's sentence."""
    said = f"{detail[:1].upper()}{detail[1:].rstrip('.')}." if detail else ""
    if outcome is terms.Outcome.FAILED:
        return Answer(FAILED, f"“{label}” could not sync it: {said} Mend that, and it is associated by itself.")
    remedy = _REMEDIES.get(reason, "")
    return Answer(KEPT_OUT, " ".join(filter(None, [f"“{label}” leaves it out: {said or _word(reason)}", remedy])))


def _word(reason: str) -> str:
    known = {one.value: one.label for one in _REASON}
    return f"{known.get(reason, reason)}."
