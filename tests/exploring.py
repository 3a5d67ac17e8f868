"""How property tests draw their examples: always the same ones, or, to explore, many that nobody has seen.

A landing must not fail by chance for what was there before it, so `make test` and `make ci` draw the same examples
every time. `make explore` looks for what those miss; what it finds becomes a test case of its own.
"""

import os

import pytest
from hypothesis import HealthCheck, settings

TIMES = int(os.environ.get("CRMSYNC_EXPLORE", "0"))  # so many times the examples of each test; 0: do not explore


def choose_profile() -> None:
    """What holds where a test says nothing; to be called before the modules of tests are imported."""
    settings.register_profile("same", derandomize=True, database=None, print_blob=True)
    settings.register_profile("explore", derandomize=False, print_blob=True)
    settings.load_profile("explore" if TIMES else "same")


def widen(config: pytest.Config, items: list[pytest.Item]) -> None:
    """To explore, keep only property tests, and let each draw more, whatever its own settings say."""
    if not TIMES:
        return
    others = [item for item in items if not _is_property(item)]
    items[:] = [item for item in items if _is_property(item)]
    config.hook.pytest_deselected(items=others)
    for test in {id(item.obj): item.obj for item in items}.values():
        test._hypothesis_internal_use_settings = _wide(test._hypothesis_internal_use_settings)


def _is_property(item: pytest.Item) -> bool:
    return getattr(getattr(item, "obj", None), "is_hypothesis_test", False)


def _wide(own: settings) -> settings:
    return settings(
        own,
        max_examples=own.max_examples * TIMES,
        derandomize=False,
        database=settings.default.database,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
