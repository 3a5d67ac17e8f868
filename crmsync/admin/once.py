"""Create one in HubSpot: search a Django record, see what it would become there, and have it made once."""

from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from crmsync import jobs
from crmsync.admin import attempt, cells, ends, payload, plan_lines
from crmsync.admin import page as pages
from crmsync.flows import once, trial
from crmsync.models import Link, Mapping


@dataclass(frozen=True, slots=True)
class Shown:
    """One record that was found: what would be written, or where it is already; ``pk`` is what its button sends."""

    title: str
    record: SafeString | str
    pk: str
    lines: list[plan_lines.Line]
    partner: SafeString | str = ""
    refusal: str = ""


def view(page: pages.Page, request: HttpRequest, object_id: str) -> HttpResponse:
    """GET ``q`` plans the Django records it means; POST ``local_pk`` makes that one in HubSpot.

    Permission to view the mapping and to operate.
    """
    if not page.has_operate_permission(request):
        raise PermissionDenied
    return _respond(request, page, page.get_viewed(request, object_id))


@require_http_methods(["GET", "HEAD", "POST"])
def _respond(request: HttpRequest, page: pages.Page, mapping: Mapping) -> HttpResponse:
    cannot = once.find_refusal(mapping)
    if request.method == "POST":
        if cannot:
            page.say(request, cannot, messages.ERROR)
        else:
            _create(request, page, mapping)
        return HttpResponseRedirect(page.url_of("mapping_once", mapping.pk))
    query, shows = request.GET.get("q", "").strip(), payload.is_allowed(request)
    found, refusal = attempt.attempt(lambda: trial.find_asked(mapping, query)) if query and not cannot else ([], "")
    context = page.make_context(
        request,
        title=_("Create one record of “%(mapping)s” in HubSpot") % {"mapping": mapping},
        original=mapping,
        mapping_url=page.object_url(mapping),
        cannot=cannot,
        query=query,
        refusal=refusal,
        found=[_show(page, mapping, one, shows=shows) for one in found or []],
        shows_values=shows,
        hidden=payload.HIDDEN,
    )
    return TemplateResponse(request, "admin/crmsync/once.html", context)


def _show(page: pages.Page, mapping: Mapping, one: trial.Tried, *, shows: bool) -> Shown:
    pk = one.item.local_pk
    record = ends.django_record(mapping.model_label, pk, page.admin_site.name)
    title = f"{mapping.model_label.rpartition('.')[2]} {pk}"
    if partner := _partner(mapping, pk):
        return Shown(title, record, pk, [], partner)
    if one.pair is None:
        message = one.stop.message if one.stop else ""
        return Shown(title, record, pk, [], refusal=message if shows else payload.without_values(message))
    return Shown(title, record, pk, plan_lines.lines_of(one.mapping, one.pair, shows=shows))


def _partner(mapping: Mapping, pk: str) -> SafeString | str:
    """The record's page in HubSpot, where it is linked."""
    link = Link.objects.filter(mapping=mapping, local_pk=pk, state="linked", remote_id__isnull=False).first()
    return cells.hubspot_record(mapping.portal, mapping.object_type, link.remote_id) if link else ""


def _create(request: HttpRequest, page: pages.Page, mapping: Mapping) -> None:
    """Made now; what has to wait, such as for a parent, is made as soon as it can be."""
    pk = request.POST.get("local_pk", "")[:255]
    if not pk:
        return page.say(request, _("Search a record first."), messages.WARNING)
    if partner := _partner(mapping, pk):
        return page.say(request, format_html(_("Nothing was made: it is in HubSpot already, as {}."), partner))
    result, refusal = attempt.attempt(lambda: once.make(mapping, pk))
    if result is None:
        return page.say(request, refusal, messages.ERROR)
    page.log_change(request, mapping, _("Asked for record %(pk)s in HubSpot, once.") % {"pk": pk})
    if partner := _partner(mapping, pk):
        return page.say(request, format_html(_("Done: {}. In HubSpot it is {}."), _(result.outcome.label), partner))
    return _say_why(request, page, result)


def _say_why(request: HttpRequest, page: pages.Page, result) -> None:
    """Why it is not there yet, or not at all."""
    stop = result.stop
    message = stop.message if stop else _("Nothing was made: %(why)s.") % {"why": _(result.outcome.label)}
    code = stop.code if stop else ""
    shown = message if payload.is_allowed(request) else payload.without_values(message, code)
    if once.is_waiting(result):
        jobs.ring()
        shown = _("It is made as soon as it can be. %(why)s") % {"why": shown}
    page.say(request, shown, messages.WARNING)
