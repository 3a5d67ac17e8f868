"""Mappings: one form with steps from what is joined to how safely; state and runs change by buttons."""

from django.conf import settings
from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from crmsync.admin import (
    association,
    attempt,
    bulk_add,
    cells,
    field_mapping,
    fixed_value,
    forms,
    formsets,
    kept,
    mapping_actions,
    mapping_list,
    review,
    revision,
    versions,
)
from crmsync.admin.deletion import CountedDeletion
from crmsync.admin.mapping_pages import MappingPages
from crmsync.engine import terms
from crmsync.flows import lifecycle
from crmsync.ledger import portals, specs
from crmsync.models import (
    Canary,
    Conflict,
    FieldMapping,
    InboxEvent,
    Link,
    LogEntry,
    Mapping,
    MatchKey,
    OutboxEntry,
)

# Names of fieldsets that rows belong to: the template puts an inline below the fieldset of its ``step``.
_OBJECTS, _MATCH, _ROWS, _RELATIONS = "crmsync-objects", "crmsync-match", "crmsync-rows", "crmsync-relations"
# The template repeats the buttons below the fieldset of this name: here the person knows what they do.
_REVIEW = "crmsync-review"
_SWITCHES = ("creates_remote", "creates_local", "deletes_remote", "deletes_local")
# Inputs of one row of fields, its hidden ids too, and those of the rest of the form.
_INPUTS_A_ROW, _OTHER_INPUTS = 11, 120


class MatchKeyInline(admin.TabularInline):
    model = MatchKey
    form = forms.MatchKeyForm
    formset = formsets.RowSet
    extra = 1
    verbose_name_plural = _("Match keys, tried in order")
    step = _MATCH


class FixedInline(fixed_value.FixedValueInline):
    step = _OBJECTS


class FieldInline(field_mapping.FieldMappingInline):
    step = _ROWS


class RelationInline(association.AssociationInline):
    step = _RELATIONS


class AddFieldInline(field_mapping.LargeFieldMappingInline):
    step = _ROWS


@admin.register(Mapping)
class MappingAdmin(
    versions.Versions,
    MappingPages,
    mapping_actions.MappingActions,
    review.Steps,
    mapping_list.Columns,
    CountedDeletion,
    kept.Kept,
):
    form = forms.MappingForm
    list_display = ["label", "joins", "state_and_problem", "fields_", "links_", "outbox", "inbox", "portal"]
    list_filter = ["state", "portal", "model_label", "object_type", "direction"]
    search_fields = ["label", "model_label", "object_type"]
    readonly_fields = [
        *("shown_state", "version_note", "kept_in", "problem", "revision", "created_at", "all_fields"),
        *("statuses", "rule_list", "events", "switches", "life", "contract", "proof_state", "concerns", "work"),
    ]
    counted = (
        (FieldMapping, "mapping"),
        (Link, "mapping"),
        (OutboxEntry, "mapping"),
        (InboxEvent, "mapping"),
        (LogEntry, "mapping"),
        (Conflict, "mapping"),
    )
    keeps = ((Canary, "mapping"),)
    empty_hint = _(
        "A mapping joins a Django model and a HubSpot object type, field by field. A new one is a draft and syncs"
        " nothing. Next: connect a portal and refresh its fields, then add a mapping."
    )

    def get_changelist(self, request: HttpRequest, **kwargs):
        return mapping_list.MappingList

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        return mapping_list.with_facts(super().get_queryset(request).select_related("portal", *versions.RELATED))

    # --- The form -------------------------------------------------------------------------------------------

    def get_fieldsets(self, request: HttpRequest, obj: Mapping | None = None):
        """The steps, in the order they are thought of; those that only show are empty until there is something."""
        ends = ["label", "portal", "model_label", "object_type"]
        edits = obj is None or self.has_change_permission(request, obj)
        objects = [*ends, "custom_type"] if edits and not _is_settled(obj) else ends
        seen = ["seen_revision"] if edits else []
        kept_in = ["kept_in"] if self.is_kept(obj) and not obj.version_of_id else []
        problem = ["problem"] if obj and obj.problem else []
        other = ["version_note"] if obj and (obj.version_of_id or hasattr(obj, "version")) else []
        shown = [("shown_state", "revision", "created_at"), *other, *problem, *kept_in]

        def saved(*names: str) -> list[str]:
            return list(names) if obj else []

        return [
            *([(None, {"fields": shown})] if obj else []),
            (_("1. Objects"), {"fields": [*objects, "direction"], "classes": [_OBJECTS], "description": _JOINED}),
            (_("2. Match"), {"fields": [], "classes": [_MATCH], "description": _MATCHING}),
            (
                _("3. Fields"),
                {
                    "fields": ["all_fields"] if obj and not _fits(obj) else [],
                    "classes": [_ROWS],
                    "description": _FIELDS,
                },
            ),
            (_("4. Statuses"), {"fields": saved("statuses"), "description": _STATUSES}),
            (_("5. Rules"), {"fields": saved("rule_list"), "description": _RULES}),
            (_("6. Associations"), {"fields": [], "classes": [_RELATIONS], "description": _RELATED}),
            (
                _("7. Events"),
                {
                    "fields": [*saved("events"), *_SWITCHES, "uses_save", *saved("switches"), *seen],
                    "description": _EVENTS,
                },
            ),
            (
                _("8. Review"),
                {
                    "fields": saved("life", "contract", "proof_state", "concerns", "work"),
                    "classes": [_REVIEW],
                    "description": _REVIEWED if obj else _SAVE_FIRST,
                },
            ),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Mapping | None = None) -> list[str]:
        """Links and cursors belong to both ends, so these stay once there are links or work."""
        fixed = ["portal", "model_label", "object_type", "custom_type"] if _is_settled(obj) else []
        return [*self.readonly_fields, *fixed]

    def get_inlines(self, request: HttpRequest, obj: Mapping | None) -> list[type[admin.TabularInline]]:
        fits = obj is None or _fits(obj)
        return [MatchKeyInline, FieldInline if fits else AddFieldInline, FixedInline, RelationInline]

    def save_model(self, request: HttpRequest, obj: Mapping, form, change: bool) -> None:
        """Only what was edited: workers write state and problem meanwhile."""
        if not change:
            return super().save_model(request, obj, form, change)
        names = {"object_type" if name == "custom_type" else name for name in form.changed_data}
        names &= {field.name for field in self.opts.concrete_fields}
        if names:
            obj.save(update_fields=sorted(names))
        return None

    def save_related(self, request: HttpRequest, form, formsets, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        mapping = form.instance
        if not change:
            bulk_add.offer(self, request, mapping)
            return lifecycle.note_created(mapping, request.user.pk)
        if not revision.has_edits(form, formsets):
            return None
        lifecycle.note_edit(mapping, request.user.pk)
        if terms.MappingState(mapping.state).is_started:
            self._say_edit(request, mapping)
        if mapping.state == terms.MappingState.LIVE:
            self._stop_if_broken(request, mapping)
        return None

    def _say_edit(self, request: HttpRequest, mapping: Mapping) -> None:
        """What changed under a mapping that runs, and whom it concerns."""
        facts = {"number": mapping.revision, "what": review.say_edit(mapping), "whom": review.concern(mapping)}
        text = _("Revision %(number)d: %(what)s. %(whom)s") if facts["what"] else _("Revision %(number)d. %(whom)s")
        self.say(request, text % facts, messages.INFO)

    def _stop_if_broken(self, request: HttpRequest, mapping: Mapping) -> None:
        """The last net under an edit of a live mapping."""
        _spec, refusal = attempt.attempt(lambda: specs.load(mapping))
        if refusal:
            portals.stop_mapping(mapping.pk, refusal)
            self.say(request, _("The mapping was paused. %(why)s") % {"why": refusal}, messages.ERROR)

    # --- Kept in a file -------------------------------------------------------------------------------------

    def get_mapping(self, obj: Mapping) -> Mapping:
        return obj

    def get_obstacles(self, rows: list[Mapping]) -> list[str]:
        """Also what a bulk deletion would take from a file."""
        return [*super().get_obstacles(rows), *(f"{row}: {kept.sentence(row)}" for row in rows if row.locked_by)]

    @admin.display(description=_("kept in the file"))
    def kept_in(self, obj: Mapping) -> str:
        return kept.sentence(obj)

    # --- Cells ----------------------------------------------------------------------------------------------

    @admin.display(description=_("life"))
    def life(self, obj: Mapping):
        found = mapping_actions.life_of(obj)
        return cells.warning(found) if found.is_behind else str(found)

    @admin.display(description=_("fields"))
    def all_fields(self, obj: Mapping):
        """Too many rows for one form: each is edited on its own page."""
        rows = [
            [cells.link(self.object_url(row), row), cells.arrow(row.direction, row.get_direction_display())]
            for row in obj.fields.all()
        ]
        hint = _(
            "They are more than one form may hold here. Set DATA_UPLOAD_MAX_NUMBER_FIELDS to %(number)d or more in"
            " the project's settings, and they are edited on this page."
        )
        table = cells.table([_("field mapping"), _("direction")], rows)
        return cells.blocks(cells.note(hint % {"number": _inputs(obj)}), table)


def _is_settled(obj: Mapping | None) -> bool:
    """Whether both ends are fixed by what was done with the mapping."""
    if obj is None or obj.pk is None:
        return False
    is_version = obj.version_of_id is not None  # whose links are those of the mapping it is a version of
    return is_version or terms.MappingState(obj.state).is_started or obj.link_count > 0


def _fits(obj: Mapping) -> bool:
    """Whether one form may hold all rows: Django refuses a POST with too many inputs."""
    limit = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
    return limit is None or _inputs(obj) <= limit


def _inputs(obj: Mapping) -> int:
    """About how many inputs the form with all rows has."""
    return _OTHER_INPUTS + _INPUTS_A_ROW * (obj.field_count + field_mapping.FieldMappingInline.extra)


_JOINED = _(
    "The two kinds of record, and which way values may flow at all. Fixed values say which records belong here, such"
    " as those of one pipeline."
)
_MATCHING = _(
    "Before a record is made on the other side, its partner is looked for by the match keys below. Without any,"
    " existing records are never found, and every one is made again."
)
_FIELDS = _(
    "Each row is a switch of its own: what is not active does not flow. A field that flows one way belongs to the"
    " side it comes from. A row that is ticked for deletion goes when the form is saved."
)
_STATUSES = _(
    "What a value on one side is called on the other. Values without a line are held back, unless the field says"
    " otherwise. The lines are on the field's own page."
)
_RULES = _("Rules let only some records in. Each has its own switch; without any, every record takes part.")
_RELATED = _(
    "A relation of the model and an association in HubSpot. Both records must be synced: the other one by the mapping"
    " chosen here. Each row is a switch of its own."
)
_EVENTS = _(
    "Every change that is carried over by itself, in either direction, with the switch that stops it. Fields and"
    " associations have their switches in their rows above."
)
_REVIEWED = _("What keeps it from working, what was proved, and what the next step is.")
_SAVE_FIRST = _("Save the mapping: it is a draft and syncs nothing. Then it is reviewed here, and switched on.")
