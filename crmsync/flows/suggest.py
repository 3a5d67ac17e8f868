"""Suggestions for a mapping: fields and properties not mapped yet that are likely pairs, tried with sample values.

HubSpot is not called and nothing is written: it reads what was discovered, and up to 200 rows of the model.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from django.core.exceptions import ObjectDoesNotExist

from crmsync import adapters
from crmsync.engine import convert, errors, spec, terms
from crmsync.engine import suggest as engine
from crmsync.ledger import specs
from crmsync.models import FieldMapping, Mapping, RemotePipeline, RemoteProperty

SAMPLES: Final = 200  # enough for a share in percent, and still one quick query
SHOWN: Final = 200  # Django refuses a form of more than 1000 inputs; a row has two
_PIPELINES: Final = {"pipeline", "hs_pipeline"}
_STAGES: Final = {"dealstage", "hs_pipeline_stage"}


@dataclass(frozen=True, slots=True)
class Offer:
    """A pair that can be added. ``tried`` are the values of the sample, ``converted`` those that HubSpot could hold;
    blanks are not tried, and nothing is where the value is a user, since user links decide that."""

    local: str
    local_type: terms.LocalType
    remote: RemoteProperty
    remote_type: terms.RemoteType
    can_push: bool
    can_pull: bool
    score: float
    reasons: tuple[str, ...]
    tried: int = 0
    converted: int = 0


@dataclass(frozen=True, slots=True)
class Offers:
    """``groups`` are all property groups of the object type; ``more`` is how many offers were left out."""

    rows: tuple[Offer, ...]
    groups: tuple[str, ...]
    more: int = 0


def find(mapping: Mapping, *, query: str = "", group: str = "") -> Offers:
    """What could be added to a mapping, the likeliest first; at most four queries.

    Without ``query`` and ``group`` each field and property is offered once. With them every likely pair that fits is:
    all words of ``query`` are in its names or its label, and the property is of ``group``. SpecError where the
    mapping's model is not usable.
    """
    adapter = specs.adapter_of(mapping)
    within = {"portal": mapping.portal_id, "object_type": mapping.object_type, "is_archived": False}
    known = {row.name: row for row in RemoteProperty.objects.filter(**within).defer("description")}
    pairs = list(FieldMapping.objects.filter(mapping=mapping).values_list("local", "remote"))
    locals_ = {one.path: one for one in _fields(adapter) if one.path not in {local for local, _ in pairs}}
    taken = {remote for _, remote in pairs} | {spec.KEY_PROPERTY}
    kinds = {name: kind for name, row in known.items() if name not in taken and (kind := _kind(row))}
    ranked = engine.rank(
        [engine.LocalFact(one.path, _label(adapter, one.path), one.local_type, bool(one.choices))
         for one in locals_.values()],
        [engine.RemoteFact(name, known[name].label, kind) for name, kind in kinds.items()],
        mapping.object_type,
    )  # fmt: skip
    whole = terms.Direction(mapping.direction)
    usable = [one for one in ranked if any(_ways(whole, locals_[one.local], known[one.remote]))]
    if query or group:
        wanted = [one for one in usable if _is_wanted(one, known[one.remote], query, group)]
    else:
        wanted = list(engine.choose(usable))
    offers = [_offer(whole, one, locals_[one.local], known[one.remote], kinds[one.remote]) for one in wanted[:SHOWN]]
    groups = tuple(sorted({row.group for row in known.values()} - {""}))
    return Offers(tuple(_tried(mapping, adapter, locals_, offers)), groups, len(wanted[SHOWN:]))


def _offer(
    whole: terms.Direction,
    one: engine.Suggestion,
    local: adapters.LocalField,
    remote: RemoteProperty,
    kind: terms.RemoteType,
) -> Offer:
    can_push, can_pull = _ways(whole, local, remote)
    return Offer(one.local, local.local_type, remote, kind, can_push, can_pull, one.score, one.reasons)


def _ways(whole: terms.Direction, local: adapters.LocalField, remote: RemoteProperty) -> tuple[bool, bool]:
    return whole.pushes and not remote.is_read_only, whole.pulls and local.is_writable


def _is_wanted(one: engine.Suggestion, remote: RemoteProperty, query: str, group: str) -> bool:
    text = f"{one.local} {one.remote} {remote.label}".lower()
    return (not group or remote.group == group) and all(word in text for word in query.lower().split())


def _kind(row: RemoteProperty) -> terms.RemoteType | None:
    """None for a type that cannot be synced."""
    try:
        return specs.remote_type(row)
    except specs.SpecError:
        return None


def _fields(adapter: adapters.LocalAdapter) -> Iterator[adapters.LocalField]:
    """The model's own fields, and those one foreign key away."""
    paths = list(adapter.paths())
    for relation in adapter.model._meta.concrete_fields:
        if relation.many_to_one or relation.one_to_one:
            paths += (f"{relation.name}__{name}" for name in adapters.LocalAdapter(relation.related_model).paths())
    for path in paths:
        try:
            yield adapter.describe(path)
        except adapters.LocalFieldError:
            continue


def _label(adapter: adapters.LocalAdapter, path: str) -> str:
    """The names that staff see, one after the other along the path."""
    model, labels = adapter.model, []
    for name in path.split("__"):
        field = model._meta.get_field(name)
        labels.append(str(field.verbose_name))
        model = field.related_model or model
    return " ".join(labels)


# --- Samples ----------------------------------------------------------------------------------------------------


def _tried(
    mapping: Mapping,
    adapter: adapters.LocalAdapter,
    locals_: dict[str, adapters.LocalField],
    offers: Sequence[Offer],
) -> Iterator[Offer]:
    """The offers with what became of the sample."""
    if not offers:
        return
    paths = {one.local for one in offers}
    rows = list(adapter.queryset().select_related(*adapter.related(paths)).order_by("-pk")[:SAMPLES])
    values = {path: list(_values(adapter, rows, path)) for path in paths}
    ids = _pipeline_ids(mapping, {one.remote.name for one in offers})
    for one in offers:
        if terms.LocalType.USER is one.local_type or terms.RemoteType.OWNER is one.remote_type:
            yield one
            continue
        options = ids.get(one.remote.name) or frozenset(option[0] for option in one.remote.options)
        trial = _trial(one, locals_[one.local], options)
        several = values[one.local]
        yield replace(one, tried=len(several), converted=sum(_converts(each, trial) for each in several))


def _values(adapter: adapters.LocalAdapter, rows: Iterable[object], path: str) -> Iterator[object]:
    for row in rows:
        try:
            value = adapter.read(row, path)
        except (AttributeError, ObjectDoesNotExist):
            continue  # a host's adapter may know no such value for this row
        if value is not None and value != "":
            yield value


def _pipeline_ids(mapping: Mapping, names: set[str]) -> dict[str, frozenset[str]]:
    """The values of pipeline and stage properties, which have no options of their own; asked only where offered."""
    if not names & (_PIPELINES | _STAGES):
        return {}
    rows = RemotePipeline.objects.filter(portal=mapping.portal_id, object_type=mapping.object_type)
    found = list(rows.values_list("pipeline_id", "stages"))
    pipelines = frozenset(pipeline_id for pipeline_id, _ in found)
    stages = frozenset(stage[0] for _, several in found for stage in several)
    return dict.fromkeys(_PIPELINES, pipelines) | dict.fromkeys(_STAGES, stages)


def _trial(one: Offer, local: adapters.LocalField, options: frozenset[str]) -> spec.FieldSpec:
    return spec.FieldSpec(
        id=0,
        local=one.local,
        remote=one.remote.name,
        local_type=one.local_type,
        remote_type=one.remote_type,
        options=options,
        local_choices=local.choices,
        max_length=local.max_length,
        max_digits=local.max_digits,
        decimal_places=local.decimal_places,
    )


def _converts(value: object, trial: spec.FieldSpec) -> bool:
    try:
        convert.to_remote(value, trial)
    except errors.ConvertError:
        return False
    return True
