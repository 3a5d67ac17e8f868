"""The small world of the flow tests, for stories that cross rooms."""

from tests.flows.conftest import hub, make_sync, sync

__all__ = ["hub", "make_sync", "sync"]
