"""Finds what no webhook told: a fast pass over recent changes, and a delayed one that is complete."""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.utils import timezone

from crmsync import conf
from crmsync.engine import across, record
from crmsync.flows import drain, edgepoll, failures, scope
from crmsync.ledger import cursors, inbox, links
from crmsync.models import Cursor

logger = logging.getLogger(__name__)

# Where a pass is that has come to the associations: behind every object type.
_EDGES = "~"


def poll_due() -> int:
    """Run the pass that has been due longest; how many records it put into the inbox, or -1 if none was due."""
    now = timezone.now()
    token, cursor = cursors.claim_due(now, conf.current().LEASE_SECONDS)
    if cursor is None:
        return -1
    try:
        return _pass(cursor, token, now)
    except Exception as error:  # the drain loop's net: the pass goes on later from its last committed page
        verdict = failures.classify(error)
        if verdict.code == "system.unexpected":
            logger.exception("poll failed", extra={"mapping": cursor.mapping_id})
        drain.answer(verdict, cursor.mapping_id)
        cursors.fail(
            cursor, token, due_at=now + timedelta(seconds=verdict.retry_after or 15), message=verdict.message
        )
        return 0


def _pass(cursor: Cursor, token: str, now: datetime) -> int:
    one = scope.open_scope(cursor.mapping_id)
    every, overlap = _rhythm(cursor)
    until, put = cursor.until or now, 0
    since = max(cursor.position - overlap, cursor.started_at)
    for via, ids, last_id in _pages(one, cursor, since, until):
        put += inbox.put([(one.spec.id, remote_id) for remote_id in ids], timezone.now(), via=via)
        leased_until = timezone.now() + timedelta(seconds=conf.current().LEASE_SECONDS)
        if not cursors.progress(cursor, token, until=until, last_id=last_id, leased_until=leased_until):
            return put
    if cursor.kind == cursors.Kind.FULL:
        put += _archived(one)
    cursors.complete(cursor, token, position=until, due_at=now + every)
    return put


def _pages(
    one: scope.Scope, cursor: Cursor, since: datetime, until: datetime
) -> Iterator[tuple[str, list[str], str]]:
    """(other object type or "", ids worth a look, where the page ends): the records themselves, then those that
    they take values over from, then those whose associations changed."""
    at, last = across.split(cursor.last_id)
    for page in one.remote.changed(since, until, last) if not at else ():
        rows = _news(one, page) if cursor.kind == cursors.Kind.FAST else page
        yield "", [r.key.id for r in rows], page[-1].key.id
    for via in one.remote.across.wanted:
        if via >= at:
            for ids in one.remote.across.changed(via, since, until, last if via == at else ""):
                yield via, ids, across.join(via, ids[-1])
    if cursor.kind == cursors.Kind.FULL and edgepoll.is_due(cursor.position, until):
        for ids, link_id in edgepoll.pages(one, int(last) if at == _EDGES else 0):
            yield "", ids, across.join(_EDGES, str(link_id))


def _rhythm(cursor: Cursor) -> tuple[timedelta, timedelta]:
    """How often this pass runs and how far it looks back."""
    options = conf.current()
    if cursor.kind == cursors.Kind.FAST:
        return timedelta(seconds=options.POLL_SECONDS), timedelta(seconds=options.POLL_OVERLAP_SECONDS)
    return timedelta(seconds=options.FULL_POLL_SECONDS), timedelta(seconds=options.FULL_POLL_OVERLAP_SECONDS)


def _news(one: scope.Scope, page: list[record.Record]) -> list[record.Record]:
    """Records whose modified time is not the one their link has seen; the complete pass looks at all."""
    known = links.find(one.spec.id, (), one.spec.portal_id, one.spec.object_type, {r.key.id for r in page})
    seen = {link.remote_id: link.remote_modified_at for link in known}
    return [r for r in page if r.modified_at is None or seen.get(r.key.id) != r.modified_at]


def _archived(one: scope.Scope) -> int:
    """Linked records that HubSpot lists as archived: search never shows them and their time does not change."""
    put, after = 0, ""
    while True:
        page, after = one.remote.page(after, archived=True)
        linked = links.find(one.spec.id, (), one.spec.portal_id, one.spec.object_type, {r.key.id for r in page})
        ids = [link.remote_id for link in linked if link.state == links.State.LINKED]
        put += inbox.put([(one.spec.id, remote_id) for remote_id in ids], timezone.now())
        if not after:
            return put + _archived_sources(one)


def _archived_sources(one: scope.Scope) -> int:
    """Archived records of other types that linked records took values over from."""
    put = 0
    for via in one.remote.across.wanted:
        for ids in one.remote.across.archived(via):
            known = links.find_sources(one.spec.id, via, ids)
            put += inbox.put([(one.spec.id, remote_id) for remote_id in known], timezone.now(), via=via)
    return put
