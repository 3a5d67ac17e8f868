"""Run and LogEntry: one bounded piece of work with counts, and one fact about one record in it."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crmsync.engine import terms
from crmsync.models import choices, mapping


class Run(models.Model):
    """A backfill that can be resumed, or a canary. ``counts``: {outcome: records}, its sum the records considered."""

    mapping = models.ForeignKey(
        mapping.Mapping, on_delete=models.CASCADE, related_name="runs", verbose_name=_("mapping")
    )
    kind = models.CharField(_("kind"), max_length=16, choices=choices.RunKind)
    state = models.CharField(_("state"), max_length=10, choices=choices.RunState, default=choices.RunState.RUNNING)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    cursor = models.CharField(_("cursor"), max_length=200, default="", blank=True)
    counts = models.JSONField(_("counts"), default=dict, blank=True)
    done = models.PositiveIntegerField(_("done"), default=0)
    total = models.PositiveIntegerField(_("total"), null=True, blank=True)
    revision = models.PositiveIntegerField(_("mapping revision"), default=0)
    message = models.TextField(_("message"), default="", blank=True)
    lease = models.CharField(_("lease"), max_length=32, default="", blank=True, editable=False)
    leased_until = models.DateTimeField(_("leased until"), null=True, blank=True, editable=False)
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        ordering = ["-id"]
        indexes = [models.Index(fields=["state", "id"], name="crmsync_run_state")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} #{self.pk}"


class LogEntry(models.Model):
    """What became of one record, and why. ``changes``: a list of {side, field, old, new, rule}.

    ``candidates``: keys of the records that matched, where none was chosen: a list of [side, key].
    """

    at = models.DateTimeField(_("at"), default=timezone.now, db_index=True)
    mapping = models.ForeignKey(
        mapping.Mapping, on_delete=models.CASCADE, related_name="+", verbose_name=_("mapping"), db_index=False
    )
    run = models.ForeignKey(
        Run, on_delete=models.SET_NULL, null=True, blank=True, related_name="entries", verbose_name=_("run")
    )
    revision = models.PositiveIntegerField(_("mapping revision"), default=0)
    local_pk = models.CharField(_("Django id"), max_length=150, default="", blank=True)
    remote_id = models.CharField(_("HubSpot id"), max_length=40, default="", blank=True)
    outcome = models.CharField(_("outcome"), max_length=12, choices=choices.of(terms.Outcome))
    reason = models.CharField(_("reason"), max_length=60, default="", blank=True)
    detail = models.TextField(_("detail"), default="", blank=True)
    changes = models.JSONField(_("changes"), default=list, blank=True)
    candidates = models.JSONField(_("candidates"), default=list, blank=True)

    class Meta:
        verbose_name = _("log entry")
        verbose_name_plural = _("log")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["mapping", "local_pk"], name="crmsync_log_local"),
            models.Index(fields=["mapping", "remote_id"], name="crmsync_log_remote"),
            models.Index(fields=["mapping", "outcome", "id"], name="crmsync_log_outcome"),
        ]
        permissions = [("view_payload", "Can see the values of synced records")]

    def __str__(self) -> str:
        return f"{self.get_outcome_display()} {self.local_pk or self.remote_id}"
