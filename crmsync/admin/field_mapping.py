"""Field mappings: the rows of a mapping, each with a page of its own for its note and its value map."""

from django.contrib import admin
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from crmsync.admin import cells, combine, field_page_form, forms, formsets, page, verdict
from crmsync.admin.revision import Revised
from crmsync.engine import terms
from crmsync.models import FieldMapping, Mapping, ValueMapEntry


class PushValueMapInline(admin.TabularInline):
    model = ValueMapEntry
    form = forms.ValueMapForm
    formset = formsets.ValueMapSet
    fields = ["local_value", "remote_value", "direction"]
    extra = 3
    verbose_name_plural = _("To HubSpot: what a Django value becomes there. A line “both ways” is read back, too.")


class PullValueMapInline(PushValueMapInline):
    formset = formsets.PullValueMapSet
    fields = ["remote_value", "local_value", "direction"]
    verbose_name_plural = _("From HubSpot: what a HubSpot value becomes in Django, beside the lines “both ways”")


@admin.register(FieldMapping)
class FieldMappingAdmin(Revised, page.Page):
    form = field_page_form.FieldPageForm
    inlines = [PushValueMapInline, PullValueMapInline]
    list_display = [
        "pair",
        "mapping",
        "flow",
        "owner",
        "write_mode",
        "conflict",
        "blanks",
        "value_count",
        "is_active",
        "note",
    ]
    list_filter = ["mapping", "direction", "is_active", "write_mode"]
    search_fields = ["local", "remote", "note"]
    list_select_related = ["mapping"]
    readonly_fields = ["mapping", "owner", "local_choices", "remote_choices", "local_gaps", "remote_gaps"]
    fieldsets = [
        (None, {"fields": ["mapping", ("local", "remote"), "is_active", "position", "note"]}),
        (_("Direction and conflicts"), {"fields": ["direction", "owner", "write_mode", "conflict", "blanks"]}),
        (_("Movement and pace"), {"fields": ["movement", "throttle_minutes"]}),
        (
            _("Values"),
            {
                "fields": [
                    ("local_choices", "remote_choices"),
                    ("local_gaps", "remote_gaps"),
                    "unmapped",
                    ("default_local", "default_remote"),
                ]
            },
        ),
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
        links = [(self.object_url(obj.mapping), _("Back to the mapping"))]
        if combine.is_allowed(self, request, obj):
            links.append((self.url_of("fieldmapping_combine", obj.pk), _("Combine fields")))
        return links

    def response_post_save_change(self, request: HttpRequest, obj: FieldMapping) -> HttpResponse:
        """To the mapping, whose steps show what the row means now; to a list only where it was filtered before."""
        may_see = any(request.user.has_perm(f"crmsync.{way}_mapping") for way in ("view", "change"))
        if "_changelist_filters" in request.GET or not may_see:
            return super().response_post_save_change(request, obj)
        return HttpResponseRedirect(self.object_url(obj.mapping))

    def get_urls(self):
        view = self.admin_site.admin_view(self.combine_view)
        return [path("<path:object_id>/combine/", view, name="crmsync_fieldmapping_combine"), *super().get_urls()]

    def combine_view(self, request: HttpRequest, object_id: str):
        return combine.view(self, request, object_id)

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

    @admin.display(description=_("not mapped to HubSpot"))
    def local_gaps(self, obj: FieldMapping):
        """Every choice of the field that has no line on the way out."""
        known = obj.known.local_values(obj.local) if obj.known else []
        options = obj.known.remote_values(obj.remote) if obj.known else []
        return _gaps(obj, known, options, terms.Direction.PUSH)

    @admin.display(description=_("not mapped from HubSpot"))
    def remote_gaps(self, obj: FieldMapping):
        """Every option of the property that has no line on the way in."""
        known = obj.known.remote_values(obj.remote) if obj.known else []
        choices = obj.known.local_values(obj.local) if obj.known else []
        return _gaps(obj, known, choices, terms.Direction.PULL)


class FieldMappingInline(admin.TabularInline):
    """The rows of a mapping on its page."""

    model = FieldMapping
    form = forms.FieldMappingForm
    formset = formsets.FieldMappingSet
    fields = [
        "position",
        "local",
        "remote",
        "is_active",
        "verdict",
        "direction",
        "owner",
        "write_mode",
        "conflict",
        "blanks",
        "values",
    ]
    readonly_fields = ["verdict", "owner", "values"]
    extra = 3

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        rows = super().get_queryset(request).annotate(values_count=models.Count("value_map"))
        return rows.order_by("position", "id")  # counting forgets the model's own order

    @admin.display(description=_("verdict"))
    def verdict(self, obj: FieldMapping):
        return verdict.cell(obj) if obj.pk else ""

    @admin.display(description=_("owned by"))
    def owner(self, obj: FieldMapping):
        return owner_badge(obj) if obj.pk else ""

    @admin.display(description=_("values and note"))
    def values(self, obj: FieldMapping):
        """The way to the row's value map."""
        if not obj.pk or not self.admin_site.is_registered(FieldMapping):
            return ""
        url = self.admin_site.get_model_admin(FieldMapping).object_url(obj)
        count = getattr(obj, "values_count", 0)
        link = format_html('<a href="{}" title="{}">{}</a>', url, _("Value map of this row"), _("%d mapped") % count)
        return cells.lines(link, cells.note(obj.note) if obj.note else "")


class LargeFieldMappingInline(FieldMappingInline):
    """Only for adding: a form with all rows would have more inputs than Django accepts."""

    formset = formsets.AddedFieldsSet
    verbose_name_plural = _("More fields")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        return super().get_queryset(request).none()


def owner_badge(obj: FieldMapping):
    """Who may write the value: a field that flows one way, as its mapping or by itself, belongs to its source."""
    whole, own = terms.Direction(obj.mapping.direction), terms.Direction(obj.direction)
    if not (whole.pushes and own.pushes):
        return cells.badge(_("HubSpot"), "hubspot", "←")
    if not (whole.pulls and own.pulls):
        return cells.badge(_("Django"), "django", "→")
    return cells.badge(_("both"), "quiet", "↔")


def _value_table(pairs: list[tuple[str, str]]):
    return cells.table([_("value"), _("label")], [list(pair) for pair in pairs]) if pairs else _("any value")


def _gaps(obj: FieldMapping, known: list[tuple[str, str]], others: list[tuple[str, str]], way: terms.Direction):
    """The values without a line in one direction's table, or without a namesake where there is no line at all."""
    whole, own = terms.Direction(obj.mapping.direction), terms.Direction(obj.direction)
    is_push = way is terms.Direction.PUSH
    if not (whole.pushes and own.pushes if is_push else whole.pulls and own.pulls):
        return _("does not flow this way")
    entries = list(obj.value_map.all())
    lines = [one for one in entries if one.direction in (way, terms.Direction.BOTH)]
    mapped = {one.local_value if is_push else one.remote_value for one in lines}
    if not entries:
        mapped = {value for value, _label in others} if others else {value for value, _label in known}
    lost = [f"{label} ({value})" if label != value else value for value, label in known if value not in mapped]
    if not lost:
        return _("nothing is missing") if known else _("any value")
    text = _("not mapped: %(values)s") % {"values": ", ".join(lost)}
    return cells.warning(text) if obj.unmapped == terms.UnmappedPolicy.HOLD else text
