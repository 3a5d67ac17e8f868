"""Catalogue: the Django fields and HubSpot properties that a mapping's rows may name, with how to choose them."""

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from django import forms
from django.db import models
from django.db.models.functions import Cast
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crmsync import adapters, conf
from crmsync.admin import widgets
from crmsync.engine import across, combined, objecttypes
from crmsync.models import Association, Mapping, RemoteLabel, RemoteObjectType, RemotePipeline, RemoteProperty
from crmsync.paths import computed

# So many <option> elements a page stays quick with; above it rows get a text input with suggestions.
_MOST_OPTIONS = 20_000
# HubSpot: pipelines; the values of these properties are ids of pipelines and of their stages.
_PIPELINES = {"pipeline", "hs_pipeline"}
_STAGES = {"dealstage", "hs_pipeline_stage"}
_SINGULARS = {
    "contacts": gettext_lazy("Contact"),
    "companies": gettext_lazy("Company"),
    "deals": gettext_lazy("Deal"),
    "tickets": gettext_lazy("Ticket"),
}


@dataclass(frozen=True, slots=True)
class Nearby:
    """``labels`` are (to type, label, key), as of ``ledger.relations.read_labels``; ``mappings`` (id, name)."""

    labels: list[tuple[str, str, str]]
    mappings: list[tuple[int, str]]


class Catalogue:
    """What one mapping can name, read once a page. A mapping still without portal, model or type knows it all."""

    def __init__(self, mapping: Mapping, rows: int = 1, *, is_typed: bool = False) -> None:
        """``is_typed``: paths may be typed, so that several can be combined. ``associations``: the mapping's, as a
        form shows them, for whoever judges them on the same page."""
        self.mapping = mapping
        self.rows = rows
        self.is_typed = is_typed
        self.associations: list[Association] | None = None
        self._options: dict[str, widgets.Options] = {}

    @cached_property
    def adapter(self) -> adapters.LocalAdapter | None:
        """The model's adapter; None while no model is chosen."""
        try:
            return adapters.adapter_for(self.mapping.model_label)
        except (LookupError, ValueError):
            return None

    @cached_property
    def nearby(self) -> Nearby:
        """What its records can be associated with; one query."""
        if not self.mapping.portal_id:
            return Nearby([], [])
        labels = RemoteLabel.objects.filter(portal=self.mapping.portal_id, object_type=self.mapping.object_type)
        others = Mapping.objects.filter(portal=self.mapping.portal_id, version_of=None).order_by()
        number = Cast("pk", models.CharField(max_length=40))
        kind, other = models.Value("label", models.CharField()), models.Value("mapping", models.CharField())
        rows = labels.order_by().values_list(kind, "to_type", "label", "key")
        found = list(rows.union(others.values_list(other, "object_type", "label", number), all=True))
        mine = [row[1:] for row in found if row[0] == "label"]
        mappings = [(int(key), label) for which, _, label, key in found if which == "mapping"]
        return Nearby(sorted(mine, key=lambda one: one[2], reverse=True), sorted(mappings, key=lambda one: one[1]))

    @property
    def labels(self) -> list[tuple[str, str]]:
        """(label, object type) of the associations that records of this type can have; a label may be blank."""
        return sorted((label, to_type) for to_type, label, _key in self.nearby.labels)

    @cached_property
    def discovered(self) -> dict[str, list[RemoteProperty]]:
        """Properties by object type, archived ones too: of this one, and of those it can be associated with."""
        if not self.mapping.portal_id:
            return {}
        near = sorted({to_type for _label, to_type in self.labels}) if self.is_chosen else []
        found: dict[str, list[RemoteProperty]] = {name: [] for name in (self.mapping.object_type, *near)}
        rows = RemoteProperty.objects.filter(portal_id=self.mapping.portal_id, object_type__in=found)
        for row in rows.defer("description").order_by("label", "name"):
            found[row.object_type].append(row)
        return found

    @cached_property
    def remote(self) -> dict[str, RemoteProperty]:
        """Properties of the mapping's object type by name; none while none is chosen."""
        rows = self.discovered.get(self.mapping.object_type, ())
        return {row.name: row for row in rows if not row.is_archived}

    @cached_property
    def across(self) -> dict[str, RemoteProperty]:
        """Properties of the object types that this one can be associated with, by path; they are only read."""
        if not self.is_chosen:
            return {}
        others = sorted(self.discovered.keys() - {self.mapping.object_type})
        rows = [row for other in others for row in self.discovered[other] if not row.is_archived]
        return {row.name: row for row in map(_of_associated, rows)}

    def local_values(self, path: str) -> list[widgets.Choice]:
        """(value, label) of a field's choices, or of a combined path's; none where it takes anything."""
        if combined.is_combined(path):
            return _combine([self.local_values(one) for one in combined.parts(path)])
        if self.adapter is None:
            return []
        return self.adapter.choices(path)

    def remote_values(self, name: str) -> list[widgets.Choice]:
        """(value, label) of a property's options, or of the pipelines or stages it stands for."""
        if combined.is_combined(name):
            return _combine([self.remote_values(one) for one in combined.parts(name)])
        other, own = across.split(name)
        if own in _PIPELINES | _STAGES:
            rows = RemotePipeline.objects.filter(
                portal_id=self.mapping.portal_id, object_type=other or self.mapping.object_type
            )
            if own in _PIPELINES:
                return [(row.pipeline_id, row.label) for row in rows]
            return [(stage[0], f"{row.label}: {stage[1]}") for row in rows for stage in row.stages]
        known = self.across if other else self.remote
        return [tuple(option) for option in known[name].options] if name in known else []

    @property
    def is_chosen(self) -> bool:
        """Whether model and object type are known, so that only what fits is offered."""
        return bool(self.adapter and self.mapping.portal_id and self.mapping.object_type)

    @cached_property
    def local_pairs(self) -> list[widgets.Choice]:
        if self.adapter:
            return list(local_choices(self.adapter))
        return sorted({pair for label in conf.current().MODELS for pair in _choices_of(label)})

    @cached_property
    def remote_pairs(self) -> list[widgets.Choice]:
        if self.is_chosen:
            return [(row.name, label_of(row)) for row in self.remote.values()]
        names = (
            RemoteProperty.objects.filter(is_archived=False).values_list("name", "label").order_by("name").distinct()
        )
        return list(dict(names).items())

    @cached_property
    def across_pairs(self) -> list[widgets.Choice]:
        """As "Company: Industry (companies>industry)"."""
        types = {row.object_type for row in self.across.values()} - _SINGULARS.keys()
        custom = RemoteObjectType.objects.filter(portal_id=self.mapping.portal_id, object_type__in=types)
        labels = _SINGULARS | (dict(custom.values_list("object_type", "label")) if types else {})
        return [
            (path, f"{labels.get(row.object_type) or row.object_type}: {row.label or path} ({path})")
            for path, row in self.across.items()
        ]

    def options(self, name: str, field: forms.ChoiceField) -> widgets.Options:
        """What a row's field of fixed choices can be, made once for all rows."""
        if name not in self._options:
            self._options[name] = widgets.Options(field.choices, has_blank=False)
        return self._options[name]

    @cached_property
    def uses_select(self) -> bool:
        """A <select> shows what there is; suggestions keep a big page small."""
        options = len(self.local_pairs) + len(self.remote_pairs) + len(self.across_pairs)
        is_small = self.rows * options <= _MOST_OPTIONS
        return self.is_chosen and bool(self.remote_pairs) and is_small and not self.is_typed

    @cached_property
    def datalists(self) -> list[widgets.Datalist]:
        """What the page must hold for the inputs; nothing where selects are used."""
        if self.uses_select:
            return []
        lists = [
            widgets.Datalist("crmsync-local", self.local_pairs),
            widgets.Datalist("crmsync-remote", self.remote_pairs),
        ]
        if self.across_pairs:
            lists.append(widgets.Datalist("crmsync-field", self.remote_pairs + self.across_pairs))
        return lists

    @cached_property
    def local_widget(self):
        if self.uses_select:
            return widgets.SharedSelect(widgets.Options(self.local_pairs))
        return widgets.SuggestInput(self.datalists[0])

    @cached_property
    def remote_widget(self):
        if self.uses_select:
            return widgets.SharedSelect(widgets.Options(self.remote_pairs))
        return widgets.SuggestInput(self.datalists[1])

    @cached_property
    def field_widget(self):
        """For a field's property, which may be an associated record's."""
        if self.uses_select:
            return widgets.SharedSelect(widgets.Options(self.remote_pairs + self.across_pairs))
        return widgets.SuggestInput(self.datalists[-1])


def of(mapping: Mapping, rows: int = 1) -> Catalogue:
    """The one that all sets of rows on a mapping's page share. A mapping that was loaded with its number of rows has
    inputs for all of them."""
    if not hasattr(mapping, "catalogue"):
        mapping.catalogue = Catalogue(mapping, max(rows, getattr(mapping, "field_count", 0)))
    return mapping.catalogue


def _of_associated(row: RemoteProperty) -> RemoteProperty:
    found = copy.copy(row)
    found.name, found.is_read_only = across.join(row.object_type, row.name), True
    return found


def _combine(parts: list[list[widgets.Choice]]) -> list[widgets.Choice]:
    """Every combination of the parts' values, with their labels."""
    values = combined.find_choices([[value for value, _label in some] for some in parts])
    labels = combined.find_choices([[label or value for value, label in some] for some in parts])
    return list(zip(values, labels, strict=True)) if len(values) == len(labels) else [(one, one) for one in values]


def local_choices(adapter: adapters.LocalAdapter) -> Iterable[widgets.Choice]:
    """Paths of a model's own fields, categories, computed values and roll-ups, and of fields one foreign key away."""
    for path in (*adapter.paths(), *adapter.more_paths()):
        try:
            field = adapter.describe(path)
        except adapters.LocalFieldError:
            continue
        yield path, path if field.is_writable else _("%(path)s (read-only)") % {"path": path}
    for relation in adapter.model._meta.concrete_fields:
        if relation.is_relation and (relation.many_to_one or relation.one_to_one):
            yield from _related(adapter, relation)


def _related(adapter: adapters.LocalAdapter, relation) -> Iterable[widgets.Choice]:
    related = adapters.LocalAdapter(relation.related_model)
    for name in (*related.paths(), *computed.names(relation.related_model)):
        path = f"{relation.name}__{name}"
        try:
            adapter.describe(path)
        except adapters.LocalFieldError:
            continue
        yield path, _("%(relation)s → %(name)s (read-only)") % {"relation": relation.name, "name": name}


def _choices_of(model_label: str) -> Iterable[widgets.Choice]:
    try:
        return list(local_choices(adapters.adapter_for(model_label)))
    except (LookupError, ValueError):
        return []


def label_of(row: RemoteProperty) -> str:
    """A property as staff know it: its label, name, type and group, whether it is unique and may be written."""
    label = f"{row.label} ({row.name})" if row.label and row.label != row.name else row.name
    marks = [_("unique")] if row.is_unique else []
    marks += [_("read-only")] if row.is_read_only else []
    return " – ".join([", ".join(filter(None, (label, row.type, row.group))), *marks])


def model_choices(present: str = "") -> list[widgets.Choice]:
    """The models of CRMSYNC['MODELS'], and the one a mapping has already."""
    labels = [*conf.current().MODELS, present]
    return [(label, label) for label in dict.fromkeys(labels) if label]


def type_choices(present: str = "") -> list[widgets.Choice]:
    """Standard object types, discovered ones, and the one a mapping has already."""
    found = RemoteProperty.objects.values_list("object_type", flat=True).order_by("object_type").distinct()
    supported = [name for name in found if objecttypes.is_supported(name)]
    return [(name, name) for name in dict.fromkeys([*objecttypes.STANDARD, *supported, present]) if name]
