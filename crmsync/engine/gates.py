"""Gates: what a record passed on its way through a plan, in order, for "why, or why not?"."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from crmsync.engine import changes, edgeterms, terms


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate: ``passed``, and what it looked at or why it stopped the record or some of its fields."""

    name: str
    passed: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Halt:
    """A record that stopped before or after its plan: the problem's code and sentence."""

    code: str
    detail: str = ""


def explain(planned: changes.PairPlan | None, halt: Halt | None = None) -> list[Gate]:
    """The gates of a record in order, up to the one that stopped it.

    All but the last four stop a record as a whole. Those stop fields: the record's other fields went on. Without a
    plan the record was stopped before there was one. A code that no gate knows stopped the writing itself.
    """
    passed: list[Gate] = []
    for name, reasons, codes in _STOPS:
        if halt is not None and halt.code in codes:
            return [*passed, Gate(name, False, halt.detail)]
        if planned is not None and _is_stopped(planned, reasons):
            return [*passed, Gate(name, False, planned.detail)]
        passed.append(Gate(name, True, _ASKED if name in _WAIVED and _is_asked(planned) else ""))
    found = [*passed, *(gate(planned) for gate in _FIELD_GATES if planned is not None)]
    return found if halt is None else [*found, Gate("writing", False, halt.detail)]


def _is_stopped(planned: changes.PairPlan, reasons: frozenset[terms.Reason]) -> bool:
    return planned.reason in reasons and (planned.outcome in _STOPPED or planned.reason == terms.Reason.GONE)


def _is_asked(planned: changes.PairPlan | None) -> bool:
    return planned is not None and planned.pair.is_asked and planned.creates is not None


def _policy(planned: changes.PairPlan) -> Gate:
    asked = sum(clash.winner is None for clash in planned.clashes)
    if asked:
        return Gate("policy", False, f"{asked} fields wait for a person to choose")
    details = [note.message for note in planned.notes if note.code != terms.Problem.MOVEMENT]
    if planned.clashes:
        details.append(f"{len(planned.clashes)} fields changed on both sides and were decided by rule")
    return Gate("policy", True, "; ".join(details))


def _movement(planned: changes.PairPlan) -> Gate:
    """A field that may only move forward stays where it is: nothing is wrong then."""
    stayed = [note.message for note in planned.notes if note.code == terms.Problem.MOVEMENT]
    return Gate("movement", not stayed, "; ".join(stayed))


def _held(planned: changes.PairPlan) -> Gate:
    held = [one.message for one in planned.problems if one.code in _HELD]
    return Gate("held fields", not held, "; ".join(held))


def _validation(planned: changes.PairPlan) -> Gate:
    wrong = [one.message for one in planned.problems if one.code not in _HELD]
    return Gate("validation", not wrong, "; ".join(wrong))


_STOPPED: Final = frozenset({terms.Outcome.EXCLUDED, terms.Outcome.WAITING, terms.Outcome.UNLINKED})
_GONE: Final = (terms.Reason.GONE, terms.Reason.LOCAL_GONE, terms.Reason.REMOTE_GONE, terms.Reason.EDITED)
# Why a field cannot work at all at present, whatever its value.
_HELD: Final = frozenset(
    {
        terms.Problem.PROPERTY_GONE,
        terms.Problem.READ_ONLY,
        terms.Problem.RETYPED,
        terms.Problem.LOCAL_GONE,
        terms.Problem.SCOPE_MISSING,
    }
)
# A record that another one, or a person, needs is made although these would keep it out.
_WAIVED: Final = ("direction", "rule")
_ASKED: Final = "another record, or a person, needs it, so “create missing records” and sync rules do not count"
_PARENT: Final = (edgeterms.WAITING, "record.several_parents", "record.no_parent")
_EDGES: Final = tuple(one.value for one in terms.EdgeProblem)
# By name: the reasons of a plan, and the codes of what stopped without one, that belong to it.
_STOPS: Final[tuple[tuple[str, frozenset[terms.Reason], frozenset[str]], ...]] = (
    ("direction held", frozenset(), frozenset({"portal.held", "portal.read_only"})),
    ("revision", frozenset(), frozenset({"mapping.edited", "record.schema_changed", "canary.open"})),
    ("throttle", frozenset(), frozenset({"field.throttled"})),
    (
        "existence",
        frozenset({terms.Reason.ARCHIVED, terms.Reason.BLANK, *_GONE}),
        frozenset({"record.tombstone"}),
    ),
    (
        "direction",
        frozenset({terms.Reason.DIRECTION, terms.Reason.LINK_ONLY, terms.Reason.NOT_WANTED}),
        frozenset(),
    ),
    ("fixed values", frozenset({terms.Reason.OTHER_MAPPING}), frozenset({terms.Reason.OTHER_MAPPING.value})),
    ("rule", frozenset({terms.Reason.FILTER}), frozenset()),
    (
        "match",
        frozenset({terms.Reason.TOO_MANY_CANDIDATES, terms.Reason.PARTNER_TAKEN}),
        frozenset({f"field.{terms.Problem.PROPERTY_GONE}", "record.linked_elsewhere", "record.other_mapping"}),
    ),
    ("parent", frozenset(), frozenset({*_PARENT, *_EDGES})),
)
_FIELD_GATES: Final[tuple[Callable[[changes.PairPlan], Gate], ...]] = (_policy, _movement, _held, _validation)
