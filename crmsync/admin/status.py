"""System status: what is wrong and what to do, then all facts, to be read, copied in one paste, or downloaded."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.forms import Media
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from crmsync import jobs
from crmsync.admin import cells, page
from crmsync.flows import diagnose
from crmsync.models import Heartbeat

_LEVELS = {diagnose.ERROR: ("bad", "✗"), diagnose.WARNING: ("warn", "!")}
_TITLES = {
    "portals": _("Portals"),
    "queues": _("Queues"),
    "elsewhere": _("Other databases"),
    "polls": _("Polls"),
    "last_errors": _("Last errors"),
    "processes": _("Processes"),
    "runner": _("Runner"),
    "encryption": _("Encryption"),
    "database": _("Database"),
    "checks": _("Checks"),
    "versions": _("Versions"),
    "settings": _("Settings"),
}


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the bundle as a table."""

    title: object
    body: SafeString | str


@admin.register(Heartbeat)
class StatusAdmin(page.ReadOnlyPage):
    list_display = ["name", "role", "seen_at"]
    fields = ["name", "role", "seen_at", "started_at"]

    @property
    def media(self) -> Media:
        return super().media + Media(js=["crmsync/copy.js"])

    def get_urls(self):
        view = self.admin_site.admin_view(require_safe(self.json_view))
        return [path("diagnostics.json", view, name="crmsync_heartbeat_json"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context=None) -> HttpResponse:
        """No list: a page that reads all there is to know. It calls nobody but Redis."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        found = diagnose.report(jobs.is_answering)
        context = self.make_context(
            request,
            title=_("System status"),
            problems=[_problem(one) for one in found["problems"]],
            sections=list(_sections(found)),
            text=diagnose.as_text(found),
            json_url=self.url_of("heartbeat_json"),
        )
        return TemplateResponse(request, "admin/crmsync/status.html", context)

    def json_view(self, request: HttpRequest) -> HttpResponse:
        """The same facts as a file."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return JsonResponse(
            diagnose.report(jobs.is_answering),
            json_dumps_params={"indent": 1},
            headers={"Content-Disposition": 'attachment; filename="crmsync-diagnostics.json"'},
        )


def _problem(one: dict[str, str]) -> dict[str, object]:
    return {**one, "mark": cells.badge(_WORDS[one["level"]], *_LEVELS[one["level"]])}


def _sections(found: dict[str, Any]) -> Iterator[Section]:
    for name, title in _TITLES.items():
        yield Section(title, _table(title, found.get(name)))


def _table(title: object, section: Any) -> SafeString | str:
    """Facts by name as two columns, a list of alike ones as a column each."""
    if section is None:
        return _("could not be read")
    if isinstance(section, dict):
        return cells.table([_("fact"), _("value")], [[key, _flat(value)] for key, value in section.items()], title)
    if not section:
        return _("none")
    head = list(dict.fromkeys(key for one in section for key in one))
    return cells.table(head, [[_flat(one.get(key)) for key in head] for one in section], title)


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_flat(one)}" for key, one in value.items()) or cells.EMPTY
    if isinstance(value, list | tuple):
        return ", ".join(_flat(one) for one in value) or cells.EMPTY
    return cells.EMPTY if value in (None, "") else str(value)


_WORDS = {diagnose.ERROR: _("error"), diagnose.WARNING: _("warning")}
