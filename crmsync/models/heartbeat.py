"""Heartbeat: a process that works for crmsync, and when it was last heard of."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Heartbeat(models.Model):
    """``name`` is host and process id; a process that stops is not heard of any more."""

    name = models.CharField(_("process"), max_length=200)
    role = models.CharField(_("role"), max_length=20)
    seen_at = models.DateTimeField(_("last heard of"))
    started_at = models.DateTimeField(_("started"))

    class Meta:
        verbose_name = _("process")
        verbose_name_plural = _("system status")
        ordering = ["role", "name"]
        constraints = [models.UniqueConstraint(fields=["name", "role"], name="crmsync_heartbeat_once")]

    def __str__(self) -> str:
        return f"{self.role} {self.name}"
