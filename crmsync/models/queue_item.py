"""QueueItem: what every queue row has: when it is due, who holds it, how often it failed and why."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crmsync.engine import terms
from crmsync.models import choices


class QueueItem(models.Model):
    """A due piece of work by key. A claim writes ``lease``; whoever dirties the row again empties it."""

    state = models.CharField(
        _("state"), max_length=10, choices=choices.of(terms.QueueState), default=terms.QueueState.DUE
    )
    due_at = models.DateTimeField(_("due at"), default=timezone.now)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    lease = models.CharField(_("lease"), max_length=32, default="", blank=True, editable=False)
    leased_until = models.DateTimeField(_("leased until"), null=True, blank=True, editable=False)
    last_code = models.CharField(_("last problem"), max_length=60, default="", blank=True)
    last_message = models.TextField(_("last message"), default="", blank=True)
    is_asked = models.BooleanField(
        _("asked for"),
        default=False,
        db_default=False,
        help_text=_("Another record, or a person, needs this one: rules and “create missing records” do not apply."),
    )
    captured_at = models.DateTimeField(_("captured at"), default=timezone.now)

    class Meta:
        abstract = True
