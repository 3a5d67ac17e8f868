"""Associations on a mapping's page, and the list of what is associated, waits, is left or needs a person."""

from collections import defaultdict

from django import forms
from django.contrib import admin
from django.contrib.admin.views import main
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from crmsync import jobs
from crmsync.admin import attempt, catalogue, cells, page, widgets
from crmsync.engine import spec, terms
from crmsync.ledger import edges, relations, specs
from crmsync.models import Association, Edge, InboxEvent, Link, LogEntry, Mapping, OutboxEntry

_NONE = ("", "---------")


class AssociationForm(forms.ModelForm):
    """``mapping`` is the one whose page this is, with the values just posted."""

    class Meta:
        model = Association
        fields = ["position", "local", "to_mapping", "label", "direction", "brings", "is_active", "note"]

    def __init__(self, *args, mapping: Mapping, others: list[widgets.Choice], **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.mapping = mapping
        if "local" in self.fields:
            self.fields["local"] = forms.ChoiceField(label=self.fields["local"].label, choices=self._relations())
            rows = Mapping.objects.filter(portal_id=mapping.portal_id, version_of=None)
            self.fields["to_mapping"].queryset = rows
            self.fields["to_mapping"].choices = [_NONE, *others]  # else each row asks for them by a query
            self.fields["label"].widget.attrs["list"] = _LABELS
        for field in self.fields.values():
            # The admin wraps the choice of a related row; the wrapper's own attributes are not rendered.
            getattr(field.widget, "widget", field.widget).attrs.setdefault("aria-label", field.label)

    def _relations(self) -> list[tuple[str, str]]:
        adapter, _refusal = attempt.attempt(lambda: specs.adapter_of(self.mapping))
        known = relations.names(adapter.model) if adapter is not None else []
        present = [self.instance.local] if self.instance.local and self.instance.local not in known else []
        return [_NONE, *((name, name) for name in [*known, *present])]

    def clean(self):
        """The relation, the other mapping and the label together, in the words of whoever loads the mapping."""
        cleaned = super().clean()
        if not cleaned.get("is_active") or not cleaned.get("local") or cleaned.get("to_mapping") is None:
            return cleaned
        names = ("local", "to_mapping", "label", "direction", "brings", "is_active")
        row = Association(pk=self.instance.pk, mapping=self.mapping, **{name: cleaned[name] for name in names})
        adapter, refusal = attempt.attempt(lambda: specs.adapter_of(self.mapping))
        if adapter is None:
            raise ValidationError(refusal)
        try:
            relations.check(row, self.mapping, adapter.model)
        except relations.RelationError as error:
            raise ValidationError(str(error)) from error
        return cleaned


_LABELS = "crmsync-association-labels"


class AssociationSet(forms.BaseInlineFormSet):
    """Rows of one mapping; they share the labels that can be chosen."""

    def get_queryset(self) -> models.QuerySet:
        """What is shown is judged, too, further down the page; what was posted is not what is stored."""
        rows = super().get_queryset()
        if not self.is_bound and self.instance.pk:
            for row in rows:
                row.mapping = self.instance  # Django sets only the id, and would read it for each row
            catalogue.of(self.instance).associations = list(rows)
        return rows

    def get_form_kwargs(self, index):
        return {**super().get_form_kwargs(index), "mapping": self.instance, "others": self._others}

    def add_fields(self, form, index) -> None:
        super().add_fields(form, index)
        widgets.name_deletion(form)

    @property
    def _others(self) -> list[widgets.Choice]:
        """The mappings whose records can be associated."""
        return catalogue.of(self.instance).nearby.mappings

    @property
    def datalists(self) -> list[widgets.Datalist]:
        if not self.instance.portal_id:
            return []
        shown: dict[str, list[str]] = defaultdict(list)
        for label, to_type in catalogue.of(self.instance).labels:
            if label:
                shown[label].append(to_type)
        return [widgets.Datalist(_LABELS, [(label, ", ".join(kinds)) for label, kinds in shown.items()])]


class AssociationInline(admin.TabularInline):
    model = Association
    fk_name = "mapping"
    form = AssociationForm
    formset = AssociationSet
    extra = 1
    verbose_name_plural = _("Associations: which relation of the model is which association in HubSpot")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        return super().get_queryset(request).select_related("to_mapping")


class _Associations(admin.RelatedFieldListFilter):
    """Their names name another mapping: read in one query."""

    def field_choices(self, field, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[int, str]]:
        rows = Association.objects.select_related("to_mapping", "mapping")
        return [(row.pk, f"{row.mapping}: {row}") for row in rows]


@admin.register(Edge)
class EdgeAdmin(page.ReadOnlyPage):
    """``why``: what it waits for and what is known of that; one query a mapping of the page's rows."""

    list_display = ["django_record", "other", "association", "shown_state", "why", "is_ours", "changed"]
    list_display_links = ["shown_state"]
    list_filter = ["state", ("association", _Associations), "is_ours", "association__mapping"]
    search_fields = ["local_pk__exact", "remote_id__exact", "link__local_pk__exact", "link__remote_id__exact"]
    fields = [
        "association",
        ("django_record", "other"),
        ("shown_state", "is_ours", "asserted"),
        "reason",
        "why",
        "changed",
        "more",
    ]
    actions = ["try_again"]
    tools = ("try_again",)
    empty_hint = _(
        "Here is what was associated with what, and what waits. There is nothing yet."
        " Next: add an association on a mapping's page, then start a backfill."
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        rows = super().get_queryset(request)
        return rows.select_related("association__mapping", "association__to_mapping__portal", "link")

    @admin.action(description=_("Try again"), permissions=["operate"])
    def try_again(self, request: HttpRequest, queryset: models.QuerySet):
        """The records are looked at again now; what was put back too often is counted anew."""
        count = edges.retry(queryset.order_by(), timezone.now())
        for mapping in Mapping.objects.filter(associations__edges__in=queryset.order_by()).distinct():
            self.log_change(request, mapping, _("Associations: try again."))
        jobs.ring()
        self.say(request, ngettext("%(n)d record is due now.", "%(n)d records are due now.", count) % {"n": count})

    @admin.display(description=_("record"))
    def django_record(self, obj: Edge):
        return cells.link(self.object_url(obj.link), str(obj.link))

    @admin.display(description=_("other record"))
    def other(self, obj: Edge):
        to = obj.association.to_mapping
        remote = cells.hubspot_record(to.portal, to.object_type, obj.remote_id) if obj.remote_id else "…"
        return cells.lines(f"{to.model_label.rpartition('.')[2]} {obj.local_pk or '…'}", remote)

    @admin.display(description=_("state"), ordering="state")
    def shown_state(self, obj: Edge):
        if _find_hold(obj) is not None:
            return cells.badge(_("held back"), "warn", "…")
        return cells.badge(obj.get_state_display(), *_LOOKS[terms.EdgeState(obj.state)])

    @admin.display(description=_("why"))
    def why(self, obj: Edge):
        """What it says, and for one that waits what became of the other record; of an association that cannot work
        at present, why not."""
        if (hold := _find_hold(obj)) is not None:
            return hold.message
        if obj.state != terms.EdgeState.WAITING:
            return obj.detail
        return cells.lines(obj.detail, _find_cause(obj))

    @admin.display(description=_("changed"), ordering="updated_at")
    def changed(self, obj: Edge):
        return cells.when(obj.updated_at)

    @admin.display(description=_("more"))
    def more(self, obj: Edge):
        mine = {"mapping__id__exact": obj.link.mapping_id, "q": obj.link.local_pk}
        return cells.bullets([cells.link(self.list_url(LogEntry, **mine), _("log of this record"))])

    def get_changelist(self, request: HttpRequest, **kwargs):
        return _EdgeList


class _EdgeList(main.ChangeList):
    """Knows what became of the records that the edges of this page wait for."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        _note_causes(self.result_list)
        _note_holds(self.result_list)


_LOOKS = {
    terms.EdgeState.MADE: ("good", "✓"),
    terms.EdgeState.WAITING: ("warn", "…"),
    terms.EdgeState.LEFT: ("quiet", "–"),
    terms.EdgeState.REFUSED: ("bad", "!"),
}


def _find_hold(obj: Edge) -> spec.EdgeHold | None:
    if not hasattr(obj, "hold"):
        _note_holds([obj])
    return obj.hold


def _note_holds(rows: list[Edge]) -> None:
    """Why their associations cannot work at present; two queries a mapping of the page's rows."""
    mappings = {row.association.mapping_id: row.association.mapping for row in rows}
    holds: dict[int, spec.EdgeHold] = {}
    for mapping in mappings.values():
        holds |= specs.find_holds(mapping)
    for row in rows:
        row.hold = holds.get(row.association_id)


def _find_cause(obj: Edge) -> str:
    if not hasattr(obj, "cause"):
        _note_causes([obj])
    return obj.cause


def _note_causes(rows: list[Edge]) -> None:
    """Why the other record has no link yet: its row in a queue, its half-made link, or nothing known."""
    by_mapping: dict[int, list[Edge]] = defaultdict(list)
    for row in rows:
        row.cause = ""
        if row.state == terms.EdgeState.WAITING:
            by_mapping[row.association.to_mapping_id].append(row)
    for mapping_id, mine in by_mapping.items():
        local = _queued(OutboxEntry, mapping_id, "local_pk", mine)
        remote = _queued(InboxEvent, mapping_id, "remote_id", mine)
        halves = Link.objects.filter(
            mapping_id=mapping_id, local_pk__in=[row.local_pk for row in mine if row.local_pk]
        )
        ends = dict(halves.exclude(state="linked").values_list("local_pk", "state"))
        for row in mine:
            entry = local.get(row.local_pk) or remote.get(row.remote_id)
            row.cause = _sentence(row, entry, ends.get(row.local_pk, ""))


def _queued(model: type[models.Model], mapping_id: int, key: str, rows: list[Edge]) -> dict[str, models.Model]:
    keys = [getattr(row, key) for row in rows if getattr(row, key)]
    found = model._default_manager.filter(mapping_id=mapping_id, via="", **{f"{key}__in": keys})
    return {getattr(one, key): one for one in found}


def _sentence(row: Edge, entry, state: str) -> object:
    """Codes and states only: messages may hold values."""
    if entry is not None and entry.state == terms.QueueState.PARKED:
        return _("It needs attention: %(code)s. Mend it, or press “Try again” there.") % {"code": entry.last_code}
    if entry is not None:
        return _("It is in the queue. %(code)s") % {"code": entry.last_code}
    if state:
        return _("Its link was ended: unlink it to let it sync as a new record.")
    if row.association.to_mapping.state != terms.MappingState.LIVE:
        return _("The mapping “%(to)s” is not live.") % {"to": row.association.to_mapping}
    return _("It is not linked and nothing is queued: see the log of “%(to)s”.") % {"to": row.association.to_mapping}
