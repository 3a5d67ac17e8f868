"""ApiUsage: how many calls crmsync made to a portal in one of the account's days, by family and API version."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crmsync.models import portal


class ApiUsage(models.Model):
    """``day`` is the account's own day, because its allowance ends at its own midnight."""

    portal = models.ForeignKey(
        portal.Portal, on_delete=models.CASCADE, related_name="usage", verbose_name=_("portal")
    )
    day = models.DateField(_("day"))
    family = models.CharField(_("endpoints"), max_length=30)
    version = models.CharField(_("API version"), max_length=10)
    calls = models.PositiveIntegerField(_("calls"), default=0)
    failed = models.PositiveIntegerField(_("failed"), default=0)
    limited = models.PositiveIntegerField(_("over the limit"), default=0)
    seconds = models.FloatField(_("seconds"), default=0.0)

    class Meta:
        verbose_name = _("API usage")
        verbose_name_plural = _("API usage")
        ordering = ["-day", "family"]
        constraints = [
            models.UniqueConstraint(fields=["portal", "day", "family", "version"], name="crmsync_apiusage_once")
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.family}: {self.calls}"
