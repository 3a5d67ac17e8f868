"""HubSpot's properties and pipelines as discovered: read-only, refreshed on the portal's page."""

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from crmsync.admin import cells, page
from crmsync.models import RemotePipeline, RemoteProperty

_NEXT = _("Next: open a connected portal and press “Refresh fields”.")


class _Discovered(page.ReadOnlyPage):
    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        return super().get_queryset(request).select_related("portal")


@admin.register(RemoteProperty)
class RemotePropertyAdmin(_Discovered):
    list_display = ["label", "name", "object_type", "type", "field_type", "rights", "is_unique", "portal"]
    list_display_links = ["label", "name"]
    list_filter = ["portal", "object_type", "type", "is_read_only", "is_unique", "is_archived"]
    search_fields = ["name", "label"]
    fields = [
        "portal",
        "object_type",
        ("label", "name"),
        "description",
        "group",
        ("type", "field_type"),
        ("rights", "is_unique", "is_hidden", "is_calculated"),
        ("sensitivity", "referenced_object_type", "has_external_options"),
        "option_table",
    ]
    empty_hint = _NEXT

    @admin.display(description=_("rights"), ordering="is_read_only")
    def rights(self, obj: RemoteProperty):
        if obj.is_archived:
            return cells.badge(_("archived in HubSpot"), "bad", "–")
        return (
            cells.badge(_("read-only"), "warn", "⊘") if obj.is_read_only else cells.badge(_("writable"), "good", "✓")
        )

    @admin.display(description=_("options"))
    def option_table(self, obj: RemoteProperty):
        return cells.table([_("value"), _("label")], obj.options)


@admin.register(RemotePipeline)
class RemotePipelineAdmin(_Discovered):
    list_display = ["label", "pipeline_id", "object_type", "stage_count", "portal"]
    list_filter = ["portal", "object_type"]
    search_fields = ["label", "pipeline_id"]
    fields = ["portal", "object_type", ("label", "pipeline_id"), "stage_table"]
    empty_hint = _NEXT

    @admin.display(description=_("stages"))
    def stage_count(self, obj: RemotePipeline) -> int:
        return len(obj.stages)

    @admin.display(description=_("stages"))
    def stage_table(self, obj: RemotePipeline):
        return cells.table([_("stage id"), _("label")], obj.stages)
