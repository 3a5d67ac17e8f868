"""Delivery: a verified webhook as it came; InboxEvent: one HubSpot record that may have to be pulled."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crmsync.models import mapping, queue_item


class Delivery(models.Model):
    """One verified webhook request, stored whole before it is acknowledged and split later."""

    received_at = models.DateTimeField(_("received at"))
    body = models.TextField(_("body"))
    split_at = models.DateTimeField(_("split at"), null=True, blank=True)
    events = models.PositiveIntegerField(_("events"), default=0)
    note = models.CharField(_("note"), max_length=200, default="", blank=True)

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["id"], condition=models.Q(split_at__isnull=True), name="crmsync_delivery_unsplit"),
            models.Index(fields=["split_at"], name="crmsync_delivery_split"),
        ]

    def __str__(self) -> str:
        return f"{self.received_at:%Y-%m-%d %H:%M:%S}"


class InboxEvent(queue_item.QueueItem):
    """A due pull, coalesced by key: keys, never values. With ``via``, ``remote_id`` is of that object type and stands
    for all records that read it along their association."""

    mapping = models.ForeignKey(
        mapping.Mapping, on_delete=models.CASCADE, related_name="+", verbose_name=_("mapping"), db_index=False
    )
    via = models.CharField(
        _("read along"),
        max_length=60,  # as a mapping's object type
        default="",
        blank=True,
        help_text=_(
            "Empty: the record itself. Else: every record associated with this one of the other object type."
        ),
    )
    remote_id = models.CharField(_("HubSpot id"), max_length=40)

    class Meta:
        verbose_name = _("inbox event")
        verbose_name_plural = _("inbox")
        ordering = ["due_at", "id"]
        constraints = [models.UniqueConstraint(fields=["mapping", "via", "remote_id"], name="crmsync_inbox_once")]
        indexes = [models.Index(fields=["mapping", "state", "due_at"], name="crmsync_inbox_due")]

    def __str__(self) -> str:
        return (
            f"{self.mapping_id}: {self.via}={self.remote_id}" if self.via else f"{self.mapping_id}: {self.remote_id}"
        )
