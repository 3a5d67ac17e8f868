"""Credential: what opens a portal: its token, the app it belongs to, and since when; all secrets are here."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crmsync.models import choices, portal, secret


class Credential(models.Model):
    """One portal's secrets: write-only, encrypted at rest, masked everywhere else."""

    portal = models.OneToOneField(
        portal.Portal, on_delete=models.CASCADE, related_name="credential", verbose_name=_("portal")
    )
    kind = models.CharField(
        _("how to connect"),
        max_length=12,
        choices=choices.CredentialKind,
        default=choices.CredentialKind.STATIC,
    )
    token = secret.SecretField(_("access token"), default="", blank=True)
    token_at = models.DateTimeField(_("entered"), null=True, blank=True, editable=False)
    # Of an OAuth app. ``version`` grows with every refresh: whoever holds an older one reads again.
    expires_at = models.DateTimeField(_("access token expires"), null=True, blank=True, editable=False)
    refresh_token = secret.SecretField(_("refresh token"), default="", blank=True)
    version = models.PositiveIntegerField(default=0, editable=False)
    lease = models.CharField(max_length=32, default="", blank=True, editable=False)
    leased_until = models.DateTimeField(null=True, blank=True, editable=False)
    client_id = models.CharField(_("client id"), max_length=100, default="", blank=True)
    client_secret = secret.SecretField(_("client secret"), default="", blank=True)
    client_secret_at = models.DateTimeField(_("entered"), null=True, blank=True, editable=False)
    # Both secrets verify webhooks until then, because HubSpot and we do not change at the same moment.
    previous_secret = secret.SecretField(_("previous client secret"), default="", blank=True)
    previous_until = models.DateTimeField(_("previous accepted until"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("credential")
        verbose_name_plural = _("credentials")

    def __str__(self) -> str:
        return f"{self.portal_id}: {self.get_kind_display()}"

    def __repr__(self) -> str:
        return f"<Credential {self.pk} of portal {self.portal_id}>"
