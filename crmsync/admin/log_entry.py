"""The log: what became of each record, and why; read-only, values only for those who may see them."""

from django.contrib import admin
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.translation import gettext_lazy as _

from crmsync.admin import candidates, cells, ends, page, payload
from crmsync.engine import terms
from crmsync.models import LogEntry

_RULES = {member.value: _(member.label) for member in terms.Cause}
_SIDES = {member.value: _(member.label) for member in terms.SideName}


@admin.register(LogEntry)
class LogEntryAdmin(page.ReadOnlyPage):
    list_filter = ["outcome", "mapping", "at"]
    search_fields = ["local_pk__exact", "remote_id__exact"]
    empty_hint = _(
        "The log says what became of every record that was considered. It is empty: nothing was synced yet."
        " Next: set a mapping live."
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        return super().get_queryset(request).select_related("mapping__portal", "run")

    def get_list_display(self, request: HttpRequest) -> list[str]:
        return [
            "happened",
            "mapping",
            "shown_outcome",
            "local_pk",
            "hubspot",
            "reason",
            f"short_{self._detail(request)}",
            "matched",
            "run",
        ]

    def get_fields(self, request: HttpRequest, obj: LogEntry | None = None) -> list[object]:
        changes = "change_table" if payload.is_allowed(request) else "change_names"
        return [
            "at",
            ("mapping", "revision", "run"),
            ("local_pk", "hubspot"),
            "shown_outcome",
            "reason",
            self._detail(request),
            *(["matched", "resolving"] if obj and obj.candidates else []),
            changes,
        ]

    def get_urls(self):
        view = self.admin_site.admin_view(self.candidates_view)
        return [path("candidates/", view, name="crmsync_logentry_candidates"), *super().get_urls()]

    def candidates_view(self, request: HttpRequest) -> HttpResponse:
        return candidates.view(self, request)

    def changelist_view(self, request: HttpRequest, extra_context=None) -> HttpResponse:
        links = [(self.url_of("logentry_candidates"), _("Match candidates"))]
        return super().changelist_view(request, {"crmsync_list_links": links, **(extra_context or {})})

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> LogEntry | None:
        row = super().get_object(request, object_id, from_field)
        if row is not None and payload.is_allowed(request):
            payload.trace(request, row)
        return row

    @staticmethod
    def _detail(request: HttpRequest) -> str:
        return "detail" if payload.is_allowed(request) else "detail_without_values"

    @admin.display(description=_("at"), ordering="id")
    def happened(self, obj: LogEntry):
        return cells.when(obj.at)

    @admin.display(description=_("outcome"), ordering="outcome")
    def shown_outcome(self, obj: LogEntry):
        return cells.outcome(obj.outcome, obj.get_outcome_display())

    @admin.display(description=_("HubSpot id"))
    def hubspot(self, obj: LogEntry):
        return cells.hubspot_record(obj.mapping.portal, obj.mapping.object_type, obj.remote_id)

    @admin.display(description=_("detail"))
    def short_detail(self, obj: LogEntry):
        return cells.folded(obj.detail)

    @admin.display(description=_("detail"))
    def detail_without_values(self, obj: LogEntry) -> str:
        return payload.without_values(obj.detail, obj.reason) or cells.EMPTY

    @admin.display(description=_("detail"))
    def short_detail_without_values(self, obj: LogEntry):
        return cells.folded(self.detail_without_values(obj))

    @admin.display(description=_("candidates"))
    def matched(self, obj: LogEntry):
        """The records that matched, where none was chosen."""
        site = self.admin_site.name
        return cells.bullets([ends.named(obj.mapping, side, key, site) for side, key in obj.candidates])

    @admin.display(description=_("what to do"))
    def resolving(self, obj: LogEntry):
        """A record that is linked already is the other link's matter; of several, a person chooses one."""
        if obj.reason == terms.Reason.TOO_MANY_CANDIDATES:
            url = f"{self.url_of('logentry_candidates')}?mapping={obj.mapping_id}"
            return cells.link(url, _("Choose one on the page “Match candidates”, or make the values differ."))
        return _("Unlink the candidate from its present partner, or make the values differ; then save the record.")

    @admin.display(description=_("changes"))
    def change_table(self, obj: LogEntry):
        head = [_("written to"), _("field"), _("before"), _("after"), _("rule")]
        return cells.table(head, [_row(one) for one in obj.changes])

    @admin.display(description=_("changed fields"))
    def change_names(self, obj: LogEntry):
        names = [f"{_SIDES.get(one.get('side'), '')}: {one.get('field', '')}" for one in obj.changes]
        return cells.bullets([*names, payload.HIDDEN]) if names else cells.EMPTY


def _row(one: dict) -> list[object]:
    return [
        _SIDES.get(one.get("side"), one.get("side")),
        one.get("field"),
        *(cells.EMPTY if one.get(key) in (None, "") else one[key] for key in ("old", "new")),
        _RULES.get(one.get("rule"), one.get("rule")),
    ]
