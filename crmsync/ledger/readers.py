"""Readers: which mappings a save of one model concerns, made from what the mappings read; knows no host row.

Saves ask this table alone, so it must not be stale. Whatever edits a mapping refreshes its rows in the same
transaction (signals, see receivers). Bulk statements send none: every ``specs.load`` and every sweep compares.
"""

import functools
from collections import defaultdict
from collections.abc import Iterable, Iterator

from django.apps import apps
from django.db import connections, models, router, transaction

from crmsync.engine import combined, terms
from crmsync.ledger import newer
from crmsync.models import FieldMapping, FixedValue, Mapping, MatchKey, Reader, RuleCondition
from crmsync.paths import walk

# (label of the model that is saved, in lower case; the relations that lead to it, "" for the mapping's own)
Row = tuple[str, str]


def heal(mapping: Mapping, paths: Iterable[str]) -> None:
    """Refresh if the rows do not fit these paths, which were just read for other reasons; nearly always one query."""
    if _stored([mapping.pk])[mapping.pk] != make_rows(mapping.model_label, paths):
        refresh(mapping.pk)


def refresh(mapping_id: int | None, *, may_grow: bool = True) -> None:
    """Bring the rows of one mapping up to date, in the caller's transaction if there is one.

    ``may_grow`` False: something of the mapping was deleted, perhaps with the mapping itself, which may have no
    new rows then.
    """
    with transaction.atomic(using=router.db_for_write(Mapping)):
        # Two that edit one mapping at once must see each other's edits.
        mapping = _locked(Mapping.objects.filter(pk=mapping_id)).first()
        if mapping is None:
            return
        stored = _stored([mapping_id])[mapping_id]
        wanted = make_rows(mapping.model_label, _paths([mapping_id])[mapping_id])
        for label, via in stored - wanted:
            Reader.objects.filter(mapping=mapping, target_label=label, via=via).delete()
        if may_grow and wanted - stored:
            rows = [Reader(mapping=mapping, target_label=label, via=via) for label, via in sorted(wanted - stored)]
            Reader.objects.bulk_create(rows, ignore_conflicts=True)


def refresh_all() -> int:
    """Refresh the mappings whose rows are stale, after bulk statements or a change of the host's models; how many."""
    mappings = dict(Mapping.objects.order_by().values_list("pk", "model_label"))
    stored, paths = _stored(mappings), _paths(mappings)
    stale = [pk for pk, label in mappings.items() if stored[pk] != make_rows(label, paths[pk])]
    stale = [pk for pk in stale if not newer.is_newer(mappings[pk], paths[pk])]
    for pk in stale:
        refresh(pk)
    return len(stale)


def make_rows(model_label: str, paths: Iterable[str]) -> set[Row]:
    """The rows of a mapping of this model that reads these local paths; asks the models, not the database."""
    rows = {(model_label.lower(), "")}
    for path in (one for some in paths for one in combined.parts(some)):
        rows.update((label, via) for via, end in _vias(model_label, path) for label in _kin(end))
    return rows


def _vias(model_label: str, path: str) -> Iterator[walk.Via]:
    """The relations that a path follows, as adapters.describe allows them, and the models they end in."""
    try:
        model = apps.get_model(model_label)
    except (LookupError, ValueError):
        return  # specs.load says so
    yield from walk.vias(model, path)


@functools.cache
def _kin(model: type[models.Model]) -> tuple[str, ...]:
    return tuple(one._meta.label_lower for one in model._meta.apps.get_models() if walk.is_kin(one, model))


def _stored(mapping_ids: Iterable[int]) -> defaultdict[int, set[Row]]:
    found: defaultdict[int, set[Row]] = defaultdict(set)
    rows = Reader.objects.filter(mapping__in=list(mapping_ids)).order_by()
    for mapping_id, label, via in rows.values_list("mapping_id", "target_label", "via"):
        found[mapping_id].add((label, via))
    return found


def _paths(mapping_ids: Iterable[int]) -> defaultdict[int, set[str]]:
    """What mappings read: fields that push, match keys, active rules, fixed values; one query."""
    ids = list(mapping_ids)
    fields = FieldMapping.objects.filter(mapping__in=ids, is_active=True)
    fields = fields.exclude(direction=terms.Direction.PULL).order_by()
    keys = MatchKey.objects.filter(mapping__in=ids).order_by()
    conditions = RuleCondition.objects.filter(
        rule__mapping__in=ids, rule__is_active=True, side=terms.SideName.LOCAL
    ).order_by()
    fixed = FixedValue.objects.filter(mapping__in=ids, decides=True, side=terms.SideName.LOCAL).order_by()
    found: defaultdict[int, set[str]] = defaultdict(set)
    rows = fields.values_list("mapping_id", "local").union(
        keys.values_list("mapping_id", "local"),
        conditions.values_list("rule__mapping_id", "field"),
        fixed.values_list("mapping_id", "field"),
    )
    for mapping_id, path in rows:
        found[mapping_id].add(path)
    return found


def _locked(rows: models.QuerySet) -> models.QuerySet:
    """A lock that does not hold up captures: their foreign key needs the mapping to stay, not to stay as it is."""
    return rows.select_for_update(no_key=connections[rows.db].features.has_select_for_no_key_update)
