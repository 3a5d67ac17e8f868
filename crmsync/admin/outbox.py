"""The outbox: local records that may have to be pushed; read-only."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crmsync.admin import queue_item
from crmsync.models import OutboxEntry


@admin.register(OutboxEntry)
class OutboxEntryAdmin(queue_item.QueuePage):
    key = "local_pk"
    list_filter = [*queue_item.QueuePage.list_filter, ("via", admin.EmptyFieldListFilter)]
    empty_hint = _(
        "Django records that changed wait here until they are in HubSpot. Nothing waits."
        " If a saved record should be here, check that its mapping is live and pushes."
    )

    def get_fields(self, request: HttpRequest, obj: OutboxEntry | None = None) -> list[object]:
        fields = super().get_fields(request, obj)
        return ["mapping", "via", *fields[1:]] if obj is not None and obj.via else fields

    @admin.display(description=_("record"))
    def record(self, obj: OutboxEntry) -> str:
        if not obj.via:
            return obj.local_pk
        return gettext("every record whose %(via)s is %(pk)s") % {"via": obj.via, "pk": obj.local_pk}
