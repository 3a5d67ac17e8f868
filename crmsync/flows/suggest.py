"""Suggestions for a mapping: fields and properties not mapped yet that are likely pairs, tried with sample values.

HubSpot is not called and nothing is written: it reads what was discovered, and up to 200 rows of the model.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from django.core.exceptions import ObjectDoesNotExist

from crmsync import adapters
from crmsync.engine import convert, errors, spec, templates, terms
from crmsync.engine import suggest as engine
from crmsync.ledger import book, specs
from crmsync.models import FieldMapping, Mapping, RemotePipeline, RemoteProperty

SAMPLES: Final = 200  # enough for a share in percent, and still one quick query
SHOWN: Final = 200  # rows of a page: Django refuses a form of more than 1000 inputs; a row has three
_PIPELINES: Final = {"pipeline", "hs_pipeline"}
_STAGES: Final = {"dealstage", "hs_pipeline_stage"}


class Show(StrEnum):
    """Likely pairs, those of the ready-made template, or every property that is not mapped, likely or not."""

    LIKELY = "likely"
    COMMON = "common"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Offer:
    """A pair that can be added. ``tried`` are the values of the sample, ``converted`` those that HubSpot could hold;
    blanks are not tried, and nothing is where the value is a user, since user links decide that.

    Where all properties are shown, ``local`` is only the likeliest field, or "" with no type where none is likely.
    """

    local: str
    local_type: terms.LocalType | None
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
    """One page of offers. ``groups`` are all property groups of the object type."""

    rows: tuple[Offer, ...]
    groups: tuple[str, ...]
    page: int = 1
    pages: int = 1
    total: int = 0


def find(mapping: Mapping, *, query: str = "", group: str = "", show: Show = Show.LIKELY, page: int = 1) -> Offers:
    """What could be added to a mapping, the likeliest first; at most four queries.

    Of likely pairs without ``query`` and ``group`` each field and property is offered once; with them every one that
    fits is: all words of ``query`` are in its names or its label, and the property is of ``group``. The template has
    its own order; all properties are sorted by group and label. SpecError where the mapping's model is not usable.
    """
    adapter = specs.adapter_of(mapping)
    within = {"portal": mapping.portal_id, "object_type": mapping.object_type, "is_archived": False}
    known = {row.name: row for row in RemoteProperty.objects.filter(**within).defer("description")}
    pairs = list(FieldMapping.objects.filter(mapping=mapping).values_list("local", "remote"))
    locals_ = {one.path: one for one in iter_fields(adapter) if one.path not in {local for local, _ in pairs}}
    taken = {remote for _, remote in pairs} | {spec.KEY_PROPERTY}
    kinds = {name: kind for name, row in known.items() if name not in taken and (kind := _kind(row))}
    ranked = engine.rank(
        [engine.LocalFact(one.path, _label(adapter, one.path), one.local_type, bool(one.choices))
         for one in locals_.values()],
        [engine.RemoteFact(name, known[name].label, kind) for name, kind in kinds.items()],
        mapping.object_type,
    )  # fmt: skip
    whole = terms.Direction(mapping.direction)
    usable = tuple(one for one in ranked if any(_ways(whole, locals_[one.local], known[one.remote])))
    wanted = list(_chosen(mapping, usable, show, is_search=bool(query or group)))
    if show is Show.ALL:
        wanted = _every(wanted, [known[name] for name in kinds])
    wanted = [one for one in wanted if _is_wanted(one, known[one.remote], query, group)]
    pages = max(1, -(-len(wanted) // SHOWN))
    page = min(max(1, page), pages)
    offers = [
        _offer(whole, one, locals_.get(one.local), known[one.remote], kinds[one.remote])
        for one in wanted[(page - 1) * SHOWN : page * SHOWN]
    ]
    groups = tuple(sorted({row.group for row in known.values()} - {""}))
    return Offers(tuple(_tried(mapping, adapter, locals_, offers)), groups, page, pages, len(wanted))


def _chosen(
    mapping: Mapping, usable: tuple[engine.Suggestion, ...], show: Show, *, is_search: bool
) -> tuple[engine.Suggestion, ...]:
    if show is Show.COMMON:
        return templates.choose(usable, mapping.object_type)
    return usable if is_search and show is Show.LIKELY else engine.choose(usable)


def _every(chosen: Iterable[engine.Suggestion], remotes: Iterable[RemoteProperty]) -> list[engine.Suggestion]:
    """Each property once, with its likeliest field where it has one."""
    known = {one.remote: one for one in chosen}
    rows = sorted(remotes, key=lambda row: (row.group, (row.label or row.name).casefold(), row.name))
    return [known.get(row.name) or engine.Suggestion("", row.name, 0.0, ()) for row in rows]


def _offer(
    whole: terms.Direction,
    one: engine.Suggestion,
    local: adapters.LocalField | None,
    remote: RemoteProperty,
    kind: terms.RemoteType,
) -> Offer:
    can_push, can_pull = _ways(whole, local, remote)
    local_type = local.local_type if local else None
    return Offer(one.local, local_type, remote, kind, can_push, can_pull, one.score, one.reasons)


def _ways(whole: terms.Direction, local: adapters.LocalField | None, remote: RemoteProperty) -> tuple[bool, bool]:
    """To HubSpot, from HubSpot; a field that is still to be chosen may be any."""
    return whole.pushes and not remote.is_read_only, whole.pulls and (local is None or local.is_writable)


def _is_wanted(one: engine.Suggestion, remote: RemoteProperty, query: str, group: str) -> bool:
    text = f"{one.local} {one.remote} {remote.label}".lower()
    return (not group or remote.group == group) and all(word in text for word in query.lower().split())


def _kind(row: RemoteProperty) -> terms.RemoteType | None:
    """None for a type that cannot be synced."""
    try:
        return book.remote_type(row)
    except specs.SpecError:
        return None


def iter_fields(adapter: adapters.LocalAdapter) -> Iterator[adapters.LocalField]:
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
    paths = {one.local for one in offers} - {""}
    rows = list(adapter.queryset().select_related(*adapter.related(paths)).order_by("-pk")[:SAMPLES])
    values = {path: list(_values(adapter, rows, path)) for path in paths}
    ids = _pipeline_ids(mapping, {one.remote.name for one in offers})
    for one in offers:
        is_user = terms.LocalType.USER is one.local_type or terms.RemoteType.OWNER is one.remote_type
        if is_user or not one.local:
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
