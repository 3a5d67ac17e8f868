"""The canary of a version: choose a few linked records, try the version on them, look at the results, drop it."""

from dataclasses import dataclass, replace

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from crmsync import jobs
from crmsync.admin import attempt, cells, ends, payload
from crmsync.admin import page as pages
from crmsync.engine import terms
from crmsync.flows import canary
from crmsync.ledger import canaries
from crmsync.models import Canary, CanaryRecord, Link, Mapping

State = terms.MappingState
# Sentences about single records that one message each may say.
_SAID = 10


@dataclass(frozen=True, slots=True)
class Line:
    """One value of one record; the first line of a record has ``span`` lines and says what became of it."""

    local: object = ""
    remote: object = ""
    outcome: object = ""
    said: tuple[str, ...] = ()
    span: int = 0
    side: object = ""
    field: str = ""
    before: object = ""
    after: object = ""


def view(page: pages.Page, request: HttpRequest, object_id: str) -> HttpResponse:
    """GET ``keys`` or ``count`` shows the chosen records, POST ``link`` tries them, POST ``go_on`` those that are
    left; while a canary is open its results are shown. Permission to view the mapping and to operate."""
    if not page.has_operate_permission(request):
        raise PermissionDenied
    return _respond(request, page, page.get_viewed(request, object_id))


def drop_view(page: pages.Page, request: HttpRequest, object_id: str) -> HttpResponse:
    """GET asks, POST drops the canary (``leaves``: although some records cannot be put back); as ``view``."""
    if not page.has_operate_permission(request):
        raise PermissionDenied
    return _ask_or_drop(request, page, page.get_viewed(request, object_id))


@require_http_methods(["GET", "HEAD", "POST"])
def _respond(request: HttpRequest, page: pages.Page, version: Mapping) -> HttpResponse:
    one = canaries.find_open(version)
    if request.method == "POST":
        step = (lambda: canary.go_on(one)) if one is not None else (lambda: _start(request, version))
        _done, refusal = attempt.attempt(step)
        if refusal:
            page.say(request, refusal, messages.ERROR)
        else:
            page.log_change(request, version, _("Tried on records."))
        return HttpResponseRedirect(page.url_of("mapping_canary", version.pk))
    return _results(request, page, one) if one is not None else _choose(request, page, version)


def _start(request: HttpRequest, version: Mapping) -> Canary:
    keys = [key for key in request.POST.getlist("link") if key.isdecimal() and len(key) < 19]
    return canary.start(version, list(canaries.free(version.version_of).filter(pk__in=keys)), request.user.pk)


def _choose(request: HttpRequest, page: pages.Page, version: Mapping) -> HttpResponse:
    refusal = canary.refuse(version)
    keys, count = request.GET.get("keys", ""), request.GET.get("count", "")
    chosen = None
    if not refusal and keys.strip():
        chosen = canary.choose(version, keys.replace(",", " ").split())
    elif not refusal and count.isdecimal() and len(count) < 4:
        chosen = canary.draw(version, int(count))
    links = chosen.links if chosen else ()
    context = page.make_context(
        request,
        title=_("Canary of “%(version)s”") % {"version": version},
        original=version,
        mapping_url=page.object_url(version),
        live=version.version_of,
        refusal=refusal,
        keys=keys,
        most=canary.MOST,
        chosen=chosen,
        rows=[(link.pk, *_ends(page, version.version_of, link)) for link in links],
        edges=_edges(version),
    )
    return TemplateResponse(request, "admin/crmsync/canary_choose.html", context)


def _edges(version: Mapping) -> bool:
    """Whether there are associations, which a canary leaves alone."""
    return version.associations.filter(is_active=True).exists()


def _ends(page: pages.Page, live: Mapping, link: Link) -> tuple[object, object]:
    return (
        ends.django_record(live.model_label, link.local_pk, page.admin_site.name),
        cells.hubspot_record(live.portal, link.object_type, link.remote_id),
    )


def _results(request: HttpRequest, page: pages.Page, one: Canary) -> HttpResponse:
    rows, shows = list(one.records.select_related("link")), payload.is_allowed(request)
    rows.sort(key=lambda row: not (row.writes or row.said))  # what there is to look at first
    if shows:
        payload.trace(request, one)
    waiting = sum(row.state == canaries.State.WAITING for row in rows)
    context = page.make_context(
        request,
        title=_("Canary of “%(version)s”") % {"version": one.version},
        original=one.version,
        mapping_url=page.object_url(one.version),
        canary=one,
        live=one.mapping,
        opened=cells.when(one.opened_at),
        lines=[line for row in rows for line in _lines(page, one, row, shows=shows)],
        counts=_counts(rows),
        waiting=0 if one.is_dropping else waiting,
        hidden="" if shows else payload.HIDDEN,
        drop_url=page.url_of("mapping_drop", one.version_id),
        promote_url=page.url_of("mapping_promote", one.version_id),
        may_promote=request.user.has_perm("crmsync.change_mapping"),
    )
    return TemplateResponse(request, "admin/crmsync/canary.html", context)


def _counts(rows: list[CanaryRecord]) -> list[str]:
    found = [row.outcome for row in rows]
    said = [f"{found.count(term)} {_(term.label)}" for term in terms.Outcome if term in found]
    untried = sum(row.state == canaries.State.WAITING and not row.outcome for row in rows)
    return [*said, *([_("%(count)d not tried yet") % {"count": untried}] if untried else [])]


def _lines(page: pages.Page, one: Canary, row: CanaryRecord, *, shows: bool) -> list[Line]:
    written = [each for each in canaries.written_of(row) if each.is_answered or row.state != canaries.State.WAITING]
    local, remote = _ends(page, one.mapping, row.link)
    said = tuple(text if shows else payload.without_values(text, row.reason) for text in row.said)
    state = cells.badge(row.get_state_display()) if row.state == canaries.State.DROPPED else ""
    outcome = cells.lines(cells.outcome(row.outcome, row.get_outcome_display()), state)
    first = Line(local, remote, outcome, said, span=max(1, len(written)))
    if not written:
        return [first]
    found = []
    for place, each in enumerate(written):
        head = first if place == 0 else Line()
        here, _bar, there = each.field.partition("|")
        name = here if each.side is terms.SideName.LOCAL else there
        after = each.after if each.is_answered else each.wanted
        values = [_shown(text, shows=shows) for text in (each.before, after)]
        found.append(replace(head, side=each.side.label, field=name, before=values[0], after=values[1]))
    return found


def _shown(text: str | None, *, shows: bool) -> object:
    return cells.EMPTY if text is None else text if shows else payload.MASK


@require_http_methods(["GET", "HEAD", "POST"])
def _ask_or_drop(request: HttpRequest, page: pages.Page, version: Mapping) -> HttpResponse:
    one = canaries.find_open(version)
    if one is None:
        page.say(request, _("No canary of this version is open."), messages.WARNING)
        return HttpResponseRedirect(page.object_url(version))
    if request.method == "POST":
        return _drop(request, page, one)
    rows = list(one.records.select_related("link").exclude(state=canaries.State.DROPPED))
    context = page.make_context(
        request,
        title=_("Drop the canary of “%(version)s”") % {"version": version},
        original=version,
        mapping_url=page.object_url(version),
        live=one.mapping,
        back_url=page.url_of("mapping_canary", version.pk),
        rows=[(*_ends(page, one.mapping, row.link), len(row.writes)) for row in rows],
        is_stuck=one.is_dropping,
    )
    return TemplateResponse(request, "admin/crmsync/canary_drop.html", context)


def _drop(request: HttpRequest, page: pages.Page, one: Canary) -> HttpResponse:
    leaves = "leaves" in request.POST
    done, refusal = attempt.attempt(lambda: canary.drop(one, leaves=leaves))
    if done is None:
        page.say(request, refusal, messages.ERROR)
        return HttpResponseRedirect(page.url_of("mapping_drop", one.version_id))
    page.log_change(request, one.version, _("Canary dropped."))
    text = ngettext("%(n)d record was put back.", "%(n)d records were put back.", done.done)
    page.say(request, text % {"n": done.done})
    shows = payload.is_allowed(request)
    for record, why in (*done.open, *done.left)[:_SAID]:
        page.say(request, f"{record}: {why if shows else payload.without_values(why)}", messages.WARNING)
    jobs.ring()
    if done.open and not leaves:
        return HttpResponseRedirect(page.url_of("mapping_drop", one.version_id))
    page.say(request, _("The version is kept: edit it and try it again, or delete it."), messages.INFO)
    return HttpResponseRedirect(page.object_url(one.version))
