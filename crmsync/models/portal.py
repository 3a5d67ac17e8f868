"""Portal: one HubSpot account by hub id, what is known of it and how it stands; RateSlot: its shared pace."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from crmsync.models import choices


class Portal(models.Model):
    """One HubSpot account. Its secrets are in ``Credential``: a page about portals never loads one."""

    label = models.CharField(
        _("name"), max_length=100, unique=True, help_text=_("Your name for this HubSpot account.")
    )
    hub_id = models.BigIntegerField(
        _("hub id"), unique=True, null=True, blank=True, editable=False, help_text=_("HubSpot's id of the account.")
    )
    # How it stands.
    state = models.CharField(
        _("state"), max_length=12, choices=choices.PortalState, default=choices.PortalState.NEW, editable=False
    )
    state_reason = models.TextField(_("why"), default="", blank=True, editable=False)
    state_at = models.DateTimeField(_("since"), null=True, blank=True, editable=False)
    held = models.CharField(
        _("held back"), max_length=4, choices=choices.Held, default=choices.Held.NONE, blank=True, editable=False
    )
    waits_until = models.DateTimeField(_("waits until"), null=True, blank=True, editable=False)
    waits_code = models.CharField(_("waits for"), max_length=60, default="", blank=True, editable=False)
    # What HubSpot says of the account.
    api_version = models.CharField(_("API version"), max_length=10, default="", blank=True)
    account_type = models.CharField(_("account type"), max_length=40, default="", blank=True, editable=False)
    time_zone = models.CharField(_("time zone"), max_length=60, default="", blank=True, editable=False)
    currency = models.CharField(_("currency"), max_length=8, default="", blank=True, editable=False)
    ui_domain = models.CharField(_("HubSpot address"), max_length=100, default="", blank=True, editable=False)
    scopes = models.JSONField(_("granted scopes"), default=list, blank=True, editable=False)
    are_scopes_known = models.BooleanField(_("HubSpot told the scopes"), default=False, editable=False)
    missing_scopes = models.JSONField(_("missing scopes"), default=list, blank=True, editable=False)
    app_id = models.BigIntegerField(_("app id"), null=True, blank=True, editable=False)
    # Limits, from the headers of its answers; None where HubSpot does not say.
    burst_limit = models.PositiveIntegerField(_("calls per 10 seconds"), null=True, blank=True, editable=False)
    daily_limit = models.PositiveIntegerField(_("calls per day"), null=True, blank=True, editable=False)
    daily_remaining = models.PositiveIntegerField(_("calls left today"), null=True, blank=True, editable=False)
    limits_at = models.DateTimeField(_("limits read"), null=True, blank=True, editable=False)
    clock_skew = models.FloatField(_("clock difference in seconds"), null=True, blank=True, editable=False)
    # Which installation may write: see engine.environment.
    fingerprint = models.JSONField(_("fingerprint"), default=dict, blank=True, editable=False)
    other_install = models.CharField(_("other installation"), max_length=200, default="", blank=True, editable=False)
    service_user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("service user"),
        help_text=_("Stands for HubSpot owners that no user is linked with."),
    )
    discovery = models.JSONField(_("last discovery"), default=dict, blank=True, editable=False)
    rehearsal = models.JSONField(_("last rehearsal"), default=dict, blank=True, editable=False)
    checked_at = models.DateTimeField(_("last checked"), null=True, blank=True, editable=False)
    discovered_at = models.DateTimeField(_("fields discovered"), null=True, blank=True, editable=False)
    webhook_at = models.DateTimeField(_("last webhook"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("portal")
        verbose_name_plural = _("portals")
        ordering = ["label"]
        permissions = [
            ("connect_portal", "Can connect, rotate and pause a portal"),
            ("unlock_portal", "Can confirm that this installation may write to a portal"),
        ]

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
