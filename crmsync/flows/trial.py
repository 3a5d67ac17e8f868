"""Trial: one record of a mapping, found by what a person knows of it, shown as planned, and synced for real."""

from dataclasses import dataclass

from crmsync import conf
from crmsync.engine import changes, match, spec, terms
from crmsync.flows import access, dossier, keyproperty, lifecycle, reconcile, scope
from crmsync.models import LogEntry, Mapping

# More records than a person compares side by side.
MOST = 5


class TrialError(Exception):
    """A record that may not be synced now: one sentence with the remedy."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One record as it would be synced now: its plan, or why there is none; ``calls`` are those to HubSpot."""

    item: dossier.Item
    mapping: spec.MappingSpec
    pair: changes.PairPlan | None = None
    stop: dossier.Stop | None = None
    calls: tuple[str, ...] = ()


def find(mapping: Mapping, query: str) -> list[Tried]:
    """The records that a text means, each planned in both directions; nothing is written.

    The text is a key in Django, an id in HubSpot, or a value that the mapping matches by, on either side.
    """
    one = scope.open_scope(mapping.pk)
    return [_preview(mapping, item) for item in _items(one, query)[:MOST]]


def find_asked(mapping: Mapping, query: str) -> list[Tried]:
    """The Django records that a text means, each planned as one that a person asks for in HubSpot."""
    one = scope.open_scope(mapping.pk)
    pks = dict.fromkeys(_pks(one, query))
    return [_preview(mapping, dossier.Item(local_pk=pk, is_asked=True)) for pk in list(pks)[:MOST]]


def _pks(one: scope.Scope, query: str) -> list[str]:
    pks = list(one.local.read({query}))
    for key in one.spec.match:
        if match.normalise(query, key.normaliser) is not None:
            pks += [pk for found in one.local.find(key, [query]).values() for pk in found]
    return pks


def _items(one: scope.Scope, query: str) -> list[dossier.Item]:
    """Django's own first: their partners are found from them."""
    pks = _pks(one, query)
    ids = list(one.remote.read({query})[0]) if query.isdecimal() else []
    if not pks:
        for key in one.spec.match:
            if match.normalise(query, key.normaliser) is not None:
                ids += [row.key.id for found in one.remote.find(key, [query]).values() for row in found]
    return [
        *(dossier.Item(local_pk=pk) for pk in dict.fromkeys(pks)),
        *(dossier.Item(remote_id=key) for key in dict.fromkeys(ids)),
    ]


def _preview(mapping: Mapping, item: dossier.Item) -> Tried:
    one = scope.open_scope(mapping.pk)  # a lease of its own
    plan, cases = reconcile.preview(one, [item])
    if plan.pairs:
        pair = plan.pairs[0]
        return Tried(item, one.spec, pair=pair, calls=tuple(_calls(one.spec, pair)))
    return Tried(item, one.spec, stop=cases[0].stop)


def _calls(mapping: spec.MappingSpec, pair: changes.PairPlan) -> list[str]:
    """What would be asked of HubSpot, in the order it would be."""
    kind, written = mapping.object_type, ", ".join(write.name for write in pair.remote_writes)
    found = [f"read {kind} (1 record, at most 100 in one call)"]
    if pair.creates is terms.SideName.REMOTE:
        found.append(f"create {kind}: {written}")
    elif pair.archives is terms.SideName.REMOTE:
        found.append(f"archive {kind}")
    elif written:
        found.append(f"update {kind}: {written}")
        if conf.current().VERIFY_WRITES:
            found.append(f"read {kind} with their history, to see what the update replaced")
    return found


def sync(mapping: Mapping, item: dossier.Item) -> tuple[reconcile.Result, LogEntry | None]:
    """Sync one record as the mapping is now, whatever its state; its result and its newest log entry.

    TrialError where two persons have to agree first. A record that must wait or needs a person is not queued.
    """
    if mapping.version_of_id is not None:
        raise TrialError(
            f"“{mapping}” is a new version: it writes nothing but its canary, which can be put back. Start one."
        )
    life = lifecycle.find_life(mapping)
    if conf.current().TWO_PERSON_APPROVAL and not (life.is_approved or life.state.is_started):
        raise TrialError(
            f"“{mapping}” is not approved at revision {mapping.revision}, so it writes nothing yet"
            " (CRMSYNC['TWO_PERSON_APPROVAL']). Let it be approved first."
        )
    access.raise_if_closed(mapping.portal_id)
    last = LogEntry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    one = scope.open_scope(mapping.pk)
    keyproperty.ensure(one, is_asked=item.is_asked)
    result = reconcile.reconcile(one, [item])[0]
    keys = {"local_pk": item.local_pk} if item.local_pk else {"remote_id": item.remote_id}
    return result, LogEntry.objects.filter(mapping=mapping, pk__gt=last, **keys).order_by("-pk").first()
