"""One batch call over many inputs: cut into chunks, isolate bad inputs, settle every input by its own name.

HubSpot answers batches in any order, in part (207), or not at all because of one bad input. Here each input
has names (trace id, id, unique value), and each result and error item is matched by name, never by place.
``run`` never raises a HubSpotError: every input ends in ``done`` or in ``failed`` with its own error.
HubSpot: CRM object APIs, batch and multi-status errors.
"""

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic

from crmsync.hubspot import errors, refusals, shapes, types, wire
from crmsync.hubspot.types import K, T

NamesOf = Callable[[shapes.Json], Iterable[str]]

# A whole batch refused with one of these has a bad input somewhere; the others are fine.
_SPLITTABLE = (errors.ValidationError, errors.Conflict, errors.NotFound)
# These name a property that no input may carry, so no search for the bad input is needed.
_PROPERTY_CODES = frozenset({"PROPERTY_DOESNT_EXIST", "READ_ONLY_VALUE"})


@dataclass(frozen=True, slots=True)
class Input(Generic[K]):
    """One input: the caller's key, HubSpot's JSON for it, and every name an answer may call it by."""

    key: K
    body: shapes.Json
    names: tuple[str, ...]
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One kind of batch call.

    ``names_of(raw)`` gives the names a result answers to; ``name_item(item)`` those an error item speaks of.
    ``if_missing(errors)`` says what an input is that neither a result nor an error item names, given the
    error items that name nobody: a value, or an error.
    """

    request: Callable[[list[shapes.Json]], wire.Request]
    size: int
    parse: Callable[[shapes.Json], T]
    names_of: NamesOf
    name_item: NamesOf
    if_missing: Callable[[Sequence[errors.HubSpotError]], T | errors.HubSpotError]


def run(client: wire.Sender, call: Call[T], inputs: Sequence[Input[K]]) -> types.Settled[K, T]:
    """Send ``inputs`` in chunks and settle each.

    After an error that is no input's fault (429, 5xx, no answer, 401 ...) nothing more is sent.
    """
    settled: types.Settled[K, T] = types.Settled()
    todo = deque(list(chunk) for chunk in chunks(inputs, call.size))
    while todo:
        chunk = todo.popleft()
        try:
            body = client.send(call.request([one.body for one in chunk]))
            settle(call, chunk, body, settled)
        except _SPLITTABLE as error:
            todo.extendleft(reversed(_isolate(chunk, error, settled)))
        except errors.HubSpotError as error:
            settled.failed.update((one.key, error) for one in chunk)
            unsent = _unsent(error)
            settled.failed.update((one.key, unsent) for rest in todo for one in rest)
            break
    return settled


def chunks(items: Sequence[T], size: int) -> Iterable[Sequence[T]]:
    """``items`` in pieces of at most ``size``."""
    return (items[start : start + size] for start in range(0, len(items), size))


def settle(call: Call[T], chunk: Sequence[Input[K]], body: shapes.Json | None, settled: types.Settled[K, T]) -> None:
    """Put every input of ``chunk`` into ``settled``, by what the answer says about it."""
    keys = {name: one.key for one in chunk for name in one.names}
    unclaimed = _settle_results(call, keys, body, settled)
    loose = _settle_errors(call, keys, body, settled)
    missing = [one for one in chunk if one.key not in settled.done and one.key not in settled.failed]
    missing = _settle_by_values(call, missing, unclaimed, settled)
    if len(missing) == 1 and len(unclaimed) + len(loose) == 1:  # what is left belongs to whoever is left
        outcome: T | errors.HubSpotError = loose[0] if loose else shapes.read_as(call.parse, unclaimed[0])
    elif unclaimed:  # answered under a name we do not know: not missing, but not found either
        outcome = errors.UnknownOutcome("the answer does not say which result belongs to which input")
    else:
        outcome = call.if_missing(loose)
    for one in missing:
        _put(settled, one.key, outcome)


def unknown_if_missing(loose: Sequence[errors.HubSpotError]) -> errors.HubSpotError:
    """For writes: an input nobody speaks of may have been written."""
    return errors.UnknownOutcome("the answer says nothing about this input")


def _put(settled: types.Settled[K, T], key: K, outcome: T | errors.HubSpotError) -> None:
    if isinstance(outcome, errors.HubSpotError):
        settled.failed[key] = outcome
    else:
        settled.done[key] = outcome


def _settle_results(
    call: Call[T], keys: Mapping[str, K], body: shapes.Json | None, settled: types.Settled[K, T]
) -> list[shapes.Json]:
    """Settle the results that name their input; give back the readable ones that name nobody."""
    unclaimed: list[shapes.Json] = []
    for raw in _results(body):
        try:
            value = shapes.read_as(call.parse, raw)
        except errors.UnknownOutcome:
            continue  # its input stays missing
        named = [keys[name] for name in call.names_of(raw) if name in keys]
        settled.done.update((key, value) for key in named)
        unclaimed += [] if named else [raw]
    return unclaimed


def _results(body: shapes.Json | None) -> list[shapes.Json]:
    """The results; none in a 204, and in a multi-status answer that holds errors only."""
    if body is None or ("results" not in body and shapes.error_items(body)):
        return []
    return shapes.results(body)


def _settle_errors(
    call: Call[T], keys: Mapping[str, K], body: shapes.Json | None, settled: types.Settled[K, T]
) -> list[errors.HubSpotError]:
    """Settle the inputs that error items name; give back the errors that name nobody."""
    loose: list[errors.HubSpotError] = []
    for item in shapes.error_items(body):
        error = refusals.from_item(item)
        named = [keys[name] for name in call.name_item(item) if name in keys]
        settled.failed.update((key, error) for key in named if key not in settled.done)
        loose += [] if named else [error]
    return loose


def _settle_by_values(
    call: Call[T],
    missing: Sequence[Input[K]],
    unclaimed: list[shapes.Json],
    settled: types.Settled[K, T],
) -> list[Input[K]]:
    """Match results without a known name by all values sent, where exactly one of each fits."""
    pairs = [(one, raw) for one, raw in itertools.product(missing, unclaimed) if _shows(raw, one.values)]
    for one, raw in pairs:
        rivals = [pair for pair in pairs if pair[0] is one or pair[1] is raw]
        if len(rivals) == 1:
            settled.done[one.key] = shapes.read_as(call.parse, raw)
            unclaimed.remove(raw)
    return [one for one in missing if one.key not in settled.done]


def _shows(raw: shapes.Json, values: Mapping[str, str]) -> bool:
    """Does this result hold every value that was sent (blanks apart; case and outer spaces do not count)?"""
    shown = raw.get("properties")
    sent = {name: value for name, value in values.items() if value.strip()}
    if not sent or not isinstance(shown, dict):
        return False
    return all(fold(shapes.to_text(shown.get(name))) == fold(value) for name, value in sent.items())


def fold(value: str | None) -> str:
    """A unique value as HubSpot compares it: without outer spaces, in lower case."""
    return (value or "").strip().lower()


def _isolate(chunk: list[Input[K]], error: errors.HubSpotError, settled: types.Settled[K, T]) -> list[list[Input[K]]]:
    """What to send after a whole chunk was refused: its halves, or all but the inputs known to be bad."""
    if len(chunk) == 1:
        settled.failed[chunk[0].key] = error
        return []
    refused = _refused_properties(error)
    bad = [one for one in chunk if not refused.isdisjoint(one.values)]
    if bad:
        settled.failed.update((one.key, error) for one in bad)
        rest = [one for one in chunk if refused.isdisjoint(one.values)]
        return [rest] if rest else []
    middle = len(chunk) // 2
    return [chunk[:middle], chunk[middle:]]


def _refused_properties(error: errors.HubSpotError) -> frozenset[str]:
    problems = error.problems if isinstance(error, errors.ValidationError) else ()
    return frozenset(problem.name for problem in problems if problem.code in _PROPERTY_CODES)


def _unsent(error: errors.HubSpotError) -> errors.HubSpotError:
    """The error for inputs that were not sent: the same, unless that would say they may have been applied."""
    if not error.maybe_applied:
        return error
    return errors.Unreachable(
        "not sent, because an earlier part of the call failed",
        status=error.status,
        correlation_id=error.correlation_id,
        retry_after=error.retry_after,
    )
