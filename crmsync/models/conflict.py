"""Conflict: a field both sides changed, or a user value that was replaced: kept for good."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crmsync.engine import terms
from crmsync.models import choices, mapping


class Conflict(models.Model):
    """Both values, the rule that decided, who won; ``winner`` empty waits for a person."""

    at = models.DateTimeField(_("at"), default=timezone.now)
    mapping = models.ForeignKey(
        mapping.Mapping, on_delete=models.CASCADE, related_name="+", verbose_name=_("mapping"), db_index=False
    )
    local_pk = models.CharField(_("Django id"), max_length=150, default="", blank=True)
    remote_id = models.CharField(_("HubSpot id"), max_length=40, default="", blank=True)
    field = models.CharField(_("field"), max_length=400)
    base_local = models.TextField(_("base in Django"), null=True, blank=True)
    base_remote = models.TextField(_("base in HubSpot"), null=True, blank=True)
    local_value = models.TextField(_("value in Django"), null=True, blank=True)
    remote_value = models.TextField(_("value in HubSpot"), null=True, blank=True)
    winner = models.CharField(_("winner"), max_length=10, choices=choices.of(terms.SideName), default="", blank=True)
    rule = models.CharField(_("rule"), max_length=200)

    class Meta:
        verbose_name = _("conflict")
        verbose_name_plural = _("conflicts")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["mapping", "winner", "id"], name="crmsync_conflict_winner"),
            models.Index(fields=["mapping", "local_pk"], name="crmsync_conflict_local"),
        ]

    def __str__(self) -> str:
        return f"{' ↔ '.join(self.field.split('|'))} of {self.local_pk}"
