"""Links: the pairs of records that are kept in sync, each with a way to both sides; read-only with actions."""

from django.contrib import admin, messages
from django.db import models, transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from crmsync import jobs
from crmsync.admin import cells, confirm, ends, page
from crmsync.engine import terms
from crmsync.ledger import inbox, journal, outbox, queue
from crmsync.models import InboxEvent, Link, LogEntry, Mapping, OutboxEntry

_SYNCING = _("Both sides of these records are read again now, and what differs is written.")
_UNLINKING = _(
    "Both records are kept and no longer follow each other. This cannot be undone: what both sides last agreed on is"
    " forgotten. A later change of either record may link it again by the mapping's match keys."
)


@admin.register(Link)
class LinkAdmin(page.ReadOnlyPage):
    list_display = ["django_record", "hubspot_record", "mapping", "shown_state", "outcome_and_reason", "synced"]
    list_display_links = ["shown_state"]
    list_filter = ["mapping", "state", "outcome", "portal"]
    search_fields = ["local_pk__exact", "remote_id__exact"]
    fields = [
        "mapping",
        ("django_record", "hubspot_record"),
        ("shown_state", "shown_outcome", "reason"),
        ("synced_at", "remote_modified_at", "created_at"),
        "base_names",
        "log",
    ]
    actions = ["sync_now", "unlink"]
    tools = ("sync_now", "unlink")
    empty_hint = _(
        "A link joins a Django record and its partner in HubSpot. There is none yet."
        " Next: set a mapping live and start a backfill on its page."
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        return super().get_queryset(request).select_related("mapping", "portal")

    # --- Actions --------------------------------------------------------------------------------------------

    @admin.action(description=_("Sync now"), permissions=["operate"])
    def sync_now(self, request: HttpRequest, queryset: models.QuerySet):
        """Makes the records due in the queue their mapping works from; each is planned like any change."""
        if asked := confirm.confirm(
            self, request, queryset, "sync_now", title=_("Sync now"), text=_SYNCING, if_many=True
        ):
            return asked
        total = 0
        for mapping in Mapping.objects.filter(pk__in=queryset.order_by().values("mapping")):
            count = _make_due(mapping, queryset.filter(mapping=mapping).order_by())
            self.log_change(request, mapping, _("Sync now: %(count)d records.") % {"count": count})
            total += count
        jobs.ring()
        self.say(request, ngettext("%(n)d record is due now.", "%(n)d records are due now.", total) % {"n": total})
        return None

    @admin.action(description=_("Unlink (keeps both records)"), permissions=["link"])
    def unlink(self, request: HttpRequest, queryset: models.QuerySet):
        """Forgets pairs. A link that a worker holds is left alone, because the worker would write it again."""
        title = _("Unlink (keeps both records)")
        if asked := confirm.confirm(self, request, queryset, "unlink", title=title, text=_UNLINKING, is_final=True):
            return asked
        with transaction.atomic():
            free = queryset.filter(queue.free(timezone.now()), in_canary=False).order_by()
            chosen = list(free.select_related(None).select_for_update())
            self.log_deletions(request, chosen)
            journal.log([_unlinked(link, request) for link in chosen])
            Link.objects.filter(pk__in=[link.pk for link in chosen]).delete()
        count = len(chosen)
        text = ngettext("%(n)d pair was unlinked; both records are kept.", "%(n)d pairs were unlinked.", count)
        self.say(request, text % {"n": count})
        if queryset.exists():
            text = _(
                "Some are being synced right now, or in an open canary: try again in a moment, or when it has ended."
            )
            self.say(request, text, messages.WARNING)
        return None

    # --- Cells ----------------------------------------------------------------------------------------------

    @admin.display(description=_("Django record"), ordering="local_pk")
    def django_record(self, obj: Link):
        """A link to the record's own page where this site has one."""
        return ends.django_record(obj.mapping.model_label, obj.local_pk, self.admin_site.name)

    @admin.display(description=_("HubSpot record"), ordering="remote_id")
    def hubspot_record(self, obj: Link):
        return cells.hubspot_record(obj.portal, obj.object_type, obj.remote_id)

    @admin.display(description=_("state"), ordering="state")
    def shown_state(self, obj: Link):
        return cells.state(obj.state, obj.get_state_display())

    @admin.display(description=_("last outcome"), ordering="outcome")
    def shown_outcome(self, obj: Link):
        return cells.outcome(obj.outcome, obj.get_outcome_display())

    @admin.display(description=_("last outcome"), ordering="outcome")
    def outcome_and_reason(self, obj: Link):
        return cells.lines(self.shown_outcome(obj), obj.reason)

    @admin.display(description=_("last sync"), ordering="synced_at")
    def synced(self, obj: Link):
        return cells.when(obj.synced_at)

    @admin.display(description=_("fields agreed on"))
    def base_names(self, obj: Link):
        """Names only: the values are in both records."""
        return cells.bullets([" ↔ ".join(name.split("|")) for name in sorted(obj.base) if name[0] != "|"])

    @admin.display(description=_("more"))
    def log(self, obj: Link):
        mine = {"mapping__id__exact": obj.mapping_id, "q": obj.local_pk}
        return cells.bullets(
            [
                cells.link(self.list_url(LogEntry, **mine), _("log of this record")),
                cells.link(self.list_url(OutboxEntry, **mine), _("in the outbox")),
                cells.link(self.list_url(InboxEvent, **(mine | {"q": obj.remote_id or ""})), _("in the inbox")),
            ]
        )


def _make_due(mapping: Mapping, rows: models.QuerySet) -> int:
    """Through the outbox where the mapping pushes (its entries look both ways), else through the inbox."""
    now = timezone.now()
    if terms.Direction(mapping.direction).pushes:
        return outbox.mark_many([mapping.pk], rows.values_list("local_pk", flat=True), now)
    ids = rows.filter(remote_id__isnull=False).values_list("remote_id", flat=True)
    return inbox.put([(mapping.pk, remote_id) for remote_id in ids], now)


def _unlinked(link: Link, request: HttpRequest) -> LogEntry:
    return LogEntry(
        mapping_id=link.mapping_id,
        local_pk=link.local_pk,
        remote_id=link.remote_id or "",
        outcome=terms.Outcome.UNLINKED,
        reason="by_hand",
        detail=str(_("Unlinked by %(user)s.") % {"user": request.user.get_username()}),
    )
