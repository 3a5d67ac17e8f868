"""QueuePage: what the outbox and the inbox show: what waits, why, since when, and what a person can do."""

from django.contrib import admin, messages
from django.db import models, transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from crmsync import conf, jobs
from crmsync.admin import cells, confirm, page, payload
from crmsync.engine import terms
from crmsync.ledger import queue
from crmsync.models import Mapping, OutboxEntry, choices
from crmsync.models.queue_item import QueueItem

_SKIPPING = _(
    "The entries are deleted and these changes are not synced. A later change of the same record makes a new entry."
)
_RETRYING = _("The entries are tried again now, and their count of attempts starts anew.")


class QueuePage(page.ReadOnlyPage):
    """``key``: the field that names the record."""

    key = ""
    list_filter = ["state", "mapping", "last_code"]
    actions = ["retry_now", "skip"]
    tools = ("retry_now", "skip")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        return super().get_queryset(request).select_related("mapping__portal")

    def get_list_display(self, request: HttpRequest) -> list[str]:
        return ["record", "mapping", "shown_state", f"short_{self._why(request)}", "attempts", "due", "captured"]

    def get_fields(self, request: HttpRequest, obj: QueueItem | None = None) -> list[object]:
        why = self._why(request)
        return ["mapping", self.key, "shown_state", "last_code", why, "attempts", "due", "captured", "leased"]

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        return [f"{self.key}__exact"]

    @staticmethod
    def _why(request: HttpRequest) -> str:
        return "why" if payload.is_allowed(request) else "why_without_values"

    # --- Actions --------------------------------------------------------------------------------------------

    @admin.action(description=_("Retry now"), permissions=["operate"])
    def retry_now(self, request: HttpRequest, queryset: models.QuerySet):
        """Due at once, with all attempts ahead."""
        if asked := confirm.confirm(
            self, request, queryset, "retry_now", title=_("Retry now"), text=_RETRYING, if_many=True
        ):
            return asked
        by_mapping = _count_by_mapping(queryset)
        count = queue.retry(queryset.order_by(), timezone.now())
        self._note(request, by_mapping, _("Retried: %(count)d of the %(queue)s."))
        jobs.ring()
        self.say(request, ngettext("%(n)d entry is due now.", "%(n)d entries are due now.", count) % {"n": count})
        return None

    @admin.action(description=_("Skip"), permissions=["operate"])
    def skip(self, request: HttpRequest, queryset: models.QuerySet):
        """Deletes queue rows; the records themselves are not touched."""
        if asked := confirm.confirm(self, request, queryset, "skip", title=_("Skip"), text=_SKIPPING, is_final=True):
            return asked
        with transaction.atomic():
            self._note(request, _count_by_mapping(queryset), _("Skipped: %(count)d of the %(queue)s."))
            self.log_deletions(request, queryset[:1000])
            count, _rows = self.model.objects.filter(pk__in=queryset.order_by().values("pk")).delete()
        text = ngettext("%(n)d entry was skipped.", "%(n)d entries were skipped.", count) % {"n": count}
        self.say(request, text, messages.WARNING)
        return None

    def _note(self, request: HttpRequest, by_mapping: dict[int, int], text: object) -> None:
        """In the history of the mappings, because queue rows do not last."""
        for mapping in Mapping.objects.filter(pk__in=by_mapping):
            facts = {"count": by_mapping[mapping.pk], "queue": self.opts.verbose_name_plural}
            self.log_change(request, mapping, text % facts)

    # --- Cells ----------------------------------------------------------------------------------------------

    @admin.display(description=_("record"))
    def record(self, obj: QueueItem) -> str:
        return getattr(obj, self.key)

    @admin.display(description=_("state"), ordering="state")
    def shown_state(self, obj: QueueItem):
        return cells.state(obj.state, obj.get_state_display())

    @admin.display(description=_("why it waits"))
    def why(self, obj: QueueItem) -> str:
        return _reason(obj, obj.last_message)

    @admin.display(description=_("why it waits"))
    def why_without_values(self, obj: QueueItem) -> str:
        return _reason(obj, payload.without_values(obj.last_message, obj.last_code))

    @admin.display(description=_("why it waits"), ordering="last_code")
    def short_why(self, obj: QueueItem):
        return cells.folded(self.why(obj))

    @admin.display(description=_("why it waits"), ordering="last_code")
    def short_why_without_values(self, obj: QueueItem):
        return cells.folded(self.why_without_values(obj))

    @admin.display(description=_("due"), ordering="due_at")
    def due(self, obj: QueueItem):
        return cells.when(obj.due_at)

    @admin.display(description=_("captured"), ordering="captured_at")
    def captured(self, obj: QueueItem):
        return cells.when(obj.captured_at)

    @admin.display(description=_("held by a worker until"))
    def leased(self, obj: QueueItem):
        return cells.when(obj.leased_until)


def _count_by_mapping(rows: models.QuerySet) -> dict[int, int]:
    counted = rows.order_by().values("mapping_id").annotate(n=models.Count("pk"))
    return dict(counted.values_list("mapping_id", "n"))


def _reason(obj: QueueItem, message: str) -> str:
    """Why a row waits: what happened to it, else what everything of its mapping waits for."""
    if message:
        return message
    waits = _waits_of(obj.mapping, terms.Direction.PUSH if isinstance(obj, OutboxEntry) else terms.Direction.PULL)
    if waits:
        return waits
    if obj.leased_until and obj.leased_until > timezone.now():
        return gettext("A worker is at it.")
    return gettext("It is next.") if obj.due_at <= timezone.now() else cells.EMPTY


def _waits_of(mapping: Mapping, direction: terms.Direction) -> str:
    """What keeps all rows of a mapping's queue waiting; "" where nothing does."""
    portal = mapping.portal
    if mapping.state != terms.MappingState.LIVE:
        return gettext("The mapping is not live: it is %(state)s.") % {"state": mapping.get_state_display()}
    if portal.state != choices.PortalState.CONNECTED:
        return gettext("The portal is not ready: %(state)s.") % {"state": portal.get_state_display()}
    if direction in (mapping.held, portal.held):
        return gettext("This direction is held: release it on the page of the mapping or its portal.")
    if direction is terms.Direction.PUSH and conf.current().READ_ONLY:
        return gettext("CRMSYNC['READ_ONLY'] is set: nothing is sent to HubSpot.")
    if portal.waits_until and portal.waits_until > timezone.now():
        return gettext("No call is made to the portal for now (%(code)s).") % {"code": portal.waits_code}
    return ""
