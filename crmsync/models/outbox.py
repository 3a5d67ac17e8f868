"""OutboxEntry: one local row that may have to be pushed, coalesced by key."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crmsync.models import mapping, queue_item


class OutboxEntry(queue_item.QueueItem):
    """A dirty mark: keys, never values."""

    mapping = models.ForeignKey(
        mapping.Mapping, on_delete=models.CASCADE, related_name="+", verbose_name=_("mapping"), db_index=False
    )
    local_pk = models.CharField(_("Django id"), max_length=150)

    class Meta:
        verbose_name = _("outbox entry")
        verbose_name_plural = _("outbox")
        ordering = ["due_at", "id"]
        constraints = [models.UniqueConstraint(fields=["mapping", "local_pk"], name="crmsync_outbox_once")]
        indexes = [models.Index(fields=["mapping", "state", "due_at"], name="crmsync_outbox_due")]

    def __str__(self) -> str:
        return f"{self.mapping_id}: {self.local_pk}"
