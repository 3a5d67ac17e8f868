"""Conflicts: fields that both sides changed, and who won; read-only, values only for those who may see them."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from crmsync.admin import cells, page, payload
from crmsync.models import Conflict


@admin.register(Conflict)
class ConflictAdmin(page.ReadOnlyPage):
    list_display = ["field", "mapping", "local_pk", "remote_id", "decided", "rule", "happened"]
    list_filter = ["mapping", "winner", "at"]
    list_select_related = ["mapping"]
    search_fields = ["local_pk__exact", "remote_id__exact", "field__startswith"]
    empty_hint = _(
        "A conflict is a field that was changed in Django and in HubSpot between two syncs."
        " There is none: nothing to do."
    )

    def get_fieldsets(self, request: HttpRequest, obj: Conflict | None = None):
        values = [("base_local", "base_remote"), ("local_value", "remote_value")]
        return [
            (None, {"fields": ["mapping", "at", "field", ("local_pk", "remote_id"), "decided", "rule"]}),
            (_("Values"), {"fields": values if payload.is_allowed(request) else ["hidden_values"]}),
        ]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Conflict | None:
        row = super().get_object(request, object_id, from_field)
        if row is not None and payload.is_allowed(request):
            payload.trace(request, row)
        return row

    @admin.display(description=_("winner"), ordering="winner")
    def decided(self, obj: Conflict):
        if not obj.winner:
            return cells.badge(_("a person must choose"), "warn", "!")
        return cells.badge(obj.get_winner_display(), "good", "✓")

    @admin.display(description=_("at"), ordering="at")
    def happened(self, obj: Conflict):
        return cells.when(obj.at)

    @admin.display(description=_("values"))
    def hidden_values(self, obj: Conflict):
        return payload.HIDDEN
