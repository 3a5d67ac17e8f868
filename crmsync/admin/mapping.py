"""Mappings: one form with steps from what is joined to how safely; state and runs change by buttons."""

from django.conf import settings
from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _

from crmsync.admin import (
    attempt,
    bulk_add,
    cells,
    field_mapping,
    forms,
    formsets,
    kept,
    lint_table,
    mapping_list,
    page,
    preview,
    proof,
    revision,
)
from crmsync.admin.deletion import CountedDeletion
from crmsync.admin.mapping_actions import MappingActions
from crmsync.engine import terms
from crmsync.ledger import portals, specs
from crmsync.models import (
    Conflict,
    FieldMapping,
    InboxEvent,
    Link,
    LogEntry,
    Mapping,
    MatchKey,
    OutboxEntry,
    Run,
)

# Names of fieldsets that rows belong to: the template puts an inline below the fieldset of its ``step``.
_MATCH, _ROWS = "crmsync-match", "crmsync-rows"
# Inputs of one row of fields, its hidden ids too, and those of the rest of the form.
_INPUTS_A_ROW, _OTHER_INPUTS = 11, 80


class MatchKeyInline(admin.TabularInline):
    model = MatchKey
    form = forms.MatchKeyForm
    formset = formsets.RowSet
    extra = 1
    verbose_name_plural = _("Match keys, tried in order")
    step = _MATCH


class FieldInline(field_mapping.FieldMappingInline):
    step = _ROWS


class AddFieldInline(field_mapping.LargeFieldMappingInline):
    step = _ROWS


@admin.register(Mapping)
class MappingAdmin(MappingActions, CountedDeletion, kept.Kept, page.Page):
    form = forms.MappingForm
    list_display = ["label", "joins", "state_and_problem", "fields_", "links_", "outbox", "inbox", "portal"]
    list_filter = ["state", "portal", "model_label", "object_type", "direction"]
    search_fields = ["label", "model_label", "object_type"]
    readonly_fields = [
        "shown_state",
        "kept_in",
        "problem",
        "revision",
        "created_at",
        "rule_list",
        "all_fields",
        "work",
        "contract",
    ]
    counted = (
        (FieldMapping, "mapping"),
        (Link, "mapping"),
        (OutboxEntry, "mapping"),
        (InboxEvent, "mapping"),
        (LogEntry, "mapping"),
        (Conflict, "mapping"),
    )
    empty_hint = _(
        "A mapping joins a Django model and a HubSpot object type, field by field. A new one is a draft and syncs"
        " nothing. Next: connect a portal and refresh its fields, then add a mapping."
    )

    def get_changelist(self, request: HttpRequest, **kwargs):
        return mapping_list.MappingList

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        return super().get_queryset(request).select_related("portal")

    def get_urls(self):
        wrap = self.admin_site.admin_view
        return [
            path("<path:object_id>/preview/", wrap(self.preview_view), name="crmsync_mapping_preview"),
            path("<path:object_id>/proof/", wrap(self.proof_view), name="crmsync_mapping_proof"),
            path("<path:object_id>/add-fields/", wrap(self.bulk_add_view), name="crmsync_mapping_bulk_add"),
            *super().get_urls(),
        ]

    def preview_view(self, request: HttpRequest, object_id: str):
        return preview.view(self, request, object_id)

    def proof_view(self, request: HttpRequest, object_id: str):
        return proof.view(self, request, object_id)

    def bulk_add_view(self, request: HttpRequest, object_id: str):
        return bulk_add.view(self, request, object_id)

    # --- The form -------------------------------------------------------------------------------------------

    def get_fieldsets(self, request: HttpRequest, obj: Mapping | None = None):
        """The steps, in the order they are thought of."""
        ends = ["label", "portal", "model_label", "object_type"]
        edits = obj is None or self.has_change_permission(request, obj)
        objects = [*ends, "custom_type"] if edits and not _is_settled(obj) else ends
        seen = ["seen_revision"] if edits else []
        fields = ["all_fields"] if obj and not _fits(obj) else []
        problem = ["problem"] if obj and obj.problem else []
        problem += ["kept_in"] if self.is_kept(obj) else []
        state = [(_("State"), {"fields": [("shown_state", "revision", "created_at"), *problem]})] if obj else []
        lint = [(_("Contract"), {"fields": ["contract"]})] if obj else []
        return [
            *state,
            *lint,
            (_("1. Objects"), {"fields": objects}),
            (_("2. Direction and creation"), {"fields": ["direction", "creates_remote", "creates_local"]}),
            (_("3. Match"), {"fields": ["rule_list"] if obj else [], "description": _MATCHING, "classes": [_MATCH]}),
            (_("4. Fields"), {"fields": fields, "description": _FIELDS, "classes": [_ROWS]}),
            (_("5. Safety"), {"fields": ["deletes", "uses_save", *(["work"] if obj else []), *seen]}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Mapping | None = None) -> list[str]:
        """Links and cursors belong to both ends, so these stay once there are links or work."""
        fixed = ["portal", "model_label", "object_type", "custom_type"] if _is_settled(obj) else []
        return [*self.readonly_fields, *fixed]

    def get_inlines(self, request: HttpRequest, obj: Mapping | None) -> list[type[admin.TabularInline]]:
        fits = obj is None or _fits(obj)
        return [MatchKeyInline, FieldInline if fits else AddFieldInline]

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
        if not change or not revision.has_edits(form, formsets):
            return
        portals.bump(mapping)
        if mapping.state == terms.MappingState.LIVE:
            self._stop_if_broken(request, mapping)

    def _stop_if_broken(self, request: HttpRequest, mapping: Mapping) -> None:
        """The last net under an edit of a live mapping."""
        _spec, refusal = attempt.attempt(lambda: specs.load(mapping))
        if refusal:
            portals.stop_mapping(mapping.pk, refusal)
            self.say(request, _("The mapping was paused. %(why)s") % {"why": refusal}, messages.ERROR)

    def get_object_links(self, request: HttpRequest, obj: Mapping) -> list[tuple[str, object]]:
        links = [(self.url_of("mapping_proof", obj.pk), _("Round-trip proof"))]
        if self.has_operate_permission(request):
            links.insert(0, (self.url_of("mapping_preview", obj.pk), _("Preview")))
        if bulk_add.is_allowed(self, request, obj):
            links.append((self.url_of("mapping_bulk_add", obj.pk), _("Add fields")))
        return links

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

    @admin.display(description=_("joins"), ordering="model_label")
    def joins(self, obj: Mapping):
        return cells.joined(obj.model_label, obj.direction, obj.get_direction_display(), obj.object_type)

    @admin.display(description=_("state"), ordering="state")
    def shown_state(self, obj: Mapping):
        return cells.lines(cells.state(obj.state, obj.get_state_display()), cells.held(obj.held))

    @admin.display(description=_("state"), ordering="state")
    def state_and_problem(self, obj: Mapping):
        return cells.lines(self.shown_state(obj), cells.folded(obj.problem))

    @admin.display(description=_("fields"))
    def fields_(self, obj: Mapping):
        return self.count_link(obj.field_count, FieldMapping, mapping__id__exact=obj.pk)

    @admin.display(description=_("links"))
    def links_(self, obj: Mapping):
        return self.count_link(obj.link_count, Link, mapping__id__exact=obj.pk)

    @admin.display(description=_("to HubSpot"))
    def outbox(self, obj: Mapping):
        return self._queue(OutboxEntry, obj, obj.outbox_due, obj.outbox_parked)

    @admin.display(description=_("from HubSpot"))
    def inbox(self, obj: Mapping):
        return self._queue(InboxEvent, obj, obj.inbox_due, obj.inbox_parked)

    def _queue(self, model: type[models.Model], obj: Mapping, due: int, parked: int):
        """What waits and what needs attention, each number leading to its rows."""
        parts = []
        for count, queue_state, text in (
            (due, terms.QueueState.DUE, _("%d waiting")),
            (parked, terms.QueueState.PARKED, _("%d need attention")),
        ):
            if count:
                url = self.list_url(model, mapping__id__exact=obj.pk, state__exact=queue_state.value)
                parts.append(cells.link(url, text % count))
        return cells.bullets(parts)

    @admin.display(description=_("sync rules"))
    def rule_list(self, obj: Mapping):
        add = reverse("admin:crmsync_syncrule_add", current_app=self.admin_site.name)
        rules = [cells.link(self.object_url(rule), rule) for rule in obj.rules.all()]
        return cells.bullets([*rules, cells.link(f"{add}?mapping={obj.pk}", _("Add a sync rule"))])

    @admin.display(description=_("fields"))
    def all_fields(self, obj: Mapping):
        """Too many rows for one form: each is edited on its own page."""
        rows = [
            [cells.link(self.object_url(row), row), cells.arrow(row.direction, row.get_direction_display())]
            for row in obj.fields.all()
        ]
        return cells.table([_("field mapping"), _("direction")], rows)

    @admin.display(description=_("findings"))
    def contract(self, obj: Mapping):
        return lint_table.contract(self, obj)

    @admin.display(description=_("work"))
    def work(self, obj: Mapping):
        mine = {"mapping__id__exact": obj.pk}
        pages = (Link, OutboxEntry, InboxEvent, Run, LogEntry, Conflict)
        return cells.bullets([cells.link(self.list_url(m, **mine), m._meta.verbose_name_plural) for m in pages])


def _is_settled(obj: Mapping | None) -> bool:
    """Whether both ends are fixed by what was done with the mapping."""
    if obj is None or obj.pk is None:
        return False
    if not hasattr(obj, "is_settled"):
        obj.is_settled = obj.state != terms.MappingState.DRAFT or obj.links.exists()
    return obj.is_settled


def _fits(obj: Mapping) -> bool:
    """Whether one form may hold all rows: Django refuses a POST with too many inputs."""
    if not hasattr(obj, "fits_form"):
        limit = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
        most = (limit - _OTHER_INPUTS) // _INPUTS_A_ROW if limit else None
        obj.fits_form = most is None or obj.fields.count() + field_mapping.FieldMappingInline.extra <= most
    return obj.fits_form


_MATCHING = _(
    "Before a record is made on the other side, its partner is looked for by the match keys below. Without any,"
    " existing records are never found, and every one is made again."
)
_FIELDS = _("The rows are below. A field that flows one way belongs to the side it comes from.")
