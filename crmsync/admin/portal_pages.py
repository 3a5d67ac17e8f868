"""The further pages of a portal: its usage report, webhook subscriptions, and the checklist with its ticks."""

import json
from collections.abc import Callable

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _

from crmsync.admin import address, attempt, checklist_table, usage
from crmsync.engine import quota
from crmsync.flows import checklist, report
from crmsync.models import Portal

_READS = ("GET", "HEAD")
View = Callable[[HttpRequest, Portal], HttpResponse]


class PortalPages(admin.ModelAdmin):
    def get_urls(self):
        pages: dict[str, tuple[View, tuple[str, ...]]] = {
            "usage": (self.usage_view, _READS),
            "subscriptions": (self.subscriptions_view, _READS),
            "hsmeta": (self.hsmeta_view, _READS),
            "checklist": (self.checklist_view, (*_READS, "POST")),
        }
        own = [
            path(
                f"<path:object_id>/{name}/",
                self.admin_site.admin_view(self._guarded(view, methods)),
                name=f"crmsync_portal_{name}",
            )
            for name, (view, methods) in pages.items()
        ]
        return [*own, *super().get_urls()]

    def _guarded(self, view: View, methods: tuple[str, ...]) -> Callable[..., HttpResponse]:
        """A view of one portal, for those who may look at it."""

        def guarded(request: HttpRequest, object_id: str) -> HttpResponse:
            if not self.has_view_or_change_permission(request):
                raise PermissionDenied
            if request.method not in methods:
                return HttpResponseNotAllowed(methods)
            portal = self.get_object(request, unquote(object_id))
            if portal is None:
                raise Http404
            return view(request, portal)

        return guarded

    def _show(self, request: HttpRequest, portal: Portal, name: str, title: str, **facts: object) -> HttpResponse:
        context = self.make_context(
            request, title=title, original=portal, object_url=self.object_url(portal), **facts
        )
        return TemplateResponse(request, f"admin/crmsync/portal/{name}.html", context)

    def usage_view(self, request: HttpRequest, portal: Portal) -> HttpResponse:
        """The report to print; looking at it calls nobody (the command asks HubSpot for its own count, too)."""
        found, refusal = attempt.attempt(lambda: report.make(portal, asks=False))
        today = quota.day_of(timezone.now(), portal.time_zone)
        facts = {"report": found, "refusal": refusal}
        if found is not None:
            facts |= {"chart": usage.chart(list(found.days), today, numbers=False), "text": report.as_text(found)}
            facts |= {"days": usage.table(list(found.days)), "families": usage.families(found.families)}
        return self._show(request, portal, "usage", _("Usage report"), **facts)

    def subscriptions_view(self, request: HttpRequest, portal: Portal) -> HttpResponse:
        """What to subscribe to in HubSpot, line by line."""
        lines, refusal = _subscriptions(lambda: checklist.subscriptions(portal))
        url = address.find("webhook", portal.viewer.address)
        facts = {"lines": lines, "refusal": refusal, "webhook_url": url}
        return self._show(request, portal, "subscriptions", _("Webhook subscriptions"), **facts)

    def hsmeta_view(self, request: HttpRequest, portal: Portal) -> HttpResponse:
        """The file of a project app, to be saved in its folder ``webhooks``."""
        url = address.find("webhook", portal.viewer.address)
        found, refusal = _subscriptions(lambda: checklist.hsmeta(portal, url))
        if found is None or not url:  # a file without an address is none
            self.say(request, refusal or address.NO_URLS, messages.ERROR)
            return HttpResponseRedirect(self.object_url(portal))
        return HttpResponse(
            json.dumps(found, indent=2) + "\n",
            content_type="application/json",
            headers={"Content-Disposition": 'attachment; filename="webhooks-hsmeta.json"'},
        )

    def checklist_view(self, request: HttpRequest, portal: Portal) -> HttpResponse:
        """All steps, done or not; POST ticks one that only a person can see, or takes the tick back."""
        if request.method == "POST":
            self._tick(request, portal)
            return HttpResponseRedirect(request.path)
        may_tick = self.has_connect_permission(request)
        sections = checklist_table.sections_of(portal, may_tick=may_tick)
        return self._show(request, portal, "checklist", _("Checklist"), sections=sections, may_tick=may_tick)

    def _tick(self, request: HttpRequest, portal: Portal) -> None:
        if not self.has_connect_permission(request):
            raise PermissionDenied
        key, is_done = request.POST.get("key", ""), request.POST.get("is_done") == "yes"
        try:
            if is_done:
                checklist.tick(portal, key, request.user)
            else:
                checklist.untick(portal, key)
        except ValueError:
            self.say(request, _("This step is no more as it was shown: look at the list again."), messages.WARNING)
            return
        text = _("Confirmed the step %(key)s.") if is_done else _("Took back the step %(key)s.")
        self.log_change(request, portal, text % {"key": key})


def _subscriptions(step: Callable[[], object]) -> tuple[object, str]:
    """What HubSpot's own bounds do not allow is a sentence."""
    try:
        return step(), ""
    except ValueError as error:
        return None, str(error)
