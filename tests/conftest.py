"""What holds for every test: processes that run tests side by side do not share a Redis database."""

import os

import pytest
from django.conf import settings


def pytest_configure(config: pytest.Config) -> None:
    """Give each process of pytest-xdist a database number of its own; Redis has 16 unless told otherwise."""
    worker = getattr(config, "workerinput", {}).get("workerid", "")
    if worker and settings.RQ_QUEUES:
        url, _, options = settings.RQ_QUEUES["crmsync"]["URL"].partition("?")
        number = int(worker.removeprefix("gw")) + 1
        numbered = f"{url}?db={number}&{options}"  # the first "db" counts
        settings.RQ_QUEUES["crmsync"]["URL"] = settings.REDIS_URL = numbered
        os.environ["REDIS_URL"] = numbered  # for processes that tests start
