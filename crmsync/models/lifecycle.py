"""MappingStep and AcceptedProof: who tested, approved and switched a mapping on, at which revision, and what of its
proof a person accepted."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from crmsync.engine import terms
from crmsync.models import choices
from crmsync.models.mapping import FieldMapping, Mapping


class MappingStep(models.Model):
    """One step in the life of a mapping. ``config`` is the mapping as its file would have it at this revision."""

    mapping = models.ForeignKey(Mapping, on_delete=models.CASCADE, related_name="steps", verbose_name=_("mapping"))
    revision = models.PositiveIntegerField(_("revision"))
    state = models.CharField(_("state"), max_length=10, choices=choices.of(terms.MappingState))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("by"),
    )
    at = models.DateTimeField(_("at"), auto_now_add=True)
    note = models.CharField(_("note"), max_length=300, default="", blank=True)
    config = models.TextField(_("configuration"), default="", blank=True)

    class Meta:
        verbose_name = _("step of a mapping")
        verbose_name_plural = _("steps of mappings")
        ordering = ["-id"]
        indexes = [models.Index(fields=["mapping", "-id"], name="crmsync_step_mapping")]

    def __str__(self) -> str:
        return f"{self.get_state_display()} ({self.revision})"


class AcceptedProof(models.Model):
    """A finding of the round-trip proof that a person accepted: ``key`` names the value and what becomes of it."""

    field = models.ForeignKey(
        FieldMapping, on_delete=models.CASCADE, related_name="accepted", verbose_name=_("field mapping")
    )
    key = models.CharField(_("finding"), max_length=64)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("by"),
    )
    at = models.DateTimeField(_("at"), auto_now_add=True)

    class Meta:
        verbose_name = _("accepted finding")
        verbose_name_plural = _("accepted findings")
        ordering = ["field", "id"]
        constraints = [models.UniqueConstraint(fields=["field", "key"], name="crmsync_acceptedproof_once")]

    def __str__(self) -> str:
        return self.key
