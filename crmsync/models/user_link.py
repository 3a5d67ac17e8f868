"""UserLink: local user <-> HubSpot owner in a portal."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from crmsync.models import portal


class UserLink(models.Model):
    """One HubSpot owner, archived ones too, and the local user standing for it if there is one."""

    portal = models.ForeignKey(
        portal.Portal, on_delete=models.CASCADE, related_name="user_links", verbose_name=_("portal")
    )
    owner_id = models.CharField(_("owner id"), max_length=40)
    hubspot_user_id = models.CharField(_("HubSpot user id"), max_length=40, default="", blank=True)
    email = models.CharField(_("e-mail"), max_length=254, default="", blank=True)
    name = models.CharField(_("name"), max_length=200, default="", blank=True)
    is_by_hand = models.BooleanField(
        _("set by hand"), default=False, help_text=_("Matching by e-mail leaves it alone.")
    )
    is_archived = models.BooleanField(_("archived"), default=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("local user"),
    )

    class Meta:
        verbose_name = _("user link")
        verbose_name_plural = _("user links")
        ordering = ["portal", "name", "owner_id"]
        constraints = [models.UniqueConstraint(fields=["portal", "owner_id"], name="crmsync_userlink_owner_once")]

    def __str__(self) -> str:
        return self.name or self.email or self.owner_id
