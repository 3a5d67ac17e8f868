"""Combined paths: two or three fields of one side read as one text, so that a value map can key on them all."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from crmsync.engine import canonical

SIGN: Final = "+"
MOST_PARTS: Final = 3
MOST_CHOICES: Final = 500  # a longer list of combinations is offered to nobody
_BETWEEN: Final = " + "


def is_combined(path: str) -> bool:
    """Whether a path such as ``status+kind`` names more than one field."""
    return SIGN in path


def parts(path: str) -> tuple[str, ...]:
    """The fields that a path names; a plain path names itself."""
    return tuple(path.split(SIGN))


def find_fault(path: str) -> str:
    """Why a combined path cannot be used, as a sentence; "" where it can."""
    named = parts(path)
    if not all(named) or any(one != one.strip() for one in named):
        return f"“{path}” has a blank part. Write the fields with a + between them, such as status+kind."
    if len(set(named)) < len(named):
        return f"“{path}” names a field twice. Leave one of them out."
    if len(named) > MOST_PARTS:
        return f"“{path}” combines {len(named)} fields. Combine at most {MOST_PARTS}."
    return ""


def text_of(values: Iterable[object]) -> str | None:
    """The values in one text, as ``won + commercial``; a blank one leaves its place empty, all blank is blank."""
    texts = [canonical.plain_text(value) or "" for value in values]
    return _BETWEEN.join(texts).strip() if any(texts) else None


def split(text: str, count: int) -> tuple[str, ...] | None:
    """The values of so many fields that ``text_of`` made a text of; None where it is no such text."""
    found = tuple(one.strip() for one in f" {text} ".split(_BETWEEN))
    return found if len(found) == count else None


def read(path: str, values: Mapping[str, object]) -> object:
    """The value of a path in values by plain path."""
    return text_of(values.get(one) for one in parts(path)) if is_combined(path) else values.get(path)


def find_choices(choices: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Every combination of the parts' choices; none where a part takes anything, or where there are too many."""
    count = 1
    for some in choices:
        count *= len(some)
    if not 0 < count <= MOST_CHOICES:
        return ()
    return tuple(text for one in itertools.product(*choices) if (text := text_of(one)) is not None)
