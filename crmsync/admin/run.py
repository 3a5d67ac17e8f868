"""Runs: what staff started, how far it got, and the buttons to stop it and to go on."""

from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from crmsync import jobs
from crmsync.admin import cells, confirm, page
from crmsync.engine import terms
from crmsync.ledger import journal
from crmsync.models import LogEntry, Run

_STOPPING = _("The runs stop after the page at hand and can be resumed from there.")
_RESUMING = _("The runs go on from the page they stopped at.")


@admin.register(Run)
class RunAdmin(page.ReadOnlyPage):
    list_display = ["__str__", "mapping", "shown_state", "progress", "shown_counts", "requested_by", "started"]
    list_filter = ["state", "kind", "mapping", "started_at"]
    list_select_related = ["mapping", "requested_by"]
    fields = [
        ("mapping", "kind"),
        "shown_state",
        "message",
        "progress",
        "shown_counts",
        ("requested_by", "revision"),
        ("started_at", "finished_at"),
        "entries",
    ]
    actions = ["stop", "resume"]
    tools = ("stop", "resume")
    empty_hint = _(
        "A run is a backfill: every record of a mapping, page by page. None was started yet."
        " Next: open a live mapping, look at its preview, and start a backfill there."
    )

    def get_tools(self, request: HttpRequest, obj: Run) -> list[str]:
        if obj.kind == journal.Kind.CANARY:
            return []  # it goes on, and ends, on the page of its version
        fit = {journal.State.RUNNING: ["stop"], journal.State.STOPPED: ["resume"]}
        return fit.get(obj.state, [])

    @admin.action(description=_("Stop"), permissions=["operate"])
    def stop(self, request: HttpRequest, queryset: models.QuerySet):
        """The worker notices at its next page."""
        rows = queryset.filter(state=journal.State.RUNNING).exclude(kind=journal.Kind.CANARY)
        if not rows.exists():
            return self.say(request, _("Only a running run can be stopped."), messages.WARNING)
        if asked := confirm.confirm(self, request, rows, "stop", title=_("Stop"), text=_STOPPING, if_many=True):
            return asked
        for run in rows:
            reason = _("Stopped by %(user)s.") % {"user": request.user.get_username()}
            journal.set_back(run, str(reason), timezone.now(), None)
            self.log_change(request, run, _("Stopped."))
            self.say(request, _("%(run)s was stopped and can be resumed.") % {"run": run})
        return None

    @admin.action(description=_("Resume"), permissions=["operate"])
    def resume(self, request: HttpRequest, queryset: models.QuerySet):
        """The same run goes on from its last page."""
        rows = queryset.filter(state=journal.State.STOPPED).exclude(kind=journal.Kind.CANARY)
        if not rows.exists():
            text = _("Only a stopped run can be resumed; start a new backfill on the mapping's page.")
            return self.say(request, text, messages.WARNING)
        if asked := confirm.confirm(self, request, rows, "resume", title=_("Resume"), text=_RESUMING, if_many=True):
            return asked
        for run in rows:
            self._resume(request, run)
        jobs.ring()
        return None

    def _resume(self, request: HttpRequest, run: Run) -> None:
        if run.mapping.state != terms.MappingState.LIVE:
            text = _("%(run)s cannot go on: set the mapping “%(mapping)s” live first.")
            return self.say(request, text % {"run": run, "mapping": run.mapping}, messages.ERROR)
        resumed = journal.open_run(run.mapping, run.kind, total=run.total)
        self.log_change(request, resumed, _("Resumed."))
        return self.say(request, _("%(run)s goes on.") % {"run": resumed})

    # --- Cells ----------------------------------------------------------------------------------------------

    @admin.display(description=_("state"), ordering="state")
    def shown_state(self, obj: Run):
        return cells.state(obj.state, obj.get_state_display())

    @admin.display(description=_("progress"))
    def progress(self, obj: Run):
        if not obj.total:
            return obj.done
        text = _("%(done)d of %(total)d") % {"done": obj.done, "total": obj.total}
        return format_html(
            '<progress max="{}" value="{}" aria-label="{}"></progress> {}', obj.total, obj.done, text, text
        )

    @admin.display(description=_("records"))
    def shown_counts(self, obj: Run):
        """Every number leads to its log entries; records in sync are counted only."""
        return cells.bullets([self._count(obj, term) for term in terms.Outcome if obj.counts.get(term)])

    def _count(self, obj: Run, term: terms.Outcome):
        text = f"{obj.counts[term]} {_(term.label)}"
        if term in (terms.Outcome.UNCHANGED, terms.Outcome.EXCLUDED):
            return text
        return cells.link(self.list_url(LogEntry, run__id__exact=obj.pk, outcome__exact=term.value), text)

    @admin.display(description=_("log"))
    def entries(self, obj: Run):
        return cells.link(self.list_url(LogEntry, run__id__exact=obj.pk), _("all log entries of this run"))

    @admin.display(description=_("started"), ordering="started_at")
    def started(self, obj: Run):
        return cells.when(obj.started_at)
