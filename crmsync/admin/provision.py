"""Create properties: the fields without one, what would be created for the ticked ones, and what became of them."""

from dataclasses import dataclass

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from crmsync.admin import attempt, cells
from crmsync.admin import page as pages
from crmsync.engine import provisioning
from crmsync.flows import obstacle, propose, provision
from crmsync.models import Mapping

# A field's path holds no space, so that one name of an input can hold the path.
_BETWEEN = " "
_PICK, _NAME, _EXTENDS, _SURE, _ALL = "pick", "name", "extends", "sure", "*"
_BADGES = {
    provision.Outcome.CREATED: ("good", "✓"),
    provision.Outcome.EXTENDED: ("good", "✓"),
    provision.Outcome.EXISTED: ("quiet", "="),
    provision.Outcome.REFUSED: ("bad", "✗"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One field as the tables show it; ``input`` is the name of the input of its property's name."""

    draft: provisioning.Draft
    step: str
    name: str
    input: str
    is_picked: bool
    is_mapped: bool
    note: str
    options: str
    is_first: bool = False
    section: str = ""


def view(page: pages.Page, request: HttpRequest, object_id: str) -> HttpResponse:
    """GET ``q`` and ``section`` search the fields; POST asks, and with ``sure`` creates.

    Who may add the mapping's rows and connect its portal: what is created is seen by everybody in HubSpot.
    """
    mapping = page.get_object(request, unquote(object_id))
    if not is_allowed(page, request, mapping):
        raise PermissionDenied
    if mapping is None:
        raise Http404
    return _respond(request, page, mapping)


def is_allowed(page: pages.Page, request: HttpRequest, mapping: Mapping | None) -> bool:
    """As for the rows on the mapping's own page, and for “Refresh fields” of its portal."""
    may_add = page.has_change_permission(request, mapping) and request.user.has_perm("crmsync.add_fieldmapping")
    return may_add and page.has_connect_permission(request)


@require_http_methods(["GET", "HEAD", "POST"])
def _respond(request: HttpRequest, page: pages.Page, mapping: Mapping) -> HttpResponse:
    if request.method != "POST":
        return _choose(request, page, mapping)
    wanted = _read(request.POST)
    if not wanted:
        return _choose(request, page, mapping, problem=_("Nothing is ticked: tick the fields to create them for."))
    if _SURE in request.POST:
        return _carry_out(request, page, mapping, wanted)
    return _ask(request, page, mapping, wanted)


def _read(posted: QueryDict) -> dict[str, str]:
    """Ticked field -> name of its property."""
    return {path: posted.get(f"{_NAME}{_BETWEEN}{path}", "").strip() for path in posted.getlist(_PICK)}


# --- The three pages ----------------------------------------------------------------------------------------------


def _choose(
    request: HttpRequest,
    page: pages.Page,
    mapping: Mapping,
    *,
    problem: str = "",
    refused: dict[str, provisioning.Decision] | None = None,
) -> TemplateResponse:
    """The fields, as they were discovered; those refused just now with the reason and another name."""
    query, section = request.GET.get("q", "").strip(), request.GET.get("section", _ALL)
    chosen = None if section == _ALL else section
    found, refusal = attempt.attempt(lambda: propose.find(mapping, query=query, section=chosen))
    return _show(
        request,
        page,
        mapping,
        "provision",
        refusal=refusal,
        obstacle=obstacle.of_mapping(mapping),
        portal_url=page.object_url(mapping.portal),
        problem=problem,
        query=query,
        section=section,
        sections=[(one, one.replace("__", " → ") or _("the model's own")) for one in found.sections] if found else [],
        more=found.more if found else 0,
        lines=_lines(found.rows, request.POST, refused or {}) if found else [],
    )


def _ask(request: HttpRequest, page: pages.Page, mapping: Mapping, wanted: dict[str, str]) -> TemplateResponse:
    """What exactly would be created, by what HubSpot has now; nothing is asked while something is refused."""
    if why := obstacle.of_mapping(mapping):
        return _choose(request, page, mapping, problem=why)
    decisions, refusal = attempt.attempt(lambda: provision.plan(mapping, wanted))
    if decisions is None:
        return _choose(request, page, mapping, problem=refusal)
    refused = {one.draft.local: one for one in decisions if one.step is provisioning.Step.REFUSE}
    if refused:
        return _choose(request, page, mapping, problem=_REFUSED, refused=refused)
    parts = [(step, [_line(one) for one in decisions if one.step is step]) for step in provisioning.Step]
    return _show(
        request,
        page,
        mapping,
        "provision_confirm",
        parts=[(_(step.label), lines) for step, lines in parts if lines],
        sent=[*_sent(decisions), (_SURE, "yes")],
        back_url=request.get_full_path(),
    )


def _carry_out(request: HttpRequest, page: pages.Page, mapping: Mapping, wanted: dict[str, str]) -> TemplateResponse:
    extends = request.POST.getlist(_EXTENDS)
    done, refusal = attempt.attempt(
        lambda: provision.carry_out(mapping, wanted, extends=extends, by_id=request.user.pk)
    )
    if done is None:
        return _choose(request, page, mapping, problem=refusal)
    made = [one for one in done if one.outcome in (provision.Outcome.CREATED, provision.Outcome.EXTENDED)]
    joined = [one for one in done if one.is_joined]
    if made or joined:
        names = ", ".join(one.decision.draft.name for one in (made or joined))
        text = _("Created properties in HubSpot, or joined them: %(names)s.")
        page.log_change(request, mapping, text % {"names": Truncator(names).chars(500)})
    count = len(joined)
    text = ngettext("%(count)d field mapping was added.", "%(count)d field mappings were added.", count)
    rows = [[*_cells(one.decision.draft), _badge(one), one.why or cells.EMPTY] for one in done]
    heads = [_("Django field"), _("HubSpot property"), _("Type"), _("Result"), _("Why")]
    return _show(
        request,
        page,
        mapping,
        "provision_result",
        summary=text % {"count": count},
        table=cells.table(heads, rows, _("What became of them")),
        again_url=request.get_full_path(),
    )


def _show(request: HttpRequest, page: pages.Page, mapping: Mapping, name: str, **facts: object) -> TemplateResponse:
    context = page.make_context(
        request,
        title=_("Create HubSpot properties for “%(mapping)s”") % {"mapping": mapping},
        original=mapping,
        mapping_url=page.object_url(mapping),
        **facts,
    )
    return TemplateResponse(request, f"admin/crmsync/{name}.html", context)


# --- Rows ---------------------------------------------------------------------------------------------------------


def _lines(
    offers: tuple[propose.Offer, ...], posted: QueryDict, refused: dict[str, provisioning.Decision]
) -> list[Line]:
    """A heading stands before the first row of each section."""
    picked, before, lines = set(posted.getlist(_PICK)), None, []
    for offer in offers:
        path = offer.decision.draft.local
        one = refused.get(path, offer.decision)
        given = "" if path in refused else posted.get(f"{_NAME}{_BETWEEN}{path}", "").strip()
        lines.append(
            _line(
                one,
                name=given,
                is_picked=path in picked,
                is_mapped=offer.is_mapped,
                is_first=offer.section != before,
                section=offer.section,
            )
        )
        before = offer.section
    return lines


def _line(
    one: provisioning.Decision,
    *,
    name: str = "",
    is_picked: bool = False,
    is_mapped: bool = False,
    is_first: bool = False,
    section: str = "",
) -> Line:
    added = ", ".join(label for _value, label in one.added)
    note = one.why or (_("New options: %(labels)s.") % {"labels": added} if added else "")
    return Line(
        draft=one.draft,
        step=_(one.step.label),
        name=name or one.other_name or one.draft.name,
        input=f"{_NAME}{_BETWEEN}{one.draft.local}",
        is_picked=is_picked,
        is_mapped=is_mapped,
        note=note,
        options=", ".join(label for _value, label in one.draft.options),
        is_first=is_first,
        section=section.replace("__", " → ") or _("The model's own fields"),
    )


def _sent(decisions: tuple[provisioning.Decision, ...]) -> list[tuple[str, str]]:
    """(name, value) pairs that the answer yes sends: what was shown, and no more."""
    pairs = []
    for one in decisions:
        path = one.draft.local
        pairs += [(_PICK, path), (f"{_NAME}{_BETWEEN}{path}", one.draft.name)]
        pairs += [(_EXTENDS, path)] if one.step is provisioning.Step.EXTEND else []
    return pairs


def _cells(draft: provisioning.Draft) -> list[object]:
    return [draft.local, f"{draft.label} ({draft.name})", _(draft.kind)]


def _badge(one: provision.Done) -> SafeString:
    text = _(one.outcome.label)
    if one.is_joined:
        text = _("%(what)s, joined with the field") % {"what": text}
    return cells.badge(text, *_BADGES[one.outcome])


_REFUSED = gettext_lazy(
    "Some of them cannot be created as they are: see the notes, look at the names proposed, and try again."
)
