"""Canary and CanaryRecord: a new version tried on a few records, with what is needed to put each of them back."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from crmsync.engine import terms
from crmsync.models import choices
from crmsync.models.link import Link
from crmsync.models.mapping import Mapping
from crmsync.models.run import Run


class Canary(models.Model):
    """It is there while it is open: promoting or dropping the version ends it, and with it all values kept here."""

    mapping = models.OneToOneField(
        Mapping, on_delete=models.CASCADE, related_name="canary_of_version", verbose_name=_("mapping")
    )
    version = models.OneToOneField(
        Mapping, on_delete=models.RESTRICT, related_name="canary", verbose_name=_("new version")
    )
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="+", verbose_name=_("run"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("by"),
    )
    opened_at = models.DateTimeField(_("opened"), auto_now_add=True)
    is_dropping = models.BooleanField(_("is being put back"), default=False)

    class Meta:
        verbose_name = _("canary")
        verbose_name_plural = _("canaries")
        ordering = ["-id"]

    def __str__(self) -> str:
        return str(self.version)


class CanaryRecord(models.Model):
    """One linked record of a canary. ``base``: the link's, as it was before.

    ``writes``: a list of {field, side, before, wanted, after, raw}: the texts that the side had, was to get, and
    answered (null before it did), and the value itself as JSON can say it (see ``ledger.canaries``). ``said``:
    sentences about fields that were held back or left alone.
    """

    canary = models.ForeignKey(Canary, on_delete=models.CASCADE, related_name="records", verbose_name=_("canary"))
    link = models.OneToOneField(Link, on_delete=models.CASCADE, related_name="+", verbose_name=_("link"))
    state = models.CharField(
        _("state"), max_length=10, choices=choices.CanaryState, default=choices.CanaryState.WAITING
    )
    outcome = models.CharField(_("outcome"), max_length=12, choices=choices.of(terms.Outcome), default="", blank=True)
    reason = models.CharField(_("reason"), max_length=60, default="", blank=True)
    base = models.JSONField(_("base"), default=dict, blank=True)
    writes = models.JSONField(_("writes"), default=list, blank=True)
    said = models.JSONField(_("said"), default=list, blank=True)

    class Meta:
        verbose_name = _("record of a canary")
        verbose_name_plural = _("records of canaries")
        ordering = ["id"]

    def __str__(self) -> str:
        return str(self.link)
