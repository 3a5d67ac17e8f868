"""Associations of HubSpot records: read, made, removed, a batch at a time; labels by category and type number."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from crmsync.hubspot import associations, errors, objects, types
from crmsync.sides import remote

Pair = tuple[str, str]  # from id, to id
Failed = dict[Pair, errors.HubSpotError]
_USER = "USER_DEFINED"


@dataclass(frozen=True, slots=True)
class Partner:
    """One associated record. ``labels`` are keys such as "HUBSPOT_DEFINED:1", without the plain type;
    ``own_labels`` those that the account defined itself."""

    remote_id: str
    labels: frozenset[str] = frozenset()
    own_labels: frozenset[str] = frozenset()


def read(
    side: remote.RemoteSide, to_type: str, ids: Collection[str]
) -> tuple[dict[str, tuple[Partner, ...]], dict[str, errors.HubSpotError]]:
    """All partners of some records by id, and what failed by id."""
    settled = associations.read_batch(side.client, side.spec.object_type, to_type, sorted(ids))
    found = {id: tuple(_partner(one) for one in partners) for id, partners in settled.done.items()}
    return found, dict(settled.failed)


def read_whole(side: remote.RemoteSide, to_type: str, ids: Collection[str]) -> dict[str, tuple[Partner, ...]]:
    """All partners of some records by id, () where a record is not there; raises any other failure."""
    found, failed = read(side, to_type, ids)
    for error in failed.values():
        if not isinstance(error, errors.NotFound):
            raise error
    return {id: found.get(id, ()) for id in ids}


def add(side: remote.RemoteSide, to_type: str, edges: Mapping[Pair, frozenset[str]]) -> Failed:
    """Associate, each edge with exactly these labels (none: plainly); what failed."""
    failed: Failed = {}
    for labels in sorted(set(edges.values()), key=sorted):
        pairs = [types.Edge(*pair) for pair, wanted in edges.items() if wanted == labels]
        if labels:
            kinds = [_label(key) for key in sorted(labels)]
            settled = associations.associate_labelled(side.client, side.spec.object_type, to_type, pairs, kinds)
        else:
            settled = associations.associate_default(side.client, side.spec.object_type, to_type, pairs)
        failed |= _failed(settled)
    return failed


def cut(side: remote.RemoteSide, to_type: str, pairs: Iterable[Pair]) -> Failed:
    """Remove associations whole; one that is gone counts as removed."""
    settled = associations.archive(side.client, side.spec.object_type, to_type, [types.Edge(*one) for one in pairs])
    return _unless_gone(_failed(settled))


def cut_label(side: remote.RemoteSide, to_type: str, pairs: Iterable[Pair], label: str) -> Failed:
    """Take one label off associations that stay."""
    edges = [types.Edge(*one) for one in pairs]
    settled = associations.archive_labels(side.client, side.spec.object_type, to_type, edges, [_label(label)])
    return _unless_gone(_failed(settled))


def same_domain(side: remote.RemoteSide, pairs: Collection[Pair]) -> set[Pair]:
    """The (contact, company) pairs whose e-mail and domain fit: what HubSpot associates by itself."""
    emails = _values(side, "contacts", {one for one, _ in pairs}, "email")
    domains = _values(side, "companies", {other for _, other in pairs}, "domain")
    return {
        (one, other)
        for one, other in pairs
        if domains.get(other) and emails.get(one, "").rpartition("@")[2] == domains[other]
    }


def _values(side: remote.RemoteSide, object_type: str, ids: Collection[str], name: str) -> dict[str, str]:
    settled = objects.read_batch(side.client, object_type, sorted(ids), [name])
    return {key: (one.properties.get(name) or "").lower() for key, one in settled.done.items()}


def _partner(one: types.Association) -> Partner:
    named = [label for label in one.labels if label.label]
    own = frozenset(_key(label) for label in named if label.category == _USER)
    return Partner(one.to_id, frozenset(_key(label) for label in named), own)


def _key(label: types.LabelSpec) -> str:
    return f"{label.category}:{label.type_id}"


def _label(key: str) -> types.LabelSpec:
    category, _, number = key.rpartition(":")
    return types.LabelSpec(category, int(number))


def _failed(settled: associations.Edges) -> Failed:
    return {(edge.from_id, edge.to_id): error for edge, error in settled.failed.items()}


def _unless_gone(failed: Failed) -> Failed:
    return {pair: error for pair, error in failed.items() if not isinstance(error, errors.NotFound)}
