"""Field mappings: the rows of a mapping, each with a page of its own for its note and its value map."""

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from crmsync.admin import cells, forms, formsets, page
from crmsync.admin.revision import Revised
from crmsync.engine import terms
from crmsync.models import FieldMapping, Mapping, ValueMapEntry


class ValueMapInline(admin.TabularInline):
    model = ValueMapEntry
    form = forms.ValueMapForm
    formset = formsets.ValueMapSet
    extra = 3
    verbose_name_plural = _("Value map: which Django value stands for which HubSpot value")


@admin.register(FieldMapping)
class FieldMappingAdmin(Revised, page.Page):
    form = forms.FieldMappingForm
    inlines = [ValueMapInline]
    list_display = ["pair", "mapping", "flow", "write_mode", "conflict", "blanks", "value_count", "is_active"]
    list_filter = ["mapping", "direction", "is_active", "write_mode"]
    search_fields = ["local", "remote", "note"]
    list_select_related = ["mapping"]
    readonly_fields = ["mapping", "owner", "local_choices", "remote_choices"]
    fieldsets = [
        (None, {"fields": ["mapping", ("local", "remote"), "is_active", "position", "note"]}),
        (_("Direction and conflicts"), {"fields": ["direction", "owner", "write_mode", "conflict", "blanks"]}),
        (_("Values"), {"fields": [("local_choices", "remote_choices")]}),
    ]
    empty_hint = _(
        "A field mapping joins a Django field and a HubSpot property."
        " Next: open a mapping and add rows to its fields."
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        rows = super().get_queryset(request).select_related("mapping__portal")
        return rows.annotate(values_count=models.Count("value_map"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Rows are added on the page of their mapping, which knows what can be chosen."""
        return False

    def get_mapping(self, obj: FieldMapping) -> Mapping:
        return obj.mapping

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        if obj is not None:
            obj.known = context["adminform"].form.known if self.has_change_permission(request, obj) else None
        return super().render_change_form(request, context, add, change, form_url, obj)

    def get_object_links(self, request: HttpRequest, obj: FieldMapping) -> list[tuple[str, object]]:
        return [(self.object_url(obj.mapping), _("Back to the mapping"))]

    @admin.display(description=_("field mapping"), ordering="local")
    def pair(self, obj: FieldMapping) -> str:
        return str(obj)

    @admin.display(description=_("direction"), ordering="direction")
    def flow(self, obj: FieldMapping):
        return cells.arrow(obj.direction, obj.get_direction_display())

    @admin.display(description=_("owned by"))
    def owner(self, obj: FieldMapping):
        return owner_badge(obj)

    @admin.display(description=_("values"), ordering="values_count")
    def value_count(self, obj: FieldMapping) -> int:
        return obj.values_count

    @admin.display(description=_("values in Django"))
    def local_choices(self, obj: FieldMapping):
        return _value_table(obj.known.local_values(obj.local) if obj.known else [])

    @admin.display(description=_("values in HubSpot"))
    def remote_choices(self, obj: FieldMapping):
        return _value_table(obj.known.remote_values(obj.remote) if obj.known else [])


class FieldMappingInline(admin.TabularInline):
    """The rows of a mapping on its page."""

    model = FieldMapping
    form = forms.FieldMappingForm
    formset = formsets.FieldMappingSet
    fields = [
        "position",
        "local",
        "remote",
        "direction",
        "owner",
        "write_mode",
        "conflict",
        "blanks",
        "is_active",
        "values",
    ]
    readonly_fields = ["owner", "values"]
    extra = 3

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        return super().get_queryset(request).annotate(values_count=models.Count("value_map"))

    @admin.display(description=_("owned by"))
    def owner(self, obj: FieldMapping):
        return owner_badge(obj) if obj.pk else ""

    @admin.display(description=_("values"))
    def values(self, obj: FieldMapping):
        """The way to the row's value map."""
        if not obj.pk or not self.admin_site.is_registered(FieldMapping):
            return ""
        url = self.admin_site.get_model_admin(FieldMapping).object_url(obj)
        count = getattr(obj, "values_count", 0)
        return format_html('<a href="{}" title="{}">{}</a>', url, _("Value map of this row"), _("%d mapped") % count)


class LargeFieldMappingInline(FieldMappingInline):
    """Only for adding: a form with all rows would have more inputs than Django accepts."""

    verbose_name_plural = _("More fields")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        return super().get_queryset(request).none()


def owner_badge(obj: FieldMapping):
    """Who may write the value: a field that flows one way belongs to its source."""
    direction = terms.Direction(obj.direction)
    if direction is terms.Direction.PULL:
        return cells.badge(_("HubSpot"), "hubspot", "←")
    if direction is terms.Direction.PUSH:
        return cells.badge(_("Django"), "django", "→")
    return cells.badge(_("both"), "quiet", "↔")


def _value_table(pairs: list[tuple[str, str]]):
    return cells.table([_("value"), _("label")], [list(pair) for pair in pairs]) if pairs else _("any value")
