"""Keys of local records that this thread writes for the sync right now: a set, never a flag.

It only saves a trip: a change of any other record made meanwhile, by a host signal for example, is captured.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import local

_held = local()


@contextmanager
def writing(keys: Iterable[tuple[str, str]]) -> Iterator[None]:
    """Within: (model label, pk) keys are ours. Keys still unknown are added with ``add``."""
    before = getattr(_held, "keys", frozenset())
    _held.keys = before | frozenset(keys)
    try:
        yield
    finally:
        _held.keys = before


def is_ours(model_label: str, pk: str) -> bool:
    """Whether this save is the sync's own."""
    held = getattr(_held, "keys", frozenset())
    return (model_label, pk) in held or (model_label, "") in held
