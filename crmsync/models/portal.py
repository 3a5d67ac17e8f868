"""Portal: one HubSpot account by hub id, with its credentials; RateSlot: its shared pace."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crmsync.models import choices, secret


class Portal(models.Model):
    """One HubSpot account. Secrets are write-only: encrypted at rest, masked everywhere else."""

    label = models.CharField(
        _("name"), max_length=100, unique=True, help_text=_("Your name for this HubSpot account.")
    )
    hub_id = models.BigIntegerField(
        _("hub id"), unique=True, null=True, blank=True, editable=False, help_text=_("HubSpot's id of the account.")
    )
    state = models.CharField(
        _("state"), max_length=12, choices=choices.PortalState, default=choices.PortalState.NEW, editable=False
    )
    state_reason = models.TextField(_("why"), default="", blank=True, editable=False)
    token = secret.SecretField(_("access token"), default="", blank=True)
    client_secret = secret.SecretField(_("client secret"), default="", blank=True)
    api_version = models.CharField(_("API version"), max_length=10, default="", blank=True)
    account_type = models.CharField(_("account type"), max_length=40, default="", blank=True, editable=False)
    time_zone = models.CharField(_("time zone"), max_length=60, default="", blank=True, editable=False)
    currency = models.CharField(_("currency"), max_length=8, default="", blank=True, editable=False)
    ui_domain = models.CharField(_("HubSpot address"), max_length=100, default="", blank=True, editable=False)
    scopes = models.JSONField(_("granted scopes"), default=list, blank=True, editable=False)
    checked_at = models.DateTimeField(_("last checked"), null=True, blank=True, editable=False)
    discovered_at = models.DateTimeField(_("fields discovered"), null=True, blank=True, editable=False)
    webhook_at = models.DateTimeField(_("last webhook"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("portal")
        verbose_name_plural = _("portals")
        ordering = ["label"]
        permissions = [("connect_portal", "Can connect, rotate and pause a portal")]

    def __str__(self) -> str:
        return f"{self.label} ({self.hub_id})" if self.hub_id else self.label

    def __repr__(self) -> str:
        return f"<Portal {self.pk} {self}>"


class RateSlot(models.Model):
    """The pace of one lane of a portal, shared by all workers: ``tat`` is GCRA's theoretical arrival time."""

    portal = models.ForeignKey(Portal, on_delete=models.CASCADE, related_name="+")
    lane = models.CharField(max_length=20)
    tat = models.FloatField(default=0.0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["portal", "lane"], name="crmsync_rateslot_once")]

    def __str__(self) -> str:
        return f"{self.portal_id} {self.lane}"
