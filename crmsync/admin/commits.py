"""Commits: pages that write to HubSpot commit step by step, also where a site makes one transaction of each request.

With a process that is killed, such a transaction would take back what crmsync had noted before it wrote.
"""

from collections.abc import Callable
from typing import Any

from django.db import connections, transaction


def at_once(view: Callable[..., Any]) -> Callable[..., Any]:
    """The view outside of the transactions that ``ATOMIC_REQUESTS`` of any database asks for."""
    for alias in connections:
        view = transaction.non_atomic_requests(alias)(view)
    return view
