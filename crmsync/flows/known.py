"""What HubSpot is known to have of linked rows, as both sides last agreed: for a host's own conditions, no call."""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from datetime import datetime

from django.db import models
from django.utils import timezone

from crmsync import adapters
from crmsync.engine import record, rules, spec, terms, typed
from crmsync.ledger import links
from crmsync.models import FieldMapping, Link, Mapping

# Rows in one query.
_CHUNK = 500


class KnownError(ValueError):
    """A condition that cannot be asked: one sentence with the remedy."""


@dataclass(frozen=True, slots=True)
class Known:
    """A linked record as of the last sync. ``values``: HubSpot's texts by property, None where it was blank; only
    mapped properties. ``as_of``: when crmsync last wrote or read something new of it."""

    mapping: str
    remote_id: str
    values: Dict[str, str | None]
    as_of: datetime | None


def find(rows: Iterable[models.Model], mapping: Mapping | None = None) -> dict[object, list[Known]]:
    """What is known of some rows of one model by primary key: a record for each mapping that has linked the row."""
    found: dict[object, list[Known]] = {}
    rows = list(rows)
    for start in range(0, len(rows), _CHUNK):
        part = {str(row.pk): row.pk for row in rows[start : start + _CHUNK]}
        for link in _links(type(rows[0]), list(part), mapping):
            known = Known(link.mapping.label, link.remote_id, _values(link), link.synced_at)
            found.setdefault(part[link.local_pk], []).append(known)
    return found


def matching(
    rows: Iterable[models.Model], conditions: Sequence[tuple[str, str, object]], mapping: Mapping | None = None
) -> list[models.Model]:
    """Those rows of one model whose HubSpot record meets all conditions (property, operator, value), as of the last
    sync; a row that is not linked meets none. KnownError where no mapping, or several, have the properties."""
    rows = list(rows)
    if not rows:
        return []
    rule = spec.RuleSpec(0, "", terms.Direction.BOTH, terms.Join.ALL, tuple(map(_condition, conditions)))
    one, now = mapping or _find_mapping(type(rows[0]), {name for name, *_ in conditions}), timezone.now()
    known = find(rows, one)
    return [row for row in rows if any(_passes(rule, each, one, now) for each in known.get(row.pk, ()))]


def _passes(rule: spec.RuleSpec, known: Known, mapping: Mapping, now: datetime) -> bool:
    there = record.Record(key=record.RecordKey(mapping.object_type, known.remote_id), values=known.values)
    return rules.decide(rule, None, there, now=now).passed


def _condition(asked: tuple[str, str, object]) -> spec.ConditionSpec:
    name, word, value = asked
    if word not in [one.value for one in terms.Operator]:
        words = ", ".join(one.value for one in terms.Operator)
        raise KnownError(f"There is no operator {word!r}. Operators: {words}.")
    operator, text = terms.Operator(word), "" if value is None else str(value)
    if fault := typed.find_condition_fault(operator, text, None):
        raise KnownError(f"{name}: {fault}")
    return spec.ConditionSpec(terms.SideName.REMOTE, name, operator, text)


def _find_mapping(model: type[models.Model], names: set[str]) -> Mapping:
    """The one mapping of a model whose active rows have all these properties."""
    label = adapters.registered_label(model)
    of_model = Mapping.objects.filter(model_label__iexact=label, version_of=None)  # a version has no links of its own
    rows = FieldMapping.objects.filter(mapping__in=of_model, is_active=True, remote__in=names)
    found: dict[int, set[str]] = {}
    for pk, name in rows.values_list("mapping", "remote"):
        found.setdefault(pk, set()).add(name)
    able = of_model.filter(pk__in=[pk for pk, held in found.items() if held == names])
    several = list(able.order_by("label"))
    asked = ", ".join(sorted(names))
    if not several:
        raise KnownError(
            f"No mapping of {model._meta.label} has {asked}. Add a row for it; one from HubSpot will do."
        )
    if len(several) > 1:
        labels = ", ".join(repr(one.label) for one in several)
        raise KnownError(
            f"Several mappings of {model._meta.label} have {asked}: {labels}. Give the one that is meant."
        )
    return several[0]


def _links(model: type[models.Model], pks: list[str], mapping: Mapping | None) -> Iterator[Link]:
    rows = Link.objects.filter(state=links.State.LINKED, remote_id__isnull=False, local_pk__in=pks)
    label = adapters.registered_label(model)
    rows = rows.filter(mapping=mapping) if mapping else rows.filter(mapping__model_label__iexact=label)
    yield from rows.select_related("mapping").order_by("mapping__label")


def _values(link: Link) -> dict[str, str | None]:
    """The base names a field by its two ends."""
    return {key.partition("|")[2]: said[1] for key, said in link.base.items()}
