"""Before a Django row is made: the records its foreign keys lead to come first, or the row waits for them."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone

from crmsync.engine import changes, edgeterms, spec, terms
from crmsync.flows import dossier, edgejoin, scope
from crmsync.ledger import edges as memory
from crmsync.models import InboxEvent, Mapping

# A record whose parent does not come is made without it after this; one that needs it looks again this seldom.
_PATIENCE, _SELDOM = 30.0, 900.0


@dataclass(frozen=True, slots=True)
class _Child:
    case: dossier.Case
    remote_id: str


def order(
    one: scope.Scope, cases: Sequence[dossier.Case], pairs: Sequence[changes.PairPlan], wanted: terms.Direction
) -> None:
    """Give cases about to be made in Django their foreign keys; a case that has to wait gets its ``stop``."""
    single = [each for each in one.spec.associations if not each.is_several]
    ones = [each for each in single if edgejoin.ways_of(one.spec, each, wanted).pulls]
    new = [
        _Child(case, pair.pair.remote.key.id)
        for case, pair in zip(cases, pairs, strict=True)
        if pair.creates is terms.SideName.LOCAL
    ]
    if not ones or not new:
        return
    patient = _patient(one, new)
    for each in ones:
        going = [child for child in new if child.case.stop is None]
        if each.held is None:
            _order(one, each, going, patient)
        elif each.is_required:
            _hold(each, going)


def _hold(each: spec.AssociationSpec, new: list[_Child]) -> None:
    """Records that must have a parent wait while nobody can tell which one it is."""
    text = f"{each.local} must not be empty in Django, so the record waits. {each.held.message}"
    for child in new:
        child.case.stop = dossier.Stop(each.held.code.value, text, seconds=_SELDOM)


def _order(one: scope.Scope, each: spec.AssociationSpec, new: list[_Child], patient: set[str]) -> None:
    edgejoin.read_partners(one, [child.case for child in new], each.to_type, {id(c.case): c.remote_id for c in new})
    new = [child for child in new if child.case.stop is None]
    theirs = {child.remote_id: _theirs(each, child) for child in new}
    found = memory.resolve(each.to_mapping_id, (), {key for keys in theirs.values() for key in keys})["remote"]
    missing = {keys[0] for keys in theirs.values() if len(keys) == 1 and keys[0] not in found}
    coming = _coming(one, each, missing)
    for child in new:
        keys = theirs[child.remote_id]
        if len(keys) == 1 and keys[0] in found:
            child.case.relations[each.local] = found[keys[0]]
        elif each.is_required:
            child.case.stop = _needs(each, keys)
        elif keys and keys[0] in coming and child.remote_id in patient:
            child.case.stop = _stop(f"HubSpot record {keys[0]} is made in Django first.", _PATIENCE)
    asked = {keys[0] for keys in theirs.values() if len(keys) == 1 and keys[0] in missing & coming}
    if asked and each.brings:
        memory.bring(each.to_mapping_id, (), _not_queued(each, asked), timezone.now())


def _theirs(each: spec.AssociationSpec, child: _Child) -> list[str]:
    partners = child.case.partners.get(each.to_type, ())
    return sorted(one.remote_id for one in partners if not each.label or each.label in one.labels)


def _needs(each: spec.AssociationSpec, keys: list[str]) -> dossier.Stop:
    """Why a record that must have a parent has none."""
    if len(keys) == 1:
        text = f"{each.local} must not be empty in Django, and HubSpot record {keys[0]} is not linked yet."
        return _stop(text, _SELDOM)
    if keys:
        text = f"{each.local} must not be empty in Django, and HubSpot has several partners: {', '.join(keys[:5])}."
        remedy = "Leave one, or map a label that only one of them has."
        return dossier.Stop("record.several_parents", f"{text} {remedy}", terms.Outcome.FAILED, park=True)
    text = f"{each.local} must not be empty in Django, and the HubSpot record has no such association."
    return dossier.Stop("record.no_parent", f"{text} Associate it in HubSpot.", outcome=terms.Outcome.EXCLUDED)


def _stop(text: str, seconds: float) -> dossier.Stop:
    return dossier.Stop("record.waiting_parent", text, seconds=seconds)


def _coming(one: scope.Scope, each: spec.AssociationSpec, missing: set[str]) -> set[str]:
    """Those of these parents that can be expected soon. A parent that itself waits for one is not: they may wait
    for each other."""
    if not missing or not each.brings:
        return set()
    if each.to_mapping_id == one.spec.id and not each.is_required:
        return set()
    parent = Mapping.objects.filter(pk=each.to_mapping_id, state=terms.MappingState.LIVE).first()
    if parent is None or not terms.Direction(parent.direction).pulls:
        return set()
    rows = InboxEvent.objects.filter(mapping_id=each.to_mapping_id, via="", remote_id__in=missing)
    return missing - set(rows.exclude(last_code="").values_list("remote_id", flat=True))


def _not_queued(each: spec.AssociationSpec, ids: set[str]) -> set[str]:
    rows = InboxEvent.objects.filter(mapping_id=each.to_mapping_id, via="", remote_id__in=ids, is_asked=True)
    return ids - set(rows.values_list("remote_id", flat=True))


def _patient(one: scope.Scope, new: list[_Child]) -> set[str]:
    """HubSpot ids of the records that have not waited yet: a parent that may stay away is waited for once."""
    ids = {child.remote_id for child in new}
    rows = InboxEvent.objects.filter(mapping_id=one.spec.id, via="", remote_id__in=ids, last_code=edgeterms.WAITING)
    return ids - set(rows.values_list("remote_id", flat=True))
