"""The inbox: HubSpot records that may have to be pulled, and the webhook deliveries they came with; read-only."""

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crmsync.admin import cells, page, payload, queue_item
from crmsync.models import Delivery, InboxEvent


@admin.register(InboxEvent)
class InboxEventAdmin(queue_item.QueuePage):
    key = "remote_id"
    list_filter = [*queue_item.QueuePage.list_filter, ("via", admin.EmptyFieldListFilter)]
    empty_hint = _(
        "HubSpot records that changed wait here until they are in Django. Nothing waits."
        " If a change in HubSpot should be here, check the portal's last webhook and the mapping's cursors."
    )

    def get_fields(self, request: HttpRequest, obj: InboxEvent | None = None) -> list[object]:
        fields = super().get_fields(request, obj)
        return ["mapping", "via", *fields[1:]] if obj is not None and obj.via else fields

    @admin.display(description=_("record"))
    def record(self, obj: InboxEvent):
        if not obj.via:
            return super().record(obj)
        told = {"via": obj.via, "id": obj.remote_id}
        return gettext("every record that takes values over from %(id)s of %(via)s") % told


@admin.register(Delivery)
class DeliveryAdmin(page.ReadOnlyPage):
    list_display = ["received", "shown_state", "events", "note"]
    list_filter = ["received_at", ("split_at", admin.EmptyFieldListFilter)]
    empty_hint = _(
        "A delivery is one webhook request from HubSpot. None came yet."
        " Next: copy the webhook address from the portal's page into the HubSpot app and subscribe to its events."
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        return super().get_queryset(request).defer("body")

    def get_fields(self, request: HttpRequest, obj: Delivery | None = None) -> list[str]:
        body = "body" if payload.is_allowed(request) else "hidden_body"
        return ["received_at", "split_at", "events", "note", body]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Delivery | None:
        row = super().get_object(request, object_id, from_field)
        if row is not None and payload.is_allowed(request):
            payload.trace(request, row)
        return row

    @admin.display(description=_("received"), ordering="received_at")
    def received(self, obj: Delivery):
        return cells.when(obj.received_at)

    @admin.display(description=_("state"), ordering="split_at")
    def shown_state(self, obj: Delivery):
        if obj.split_at is None:
            return cells.badge(_("waiting"), "quiet", "…")
        return cells.badge(_("rejected"), "bad", "✗") if obj.note else cells.badge(_("split"), "good", "✓")

    @admin.display(description=_("body"))
    def hidden_body(self, obj: Delivery):
        return payload.HIDDEN
