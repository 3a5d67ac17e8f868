"""Duplicate: asks for another portal, shows what a copy there would be and what it would lack, and makes it."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from crmsync.admin import attempt
from crmsync.admin import page as pages
from crmsync.flows import duplicate
from crmsync.models import Mapping, Portal


def is_allowed(page: pages.Page, request: HttpRequest) -> bool:
    """As for adding a mapping."""
    return page.has_add_permission(request)


def view(page: pages.Page, request: HttpRequest, object_id: str) -> HttpResponse:
    """GET ``portal`` and ``suffix`` shows the copy, POST makes it; permission to view and to add mappings."""
    if not is_allowed(page, request):
        raise PermissionDenied
    return _respond(request, page, page.get_viewed(request, object_id))


@require_http_methods(["GET", "HEAD", "POST"])
def _respond(request: HttpRequest, page: pages.Page, mapping: Mapping) -> HttpResponse:
    others = Portal.objects.exclude(pk=mapping.portal_id)
    given = request.POST if request.method == "POST" else request.GET
    portal = _find(others, given)
    suffix = given.get("suffix", "") or (f" ({portal.label})" if portal else "")
    copy, refusal = None, ""
    if portal is not None and request.method == "POST":
        made, refusal = attempt.attempt(lambda: duplicate.duplicate(mapping, portal, suffix, request.user.pk))
        if made is not None:
            return _lead_to(request, page, mapping, *made)
    elif portal is not None:
        copy, refusal = attempt.attempt(lambda: duplicate.make_copy(mapping, portal, suffix))
    context = page.make_context(
        request,
        title=_("Duplicate “%(mapping)s” to another portal") % {"mapping": mapping},
        original=mapping,
        mapping_url=page.object_url(mapping),
        portals=others,
        portal=portal,
        suffix=suffix,
        copy=copy,
        changes=[str(one) for one in copy.plan.changes] if copy else [],
        refusal=refusal,
    )
    return TemplateResponse(request, "admin/crmsync/duplicate.html", context)


def _find(others, given: QueryDict) -> Portal | None:
    key = given.get("portal", "")
    return others.filter(pk=key).first() if key.isdecimal() and len(key) < 19 else None


def _lead_to(request: HttpRequest, page: pages.Page, mapping: Mapping, copy: Mapping, made) -> HttpResponse:
    """The copy's page, with what it lacks."""
    page.log_addition(request, copy, [{"added": {}}])
    page.say(request, _("“%(copy)s” was made as a draft of %(portal)s.") % {"copy": copy, "portal": copy.portal})
    for problem in made.left_out:
        page.say(request, _("Left out: %(problem)s") % {"problem": problem}, messages.WARNING)
    return HttpResponseRedirect(page.object_url(copy))
