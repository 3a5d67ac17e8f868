"""Versions in the admin: the button that prepares one, the page that promotes it, and what leads where."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from crmsync import jobs
from crmsync.admin import attempt, canary, cells, commits, confirm, kept, tool
from crmsync.admin import page as pages
from crmsync.flows import lifecycle, versions
from crmsync.ledger import canaries
from crmsync.models import Mapping

# What a version's page needs of the other mapping and its canary, without a query for it.
RELATED = ("version_of", "version", "version__canary", "canary")


class Versions(admin.ModelAdmin):
    """For the page of a mapping. Whoever may change a mapping prepares and promotes; operators run the canary."""

    def get_urls(self):
        wrap = self.admin_site.admin_view
        return [
            path("<path:object_id>/version/", wrap(self.prepare_view), name="crmsync_mapping_version"),
            path("<path:object_id>/promote/", wrap(self.promote_view), name="crmsync_mapping_promote"),
            path("<path:object_id>/discard/", wrap(self.discard_view), name="crmsync_mapping_discard"),
            path("<path:object_id>/canary/", wrap(self.canary_view), name="crmsync_mapping_canary"),
            path("<path:object_id>/canary/drop/", wrap(self.drop_view), name="crmsync_mapping_drop"),
            *super().get_urls(),
        ]

    def prepare_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return _prepare(request, self, self.get_viewed(request, object_id))

    def promote_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """GET shows what promoting would change, POST does it; permission to change mappings, as going live."""
        mapping = self.get_viewed(request, object_id)
        if not may_change(request):
            raise PermissionDenied
        return _promote(request, self, mapping)

    def discard_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """GET asks, POST deletes the version, which has no links of its own; as preparing one."""
        mapping = self.get_viewed(request, object_id)
        if not may_change(request) or mapping.version_of_id is None:
            raise PermissionDenied
        return _discard(request, self, mapping)

    @commits.at_once
    def canary_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return canary.view(self, request, object_id)

    @commits.at_once
    def drop_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return canary.drop_view(self, request, object_id)

    def get_more_tools(self, request: HttpRequest, obj: Mapping) -> list[tool.Tool]:
        more = super().get_more_tools(request, obj)
        if obj.version_of_id or _version_of(obj) is not None or not may_change(request):
            return more
        if obj.locked_by or not canary.State(obj.state).is_started:
            return more
        return [*more, tool.Tool("version", _("Prepare a new version"), self.url_of("mapping_version", obj.pk))]

    def get_object_links(self, request: HttpRequest, obj: Mapping) -> list[tuple[str, object]]:
        links = super().get_object_links(request, obj)
        if not obj.version_of_id:
            return links
        own = [(self.url_of("mapping_canary", obj.pk), _("Canary"))] if self.has_operate_permission(request) else []
        if may_change(request):
            own.append((self.url_of("mapping_promote", obj.pk), _("Promote")))
            links.append((self.url_of("mapping_discard", obj.pk), _("Delete this version")))
        return [*own, *links]

    @admin.display(description=gettext_lazy("new version"))
    def version_note(self, obj: Mapping) -> SafeString | str:
        """What a version is, or that there is one, and how long its canary has been open."""
        if obj.version_of_id:
            live = cells.link(self.object_url(obj.version_of), obj.version_of)
            text = _("A new version of the mapping below. It never runs by itself: edit it, try it, promote it.")
            return cells.lines(text, live, self._canary_note(obj), kept.sentence(obj) if obj.locked_by else "")
        made = _version_of(obj)
        if made is None:
            return cells.EMPTY
        return cells.lines(cells.link(self.object_url(made), made), self._canary_note(made))

    def _canary_note(self, version: Mapping) -> SafeString | str:
        one = getattr(version, "canary", None) if hasattr(version, "canary") else None
        if one is None:
            return ""
        link = cells.link(self.url_of("mapping_canary", version.pk), _("A canary is open"))
        text = _("its records are left alone until it is promoted or dropped. Opened:")
        return cells.warning(format_html("{}; {} {}", link, text, cells.when(one.opened_at)))


def may_change(request: HttpRequest) -> bool:
    """Whether a person may edit mappings at all: a version whose canary is open is shown only, but promoted."""
    return request.user.has_perm("crmsync.change_mapping")


def _version_of(obj: Mapping) -> Mapping | None:
    return obj.version if hasattr(obj, "version") else None


@require_POST
def _prepare(request: HttpRequest, page: pages.Page, mapping: Mapping) -> HttpResponse:
    if not may_change(request):
        raise PermissionDenied
    made, refusal = attempt.attempt(lambda: versions.prepare(mapping, request.user.pk))
    if made is None:
        page.say(request, refusal, messages.ERROR)
        return HttpResponseRedirect(page.object_url(mapping))
    page.log_addition(request, made, [{"added": {}}])
    text = _("“%(version)s” is a copy of “%(mapping)s”, which goes on as it is. Edit the copy, then try it.")
    page.say(request, text % {"version": made, "mapping": mapping})
    return HttpResponseRedirect(page.object_url(made))


@require_http_methods(["GET", "HEAD", "POST"])
def _discard(request: HttpRequest, page: pages.Page, version: Mapping) -> HttpResponse:
    if request.method == "POST":
        label, live = str(version), version.version_of
        _none, refusal = attempt.attempt(lambda: versions.discard(version))
        if refusal:
            page.say(request, refusal, messages.ERROR)
            return HttpResponseRedirect(page.object_url(version))
        page.log_change(request, live, _("Deleted “%(version)s”.") % {"version": label})
        page.say(
            request, _("“%(version)s” was deleted; “%(mapping)s” goes on.") % {"version": label, "mapping": live}
        )
        return HttpResponseRedirect(page.object_url(live))
    text = _("The version and its history are deleted. The mapping that it is a version of goes on as it is.")
    context = page.make_context(
        request,
        title=_("Delete this version"),
        question=confirm.Question(_("Delete this version"), text, is_final=True),
        count=1,
        objects=[version],
        back_url=page.object_url(version),
    )
    return TemplateResponse(request, "admin/crmsync/confirm.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def _promote(request: HttpRequest, page: pages.Page, version: Mapping) -> HttpResponse:
    may = page.has_approve_permission(request)
    if request.method == "POST":
        live = version.version_of
        plan, refusal = attempt.attempt(
            lambda: versions.promote(version, request.user.pk, may_approve=may, seen=request.POST.get("seen", "-"))
        )
        if plan is not None:
            return _lead_to(request, page, live, version)
        page.say(request, refusal, messages.ERROR)
        return HttpResponseRedirect(page.url_of("mapping_promote", version.pk))
    found, refusal = attempt.attempt(lambda: versions.foresee(version))
    barrier = attempt.attempt(lambda: lifecycle.check_ready(version, may_approve=may))[1] if found else ""
    one = canaries.find_open(version)
    context = page.make_context(
        request,
        title=_("Promote “%(version)s”") % {"version": version},
        original=version,
        mapping_url=page.object_url(version),
        live=version.version_of,
        found=found,
        changes=[str(each) for each in found.changes] if found else [],
        overtaken=[str(each) for each in found.overtaken] if found else [],
        tried=one.records.filter(state=canaries.State.TRIED).count() if one else 0,
        refusal=refusal or barrier,
        canary_url=page.url_of("mapping_canary", version.pk) if page.has_operate_permission(request) else "",
    )
    return TemplateResponse(request, "admin/crmsync/promote.html", context)


def _lead_to(request: HttpRequest, page: pages.Page, live: Mapping, version: Mapping) -> HttpResponse:
    live = Mapping.objects.get(pk=live.pk)
    page.log_change(request, live, _("Promoted “%(version)s”.") % {"version": version})
    text = _("“%(mapping)s” is at revision %(revision)d now, as “%(version)s” was.")
    page.say(request, text % {"mapping": live, "revision": live.revision, "version": version})
    jobs.ring()
    return HttpResponseRedirect(page.object_url(live))
