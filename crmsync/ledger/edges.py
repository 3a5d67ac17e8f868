"""Edges: the memory of associations, who waits for whom, and whom a new link wakes."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from django.db import models, transaction

from crmsync.engine import edgeterms, terms
from crmsync.ledger import inbox, outbox, places, queue, slips
from crmsync.models import Association, Edge, InboxEvent, Link, Mapping, choices

State = terms.EdgeState
Key = tuple[int, int]  # link id, association id
# Keys in one query, and children marked at a time.
_CHUNK = 500
_FACTS = ("state", "is_ours", "asserted", "reason", "detail")


def find(link_ids: Collection[int]) -> dict[Key, list[Edge]]:
    """All edges of some links; one query."""
    found: dict[Key, list[Edge]] = defaultdict(list)
    for row in Edge.objects.filter(link__in=link_ids).order_by("id"):
        found[row.link_id, row.association_id].append(row)
    return found


def to_known(row: Edge) -> edgeterms.Known:
    return edgeterms.Known(
        row.local_pk, row.remote_id, State(row.state), row.is_ours, row.asserted, row.reason, row.detail
    )


def resolve(to_mapping_id: int, local_pks: Iterable[str], remote_ids: Iterable[str]) -> dict[str, dict[str, str]]:
    """{"local": {pk: HubSpot id}, "remote": {HubSpot id: pk}} of the records that a mapping has linked."""
    linked = Link.objects.filter(mapping_id=to_mapping_id, state=choices.LinkState.LINKED, remote_id__isnull=False)
    found: dict[str, dict[str, str]] = {"local": {}, "remote": {}}
    for name, keys in (("local_pk__in", sorted(set(local_pks))), ("remote_id__in", sorted(set(remote_ids)))):
        for start in range(0, len(keys), _CHUNK):
            rows = linked.filter(**{name: keys[start : start + _CHUNK]})
            for pk, remote_id in rows.values_list("local_pk", "remote_id"):
                found["local"][pk], found["remote"][remote_id] = remote_id, pk
    return found


def intend(rows: Sequence[Edge]) -> None:
    """Remember, before HubSpot is asked to make them, that these edges are ours: a crash must not forget it."""
    Edge.objects.bulk_create(rows, batch_size=_CHUNK, ignore_conflicts=True)


def replace(before: Sequence[Edge], after: Sequence[Edge], now: datetime) -> list[Edge]:
    """Make the stored edges those given (same links and associations); the ones that are new or changed."""
    old = {_key(row): row for row in before}
    new = {_key(row): row for row in after}
    gone = [row.pk for key, row in old.items() if key not in new]
    made = [row for key, row in new.items() if key not in old]
    changed = []
    for key in old.keys() & new.keys():
        if any(getattr(old[key], name) != getattr(new[key], name) for name in _FACTS):
            new[key].pk, new[key].updated_at = old[key].pk, now
            changed.append(new[key])
    if gone:
        Edge.objects.filter(pk__in=gone).delete()
    if made:
        Edge.objects.bulk_create(made, batch_size=_CHUNK)
    if changed:
        Edge.objects.bulk_update(changed, [*_FACTS, "updated_at"], batch_size=_CHUNK)
    return [*made, *changed]


def _key(row: Edge) -> tuple[int, int, str, str]:
    return row.link_id, row.association_id, row.local_pk, row.remote_id


def forget(link_ids: Collection[int]) -> None:
    """A link that ended has no associations any more; HubSpot's own are not touched."""
    Edge.objects.filter(link__in=link_ids).delete()


def wake(to_mapping_id: int, linked: Iterable[tuple[str, str]], now: datetime) -> None:
    """Records that waited for one of these new links (pk, HubSpot id) are due; in the caller's transaction."""
    rows = Association.objects.filter(to_mapping_id=to_mapping_id, is_active=True)
    waiting = dict(rows.values_list("pk", "mapping_id"))
    if not waiting:
        return
    pairs = list(linked)
    for start in range(0, len(pairs), _CHUNK):
        part = pairs[start : start + _CHUNK]
        pks, ids = [pk for pk, _ in part], [remote_id for _, remote_id in part]
        either = models.Q(local_pk__in=pks) | models.Q(remote_id__in=ids)
        mark(Edge.objects.filter(either, association__in=list(waiting), state=State.WAITING), now)
    _wake_held(waiting.values(), now)


# Of two memories of what became one edge, the one that says more.
_RANK = {State.MADE: 0, State.REFUSED: 1, State.WAITING: 2, State.LEFT: 3}


def follow(to_mapping_id: int, before: Collection[str], after: str) -> None:
    """HubSpot merged records: edges that led to one of them lead to the one that is left.

    What was two edges of a record is one by now; it is ours only if both were.
    """
    rows = Edge.objects.filter(association__to_mapping=to_mapping_id, remote_id__in=[*before, after])
    known: dict[Key, list[Edge]] = defaultdict(list)
    for row in rows.order_by("id"):
        known[row.link_id, row.association_id].append(row)
    for mine in known.values():
        first, *others = sorted(mine, key=lambda row: (_RANK[State(row.state)], row.pk))
        Edge.objects.filter(pk__in=[row.pk for row in others]).delete()
        Edge.objects.filter(pk=first.pk).update(remote_id=after, is_ours=all(row.is_ours for row in mine))


def wake_waiting(to_mapping_id: int, now: datetime) -> None:
    """All that waits for records of a mapping is due: it went live, so it can be asked for them."""
    rows = Association.objects.filter(to_mapping_id=to_mapping_id, is_active=True)
    waiting = dict(rows.values_list("pk", "mapping_id"))
    if waiting:
        mark(Edge.objects.filter(association__in=list(waiting), state=State.WAITING), now)
        _wake_held(waiting.values(), now)


def _wake_held(mapping_ids: Iterable[int], now: datetime) -> None:
    """Records that cannot be made in Django before another one wait in the inbox."""
    held = InboxEvent.objects.filter(mapping__in=set(mapping_ids), via="")
    queue.wake(held, [edgeterms.WAITING], now)


def waiting_for(to_mapping_id: int, local_pks: Collection[str], remote_ids: Collection[str]) -> models.QuerySet[Edge]:
    """Edges, with their links, that wait for one of these records; by Django key or HubSpot id."""
    either = models.Q(local_pk__in=local_pks, remote_id="") | models.Q(remote_id__in=remote_ids, local_pk="")
    rows = Edge.objects.filter(either, state=State.WAITING, association__is_active=True)
    return rows.filter(association__to_mapping=to_mapping_id).select_related("link")


def tell(rows: Collection[Edge], reason: str, detail: str, now: datetime) -> None:
    """Remember why these edges wait, as far as they still do."""
    ids = [row.pk for row in rows]
    Edge.objects.filter(pk__in=ids, state=State.WAITING).update(reason=reason, detail=detail, updated_at=now)


def mark_losing(model_label: str, local_pk: str, now: datetime, using: str = places.OWN) -> int:
    """Records associated with a row that is deleted: Django clears their foreign keys without a signal."""
    if not places.is_own(using):
        return slips.leave_gone(model_label, local_pk, now, using)
    rows = Association.objects.filter(to_mapping__model_label__iexact=model_label, is_active=True)
    ids = list(rows.values_list("pk", flat=True))
    rows = Edge.objects.filter(association__in=ids, state__in=list(State), local_pk=local_pk)  # as the index has them
    return mark(rows, now) if ids else 0


def mark(rows: models.QuerySet[Edge], now: datetime) -> int:
    """The records of these edges are due, through the queue their mapping works from; how many."""
    found = rows.order_by("link__mapping_id").values_list("link__mapping_id", "link__local_pk", "link__remote_id")
    pks: dict[int, list[tuple[str, str]]] = defaultdict(list)
    count = 0
    for mapping_id, local_pk, remote_id in found.iterator(chunk_size=2000):
        pks[mapping_id].append((local_pk, remote_id or ""))
        if len(pks[mapping_id]) >= 2000:
            count += make_due(mapping_id, pks.pop(mapping_id), now)
    return count + sum(make_due(mapping_id, keys, now) for mapping_id, keys in pks.items())


def make_due(mapping_id: int, keys: Collection[tuple[str, str]], now: datetime, *, is_asked: bool = False) -> int:
    """Records by (pk, HubSpot id): to HubSpot where the mapping pushes and Django has them, else from there."""
    direction = Mapping.objects.values_list("direction", flat=True).get(pk=mapping_id)
    pushes = terms.Direction(direction).pushes
    local = {pk for pk, remote_id in keys if pk and (pushes or not remote_id)}
    remote = {remote_id for pk, remote_id in keys if remote_id and not (pushes and pk)}
    count = outbox.mark_many([mapping_id], sorted(local), now, is_asked=is_asked) if local else 0
    return count + (inbox.put([(mapping_id, one) for one in remote], now, is_asked=is_asked) if remote else 0)


def bring(to_mapping_id: int, local_pks: Collection[str], remote_ids: Collection[str], now: datetime) -> None:
    """Ask for records that another record needs on the other side; nothing if their mapping is not live."""
    row = Mapping.objects.filter(pk=to_mapping_id, state=terms.MappingState.LIVE).first()
    if row is None:
        return
    direction = terms.Direction(row.direction)
    with transaction.atomic():
        if local_pks and direction.pushes:
            outbox.mark_many([to_mapping_id], sorted(local_pks), now, is_asked=True)
        if remote_ids and direction.pulls:
            inbox.put([(to_mapping_id, one) for one in remote_ids], now, is_asked=True)


def parents_first(mapping_ids: Sequence[int]) -> list[int]:
    """These mappings with those that others lead to before the others; a cycle keeps the order given."""
    if len(mapping_ids) < 2:
        return list(mapping_ids)
    rows = Association.objects.filter(mapping__in=mapping_ids, to_mapping__in=mapping_ids, is_active=True)
    parents: dict[int, list[int]] = defaultdict(list)
    for child, parent in rows.order_by("id").values_list("mapping_id", "to_mapping_id"):
        parents[child].append(parent)
    found: dict[int, None] = {}
    for one in mapping_ids:
        _visit(one, parents, found, set())
    return list(found)


def _visit(one: int, parents: dict[int, list[int]], found: dict[int, None], above: set[int]) -> None:
    if one in found or one in above:
        return
    for parent in parents.get(one, ()):
        _visit(parent, parents, found, above | {one})
    found[one] = None


def retry(rows: models.QuerySet[Edge], now: datetime) -> int:
    """Look at these edges again: counts begin anew, and what they wait for is asked for again."""
    ids = list(rows.values_list("pk", flat=True))
    chosen = Edge.objects.filter(pk__in=ids)
    chosen.update(asserted=0)
    return mark(chosen, now)


def give_way(rows: models.QuerySet[Edge], detail: str, now: datetime) -> int:
    """A person let HubSpot's side of these edges stand: Django follows, whatever the direction."""
    ids = list(rows.values_list("pk", flat=True))
    chosen = Edge.objects.filter(pk__in=ids)
    chosen.update(reason=edgeterms.THEIRS, detail=detail)
    return mark(chosen, now)
