"""What holds for every test: whose Redis it uses, how its rows go away, and which examples it draws."""

import gc
import os

import pytest
from django.conf import settings

from tests import emptying, exploring

exploring.choose_profile()


def pytest_configure(config: pytest.Config) -> None:
    """Give each process of pytest-xdist a Redis of its own, by number (there are 16 unless told otherwise)."""
    worker = getattr(config, "workerinput", {}).get("workerid", "")
    if worker and settings.RQ_QUEUES:
        url, _, options = settings.RQ_QUEUES["crmsync"]["URL"].partition("?")
        number = int(worker.removeprefix("gw")) + 1
        numbered = f"{url}?db={number}&{options}"  # the first "db" counts
        settings.RQ_QUEUES["crmsync"]["URL"] = settings.REDIS_URL = numbered
        os.environ["REDIS_URL"] = numbered  # for processes that tests start
    emptying.install()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Files that start processes or a browser come first, so that none of them is left for one worker at the end."""
    exploring.widen(config, items)
    long = {item.path for item in items if any(item.get_closest_marker(name) for name in ("processes", "browser"))}
    items.sort(key=lambda item: item.path not in long)


def pytest_collection_finish(session: pytest.Session) -> None:
    """What was imported stays, so garbage is not looked for in it again and again: a tenth of the suite's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
