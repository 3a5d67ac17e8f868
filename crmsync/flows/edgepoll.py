"""Finds associations that were changed in HubSpot and that no webhook told: a round over all linked records.

HubSpot does not promise that a record's modified date moves with its associations, so no search finds them. They are
read a thousand records at a time; only records for which something would be done are put into the inbox.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from crmsync import conf
from crmsync.engine import changes, terms
from crmsync.flows import apply, dossier, edgejoin, edgerows, edges, scope
from crmsync.ledger import links
from crmsync.models import Link
from crmsync.sides import edges as remote_edges

# HubSpot: associations, batch read: at most 1,000 records a call.
_CHUNK = 1000


def is_due(since: datetime, until: datetime) -> bool:
    """Whether a round begins between the ends of two complete passes; it needs no memory but theirs."""
    seconds = conf.current().EDGE_POLL_SECONDS
    return bool(seconds) and int(since.timestamp() // seconds) != int(until.timestamp() // seconds)


def pages(one: scope.Scope, last: int) -> Iterator[tuple[list[str], int]]:
    """(HubSpot ids of records whose associations are not as they were left, where the page ends) behind a link.

    Raises what kept HubSpot from answering: half an answer would look like associations that are gone.
    """
    if not any(each.held is None for each in one.spec.associations):
        return
    rows = Link.objects.filter(mapping_id=one.spec.id, state=links.State.LINKED, remote_id__isnull=False)
    rows = rows.order_by("pk").defer("base", "sent")
    while chunk := list(rows.filter(pk__gt=last)[:_CHUNK]):
        last = chunk[-1].pk
        yield _find_changed(one, chunk), last


def _find_changed(one: scope.Scope, chunk: Sequence[Link]) -> list[str]:
    works = [_work(link) for link in chunk]
    for to_type in sorted({each.to_type for each in one.spec.associations if each.held is None}):
        _read(one, works, to_type)
    joins = edges.foresee(one, works, terms.Direction.BOTH)
    changed = (join.remote_id for join in edgejoin.going(joins) if edgerows.is_news(join))
    return list(dict.fromkeys(changed))


def _work(link: Link) -> apply.Work:
    """A linked record whose values nobody looks at."""
    case = dossier.Case([dossier.Item(remote_id=link.remote_id)], link.local_pk, link.remote_id, link)
    plan = changes.PairPlan(changes.Pair(None, None), terms.Outcome.UNCHANGED)
    return apply.Work(case, plan, link)


def _read(one: scope.Scope, works: Sequence[apply.Work], to_type: str) -> None:
    found = remote_edges.read_whole(one.remote, to_type, {work.link.remote_id for work in works})
    for work in works:
        work.case.partners[to_type] = found[work.link.remote_id]
