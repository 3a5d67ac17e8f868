"""OutboxEntry: one local row that may have to be pushed, or all rows that read one, coalesced by key."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crmsync.models import mapping, queue_item


class OutboxEntry(queue_item.QueueItem):
    """A dirty mark: keys, never values. With ``via`` it stands for all rows that read ``local_pk`` along it."""

    mapping = models.ForeignKey(
        mapping.Mapping, on_delete=models.CASCADE, related_name="+", verbose_name=_("mapping"), db_index=False
    )
    via = models.CharField(
        _("read along"),
        max_length=200,  # as the longest path that can be mapped
        default="",
        blank=True,
        help_text=_("Empty: the record itself. Else: every record whose foreign keys of this path lead to it."),
    )
    local_pk = models.CharField(_("Django id"), max_length=150)

    class Meta:
        verbose_name = _("outbox entry")
        verbose_name_plural = _("outbox")
        ordering = ["due_at", "id"]
        constraints = [models.UniqueConstraint(fields=["mapping", "via", "local_pk"], name="crmsync_outbox_once")]
        indexes = [models.Index(fields=["mapping", "state", "due_at"], name="crmsync_outbox_due")]

    def __str__(self) -> str:
        return f"{self.mapping_id}: {self.via}={self.local_pk}" if self.via else f"{self.mapping_id}: {self.local_pk}"
