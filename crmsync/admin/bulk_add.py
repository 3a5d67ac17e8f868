"""Add fields: suggested pairs of a mapping in one table; what a person ticks is added as field mappings at once."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from crmsync.admin import attempt, catalogue, cells, pairs
from crmsync.admin import page as pages
from crmsync.engine import terms
from crmsync.flows import suggest
from crmsync.ledger import portals
from crmsync.models import FieldMapping, Mapping

# Neither a field's path nor a property's name holds a space, so that one value can name both.
_BETWEEN = " "
_PICK, _WAY = "pick", "direction"


@dataclass(frozen=True, slots=True)
class Line:
    """One suggestion as the table shows it; ``ways`` are (value, label, is chosen)."""

    key: str
    name: str
    is_picked: bool
    offer: suggest.Offer
    local_type: str
    remote_type: str
    chips: SafeString
    ways: list[tuple[str, object, bool]]


def view(page: pages.Page, request: HttpRequest, object_id: str) -> HttpResponse:
    """GET ``q`` and ``group`` search the suggestions; POST adds the ticked ones. HubSpot is not called.

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


@require_http_methods(["GET", "HEAD", "POST"])
def _respond(request: HttpRequest, page: pages.Page, mapping: Mapping) -> HttpResponse:
    problems: list[str] = []
    if request.method == "POST":
        try:
            count = _add(mapping, request.POST)
        except ValidationError as error:
            problems = error.messages
        else:
            text = ngettext("%(count)d field mapping was added.", "%(count)d field mappings were added.", count)
            page.log_change(request, mapping, text % {"count": count})
            page.say(request, text % {"count": count})
            return HttpResponseRedirect(page.object_url(mapping))
    return _show(request, page, mapping, problems)


def _show(request: HttpRequest, page: pages.Page, mapping: Mapping, problems: list[str]) -> TemplateResponse:
    query, group = request.GET.get("q", "").strip(), request.GET.get("group", "")
    found, refusal = attempt.attempt(lambda: suggest.find(mapping, query=query, group=group))
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
        more=found.more if found else 0,
        lines=[_line(one, request.POST) for one in found.rows] if found else [],
    )
    return TemplateResponse(request, "admin/crmsync/bulk_add.html", context)


# --- What is shown ----------------------------------------------------------------------------------------------


def _line(one: suggest.Offer, posted: QueryDict) -> Line:
    key = f"{one.local}{_BETWEEN}{one.remote.name}"
    name = f"{_WAY}{_BETWEEN}{key}"
    # A direction that writes to HubSpot is chosen by a person, never beforehand.
    chosen = posted.get(name, terms.Direction.PULL if one.can_pull else "")
    return Line(
        key=key,
        name=name,
        is_picked=key in posted.getlist(_PICK),
        offer=one,
        local_type=_(one.local_type.label),
        remote_type=_(one.remote_type.label),
        chips=_chips(one),
        ways=[(way.value, _(way.label), way == chosen) for way in _ways(one)],
    )


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
def _add(mapping: Mapping, posted: QueryDict) -> int:
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
    if problems:
        raise ValidationError(problems)
    FieldMapping.objects.bulk_create(added)
    portals.bump(mapping)  # its signal also finds out which related rows the new fields read
    return len(added)


def _read(mapping: Mapping, posted: QueryDict, start: int) -> list[FieldMapping]:
    """The ticked rows as they would be saved, after those there are; ValidationError names each that cannot be."""
    known, rows, problems = catalogue.Catalogue(mapping), [], []
    for position, key in enumerate(dict.fromkeys(posted.getlist(_PICK)), start):
        local, _between, remote = key.partition(_BETWEEN)
        way = posted.get(f"{_WAY}{_BETWEEN}{key}", "")
        row = FieldMapping(mapping=mapping, position=position, local=local, remote=remote, direction=way)
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
    local, remote = pairs.check_local(known, row.local), pairs.check_remote(known, row.remote)
    if local is None or remote is None:
        raise ValidationError(_("The mapping's model or object type is not usable."))
    pairs.check_pair(known, row, local, remote)
