"""Writes Django's rows: one by one through save(), or in bulk where the mapping allows it.

Runs inside the settling transaction. A record that fails is rolled back alone and gets its ``stop``.
"""

import contextlib
import logging
from collections.abc import Iterable, Iterator, Mapping

from django.db import DatabaseError, InterfaceError, OperationalError, models
from django.utils import timezone

from crmsync.engine import record, terms
from crmsync.flows import bases, dossier, scope
from crmsync.ledger import bulk, links, queue, slips
from crmsync.models import Link
from crmsync.sides import guard, relations

logger = logging.getLogger(__name__)


@contextlib.contextmanager
def transaction(one: scope.Scope) -> Iterator[None]:
    """One transaction of crmsync's tables and of the mapping's rows. Where these are in another database, ours are
    not waited for long: no database sees a deadlock that goes through two of them."""
    with queue.brief() if one.local.is_elsewhere else contextlib.nullcontext(), one.local.atomic():
        yield


def confirm(one: scope.Scope, works: Iterable) -> None:
    """The links of these works are committed; what was left in case they got lost may go."""
    pks = [work.link.local_pk for work in works if work.link is not None] if one.local.is_elsewhere else []
    if not pks:
        return
    try:
        slips.forget_made(one.mapping.pk, pks, one.local.alias)
    except (DatabaseError, InterfaceError):
        logger.warning("slips of rows that have their links stay until they are tidied up")


def write(one: scope.Scope, works: list) -> dict[str, record.Record]:
    """Write, create and delete rows; what Django has of them afterwards, by primary key."""
    creating = [work for work in works if work.plan.creates is terms.SideName.LOCAL]
    one.local.categories.find(_values(work) for work in works)
    made = _create_in_bulk(one, creating) if creating and not one.mapping.uses_save else {}
    changing = [work for work in works if work.plan.pair.local and (work.plan.local_writes or deletes(work))]
    rows = one.local.instances({work.plan.pair.local.key.id for work in changing}, lock=True) if changing else {}
    written = set()
    for work in [*(work for work in creating if work.link is None), *changing]:
        pk = _write_one(one, work, rows)
        written |= {pk} if pk else set()
    return made | (one.local.read(written) if written else {})


def deletes(work) -> bool:
    """Whether this work deletes its Django row."""
    return work.plan.archives is terms.SideName.LOCAL


def _values(work) -> dict[str, object]:
    """What is written; a new row gets the mapping's fixed values, too."""
    fixed = {one.field: one.value for one in work.plan.fixed}
    return fixed | {write.name: write.value for write in work.plan.local_writes}


def _create_in_bulk(one: scope.Scope, works: list) -> dict[str, record.Record]:
    """Rows and links in two statements; anything odd leaves all of them to the careful way.

    bulk_create runs no host code, so the rows are as we built them and need not be read again.
    """
    if any(one.local.categories.is_several(path) for work in works for path in _values(work)):
        return {}
    try:
        with one.local.atomic():
            rows = [_build(one, work) for work in works]
            one.local.adapter.model._default_manager.using(one.local.alias).bulk_create(rows)
            _leave_made(one, zip(works, rows, strict=True))
            made = {after.key.id: after for after in one.local.to_records(rows)}
            fresh = [_fresh_link(one, work, after) for work, after in zip(works, made.values(), strict=True)]
            bulk.insert(Link, fresh)
    except OperationalError:
        raise
    except Exception:
        for work in works:
            work.is_stored = False
        return {}
    for work, link in zip(works, fresh, strict=True):
        work.link, work.is_stored = link, True
    return made


def _build(one: scope.Scope, work) -> models.Model:
    """A new row with its values and the foreign keys that are known already."""
    row = one.local.build(_values(work))
    relations.assign(one.local, row, work.case.relations)
    return row


def _fresh_link(one: scope.Scope, work, after: record.Record) -> Link:
    """A link that is complete at once: its base is what was just written."""
    link = _link_for(one, work, after.key.id)
    values, work.is_dirty = bases.base_after(one.spec, one.paired, work, after)
    bases.stamp(link, work, bases.stored(one.spec, work, values), timezone.now())
    return link


def _link_for(one: scope.Scope, work, local_pk: str) -> Link:
    return links.make(one.spec, local_pk, work.plan.pair.remote.key.id, one.lease, timezone.now())


def _write_one(one: scope.Scope, work, rows: Mapping[str, models.Model]) -> str | None:
    """One record inside a savepoint; its primary key when the row exists afterwards."""
    try:
        with one.local.atomic():
            if work.plan.creates is terms.SideName.LOCAL:
                return _create_one(one, work)
            row = rows.get(work.plan.pair.local.key.id)
            if row is None or _has_moved(one, work, row):
                work.stop = dossier.Stop("record.moved", "The row changed while it was planned.", seconds=0.0)
                return None
            return _change_one(one, work, row)
    except OperationalError:
        raise
    except Exception as error:
        work.stop = dossier.stop_for(error)
        return None


def _create_one(one: scope.Scope, work) -> str:
    row = _build(one, work)
    with guard.writing(instances=[row]):
        one.local.adapter.save(row, None)
        one.local.relate(row, _values(work))
    _leave_made(one, [(work, row)])
    link = _link_for(one, work, str(row.pk))
    link.save(force_insert=True)
    work.link = link
    return str(row.pk)


def _leave_made(one: scope.Scope, made: Iterable[tuple]) -> None:
    """In the transaction of new rows in another database: whose partners they are, should their links get lost."""
    if one.local.is_elsewhere:
        pairs = [(work.plan.pair.remote.key.id, str(row.pk)) for work, row in made]
        slips.leave_made(one.mapping, pairs, timezone.now(), one.local.alias)


def _change_one(one: scope.Scope, work, row: models.Model) -> str | None:
    pk = str(row.pk)
    with guard.writing(keys=[(one.spec.local_model, pk)]):
        if deletes(work):
            one.local.adapter.archive(row)
            work.is_archived = True
            return None
        one.local.adapter.save(row, one.local.assign(row, _values(work)))
        one.local.relate(row, _values(work))
    return pk


def _has_moved(one: scope.Scope, work, row: models.Model) -> bool:
    """Whether a field we are about to write holds something else than the plan was made with."""
    fields = {field.id: field for field in one.spec.fields}
    names = [write.name for write in work.plan.local_writes]
    now = record.Record(work.plan.pair.local.key, {name: one.local.adapter.read(row, name) for name in names})
    return any(bases.text_of(now, fields[write.field_id]) != write.old for write in work.plan.local_writes)
