"""Link: the lasting pair of keys of one record, with the base both sides last agreed on."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crmsync.engine import terms
from crmsync.models import choices, mapping, portal


class Link(models.Model):
    """A local row <-> a HubSpot record under one mapping.

    ``base``: {"local|property": [local text, remote text]} as each side last answered. ``sent``
    is written *before* a HubSpot write: {"local|property": [local text, what is sent, what HubSpot had]}, so that
    our own write is known again after a crash, and what it may have replaced unseen can be looked up.
    ``in_canary``: a new version of the mapping is tried on this record, so the mapping itself leaves it alone.
    ``create_key``: random and immutable; it stands in HubSpot's unique key property of records we created.
    """

    mapping = models.ForeignKey(
        mapping.Mapping, on_delete=models.CASCADE, related_name="links", verbose_name=_("mapping"), db_index=False
    )
    portal = models.ForeignKey(
        portal.Portal, on_delete=models.CASCADE, related_name="+", verbose_name=_("portal"), db_index=False
    )
    object_type = models.CharField(_("object type"), max_length=60)
    local_pk = models.CharField(_("Django id"), max_length=150)
    remote_id = models.CharField(_("HubSpot id"), max_length=40, null=True, blank=True)
    create_key = models.CharField(_("create key"), max_length=32, unique=True)
    state = models.CharField(_("state"), max_length=10, choices=choices.LinkState, default=choices.LinkState.LINKED)
    base = models.JSONField(_("base"), default=dict, blank=True)
    sent = models.JSONField(_("sent"), default=dict, blank=True)
    lease = models.CharField(_("lease"), max_length=32, default="", blank=True, editable=False)
    leased_until = models.DateTimeField(_("leased until"), null=True, blank=True, editable=False)
    in_canary = models.BooleanField(_("in an open canary"), default=False, editable=False)
    outcome = models.CharField(
        _("last outcome"), max_length=12, choices=choices.of(terms.Outcome), default="", blank=True
    )
    reason = models.CharField(_("reason"), max_length=60, default="", blank=True)
    remote_modified_at = models.DateTimeField(_("HubSpot changed"), null=True, blank=True)
    synced_at = models.DateTimeField(_("last sync"), null=True, blank=True)
    created_at = models.DateTimeField(_("linked since"), auto_now_add=True)

    class Meta:
        verbose_name = _("link")
        verbose_name_plural = _("links")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["mapping", "local_pk"], name="crmsync_link_local_once"),
            models.UniqueConstraint(fields=["portal", "object_type", "remote_id"], name="crmsync_link_remote_once"),
        ]
        indexes = [
            models.Index(fields=["mapping", "state", "id"], name="crmsync_link_state"),
            models.Index(fields=["mapping", "outcome", "id"], name="crmsync_link_outcome"),
        ]
        permissions = [("link_record", "Can link and unlink records")]

    def __str__(self) -> str:
        return f"{self.local_pk} ↔ {self.remote_id or '…'}"
