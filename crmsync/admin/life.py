"""The life of a mapping: its steps, its revisions, what lies between two of them, and how one is restored."""

from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from crmsync import jobs
from crmsync.admin import attempt, cells
from crmsync.admin import page as pages
from crmsync.flows import lifecycle, revisions
from crmsync.ledger import steps
from crmsync.models import Mapping, MappingStep


@dataclass(frozen=True, slots=True)
class Line:
    """One step; ``restore_url`` where its configuration may be restored by this person."""

    step: MappingStep
    state: SafeString
    when: SafeString | str
    note: SafeString | str
    show_url: str = ""
    restore_url: str = ""


def view(page: pages.Page, request: HttpRequest, object_id: str) -> TemplateResponse:
    """GET ``show``: a revision's configuration; ``old`` and ``new``: what lies between two of them."""
    return _show(request, page, page.get_viewed(request, object_id))


def restore_view(page: pages.Page, request: HttpRequest, object_id: str, number: int) -> HttpResponse:
    """GET shows what restoring a revision would change, POST changes it; permission to change the mapping."""
    mapping = page.get_viewed(request, object_id)
    if not page.has_change_permission(request, mapping):
        raise PermissionDenied
    return _restore(request, page, mapping, number)


@require_safe
def _show(request: HttpRequest, page: pages.Page, mapping: Mapping) -> TemplateResponse:
    found = steps.history(mapping)
    kept = list(dict.fromkeys(one.revision for one in found if one.has_config))
    old, new, shown = (_number(request, name) for name in ("old", "new", "show"))
    changes, refusal = None, ""
    if old is not None and new is not None:
        changes, refusal = attempt.attempt(lambda: [str(one) for one in revisions.compare(mapping, old, new)])
    context = page.make_context(
        request,
        title=_("Life and revisions of “%(mapping)s”") % {"mapping": mapping},
        original=mapping,
        mapping_url=page.object_url(mapping),
        life=lifecycle.find_life(mapping),
        lines=_lines(page, request, mapping, found),
        kept=kept,
        old=old,
        new=new,
        changes=changes,
        refusal=refusal,
        shown=shown,
        text=steps.config_of(mapping, shown) if shown is not None else "",
    )
    return TemplateResponse(request, "admin/crmsync/life.html", context)


def _number(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 10 else None


def _lines(page: pages.Page, request: HttpRequest, mapping: Mapping, found: list[MappingStep]) -> list[Line]:
    """A revision is shown and restored at the newest step that kept it."""
    may, seen, lines = page.has_change_permission(request, mapping), set(), []
    url = page.url_of("mapping_life", mapping.pk)
    for one in found:
        is_first = one.has_config and one.revision not in seen
        seen |= {one.revision} if is_first else set()
        restores = may and is_first and one.revision != mapping.revision
        lines.append(
            Line(
                one,
                cells.state(one.state, one.get_state_display()),
                cells.when(one.at),
                cells.folded(one.note),
                f"{url}?show={one.revision}" if is_first else "",
                page.url_of("mapping_restore", mapping.pk, one.revision) if restores else "",
            )
        )
    return lines


@require_http_methods(["GET", "HEAD", "POST"])
def _restore(request: HttpRequest, page: pages.Page, mapping: Mapping, number: int) -> HttpResponse:
    if request.method == "POST":
        plan, refusal = attempt.attempt(lambda: revisions.restore(mapping, number, request.user.pk))
        if plan is not None:
            text = _("Revision %(number)d was restored.") % {"number": number}
            page.log_change(request, mapping, text)
            page.say(request, text)
            jobs.ring()
            return HttpResponseRedirect(page.object_url(mapping))
    else:
        plan, refusal = attempt.attempt(lambda: revisions.plan(mapping, number))
    context = page.make_context(
        request,
        title=_("Restore revision %(number)d of “%(mapping)s”") % {"number": number, "mapping": mapping},
        original=mapping,
        mapping_url=page.object_url(mapping),
        life_url=page.url_of("mapping_life", mapping.pk),
        changes=[str(one) for one in plan.changes] if plan else [],
        refusal=refusal,
    )
    return TemplateResponse(request, "admin/crmsync/restore.html", context)
