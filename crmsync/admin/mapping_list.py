"""The changelist of mappings: how much each one links, and how much waits; one query for all counts."""

from django.contrib.admin.views.main import ChangeList
from django.db import models
from django.db.models.functions import Coalesce
from django.http import HttpRequest

from crmsync.engine import terms
from crmsync.models import FieldMapping, InboxEvent, Link, OutboxEntry

_DUE, _PARKED = terms.QueueState.DUE, terms.QueueState.PARKED


def _count(rows: type[models.Model], **conditions: object) -> Coalesce:
    mine = rows._default_manager.filter(mapping=models.OuterRef("pk"), **conditions).order_by()
    counted = mine.values("mapping").annotate(n=models.Count("pk")).values("n")
    return Coalesce(models.Subquery(counted, output_field=models.IntegerField()), 0)


class MappingList(ChangeList):
    def get_queryset(self, request: HttpRequest, exclude_parameters=None) -> models.QuerySet:
        return (
            super()
            .get_queryset(request, exclude_parameters)
            .annotate(
                field_count=_count(FieldMapping),
                link_count=_count(Link),
                outbox_due=_count(OutboxEntry, state=_DUE),
                outbox_parked=_count(OutboxEntry, state=_PARKED),
                inbox_due=_count(InboxEvent, state=_DUE),
                inbox_parked=_count(InboxEvent, state=_PARKED),
            )
        )
