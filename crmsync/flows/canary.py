"""Canary: tries a new version on a few linked records for real, and puts them back when it is dropped."""

import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import models, transaction
from django.utils import timezone

from crmsync import conf
from crmsync.engine import terms
from crmsync.flows import access, dossier, lifecycle, puttingback, reconcile, scope, trying
from crmsync.ledger import canaries, links, specs
from crmsync.models import Canary, CanaryRecord, Link, Mapping

# As many records as a person can look through, and as one call takes.
MOST = 25
# Another worker may hold a record for a moment: how often it is asked again, and the seconds in between.
_TRIES, _PAUSE = 3, 1.0
State = canaries.State


class CanaryError(Exception):
    """Why a canary cannot be started, or go on: one sentence with the remedy."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The records that were chosen, and (what was typed, why not) of the others."""

    links: tuple[Link, ...]
    refused: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Dropped:
    """What a drop did so far: records put back, those that are not yet, each with its reason, and what was left."""

    done: int
    open: tuple[tuple[str, str], ...] = ()
    left: tuple[tuple[str, str], ...] = ()


# --- Choosing -----------------------------------------------------------------------------------------------------


def choose(version: Mapping, texts: Iterable[str]) -> Choice:
    """The linked records that texts name: a key in Django or an id in HubSpot, with ``django:`` or ``hubspot:``
    before it where it could be both. At most MOST; only linked records, since only those can be put back."""
    found: dict[int, Link] = {}
    refused = []
    for text in dict.fromkeys(text.strip() for text in texts if text.strip()):
        if len(found) == MOST:
            refused.append((text, f"A canary has at most {MOST} records."))
            continue
        rows, why = _find(version, text)
        if why:
            refused.append((text, why))
        else:
            found[rows[0].pk] = rows[0]
    return Choice(tuple(found.values()), tuple(refused))


def _find(version: Mapping, text: str) -> tuple[list[Link], str]:
    """The one link that a text means, or why there is none."""
    side, colon, key = text.partition(":")
    known = {"django": models.Q(local_pk=key), "hubspot": models.Q(remote_id=key)}
    both = models.Q(local_pk=text) | models.Q(remote_id=text)
    rows = list(Link.objects.filter(known.get(side.lower(), both) if colon else both, mapping=version.version_of_id))
    if not rows:
        return [], "It is not linked by this mapping; only linked records can be tried."
    if len(rows) > 1:
        return [], "It is a key in Django and another record's id in HubSpot: write django: or hubspot: before it."
    if rows[0].state != links.State.LINKED or not rows[0].remote_id:
        return [], "It is not linked at present; only linked records can be tried."
    return rows, ""


def draw(version: Mapping, count: int) -> Choice:
    """So many linked records at random, at most MOST; from large tables without reading them."""
    rows = canaries.free(Mapping(pk=version.version_of_id)).order_by("pk")
    ends = rows.aggregate(first=models.Min("pk"), last=models.Max("pk"))
    found: dict[int, Link] = {}
    if ends["first"] is None:
        return Choice(())
    span = ends["last"] - ends["first"] + 1
    for _ in range(4 * MOST):
        if len(found) >= min(count, MOST):
            break
        one = rows.filter(pk__gte=ends["first"] + secrets.randbelow(span)).first()
        found |= {one.pk: one} if one is not None else {}
    missing = min(count, MOST) - len(found)
    found |= {one.pk: one for one in rows.exclude(pk__in=found)[: max(0, missing)]}
    return Choice(tuple(found.values()))


# --- Trying -------------------------------------------------------------------------------------------------------


def refuse(version: Mapping) -> str:
    """Why a version cannot be tried now; "" if it can."""
    live = version.version_of
    if live is None:
        return f"“{version}” is no new version. Prepare one on the page of a live mapping."
    if live.state != terms.MappingState.LIVE:
        return f"“{live}” is not live. Switch it on first: the records go on under it afterwards."
    if conf.current().TWO_PERSON_APPROVAL and not lifecycle.find_life(version).is_approved:
        return (
            f"“{version}” is not approved at revision {version.revision}, so it writes nothing yet"
            " (CRMSYNC['TWO_PERSON_APPROVAL']). Let a second person approve it first."
        )
    return ""


def start(version: Mapping, chosen: Sequence[Link], by_id: int | None) -> Canary:
    """Try the version on these records; CanaryError where it cannot be, and as opening it says."""
    if why := refuse(version):
        raise CanaryError(why)
    if not 0 < len(chosen) <= MOST:
        raise CanaryError(f"Choose 1 to {MOST} linked records.")
    if canaries.find_open(version) is not None:
        raise CanaryError("A canary of this version is open. Promote or drop it first.")
    access.raise_if_closed(version.portal_id)
    specs.check(version)
    one = canaries.open_one(version, [link.pk for link in chosen], by_id)
    go_on(one)
    return one


def go_on(one: Canary) -> int:
    """Try the records that were not tried yet; how many are left. CanaryError as for starting one: who paused the
    live mapping meanwhile wants nothing written."""
    if one.is_dropping:
        raise CanaryError("The canary is being dropped: finish that.")
    if why := refuse(one.version):
        raise CanaryError(why)
    access.raise_if_closed(one.mapping.portal_id)
    for attempt in range(_TRIES):
        rows = list(one.records.filter(state=State.WAITING).select_related("link"))
        if not rows or (attempt and not any(row.reason == dossier.BUSY.code for row in rows)):
            break
        time.sleep(_PAUSE if attempt else 0)
        opened = scope.open_scope(one.version_id, run_id=one.run_id, keeper=trying.Trying(one, rows))
        _note(rows, reconcile.reconcile(opened, _items(rows)))
    canaries.count(one)
    return one.records.filter(state=State.WAITING).count()


def _items(rows: Iterable[CanaryRecord]) -> list[dossier.Item]:
    return [dossier.Item(local_pk=row.link.local_pk) for row in rows]


def _note(rows: Sequence[CanaryRecord], results: Iterable[reconcile.Result]) -> None:
    """Why records stopped; what was done is noted with it."""
    by_key = {row.link.local_pk: row for row in rows}
    stopped = []
    for result in results:
        row = by_key[result.item.local_pk]
        if row.state == State.WAITING and result.stop is not None:
            row.outcome, row.reason, row.said = result.outcome, result.stop.code, [result.stop.message]
            stopped.append(row)
    canaries.save(stopped, ["outcome", "reason", "said"])


# --- Dropping -----------------------------------------------------------------------------------------------------


def drop(one: Canary, *, leaves: bool = False) -> Dropped:
    """Put back what the canary wrote; once nothing is open it ends, and the live mapping goes on with the records.

    Safe to run again: what is back is left. ``leaves``: end it although some records are not back; where dropping was
    tried before, at once, since whatever is in the way may stay.
    """
    if leaves and one.is_dropping:
        return _end(one, leaves=True)
    canaries.begin_drop(one)
    rows = list(one.records.exclude(state=State.DROPPED).select_related("link"))
    for attempt in range(_TRIES):
        going = [row for row in rows if row.state != State.DROPPED]
        if not going or (attempt and not any(row.reason == dossier.BUSY.code for row in going)):
            break
        time.sleep(_PAUSE if attempt else 0)
        access.raise_if_closed(one.mapping.portal_id)
        opened = scope.open_scope(one.version_id, run_id=one.run_id, keeper=puttingback.PuttingBack(going))
        _note_open(going, reconcile.reconcile(opened, _items(going)))
    return _end(one, leaves=leaves)


def _note_open(rows: Sequence[CanaryRecord], results: Iterable[reconcile.Result]) -> None:
    by_key = {row.link.local_pk: row for row in rows}
    stopped = []
    for result in results:
        row = by_key[result.item.local_pk]
        if row.state != State.DROPPED and result.stop is not None:
            row.reason, row.said = result.stop.code, [result.stop.message]
            stopped.append(row)
    canaries.save(stopped, ["reason", "said"])


def _end(one: Canary, *, leaves: bool) -> Dropped:
    rows = list(one.records.select_related("link"))
    done = [row for row in rows if row.state == State.DROPPED]
    missing = [row for row in rows if row.state != State.DROPPED]
    said = Dropped(len(done), _said(missing), _said(done))
    if not missing or leaves:
        message = f"“{one.version}” was dropped: {len(done)} of {len(rows)} records were put back."
        with transaction.atomic():
            canaries.end(one, message, timezone.now())
    return said


def _said(rows: Iterable[CanaryRecord]) -> tuple[tuple[str, str], ...]:
    return tuple((str(row.link), text) for row in rows for text in row.said)
