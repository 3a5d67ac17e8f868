"""Cursor: where the next poll of a mapping starts."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crmsync.models import choices, mapping


class Cursor(models.Model):
    """Changes before ``started_at`` are the backfill's, which only staff start; everything HubSpot changed
    between it and ``position`` is in the inbox. A pass under way has ``until`` set and remembers the last id
    it committed, so that a killed pass goes on where it was."""

    mapping = models.ForeignKey(
        mapping.Mapping, on_delete=models.CASCADE, related_name="cursors", verbose_name=_("mapping")
    )
    kind = models.CharField(_("kind"), max_length=5, choices=choices.CursorKind)
    started_at = models.DateTimeField(_("polled since"))
    position = models.DateTimeField(_("complete as of"))
    until = models.DateTimeField(_("pass until"), null=True, blank=True)
    last_id = models.CharField(_("last id"), max_length=40, default="", blank=True)
    due_at = models.DateTimeField(_("due at"))
    lease = models.CharField(_("lease"), max_length=32, default="", blank=True, editable=False)
    leased_until = models.DateTimeField(_("leased until"), null=True, blank=True, editable=False)
    last_message = models.TextField(_("last message"), default="", blank=True)

    class Meta:
        verbose_name = _("cursor")
        verbose_name_plural = _("cursors")
        ordering = ["mapping", "kind"]
        constraints = [models.UniqueConstraint(fields=["mapping", "kind"], name="crmsync_cursor_once")]

    def __str__(self) -> str:
        return f"{self.mapping_id} {self.kind}"
