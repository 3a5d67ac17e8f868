"""What this thread writes for the sync right now: a set of keys and instances, never a flag.

It only saves a trip: a change of any other record made meanwhile, by a host signal for example, is captured.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from threading import local

Key = tuple[str, str]
_held = local()


@contextmanager
def writing(keys: Collection[Key] = (), instances: Collection[object] = ()) -> Iterator[None]:
    """Within: these (model label, pk) keys are ours, and these new instances, whose keys nobody knows yet."""
    before = getattr(_held, "keys", ()), getattr(_held, "instances", ())
    _held.keys, _held.instances = (*before[0], *keys), (*before[1], *instances)
    try:
        yield
    finally:
        _held.keys, _held.instances = before


def is_ours(key: Key, instance: object = None) -> bool:
    """Whether this save is the sync's own."""
    return key in getattr(_held, "keys", ()) or any(instance is one for one in getattr(_held, "instances", ()))
