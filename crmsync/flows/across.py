"""A due event of an associated record becomes due events of the records that take its values over."""

import itertools
import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from operator import attrgetter

from django.utils import timezone

from crmsync import conf
from crmsync.engine import across, convert, spec
from crmsync.flows import dossier, drain, scope
from crmsync.ledger import inbox, links, queue
from crmsync.models import InboxEvent, Link

logger = logging.getLogger(__name__)

# Links looked at in one query, and events made in one transaction.
_CHUNK = 500
# How long events wait whose field cannot work at present: a person must mend it.
_HELD_SECONDS = 600.0


def spread_due() -> int:
    """One batch of every mapping that has due events of associated records; how many events were worked on."""
    due = queue.due_mappings(InboxEvent, timezone.now(), related=True)
    return sum(spread(mapping_id) for mapping_id in due)


def spread(mapping_id: int) -> int:
    """One batch of a mapping's events of associated records; how many were claimed."""
    now, seconds = timezone.now(), conf.current().LEASE_SECONDS
    lease, rows = queue.claim(InboxEvent, mapping_id, now, limit=drain.BATCH, seconds=seconds, related=True)
    count, rows = len(rows), drain.set_aside(InboxEvent, rows, lease)
    kind = attrgetter("via")
    for via, group in itertools.groupby(sorted(rows, key=kind), key=kind):
        _work(mapping_id, via, list(group), lease)
    return count


def _work(mapping_id: int, via: str, rows: Sequence[InboxEvent], lease: str) -> None:
    held = _Held({row.remote_id: row for row in rows}, lease)
    try:
        _put_readers(scope.open_scope(mapping_id), via, held)
    except Exception as error:  # the drain loop's net: the events stay, and making others due again does no harm
        stop = dossier.stop_for(error)
        if stop.code == "system.unexpected":
            logger.exception("spreading failed", extra={"mapping": mapping_id, "rows": len(rows)})
        held.keep(dict.fromkeys(held.rows, stop))


class _Held:
    """The claimed events of one object type by the id of their record; those still under work."""

    def __init__(self, rows: dict[str, InboxEvent], lease: str) -> None:
        self.rows = rows
        self.lease = lease

    def finish(self, ids: Iterable[str]) -> None:
        done = [self.rows.pop(one) for one in ids if one in self.rows]
        queue.finish(InboxEvent, [row.pk for row in done], self.lease)

    def keep(self, stops: Mapping[str, dossier.Stop]) -> None:
        for key, stop in stops.items():
            if key in self.rows:
                row = self.rows.pop(key)
                drain.keep(InboxEvent, self.lease, row, stop, row.mapping_id)

    def renew(self) -> None:
        until = timezone.now() + timedelta(seconds=conf.current().LEASE_SECONDS)
        queue.renew(InboxEvent, [row.pk for row in self.rows.values()], self.lease, until)


def _put_readers(one: scope.Scope, via: str, held: _Held) -> None:
    """Chunk by chunk to the last record, even if an event is dirtied meanwhile: who begins again at every change
    of a large company would never reach its last contacts. What is done is done, so the small do not wait."""
    if via not in one.remote.across.wanted:
        _put_aside(one.spec, via, held)
        return
    values, failed = one.remote.across.read(via, set(held.rows))
    held.keep({key: dossier.stop_for(error) for key, error in failed.items()})
    gone = held.rows.keys() - values.keys()
    for ids in links.iter_taking(one.spec.id, via, gone) if gone else ():
        _put(one, ids, held)
    held.finish(gone)
    for page in one.remote.across.iter_reading(via, list(held.rows)):
        for key, ids in page.reading.items():
            for news in _iter_news(one, across.source_key(via), via, key, values[key], ids):
                _put(one, news, held)
        held.finish(page.done)
        held.keep({key: dossier.stop_for(error) for key, error in page.failed.items()})
        held.renew()


def _put_aside(one: spec.MappingSpec, via: str, held: _Held) -> None:
    """Nothing is taken over from there: for now, or any more."""
    hold = next((f.held for f in one.fields if f.held is not None and across.split(f.remote)[0] == via), None)
    if hold is None:
        held.finish(list(held.rows))
        return
    stop = dossier.Stop(f"field.{hold.code}", hold.message, seconds=_HELD_SECONDS)
    held.keep(dict.fromkeys(held.rows, stop))


def _put(one: scope.Scope, ids: Collection[str], held: _Held) -> None:
    if ids:
        with queue.brief():
            inbox.put([(one.spec.id, remote_id) for remote_id in ids], timezone.now())
        held.renew()


def _iter_news(
    one: scope.Scope, source_key: str, via: str, source_id: str, values: Mapping[str, str | None], ids: Sequence[str]
) -> Iterator[list[str]]:
    """Those of the associated records whose link does not know these values of this record yet."""
    fields = [f for f in one.spec.fields if across.split(f.remote)[0] == via]
    wanted = [(links.key_of(f), convert.remote_text(values.get(across.split(f.remote)[1]), f)) for f in fields]
    known = {source_key: [None, source_id]}
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        found = links.find(one.spec.id, (), one.spec.portal_id, one.spec.object_type, chunk)
        by_id = {link.remote_id: link for link in found}
        yield [key for key in chunk if _is_news(one.spec, by_id.get(key), wanted, known)]


def _is_news(
    one: spec.MappingSpec,
    link: Link | None,
    wanted: Sequence[tuple[str, str | None]],
    known: Mapping[str, list[str | None]],
) -> bool:
    if link is None:
        return False  # it has no values of ours yet; a change of its company is no backfill (A27)
    if link.mapping_id != one.id or link.state != links.State.LINKED:
        return False
    if any(link.base.get(key) != source for key, source in known.items()):
        return True  # another record's values, or nobody's: who is the primary one now is read again
    return any(key not in link.base or link.base[key][1] != text for key, text in wanted)
