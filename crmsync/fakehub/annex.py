"""Another planted account as the handlers see it: its own facts and furniture, and no records, ever.

Its records could be in no ledger and no state file, so that nothing can be written there.
"""

import random
from typing import Any, TypeVar

from crmsync.fakehub import apps, errors, index, portal, store

Item = TypeVar("Item")
WRITES = {"write", "association", "schema"}


class Annex:
    """Stands in for the hub in a call with a token of ``account``."""

    def __init__(self, hub: Any, account: apps.Account) -> None:
        self.clock, self.limits, self.faults = hub.clock, hub.limits, hub.faults
        self.portal = portal.Portal(account.hub_id, hub.clock)
        self.portal.grants = hub.portal.grants
        self.portal.owners = {}
        for name in ("name", "account_type", "time_zone", "currency"):
            setattr(self.portal, name, getattr(account, name))
        self.store = store.Store(self.portal, hub.clock, random.Random(0))
        self.index = index.Index(hub.clock, 0.0)

    def shuffled(self, items: list[Item]) -> list[Item]:
        return items


def require_reading(family: str) -> None:
    """501, which HubSpot would not say."""
    if family in WRITES:
        raise errors.RefusalError(501, "The fakehub keeps records of its own account only")
