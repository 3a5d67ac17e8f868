"""Add fields: pairs in one table, suggested, ready-made or all there are; what a person ticks is added at once."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from crmsync.admin import attempt, catalogue, cells, members, pairs, widgets
from crmsync.admin import page as pages
from crmsync.engine import templates, terms
from crmsync.flows import lifecycle, suggest
from crmsync.ledger import fieldvalues
from crmsync.models import FieldMapping, Mapping

# Neither a field's path nor a property's name holds a space, so that one value can name both.
_BETWEEN = " "
_PICK, _WAY, _LOCAL = "pick", "direction", "local"
# Buttons that tick rows and add nothing: all that are shown, or those of a property group.
_TICK_ALL, _TICK_GROUP = "tick_all", "tick_group"
_OFF = "off"


@dataclass(frozen=True, slots=True)
class Line:
    """One offer as the table shows it; ``ways`` are (value, label, is chosen). ``local_name``: the input for the
    Django field where a person has to name it, else "" and ``local`` is fixed."""

    key: str
    name: str
    local_name: str
    local: str
    group: str
    is_picked: bool
    offer: suggest.Offer
    local_type: str
    remote_type: str
    chips: SafeString
    ways: list[tuple[str, object, bool]]


def view(page: pages.Page, request: HttpRequest, object_id: str) -> HttpResponse:
    """GET ``q``, ``group``, ``show`` and ``page`` choose what is offered; POST ticks a group, or adds what is
    ticked. HubSpot is not called.

    Who may change the mapping and add its rows; a mapping that is kept in a file may not be changed by anybody.
    """
    mapping = page.get_object(request, unquote(object_id))
    if not is_allowed(page, request, mapping):
        raise PermissionDenied
    if mapping is None:
        raise Http404
    return _respond(request, page, mapping)


def is_allowed(page: pages.Page, request: HttpRequest, mapping: Mapping | None) -> bool:
    """As for the rows on the mapping's own page."""
    return page.has_change_permission(request, mapping) and request.user.has_perm("crmsync.add_fieldmapping")


def template_url(page: pages.Page, mapping: Mapping) -> str:
    """Where the ready-made fields of the mapping's object type are; "" where there are none."""
    if not templates.has(mapping.object_type):
        return ""
    return f"{page.url_of('mapping_bulk_add', mapping.pk)}?{urlencode({'show': suggest.Show.COMMON.value})}"


def offer(page: pages.Page, request: HttpRequest, mapping: Mapping) -> None:
    """Say to whoever made a mapping without rows that its common fields are ready-made."""
    url = template_url(page, mapping)
    if url and is_allowed(page, request, mapping) and not mapping.fields.exists():
        link = cells.link(url, _("Start from a template"))
        page.say(request, format_html("{} {}", _("The mapping has no fields yet."), link), messages.WARNING)


@require_http_methods(["GET", "HEAD", "POST"])
def _respond(request: HttpRequest, page: pages.Page, mapping: Mapping) -> HttpResponse:
    problems: list[str] = []
    if request.method == "POST" and not {_TICK_ALL, _TICK_GROUP} & request.POST.keys():
        try:
            count = _add(mapping, request.POST, request.user.pk)
        except ValidationError as error:
            problems = error.messages
        else:
            text = ngettext("%(count)d field mapping was added.", "%(count)d field mappings were added.", count)
            page.log_change(request, mapping, text % {"count": count})
            page.say(request, text % {"count": count})
            return HttpResponseRedirect(page.object_url(mapping))
    return _show(request, page, mapping, problems)


def _show(request: HttpRequest, page: pages.Page, mapping: Mapping, problems: list[str]) -> TemplateResponse:
    query, group, show = request.GET.get("q", "").strip(), request.GET.get("group", ""), _show_of(request)
    number = request.GET.get("page", "")
    page_wanted = int(number) if number.isdecimal() and len(number) < 6 else 1
    found, refusal = attempt.attempt(
        lambda: suggest.find(mapping, query=query, group=group, show=show, page=page_wanted)
    )
    context = page.make_context(
        request,
        title=_("Add fields to “%(mapping)s”") % {"mapping": mapping},
        original=mapping,
        mapping_url=page.object_url(mapping),
        refusal=refusal,
        problems=problems,
        query=query,
        group=group,
        groups=found.groups if found else (),
        show=show.value,
        shows=[(one.value, label) for one, label in _SHOWS.items() if _is_offered(one, mapping)],
        is_grouped=show is suggest.Show.ALL,
        is_off=_OFF in request.POST,
        found=found,
        lines=[_line(one, request.POST, is_free=show is suggest.Show.ALL) for one in found.rows] if found else [],
        fields=_fields(mapping) if found and show is suggest.Show.ALL else "",
        search=urlencode({"q": query, "group": group, "show": show.value}),
    )
    return TemplateResponse(request, "admin/crmsync/bulk_add.html", context)


_SHOWS = {
    suggest.Show.LIKELY: gettext_lazy("likely pairs"),
    suggest.Show.COMMON: gettext_lazy("ready-made: the common fields"),
    suggest.Show.ALL: gettext_lazy("all properties"),
}


def _show_of(request: HttpRequest) -> suggest.Show:
    try:
        return suggest.Show(request.GET.get("show", ""))
    except ValueError:
        return suggest.Show.LIKELY


def _is_offered(show: suggest.Show, mapping: Mapping) -> bool:
    return show is not suggest.Show.COMMON or templates.has(mapping.object_type)


def _fields(mapping: Mapping) -> widgets.Datalist:
    """What the inputs for Django fields suggest."""
    return widgets.Datalist("crmsync-fields", catalogue.Catalogue(mapping).local_pairs)


# --- What is shown ----------------------------------------------------------------------------------------------


def _line(one: suggest.Offer, posted: QueryDict, *, is_free: bool) -> Line:
    """``is_free``: the Django field is a person's to name, so the row goes by its property alone."""
    key = f"{'' if is_free else one.local}{_BETWEEN}{one.remote.name}"
    name = f"{_WAY}{_BETWEEN}{key}"
    local_name = f"{_LOCAL}{_BETWEEN}{one.remote.name}" if is_free else ""
    # A direction that writes to HubSpot is chosen by a person, never beforehand.
    chosen = posted.get(name, terms.Direction.PULL if one.can_pull else "")
    return Line(
        key=key,
        name=name,
        local_name=local_name,
        local=posted.get(local_name, one.local),
        group=one.remote.group,
        is_picked=key in posted.getlist(_PICK) or _is_ticked(one, posted),
        offer=one,
        local_type=_(one.local_type.label) if one.local_type else "",
        remote_type=_(one.remote_type.label),
        chips=_chips(one),
        ways=[(way.value, _(way.label), way == chosen) for way in _ways(one)],
    )


def _is_ticked(one: suggest.Offer, posted: QueryDict) -> bool:
    return _TICK_ALL in posted or posted.get(_TICK_GROUP) == one.remote.group


def _ways(one: suggest.Offer) -> Iterable[terms.Direction]:
    can = {
        terms.Direction.PULL: one.can_pull,
        terms.Direction.PUSH: one.can_push,
        terms.Direction.BOTH: one.can_pull and one.can_push,
    }
    return [way for way, is_possible in can.items() if is_possible]


def _chips(one: suggest.Offer) -> SafeString:
    """Why it is suggested: "name 0.94 · type exact · 98 % of 200 samples convert"."""
    text = " · ".join(one.reasons)
    if not text:
        return cells.EMPTY
    if not one.tried:
        return cells.badge(text)
    share = 100 * one.converted // one.tried  # 100 % only where every value converts
    told = ngettext(
        "%(share)d %% of %(tried)d sample converts", "%(share)d %% of %(tried)d samples convert", one.tried
    ) % {"share": share, "tried": one.tried}
    is_whole = one.converted == one.tried
    return cells.badge(f"{text} · {told}", *(("good", "✓") if is_whole else ("warn", "!")))


# --- What is added ----------------------------------------------------------------------------------------------


@transaction.atomic
def _add(mapping: Mapping, posted: QueryDict, by_id: int) -> int:
    """The ticked rows, all of them or none; ValidationError in sentences. How many were added."""
    mapping = Mapping.objects.select_for_update().get(pk=mapping.pk)
    if mapping.locked_by:  # since the page was asked for
        raise PermissionDenied
    present = list(FieldMapping.objects.filter(mapping=mapping))
    added = _read(mapping, posted, start=max((row.position for row in present), default=-1) + 1)
    seen = {(row.local, row.remote) for row in present}
    twice = [f"{row}: {_('it is mapped already.')}" for row in added if (row.local, row.remote) in seen]
    active = [row for row in (*present, *added) if row.is_active]
    problems = twice or pairs.check_targets(terms.Direction(mapping.direction), active)
    problems += members.find_clashes(mapping, mapping.fixed_values.all(), added)
    if problems:
        raise ValidationError(problems)
    FieldMapping.objects.bulk_create(added)
    lifecycle.note_edit(mapping, by_id)  # its signal also finds out which related rows the new fields read
    return len(added)


def _read(mapping: Mapping, posted: QueryDict, start: int) -> list[FieldMapping]:
    """The ticked rows as they would be saved, after those there are; ValidationError names each that cannot be."""
    known, rows, problems = catalogue.Catalogue(mapping), [], []
    for position, key in enumerate(dict.fromkeys(posted.getlist(_PICK)), start):
        local, _between, remote = key.partition(_BETWEEN)
        local = local or posted.get(f"{_LOCAL}{_BETWEEN}{remote}", "").strip()
        way = posted.get(f"{_WAY}{_BETWEEN}{key}", "")
        row = FieldMapping(mapping=mapping, position=position, local=local, remote=remote, direction=way)
        row.is_active = _OFF not in posted
        row.movement = fieldvalues.first_movement(remote)
        try:
            _check(known, row)
        except ValidationError as error:
            problems += [f"{row}: {sentence}" for sentence in error.messages]
        rows.append(row)
    if not rows:
        problems.append(_("Nothing is ticked: tick the fields to add."))
    if problems:
        raise ValidationError(problems)
    return rows


def _check(known: catalogue.Catalogue, row: FieldMapping) -> None:
    """As the mapping's own form checks a row."""
    if row.direction not in {way.value for way in terms.Direction}:
        raise ValidationError(_("Choose a direction."))
    if not row.local:
        raise ValidationError(_("Name the Django field."))
    local, remote = pairs.check_local(known, row.local), pairs.check_remote(known, row.remote)
    if local is None or remote is None:
        raise ValidationError(_("The mapping's model or object type is not usable."))
    pairs.check_pair(known, row, local, remote)
