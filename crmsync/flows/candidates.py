"""Records without a partner because several match: which there are, and what a person decided for one of them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db import models, transaction
from django.utils import timezone

from crmsync.engine import record, spec, terms
from crmsync.flows import scope
from crmsync.ledger import inbox, journal, links, outbox
from crmsync.models import Link, LogEntry

_LOCAL, _REMOTE = terms.SideName.LOCAL, terms.SideName.REMOTE
BY_HAND = "by_hand"


class ChoiceError(Exception):
    """What a person chose cannot be done; the message says why and what would do."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One record that matched: its values of the match keys by name, and where it is linked already."""

    side: terms.SideName
    key: str
    values: tuple[tuple[str, str], ...] = ()
    is_found: bool = True
    held_by: str = ""


def waiting() -> models.QuerySet[LogEntry]:
    """The last word on each record that was left because several match, and that has no link since; newest first."""
    return LogEntry.objects.filter(is_waiting()).select_related("mapping__portal").order_by("-pk")


def is_waiting() -> models.Q:
    """The condition on log entries that tells ``waiting``: nothing else knows of such a record."""
    same = {name: models.OuterRef(name) for name in ("mapping", "local_pk", "remote_id")}
    later = LogEntry.objects.filter(**same, pk__gt=models.OuterRef("pk"))
    living = Link.objects.exclude(state=links.State.ENDED)
    ours = living.filter(mapping=models.OuterRef("mapping"), local_pk=models.OuterRef("local_pk"))
    theirs = living.filter(
        portal=models.OuterRef("mapping__portal"),
        object_type=models.OuterRef("mapping__object_type"),
        remote_id=models.OuterRef("remote_id"),
    )
    several = models.Q(outcome=terms.Outcome.EXCLUDED, reason=terms.Reason.TOO_MANY_CANDIDATES)
    return several & ~models.Exists(later) & ~models.Exists(ours) & ~models.Exists(theirs)


def forget_gone(mapping_id: int, local_pks: Collection[str], remote_ids: Collection[str]) -> None:
    """Records without a link that are gone wait for nobody: their last word in the log says so."""
    either = models.Q(local_pk__in=local_pks) | models.Q(local_pk="", remote_id__in=remote_ids)
    rows = LogEntry.objects.filter(is_waiting(), either, mapping=mapping_id)
    gone, detail = terms.Reason.GONE, f"{terms.Reason.GONE.label}."
    journal.log([_entry(one, one.local_pk, one.remote_id, terms.Outcome.UNCHANGED, detail, gone) for one in rows])


def own_end(entry: LogEntry) -> tuple[terms.SideName, str]:
    """The record that the entry is about."""
    return (_LOCAL, entry.local_pk) if entry.local_pk else (_REMOTE, entry.remote_id)


def partners_of(entry: LogEntry) -> list[str]:
    """Keys of the candidates on the other side: those it may be linked with."""
    side, _key = own_end(entry)
    return [key for other, key in entry.candidates if other != side]


def look(mapping_id: int, ends: Collection[tuple[str, str]], *, with_values: bool) -> dict[tuple[str, str], Seen]:
    """Records of one mapping by (side, key), read now where values are wanted; else only where they are linked."""
    keys = {side: {key for other, key in ends if other == side} for side in (_LOCAL, _REMOTE)}
    one = scope.open_scope(mapping_id)
    held = _held(one.spec, keys)
    if not with_values:
        return {end: Seen(*end, held_by=held.get(end, "")) for end in ends}
    found: dict[str, dict[str, record.Record]] = {
        _LOCAL: one.local.read(keys[_LOCAL]) if keys[_LOCAL] else {},
        _REMOTE: one.remote.find_present(keys[_REMOTE]) if keys[_REMOTE] else {},
    }
    return {
        end: Seen(
            terms.SideName(end[0]),
            end[1],
            values=_values(one.spec, end[0], found[end[0]].get(end[1])),
            is_found=end[1] in found[end[0]],
            held_by=held.get(end, ""),
        )
        for end in ends
    }


def link(entry: LogEntry, key: str, user: str) -> Link:
    """Link the entry's record with one of its candidates; both are brought together as at a first contact.

    ChoiceError where it is no candidate, one of them is gone, or is linked elsewhere: a link is never taken away.
    """
    if key not in partners_of(entry):
        raise ChoiceError("This record is not one of the candidates. Open the page again.")
    local_pk, remote_id = (entry.local_pk, key) if entry.local_pk else (key, entry.remote_id)
    one = scope.open_scope(entry.mapping_id)
    if not one.local.read({local_pk}):
        raise ChoiceError(f"Django has no record {local_pk} any more. Choose another, or leave it.")
    if remote_id not in one.remote.find_present({remote_id}):
        raise ChoiceError(f"HubSpot has no record {remote_id} any more. Choose another, or leave it.")
    made = links.make(one.spec, local_pk, remote_id, "", None)
    _store(one.spec, made, _entry(entry, local_pk, remote_id, terms.Outcome.ADOPTED, f"Linked by {user}."))
    _make_due(one.spec, local_pk, remote_id)
    return made


def create(entry: LogEntry, user: str) -> Link:
    """Make the entry's record in HubSpot although others match; the next push does it.

    ChoiceError where HubSpot allows one record with this value only, or the mapping does not push.
    """
    one = scope.open_scope(entry.mapping_id)
    if not entry.local_pk or not one.spec.direction.pushes:
        raise ChoiceError("This mapping sends nothing to HubSpot, so no record can be made there.")
    row = one.local.read({entry.local_pk}).get(entry.local_pk)
    if row is None:
        raise ChoiceError(f"Django has no record {entry.local_pk} any more. Leave it.")
    for key in (key for key in one.spec.match if key.unique_remote):
        value = row.values.get(key.local)
        if value not in (None, "") and one.remote.find(key, {str(value)}):
            raise ChoiceError(
                f"HubSpot takes each {key.remote} once and has a record with this one. Link with it, or change"
                f" {key.local} in Django first."
            )
    made = links.make(one.spec, entry.local_pk, None, "", None)
    said = f"{user} asked for a new record in HubSpot."
    _store(one.spec, made, _entry(entry, entry.local_pk, "", terms.Outcome.WAITING, said))
    outbox.mark_many([one.spec.id], [entry.local_pk], timezone.now(), is_asked=True)
    return made


def leave(entry: LogEntry, user: str) -> None:
    """Take the record off the list until it is looked at again, as by its next change."""
    said = f"Left without a partner by {user}."
    journal.log([_entry(entry, entry.local_pk, entry.remote_id, terms.Outcome.EXCLUDED, said)])


def _entry(
    entry: LogEntry, local_pk: str, remote_id: str, outcome: terms.Outcome, said: str, reason: str = BY_HAND
) -> LogEntry:
    return LogEntry(
        mapping_id=entry.mapping_id,
        revision=entry.revision,
        local_pk=local_pk,
        remote_id=remote_id,
        outcome=outcome,
        reason=reason,
        detail=said,
    )


def _store(one: spec.MappingSpec, made: Link, entry: LogEntry) -> None:
    """The link and its line in the log, or neither; links that ended give way to what a person decides."""
    keys = {_LOCAL: {made.local_pk}, _REMOTE: {made.remote_id} if made.remote_id else set()}
    with transaction.atomic():
        ended = [row.pk for row in _links(one, keys) if row.state == links.State.ENDED]
        Link.objects.filter(pk__in=ended, state=links.State.ENDED).delete()
        if _held(one, keys) or links.insert([made]):
            raise ChoiceError(_where(one, keys))
        journal.log([entry])


def _where(one: spec.MappingSpec, keys: dict[str, set[str]]) -> str:
    said = " ".join(f"{side.label} record {key} is linked to {end}." for (side, key), end in _held(one, keys).items())
    return f"{said or 'It was linked just now.'} Unlink it there first, or choose another."


def _links(one: spec.MappingSpec, keys: dict[str, set[str]]) -> Sequence[Link]:
    return links.find(one.id, keys[_LOCAL], one.portal_id, one.object_type, keys[_REMOTE])


def _held(one: spec.MappingSpec, keys: dict[str, set[str]]) -> dict[tuple[terms.SideName, str], str]:
    """(side, key) of the records that a living link holds -> the other end, in words."""
    found: dict[tuple[terms.SideName, str], str] = {}
    for row in (row for row in _links(one, keys) if row.state != links.State.ENDED):
        if row.mapping_id == one.id and row.local_pk in keys[_LOCAL]:
            found[_LOCAL, row.local_pk] = f"{row.remote_id or 'a record being made'} in HubSpot"
        if row.remote_id in keys[_REMOTE]:
            found[_REMOTE, row.remote_id] = f"{row.local_pk} in Django"
    return found


def _values(one: spec.MappingSpec, side: str, found: record.Record | None) -> tuple[tuple[str, str], ...]:
    names = dict.fromkeys(key.local if side == _LOCAL else key.remote for key in one.match)
    values = found.values if found is not None else {}
    return tuple((name, str(values[name])) for name in names if values.get(name) not in (None, ""))


def _make_due(one: spec.MappingSpec, local_pk: str, remote_id: str) -> None:
    """Through the outbox where the mapping pushes (its entries look both ways), else through the inbox."""
    now = timezone.now()
    if one.direction.pushes:
        outbox.mark_many([one.id], [local_pk], now)
    else:
        inbox.put([(one.id, remote_id)], now)
