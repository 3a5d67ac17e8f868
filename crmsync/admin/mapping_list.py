"""The changelist of mappings: how much each one links, and how much waits; one query for all counts."""

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db import models
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from crmsync.admin import cells, page
from crmsync.engine import terms
from crmsync.models import FieldMapping, InboxEvent, Link, Mapping, MappingStep, OutboxEntry

_DUE, _PARKED = terms.QueueState.DUE, terms.QueueState.PARKED


def _count(rows: type[models.Model], **conditions: object) -> Coalesce:
    mine = rows._default_manager.filter(mapping=models.OuterRef("pk"), **conditions).order_by()
    counted = mine.values("mapping").annotate(n=models.Count("pk")).values("n")
    return Coalesce(models.Subquery(counted, output_field=models.IntegerField()), 0)


def with_facts(rows: models.QuerySet) -> models.QuerySet:
    """Mappings as their pages need them: how many rows and links, and the revisions tested and approved last."""
    return rows.annotate(
        field_count=_count(FieldMapping),
        link_count=_count(Link),
        tested_revision=_latest(terms.MappingState.TESTED),
        approved_revision=_latest(terms.MappingState.APPROVED),
    )


def _latest(state: str) -> models.Subquery:
    mine = MappingStep.objects.filter(mapping=models.OuterRef("pk"), state=state)
    return models.Subquery(mine.values("revision")[:1])


class MappingList(ChangeList):
    def get_queryset(self, request: HttpRequest, exclude_parameters=None) -> models.QuerySet:
        return (
            super()
            .get_queryset(request, exclude_parameters)
            .annotate(
                outbox_due=_count(OutboxEntry, state=_DUE),
                outbox_parked=_count(OutboxEntry, state=_PARKED),
                inbox_due=_count(InboxEvent, state=_DUE),
                inbox_parked=_count(InboxEvent, state=_PARKED),
            )
        )


class Columns(page.Page):
    """The cells of a mapping's line."""

    @admin.display(description=_("joins"), ordering="model_label")
    def joins(self, obj: Mapping):
        return cells.joined(obj.model_label, obj.direction, obj.get_direction_display(), obj.object_type)

    @admin.display(description=_("state"), ordering="state")
    def shown_state(self, obj: Mapping):
        return cells.lines(cells.state(obj.state, obj.get_state_display()), cells.held(obj.held))

    @admin.display(description=_("state"), ordering="state")
    def state_and_problem(self, obj: Mapping):
        live = _("version of %(mapping)s") % {"mapping": obj.version_of} if obj.version_of_id else ""
        return cells.lines(self.shown_state(obj), live, cells.folded(obj.problem))

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
