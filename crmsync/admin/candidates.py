"""Match candidates: records left without a partner because several match, side by side, for a person to choose."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from crmsync import jobs
from crmsync.admin import attempt, cells, ends, paging, payload
from crmsync.admin import page as pages
from crmsync.engine import terms
from crmsync.flows import candidates
from crmsync.models import LogEntry

_LOCAL = terms.SideName.LOCAL
# Each is shown with all its candidates, whose values are read from both sides.
_SHOWN = 20
_CREATE, _LEAVE = "create", "leave"


@dataclass(frozen=True, slots=True)
class Line:
    """One record of a case; ``key`` is what "Link with this one" sends, "" where it cannot be."""

    record: SafeString | str
    role: object
    values: SafeString | str
    key: str


@dataclass(frozen=True, slots=True)
class Case:
    """One record without a partner, itself on the first line."""

    entry: LogEntry
    title: object
    lines: list[Line]
    may_create: bool


def view(page: pages.Page, request: HttpRequest) -> HttpResponse:
    """GET lists them, of one ``mapping`` if it is given; POST does what a person chose, with permission to link."""
    if not page.has_view_permission(request):
        raise PermissionDenied
    if request.method == "POST" and not page.has_link_permission(request):
        raise PermissionDenied
    return _respond(request, page)


@require_http_methods(["GET", "HEAD", "POST"])
def _respond(request: HttpRequest, page: pages.Page) -> HttpResponse:
    if request.method == "POST":
        _decide(request, page)
        return HttpResponseRedirect(request.get_full_path())
    return _show(request, page)


# --- What a person chose ----------------------------------------------------------------------------------------


def _decide(request: HttpRequest, page: pages.Page) -> None:
    """Only what still waits can be decided; two people who press at once do not both win."""
    pk = request.POST.get("entry", "")
    entry = candidates.waiting().filter(pk=pk).first() if pk.isdecimal() and len(pk) < 19 else None
    if entry is None:
        text = _("This record does not wait any more: it was decided or looked at again.")
        page.say(request, text, messages.WARNING)
        return
    _done, refusal = attempt.attempt(lambda: _do(request, page, entry))
    if refusal:
        page.say(request, refusal, messages.ERROR)


def _do(request: HttpRequest, page: pages.Page, entry: LogEntry) -> None:
    what, user = request.POST.get("what", ""), request.user.get_username()
    _side, own = candidates.own_end(entry)
    try:
        if what == _LEAVE:
            candidates.leave(entry, user)
            text = _("%(record)s is left without a partner until it changes.") % {"record": own}
        elif what == _CREATE:
            candidates.create(entry, user)
            text = _("%(record)s is made in HubSpot by the next push.") % {"record": own}
        else:
            key = request.POST.get("key", "")
            candidates.link(entry, key, user)
            text = _("%(record)s is linked with %(key)s.") % {"record": own, "key": key}
    except candidates.ChoiceError as error:
        page.say(request, str(error), messages.ERROR)
        return
    page.log_change(request, entry.mapping, text)
    page.say(request, text)
    jobs.ring()


# --- What is shown ----------------------------------------------------------------------------------------------


def _show(request: HttpRequest, page: pages.Page) -> TemplateResponse:
    wanted = request.GET.get("mapping", "")
    rows = candidates.waiting()
    rows = rows.filter(mapping=wanted) if wanted.isdecimal() else rows
    shown = paging.BoundedPaginator(rows, _SHOWN).get_page(request.GET.get("page"))
    entries = list(shown.object_list)
    shows_values = payload.is_allowed(request)
    seen, refusals = _look(entries, shows_values=shows_values)
    if shows_values:
        for entry in entries:
            payload.trace(request, entry)
    context = page.make_context(
        request,
        title=_("Match candidates"),
        cases=[_case(page, entry, seen.get(entry.mapping_id, {})) for entry in entries],
        refusals=refusals,
        may_link=page.has_link_permission(request),
        hidden="" if shows_values else payload.HIDDEN,
        shown=shown,
        query=f"mapping={wanted}&" if wanted.isdecimal() else "",
    )
    return TemplateResponse(request, "admin/crmsync/candidates.html", context)


Found = dict[tuple[str, str], candidates.Seen]


def _look(entries: Sequence[LogEntry], *, shows_values: bool) -> tuple[dict[int, Found], list[str]]:
    """What both sides have of these records, read once a mapping; and why a mapping's could not be read."""
    wanted: dict[int, set[tuple[str, str]]] = {}
    for entry in entries:
        wanted.setdefault(entry.mapping_id, set()).update(_ends_of(entry))
    found, refusals = {}, []
    for mapping_id, keys in wanted.items():
        seen, refusal = attempt.attempt(
            lambda mapping_id=mapping_id, keys=keys: candidates.look(mapping_id, keys, with_values=shows_values)
        )
        found[mapping_id] = seen or {}
        refusals += [refusal] if refusal else []
    return found, refusals


def _ends_of(entry: LogEntry) -> list[tuple[str, str]]:
    side, key = candidates.own_end(entry)
    return [(side.value, key), *((other, each) for other, each in entry.candidates)]


def _case(page: pages.Page, entry: LogEntry, seen: Found) -> Case:
    side, key = candidates.own_end(entry)
    return Case(
        entry=entry,
        title=f"{_(side.label)} {key}",
        lines=list(_lines(page, entry, seen)),
        may_create=side is _LOCAL and terms.Direction(entry.mapping.direction).pushes,
    )


def _lines(page: pages.Page, entry: LogEntry, seen: Found) -> Iterable[Line]:
    own, partners = candidates.own_end(entry), set(candidates.partners_of(entry))
    for side, key in _ends_of(entry):
        one = seen.get((side, key))
        is_own, is_partner = (side, key) == own, side != own[0] and key in partners
        role = _("without a partner") if is_own else _("candidate") if is_partner else _("has the same value")
        held = _("linked to %(end)s") % {"end": one.held_by} if one and one.held_by else ""
        gone = _("not there any more") if one and not one.is_found else ""
        yield Line(
            record=ends.named(entry.mapping, side, key, page.admin_site.name),
            role=cells.lines(role, held, gone),
            values=cells.bullets([f"{name}: {value}" for name, value in one.values] if one else []),
            key=key if is_partner and not held and not gone else "",
        )
