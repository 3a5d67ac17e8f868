"""Replace: which property could take the place of one that is gone, and pointing a field mapping at it."""

from collections.abc import Iterable

from django.db import models

from crmsync import adapters
from crmsync.engine import suggest, terms
from crmsync.flows import lifecycle
from crmsync.ledger import book, portals, specs, vanished
from crmsync.models import FieldMapping, RemoteProperty


def suggestions(field: FieldMapping) -> list[suggest.Suggestion]:
    """Properties that may hold the field's values, the likeliest first; those that other rows use are left out."""
    mapping = field.mapping
    rows = RemoteProperty.objects.filter(portal=mapping.portal_id, object_type=mapping.object_type)
    return rank(field, list(rows.defer("description")), set(mapping.fields.values_list("remote", flat=True)))


def rank(field: FieldMapping, rows: Iterable[RemoteProperty], taken: set[str]) -> list[suggest.Suggestion]:
    """By the name and label of the property that is gone, and by those of the Django field. No query."""
    local_type = _local_type(field)
    rows = list(rows)
    gone = next((row for row in rows if row.name == field.remote), None)
    known = {row.name: kind for row in rows if not row.is_archived and (kind := _kind(row))}
    remotes = [
        suggest.RemoteFact(row.name, row.label, known[row.name])
        for row in rows
        if row.name in known and row.name not in taken and not row.is_read_only
    ]
    return _ordered(field.remote, gone, field.local, local_type, remotes, field.mapping.object_type)


def _ordered(
    name: str,
    gone: RemoteProperty | None,
    local: str,
    kind: terms.LocalType,
    remotes: list[suggest.RemoteFact],
    object_type: str,
) -> list[suggest.Suggestion]:
    """What is like the old property first, then what is like the Django field; each property once."""
    best: dict[str, suggest.Suggestion] = {}
    for fact in (suggest.LocalFact(name, gone.label if gone else "", kind), suggest.LocalFact(local, "", kind)):
        for one in suggest.rank([fact], remotes, object_type):
            best.setdefault(one.remote, one)
    return list(best.values())


def names_for(losses: Iterable[vanished.Loss]) -> dict[vanished.Loss, str]:
    """The likeliest property for each field that lost its own, by the names alone; one query."""
    wanted = [one for one in losses if one.kind == vanished.FIELD]
    if not wanted:
        return {}
    rows = RemoteProperty.objects.filter(
        portal__in={one.portal_id for one in wanted}, object_type__in={one.object_type for one in wanted}
    )
    used = FieldMapping.objects.filter(
        mapping__portal=models.OuterRef("portal"),
        mapping__object_type=models.OuterRef("object_type"),
        remote=models.OuterRef("name"),
    )
    rows = list(rows.annotate(is_used=models.Exists(used)).defer("description", "options"))
    return {one: name for one in wanted if (name := _best(one, rows))}


def _best(loss: vanished.Loss, rows: Iterable[RemoteProperty]) -> str:
    mine = [one for one in rows if (one.portal_id, one.object_type) == (loss.portal_id, loss.object_type)]
    gone = next((one for one in mine if one.name == loss.name), None)
    free = [one for one in mine if not (one.is_archived or one.is_used or one.is_read_only)]
    like = [one for one in free if gone is None or one.type == gone.type]
    facts = [suggest.RemoteFact(one.name, one.label, kind) for one in like if (kind := _kind(one))]
    found = _ordered(loss.name, gone, loss.owner, terms.LocalType.TEXT, facts, loss.object_type)
    return found[0].remote if found else ""


def _local_type(field: FieldMapping) -> terms.LocalType:
    try:
        return specs.adapter_of(field.mapping).describe(field.local).local_type
    except (specs.SpecError, adapters.LocalFieldError):
        return terms.LocalType.TEXT


def _kind(row: RemoteProperty) -> terms.RemoteType | None:
    try:
        return book.remote_type(row)
    except specs.SpecError:
        return None


def replace(field: FieldMapping, name: str, by_id: int | None) -> int:
    """Point a field mapping at another property; how many waiting records are looked at again.

    What both sides last agreed on is kept by the pair's name, so the new pair starts afresh.
    """
    field.remote = name
    field.save(update_fields=["remote"])
    lifecycle.note_edit(field.mapping, by_id)
    return portals.retry_for(field.mapping.portal, vanished.WAITING)
