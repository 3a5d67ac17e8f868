"""Try one record: search it, see both sides and what each would become, and sync just this one for real."""

from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from crmsync.admin import attempt, payload, plan_lines
from crmsync.admin import page as pages
from crmsync.flows import dossier, trial
from crmsync.models import Mapping


@dataclass(frozen=True, slots=True)
class Shown:
    """One record that was found: its lines, or why it would not be synced; ``fields`` are what its button sends."""

    title: str
    lines: list[plan_lines.Line]
    calls: tuple[str, ...]
    fields: tuple[tuple[str, str], ...]
    refusal: str = ""


def view(page: pages.Page, request: HttpRequest, object_id: str) -> HttpResponse:
    """GET ``q`` plans the records it means; POST ``local_pk`` or ``remote_id`` syncs that one.

    Permission to view the mapping and to operate.
    """
    if not page.has_operate_permission(request):
        raise PermissionDenied
    return _respond(request, page, page.get_viewed(request, object_id))


@require_http_methods(["GET", "HEAD", "POST"])
def _respond(request: HttpRequest, page: pages.Page, mapping: Mapping) -> HttpResponse:
    if request.method == "POST":
        return _sync(request, page, mapping)
    query, shows = request.GET.get("q", "").strip(), payload.is_allowed(request)
    found, refusal = attempt.attempt(lambda: trial.find(mapping, query)) if query else ([], "")
    context = page.make_context(
        request,
        title=_("Try one record of “%(mapping)s”") % {"mapping": mapping},
        original=mapping,
        mapping_url=page.object_url(mapping),
        query=query,
        refusal=refusal,
        found=[_show(one, shows=shows) for one in found or []],
        shows_values=shows,
        hidden=payload.HIDDEN,
    )
    return TemplateResponse(request, "admin/crmsync/trial.html", context)


def _show(one: trial.Tried, *, shows: bool) -> Shown:
    item = one.item
    title = f"Django {item.local_pk}" if item.local_pk else f"HubSpot {item.remote_id}"
    fields = (("local_pk", item.local_pk), ("remote_id", item.remote_id))
    if one.pair is None:
        message = one.stop.message if one.stop else ""
        return Shown(title, [], (), fields, message if shows else payload.without_values(message))
    return Shown(title, plan_lines.all_lines_of(one.mapping, one.pair, shows=shows), one.calls, fields)


def _sync(request: HttpRequest, page: pages.Page, mapping: Mapping) -> HttpResponse:
    """Leads to the log entry that tells what became of it, or back with the reason."""
    item = dossier.Item(
        local_pk=request.POST.get("local_pk", "")[:255], remote_id=request.POST.get("remote_id", "")[:64]
    )
    url = page.url_of("mapping_trial", mapping.pk)
    if not (item.local_pk or item.remote_id):
        page.say(request, _("Search a record first."), messages.WARNING)
        return HttpResponseRedirect(url)
    answer, refusal = attempt.attempt(lambda: trial.sync(mapping, item))
    if answer is None:
        page.say(request, refusal, messages.ERROR)
        return HttpResponseRedirect(url)
    result, entry = answer
    page.log_change(request, mapping, _("Synced one record for real."))
    if result.stop is None:
        page.say(request, _("Done: %(outcome)s.") % {"outcome": _(result.outcome.label)})
    else:
        message = result.stop.message
        shown = message if payload.is_allowed(request) else payload.without_values(message, result.stop.code)
        page.say(request, shown, messages.WARNING)
    may_see = entry is not None and request.user.has_perm("crmsync.view_logentry")
    return HttpResponseRedirect(page.object_url(entry) if may_see else url)
