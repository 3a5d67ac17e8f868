"""Paging over big tables: counts at most so many rows, so that no page waits for a COUNT over all of them."""

from django.core.paginator import Paginator
from django.utils.functional import cached_property

# Nobody pages further than this by hand; filters and search find what is beyond.
MOST = 10_000


class BoundedPaginator(Paginator):
    """Pages over the first ``MOST`` rows."""

    @cached_property
    def count(self) -> int:
        """The number of rows, or ``MOST`` where there are more."""
        return self.object_list.order_by()[:MOST].count()

    @property
    def is_cut(self) -> bool:
        """Whether there may be rows that no page shows."""
        return self.count == MOST
