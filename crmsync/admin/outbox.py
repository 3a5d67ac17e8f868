"""The outbox: local records that may have to be pushed; read-only."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from crmsync.admin import queue_item
from crmsync.models import OutboxEntry


@admin.register(OutboxEntry)
class OutboxEntryAdmin(queue_item.QueuePage):
    key = "local_pk"
    empty_hint = _(
        "Django records that changed wait here until they are in HubSpot. Nothing waits."
        " If a saved record should be here, check that its mapping is live and pushes."
    )
