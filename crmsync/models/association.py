"""Association and Edge: which relation of a model is which association in HubSpot, and what was associated."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crmsync.engine import terms
from crmsync.models import choices
from crmsync.models.link import Link
from crmsync.models.mapping import Mapping


class Association(models.Model):
    """A relation of a mapping's model to the model of another mapping <-> an association of their object types."""

    mapping = models.ForeignKey(
        Mapping, on_delete=models.CASCADE, related_name="associations", verbose_name=_("mapping")
    )
    position = models.PositiveSmallIntegerField(_("order"), default=0)
    local = models.CharField(
        _("Django relation"), max_length=150, help_text=_("A foreign key or many-to-many field of the model.")
    )
    to_mapping = models.ForeignKey(
        Mapping,
        on_delete=models.CASCADE,
        related_name="associated_from",
        verbose_name=_("to the records of"),
    )
    label = models.CharField(
        _("HubSpot label"),
        max_length=200,
        default="",
        blank=True,
        help_text=_("The label as HubSpot shows it, such as Primary. Empty: associated without a label."),
    )
    direction = models.CharField(
        _("direction"), max_length=10, choices=choices.of(terms.Direction), default=terms.Direction.BOTH
    )
    brings = models.BooleanField(
        _("bring the other record in"),
        default=True,
        help_text=_("A record that is needed on the other side is made there, whatever its own mapping's rules say."),
    )
    is_active = models.BooleanField(_("active"), default=True)
    note = models.CharField(_("note"), max_length=300, default="", blank=True)

    class Meta:
        verbose_name = _("association")
        verbose_name_plural = _("associations")
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["mapping", "local", "to_mapping", "label"], name="crmsync_association_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.local} ↔ {self.to_mapping}{f' ({self.label})' if self.label else ''}"


class Edge(models.Model):
    """One association of a linked record with another, as both sides last agreed; the memory of a relation.

    ``local_pk`` and ``remote_id`` name the other record; one of them is empty while the edge waits for its link.
    ``is_ours``: made in HubSpot by crmsync, so crmsync may remove it. ``asserted``: how often it was put back.
    """

    association = models.ForeignKey(
        Association, on_delete=models.CASCADE, related_name="edges", verbose_name=_("association"), db_index=False
    )
    link = models.ForeignKey(
        Link, on_delete=models.CASCADE, related_name="edges", verbose_name=_("link"), db_index=False
    )
    local_pk = models.CharField(_("other Django id"), max_length=150, default="", blank=True)
    remote_id = models.CharField(_("other HubSpot id"), max_length=40, default="", blank=True)
    state = models.CharField(
        _("state"), max_length=10, choices=choices.of(terms.EdgeState), default=terms.EdgeState.MADE
    )
    is_ours = models.BooleanField(_("made by crmsync"), default=False)
    asserted = models.PositiveSmallIntegerField(_("put back"), default=0)
    reason = models.CharField(_("reason"), max_length=60, default="", blank=True)
    detail = models.TextField(_("detail"), default="", blank=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("association of records")
        verbose_name_plural = _("associations of records")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["link", "association", "local_pk", "remote_id"], name="crmsync_edge_once")
        ]
        indexes = [
            models.Index(fields=["association", "state", "local_pk"], name="crmsync_edge_local"),
            models.Index(fields=["association", "state", "remote_id"], name="crmsync_edge_remote"),
        ]

    def __str__(self) -> str:
        return f"{self.local_pk or '…'} ↔ {self.remote_id or '…'}"
