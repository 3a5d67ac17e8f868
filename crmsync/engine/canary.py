"""What a canary wrote of a record, and what of it is put back; it knows texts, no records and no rows."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from crmsync.engine import terms


class Fate(terms.Term):
    """What becomes of a value that a canary wrote when it is dropped."""

    PUT_BACK = "put_back", "put back"
    BACK = "back", "is back already"
    EDITED = "edited", "edited since, so it is left"
    LOST = "lost", "cannot be written any more"


@dataclass(frozen=True, slots=True)
class Written:
    """One value of one side, in canonical texts, None for blank.

    ``field``: "local|property". ``before``: what was there. ``wanted``: what was to be written. ``after``: what the
    side answered, once ``is_answered``; a worker that was killed leaves that unknown. ``raw``: ``before`` as its side
    had it, as JSON can say it.
    """

    field: str
    side: terms.SideName
    before: str | None
    wanted: str | None
    after: str | None = None
    is_answered: bool = False
    raw: object = None

    def is_left(self, text: str | None) -> bool:
        """Whether this is what the canary left there; HubSpot trims, and lower-cases e-mail addresses."""
        return text == self.after if self.is_answered else _folded(text) == _folded(self.wanted)


def merge(known: Iterable[Written], planned: Iterable[Written]) -> tuple[Written, ...]:
    """What to remember when a record is planned, perhaps not for the first time.

    A value that was found as the canary itself had left it keeps what was there before that; any other one was
    written by somebody in between, and is what must come back.
    """
    found = {(one.field, one.side): one for one in known}
    for one in planned:
        was = found.get((one.field, one.side))
        is_ours = was is not None and was.is_left(one.before)
        found[one.field, one.side] = replace(one, before=was.before, raw=was.raw) if was and is_ours else one
    return tuple(found.values())


def answer(one: Written, text: str | None) -> Written:
    """The same, once the side has said what it has now."""
    return replace(one, after=text, is_answered=True)


def decide(one: Written, current: str | None) -> Fate:
    """Whether a value is put back: only where the side still has what the canary left there."""
    if current == one.before:
        return Fate.BACK
    return Fate.PUT_BACK if one.is_left(current) else Fate.EDITED


def _folded(text: str | None) -> str:
    return (text or "").strip().casefold()
