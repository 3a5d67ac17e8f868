"""Sync rules: the conditions that let records into a mapping."""

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from crmsync.admin import cells, members, page
from crmsync.admin.revision import Revised
from crmsync.models import Mapping, RuleCondition, SyncRule


class ConditionInline(admin.TabularInline):
    model = RuleCondition
    form = members.RuleConditionForm
    formset = members.ConditionSet
    extra = 2
    verbose_name_plural = _("Conditions; those with the same number are a group")


@admin.register(SyncRule)
class SyncRuleAdmin(Revised, page.Page):
    inlines = [ConditionInline]
    list_display = ["name", "mapping", "flow", "condition_list", "gates_updates", "unlinks", "is_active"]
    list_filter = ["mapping", "direction", "is_active"]
    search_fields = ["name", "conditions__field"]
    fields = ["mapping", "name", "direction", ("join", "groups_join"), "gates_updates", "unlinks", "is_active"]
    empty_hint = _(
        "A sync rule lets only some records into a mapping, such as contacts whose country is France."
        " Without rules all records take part. Next: add a rule if not all should."
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        return super().get_queryset(request).select_related("mapping").prefetch_related("conditions")

    def get_readonly_fields(self, request: HttpRequest, obj: SyncRule | None = None) -> list[str]:
        """Its conditions name fields of its mapping, so a rule stays with it."""
        return ["mapping"] if obj else []

    def get_mapping(self, obj: SyncRule) -> Mapping:
        return obj.mapping

    def get_object_links(self, request: HttpRequest, obj: SyncRule) -> list[tuple[str, object]]:
        return [(self.object_url(obj.mapping), _("Back to the mapping"))]

    @admin.display(description=_("direction"), ordering="direction")
    def flow(self, obj: SyncRule):
        return cells.arrow(obj.direction, obj.get_direction_display())

    @admin.display(description=_("conditions"))
    def condition_list(self, obj: SyncRule):
        return members.say(obj) if obj.conditions.all() else cells.EMPTY
