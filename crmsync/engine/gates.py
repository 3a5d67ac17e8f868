"""Gates: what a record passed on its way through a plan, in order, for "why, or why not?"."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from crmsync.engine import changes, terms


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate: ``passed``, and what it looked at or why it stopped the record or some of its fields."""

    name: str
    passed: bool
    detail: str = ""


def explain(planned: changes.PairPlan) -> list[Gate]:
    """The gates of a record in order, up to the one that stopped it.

    The first four stop a record as a whole. The last two stop fields: the record's other fields went on.
    """
    passed: list[Gate] = []
    for name, reasons in _STOPS:
        if planned.reason in reasons and (planned.outcome in _STOPPED or planned.reason == terms.Reason.GONE):
            return [*passed, Gate(name, False, planned.detail)]
        passed.append(Gate(name, True))
    return [*passed, *(gate(planned) for gate in _FIELD_GATES)]


def _policy(planned: changes.PairPlan) -> Gate:
    asked = sum(clash.winner is None for clash in planned.clashes)
    if asked:
        return Gate("policy", False, f"{asked} fields wait for a person to choose")
    details = [note.message for note in planned.notes]
    if planned.clashes:
        details.append(f"{len(planned.clashes)} fields changed on both sides and were decided by rule")
    return Gate("policy", True, "; ".join(details))


def _validation(planned: changes.PairPlan) -> Gate:
    return Gate("validation", not planned.problems, "; ".join(one.message for one in planned.problems))


_STOPPED: Final = frozenset({terms.Outcome.EXCLUDED, terms.Outcome.WAITING, terms.Outcome.UNLINKED})
_GONE: Final = (terms.Reason.GONE, terms.Reason.LOCAL_GONE, terms.Reason.REMOTE_GONE, terms.Reason.EDITED)
_STOPS: Final[tuple[tuple[str, frozenset[str]], ...]] = (
    ("existence", frozenset({terms.Reason.ARCHIVED, terms.Reason.BLANK, *_GONE})),
    ("direction", frozenset({terms.Reason.DIRECTION, terms.Reason.LINK_ONLY, terms.Reason.NOT_WANTED})),
    ("rule", frozenset({terms.Reason.FILTER})),
    ("match", frozenset({terms.Reason.TOO_MANY_CANDIDATES, terms.Reason.PARTNER_TAKEN})),
)
_FIELD_GATES: Final[tuple[Callable[[changes.PairPlan], Gate], ...]] = (_policy, _validation)
