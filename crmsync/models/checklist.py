"""Tick: a step of the set-up in HubSpot that only a person can confirm, and who did."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from crmsync.models import portal


class Tick(models.Model):
    """``key`` names the step (engine.prerequisites), such as ``people.webhooks``."""

    portal = models.ForeignKey(
        portal.Portal, on_delete=models.CASCADE, related_name="ticks", verbose_name=_("portal")
    )
    key = models.CharField(_("step"), max_length=200)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("confirmed by"),
    )
    at = models.DateTimeField(_("confirmed"), auto_now_add=True)

    class Meta:
        verbose_name = _("confirmed step")
        verbose_name_plural = _("confirmed steps")
        constraints = [models.UniqueConstraint(fields=["portal", "key"], name="crmsync_tick_once")]

    def __str__(self) -> str:
        return self.key
