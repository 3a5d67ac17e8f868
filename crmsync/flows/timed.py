"""Relative dates come true without an edit: finds the records whose dates passed a boundary since the last look.

It only makes keys due; whether a record takes part by now is decided like after any change.
"""

import itertools
import logging
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from django.utils import timezone

from crmsync import conf
from crmsync.engine import relative, spec, terms
from crmsync.flows import drain, failures, scope
from crmsync.ledger import cursors, inbox, links, outbox
from crmsync.models import Cursor, RemoteProperty

logger = logging.getLogger(__name__)

EVERY = timedelta(hours=1)
# A rule that was made just now may have missed what passed before its first look.
_FIRST = timedelta(days=1)
_CHUNK = 500


def look_due() -> int:
    """Look for the mapping that has waited longest; how many keys were made due, or -1 if none waited."""
    now = timezone.now()
    cursors.ensure_timed(now - _FIRST, now, relative.OPERATORS)
    token, cursor = cursors.claim_due(now, conf.current().LEASE_SECONDS, [cursors.Kind.TIMED])
    if cursor is None:
        return -1
    try:
        return _look(cursor, token, now)
    except Exception as error:  # the drain loop's net: the next look begins where the last complete one ended
        verdict = failures.classify(error)
        if verdict.code == "system.unexpected":
            logger.exception("look for relative dates failed", extra={"mapping": cursor.mapping_id})
        drain.answer(verdict, cursor.mapping_id)
        wait = timedelta(seconds=verdict.retry_after or 15)
        cursors.fail(cursor, token, due_at=now + wait, message=verdict.message)
        return 0


def _look(cursor: Cursor, token: str, now: datetime) -> int:
    one, put = scope.open_scope(cursor.mapping_id), 0
    for condition in _conditions(one.spec):
        for since, until in relative.make_windows(condition.operator, condition.value, cursor.position, now):
            if condition.side is terms.SideName.LOCAL:
                put += _mark(one, one.local.within(condition.field, since, until))
                continue
            for ids in _remote_pages(one, condition.field, since, until):
                put += _put(one, ids)
                leased_until = timezone.now() + timedelta(seconds=conf.current().LEASE_SECONDS)
                if not cursors.progress(cursor, token, until=now, last_id="", leased_until=leased_until):
                    return put
    cursors.complete(cursor, token, position=now, due_at=now + EVERY)
    return put


def _conditions(one: spec.MappingSpec) -> Iterator[spec.ConditionSpec]:
    for rule in one.rules:
        yield from (condition for condition in rule.conditions if condition.operator in relative.OPERATORS)


def _mark(one: scope.Scope, pks: Iterable[str]) -> int:
    """In a mapping that does not push, only linked rows have something to be decided."""
    if not one.spec.direction.pushes:
        pks = (link.local_pk for some in _chunks(pks) for link in _linked(one, local_pks=some))
    return outbox.mark_many([one.spec.id], pks, timezone.now())


def _put(one: scope.Scope, ids: Iterable[str]) -> int:
    """In a mapping that does not pull, only linked records have something to be decided."""
    if not one.spec.direction.pulls:
        ids = [link.remote_id or "" for link in _linked(one, remote_ids=set(ids))]
    return inbox.put([(one.spec.id, remote_id) for remote_id in ids], timezone.now())


def _linked(one: scope.Scope, *, local_pks: set[str] = frozenset(), remote_ids: set[str] = frozenset()) -> list:
    found = links.find(one.spec.id, local_pks, one.spec.portal_id, one.spec.object_type, remote_ids)
    return [link for link in found if link.mapping_id == one.spec.id]


def _chunks(keys: Iterable[str]) -> Iterator[set[str]]:
    rest = iter(keys)
    while some := set(itertools.islice(rest, _CHUNK)):
        yield some


def _remote_pages(one: scope.Scope, name: str, since: datetime, until: datetime) -> Iterator[list[str]]:
    """HubSpot keeps a day as its midnight in UTC: days change once a day."""
    rows = RemoteProperty.objects.filter(portal_id=one.spec.portal_id, object_type=one.spec.object_type, name=name)
    if rows.filter(type="date").exists():
        since, until = _midnight(since), _midnight(until)
        if since == until:
            return
    yield from one.remote.within(name, since, until)


def _midnight(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
