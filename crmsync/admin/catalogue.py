"""Catalogue: the Django fields and HubSpot properties that a mapping's rows may name, with how to choose them."""

from collections.abc import Iterable
from functools import cached_property

from django.utils.translation import gettext as _

from crmsync import adapters, conf
from crmsync.admin import widgets
from crmsync.models import Mapping, RemotePipeline, RemoteProperty

# HubSpot's standard types; custom ones ("2-…") are added as they are discovered or typed.
STANDARD_TYPES = ("contacts", "companies", "deals", "tickets")
# So many <option> elements a page stays quick with; above it rows get a text input with suggestions.
_MOST_OPTIONS = 20_000
# HubSpot: pipelines; the values of these properties are ids of pipelines and of their stages.
_PIPELINES = {"pipeline", "hs_pipeline"}
_STAGES = {"dealstage", "hs_pipeline_stage"}


class Catalogue:
    """What one mapping can name, read once a page. A mapping still without portal, model or type knows it all."""

    def __init__(self, mapping: Mapping, rows: int = 1) -> None:
        self.mapping = mapping
        self.rows = rows

    @cached_property
    def adapter(self) -> adapters.LocalAdapter | None:
        """The model's adapter; None while no model is chosen."""
        try:
            return adapters.adapter_for(self.mapping.model_label)
        except (LookupError, ValueError):
            return None

    @cached_property
    def remote(self) -> dict[str, RemoteProperty]:
        """Properties of the mapping's object type by name; none while none is chosen."""
        rows = RemoteProperty.objects.filter(
            portal_id=self.mapping.portal_id, object_type=self.mapping.object_type, is_archived=False
        ).defer("description")
        return {row.name: row for row in rows.order_by("label", "name")} if self.mapping.portal_id else {}

    def local_values(self, path: str) -> list[widgets.Choice]:
        """(value, label) of a field's choices; none where it takes anything."""
        if self.adapter is None:
            return []
        try:
            self.adapter.describe(path)
        except adapters.LocalFieldError:
            return []
        model = self.adapter.model
        for name in path.split("__")[:-1]:
            model = model._meta.get_field(name).related_model
        field = model._meta.get_field(path.rpartition("__")[2])
        return [(str(value), str(label)) for value, label in field.flatchoices]

    def remote_values(self, name: str) -> list[widgets.Choice]:
        """(value, label) of a property's options, or of the pipelines or stages it stands for."""
        if name in _PIPELINES | _STAGES:
            rows = RemotePipeline.objects.filter(
                portal_id=self.mapping.portal_id, object_type=self.mapping.object_type
            )
            if name in _PIPELINES:
                return [(row.pipeline_id, row.label) for row in rows]
            return [(stage[0], f"{row.label}: {stage[1]}") for row in rows for stage in row.stages]
        return [tuple(option) for option in self.remote[name].options] if name in self.remote else []

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
    def uses_select(self) -> bool:
        """A <select> shows what there is; suggestions keep a big page small."""
        options = len(self.local_pairs) + len(self.remote_pairs)
        return self.is_chosen and bool(self.remote_pairs) and self.rows * options <= _MOST_OPTIONS

    @cached_property
    def datalists(self) -> list[widgets.Datalist]:
        """What the page must hold for the inputs; nothing where selects are used."""
        if self.uses_select:
            return []
        return [
            widgets.Datalist("crmsync-local", self.local_pairs),
            widgets.Datalist("crmsync-remote", self.remote_pairs),
        ]

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


def local_choices(adapter: adapters.LocalAdapter) -> Iterable[widgets.Choice]:
    """Paths of a model's own fields, and of the fields one foreign key away."""
    for path in adapter.paths():
        try:
            field = adapter.describe(path)
        except adapters.LocalFieldError:
            continue
        yield path, path if field.is_writable else _("%(path)s (read-only)") % {"path": path}
    for relation in adapter.model._meta.concrete_fields:
        if relation.is_relation and (relation.many_to_one or relation.one_to_one):
            yield from _related(adapter, relation)


def _related(adapter: adapters.LocalAdapter, relation) -> Iterable[widgets.Choice]:
    for name in adapters.LocalAdapter(relation.related_model).paths():
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
    """A property as staff know it, with its name and whether it may be written."""
    label = f"{row.label} ({row.name})" if row.label and row.label != row.name else row.name
    return _("%(label)s – read-only") % {"label": label} if row.is_read_only else label


def model_choices(present: str = "") -> list[widgets.Choice]:
    """The models of CRMSYNC['MODELS'], and the one a mapping has already."""
    labels = [*conf.current().MODELS, present]
    return [(label, label) for label in dict.fromkeys(labels) if label]


def type_choices(present: str = "") -> list[widgets.Choice]:
    """Standard object types, discovered ones, and the one a mapping has already."""
    found = RemoteProperty.objects.values_list("object_type", flat=True).order_by("object_type").distinct()
    return [(name, name) for name in dict.fromkeys([*STANDARD_TYPES, *found, present]) if name]
