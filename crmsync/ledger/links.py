"""Links: find, lease, reserve, settle, end; base and sent as the engine wants them.

Every change of a leased link is conditional on its lease (a fencing token): a worker that was stopped
past its lease changes nothing.
"""

import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime

from django.db import IntegrityError, connection, models, transaction
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast
from django.utils import timezone

from crmsync.engine import across, changes, convert, movement, spec, terms
from crmsync.ledger import queue
from crmsync.models import Link, choices

State = choices.LinkState
# Links found at a time, whatever number took values from one record.
_CHUNK = 2000


def find(
    mapping_id: int, local_pks: Collection[str], portal_id: int, object_type: str, remote_ids: Collection[str]
) -> list[Link]:
    """Links of a mapping that hold one of these keys, ended ones too."""
    mine = models.Q(mapping_id=mapping_id, local_pk__in=local_pks)
    theirs = models.Q(portal_id=portal_id, object_type=object_type, remote_id__in=remote_ids)
    found: dict[int, Link] = {}
    if local_pks:
        found |= Link.objects.filter(mine).in_bulk()
    if remote_ids:
        found |= Link.objects.filter(theirs).in_bulk()
    return list(found.values())


def take(
    mapping_id: int,
    local_pks: Collection[str],
    portal_id: int,
    object_type: str,
    remote_ids: Collection[str],
    token: str,
    until: datetime,
) -> list[Link]:
    """Lease what is free of the links that hold one of these keys, then find them all: those that are ours
    carry the token, and are read after they became ours."""
    now = timezone.now()
    mine = Link.objects.filter(queue.free(now), mapping_id=mapping_id)
    if local_pks:
        mine.filter(local_pk__in=local_pks).update(lease=token, leased_until=until)
    if remote_ids:
        theirs = mine.filter(portal_id=portal_id, object_type=object_type, remote_id__in=remote_ids)
        theirs.update(lease=token, leased_until=until)
    return find(mapping_id, local_pks, portal_id, object_type, remote_ids)


def renew(token: str, until: datetime) -> None:
    """Hold leased links longer."""
    Link.objects.filter(lease=token).update(leased_until=until)


def release(token: str) -> None:
    """Let go of everything this worker still holds."""
    Link.objects.filter(lease=token).update(lease="", leased_until=None)


def make(one: spec.MappingSpec, local_pk: str, remote_id: str | None, token: str, until: datetime) -> Link:
    """A link row not yet stored; without a remote id it is one that is being created."""
    return Link(
        mapping_id=one.id,
        portal_id=one.portal_id,
        object_type=one.object_type,
        local_pk=local_pk,
        remote_id=remote_id,
        create_key=secrets.token_hex(16),
        state=State.LINKED if remote_id else State.CREATING,
        lease=token,
        leased_until=until,
    )


def insert(links: list[Link]) -> set[str]:
    """Store new links; the local pks of those that could not be, because another worker linked first."""
    try:
        with transaction.atomic():
            Link.objects.bulk_create(links, batch_size=500)
    except IntegrityError:
        return {link.local_pk for link in links if not _insert_one(link)}
    return set()


def forget_ended(portal_id: int, object_type: str, remote_ids: Collection[str]) -> None:
    """Drop ended links that still hold these records: a row made anew may have them."""
    Link.objects.filter(
        portal_id=portal_id, object_type=object_type, remote_id__in=remote_ids, state=State.ENDED
    ).delete()


def _insert_one(link: Link) -> bool:
    try:
        with transaction.atomic():
            link.save(force_insert=True)
    except IntegrityError:
        link.pk = None
        return False
    return True


def save_fenced(link: Link, token: str, names: Iterable[str]) -> bool:
    """Write named fields only while the lease is still ours; whether it was."""
    values = {name: getattr(link, name) for name in names}
    return bool(Link.objects.filter(pk=link.pk, lease=token).update(**values))


def still_ours(links: Iterable[Link], token: str) -> set[int]:
    """Lock these links for the caller's transaction; the ids of those whose lease is still ours."""
    rows = Link.objects.filter(pk__in=[link.pk for link in links], lease=token)
    return set(rows.select_for_update().values_list("pk", flat=True))


def save_many(links: list[Link], names: list[str]) -> None:
    """Write named fields of links known to be ours: one upsert by primary key, much cheaper than CASE WHEN."""
    if links:
        target = {} if connection.vendor == "mysql" else {"unique_fields": ["id"]}
        Link.objects.bulk_create(links, batch_size=500, update_conflicts=True, update_fields=names, **target)


def holder(portal_id: int, object_type: str, remote_id: str) -> Link | None:
    """The link that holds a HubSpot record."""
    return Link.objects.filter(portal_id=portal_id, object_type=object_type, remote_id=remote_id).first()


def drop(link: Link, token: str) -> None:
    """Take back a reservation that came to nothing, if it is still ours."""
    Link.objects.filter(pk=link.pk, lease=token, state=State.CREATING).delete()


def key_of(one: spec.FieldSpec) -> str:
    """How ``base`` and ``sent`` name a field: by its two ends, so that a re-pointed field starts afresh."""
    return f"{one.local}|{one.remote}"


def effective_base(
    link: Link, one: spec.MappingSpec, remote_values: Mapping[str, object] | None
) -> dict[int, changes.BaseValue]:
    """The base by field id. A value that we sent and HubSpot now shows was agreed on, though a crash
    kept the answer from us: without this a newer local edit would look like a conflict with itself."""
    base: dict[int, changes.BaseValue] = {}
    for field in one.fields:
        key = key_of(field)
        stored = link.base.get(key)
        sent = link.sent.get(key) if link.sent else None
        if sent is not None and remote_values is not None:
            shown = convert.remote_text(remote_values.get(field.remote), field)
            if _same(shown, sent[1]):
                stored = [sent[0], shown]
            elif shown is None and is_clearing(field, sent[1], sent[2]):
                stored = None  # we cleared it and did not come to fill it: a first contact fills blanks
        if stored is not None:
            base[field.id] = changes.BaseValue(stored[0], stored[1])
    return base


def is_clearing(one: spec.FieldSpec, sent: str | None, read: str | None) -> bool:
    """Whether sending this value over what HubSpot had meant to clear the property first."""
    return one.movement is terms.Movement.CLEAR_FIRST and movement.is_back(one, present=read, wanted=sent)


def _same(shown: str | None, sent: str | None) -> bool:
    """Equal as far as HubSpot's own normalising (outer blanks, letter case of e-mails) may change it."""
    return (shown or "").strip().casefold() == (sent or "").strip().casefold()


def iter_taking(mapping_id: int, object_type: str, source_ids: Collection[str]) -> Iterator[list[str]]:
    """HubSpot ids of linked records that took values over from these records of another type, in chunks.

    It reads the bases of all the mapping's links: for sources that are gone, whose associations nobody tells.
    """
    rows, last = _taking(mapping_id, object_type, source_ids).order_by("pk"), 0
    while chunk := list(rows.filter(pk__gt=last).values_list("pk", "remote_id")[:_CHUNK]):
        yield [remote_id for _, remote_id in chunk]
        last = chunk[-1][0]


def find_sources(mapping_id: int, object_type: str, source_ids: Collection[str]) -> set[str]:
    """Those of these records of another type that linked records took values over from."""
    return set(_taking(mapping_id, object_type, source_ids).values_list("source", flat=True))


def _taking(mapping_id: int, object_type: str, source_ids: Collection[str]) -> models.QuerySet:
    text = KeyTextTransform("1", KeyTransform(across.source_key(object_type), "base"))
    source = Cast(text, models.CharField(max_length=40))  # else it would be compared as JSON
    rows = Link.objects.filter(mapping_id=mapping_id, state=State.LINKED, remote_id__isnull=False)
    return rows.order_by().annotate(source=source).filter(source__in=source_ids)


def to_stored(one: spec.MappingSpec, values: Mapping[int, changes.BaseValue]) -> dict[str, list[str | None]]:
    """Base values by field id -> as stored on the link."""
    names = {field.id: key_of(field) for field in one.fields}
    return {names[pk]: [value.local, value.remote] for pk, value in values.items() if pk in names}


def is_in_canary(mapping_id: int, local_pk: str) -> bool:
    """Whether a new version of the mapping is being tried on this record."""
    return Link.objects.filter(mapping_id=mapping_id, local_pk=local_pk, in_canary=True).exists()


def rebase(
    mapping_id: int,
    local_pk: str,
    key: str,
    *,
    seen: tuple[str | None, str | None],
    agreed: tuple[str | None, str | None],
    now: datetime,
) -> bool | None:
    """Set what both sides count as agreed on about one field, by ``key_of``; in the caller's transaction.

    False where it is not as it was ``seen`` (or there is no link) any more, None where a worker, or an open
    canary, holds the link.
    """
    link = Link.objects.select_for_update().filter(mapping_id=mapping_id, local_pk=local_pk).first()
    if link is None or link.state != State.LINKED:
        return False
    if link.in_canary or (link.leased_until is not None and link.leased_until >= now):
        return None  # dropping the canary would take it back
    stored = link.base.get(key) or [None, None]
    if tuple(stored) != seen:
        return False
    link.base = {**link.base, key: list(agreed)}
    link.save(update_fields=["base"])
    return True
