"""Slip: what capture leaves in a database that has rows of the host's but not crmsync's own; carried from there."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class SlipKind(models.TextChoices):
    """What a slip says; which of its columns are filled depends on it."""

    ROW = "row", _("a row changed")
    GONE = "gone", _("a row is deleted")
    ENTRY = "entry", _("an outbox entry is due")
    MADE = "made", _("a row was made for a HubSpot record")


class Slip(models.Model):
    """Keys, never values, and no foreign keys: what they would lead to is in another database. Slips are only added
    and deleted, so that transactions of the host never wait for each other here.
    """

    kind = models.CharField(_("kind"), max_length=5, choices=SlipKind)
    model_label = models.CharField(_("model"), max_length=150, default="", blank=True)
    mapping_id = models.BigIntegerField(_("mapping"), null=True, blank=True)
    via = models.CharField(_("read along"), max_length=200, default="", blank=True)
    local_pk = models.CharField(_("Django id"), max_length=150)
    remote_id = models.CharField(_("HubSpot id"), max_length=40, default="", blank=True)
    account = models.BigIntegerField(_("HubSpot account"), null=True, blank=True)
    is_own = models.BooleanField(_("of the row itself"), default=True)
    is_read = models.BooleanField(_("of rows that read it"), default=True)
    ends = models.TextField(_("only read along"), default="", blank=True, help_text=_("Names, with spaces between."))
    is_asked = models.BooleanField(_("asked for"), default=False)
    captured_at = models.DateTimeField(_("captured at"), default=timezone.now)

    class Meta:
        verbose_name = _("slip")
        verbose_name_plural = _("slips")
        ordering = ["id"]
        indexes = [models.Index(fields=["kind", "mapping_id"], name="crmsync_slip_kind")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.model_label or self.mapping_id} {self.via} {self.local_pk}"
