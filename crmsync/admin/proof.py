"""The round-trip proof: a table of the values that do not come back as they went, field by field."""

from dataclasses import dataclass

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from crmsync.admin import attempt, cells
from crmsync.admin import page as pages
from crmsync.engine import prove as engine
from crmsync.engine import terms
from crmsync.flows import prove
from crmsync.models import Mapping

_KINDS = {
    engine.Kind.NOT_INJECTIVE: ("warn", "!"),
    engine.Kind.LOSSY: ("warn", "~"),
    engine.Kind.REFUSED: ("quiet", "✗"),
}
_ROWS = {engine.Kind.NOT_INJECTIVE: "update", engine.Kind.LOSSY: "update", engine.Kind.REFUSED: "skip"}


@dataclass(slots=True)
class Line:
    """One row; ``field`` and ``span`` only on a field's first."""

    way: str
    start: str
    becomes: str
    back: str
    kind: str
    label: SafeString
    why: str
    remedy: str
    writes: str
    field: str = ""
    span: int = 0


def view(page: pages.Page, request: HttpRequest, object_id: str) -> TemplateResponse:
    """GET: proves the mapping as it is saved; permission to view the mapping. No record's value is in it."""
    mapping = page.get_object(request, unquote(object_id))
    if not page.has_view_permission(request, mapping):
        raise PermissionDenied
    if mapping is None:
        raise Http404
    return _respond(request, page, mapping)


@require_safe
def _respond(request: HttpRequest, page: pages.Page, mapping: Mapping) -> TemplateResponse:
    proof, refusal = attempt.attempt(lambda: prove.prove(mapping))
    fields = proof.fields if proof else ()
    context = page.make_context(
        request,
        title=_("Round-trip proof of “%(mapping)s”") % {"mapping": mapping},
        original=mapping,
        mapping_url=page.object_url(mapping),
        refusal=refusal,
        lines=[line for one in fields for line in lines_of(one)],
        tried=sum(one.tried for one in fields),
        counts=[_count(one) for one in fields],
    )
    return TemplateResponse(request, "admin/crmsync/proof.html", context)


def lines_of(one: engine.FieldProof) -> list[Line]:
    """The findings of a field; none where all its values come back."""
    lines = [_line(found, one.direction) for found in one.findings]
    if lines:
        lines[0].field = _name(one)
        lines[0].span = len(lines)
    return lines


def _line(found: engine.Finding, direction: terms.Direction) -> Line:
    ways = [terms.SideName.LOCAL, terms.SideName.REMOTE, terms.SideName.LOCAL]
    if found.starts is terms.SideName.REMOTE:
        ways = [terms.SideName.REMOTE, terms.SideName.LOCAL, terms.SideName.REMOTE]
    if direction is not terms.Direction.BOTH:
        ways.pop()
    return Line(
        way=" → ".join(_(side.label) for side in ways),
        start=found.start or _("blank"),
        becomes=_shown(found.becomes),
        back=_shown(found.back),
        kind=_ROWS[found.kind],
        label=cells.badge(_(found.kind.label), *_KINDS[found.kind]),
        why=found.why,
        remedy=found.remedy,
        writes=_(found.echo.label),
    )


def _shown(text: str | None) -> str:
    return cells.EMPTY if text is None else text or _("blank")


def _count(one: engine.FieldProof) -> str:
    """A field in one sentence: how many values were tried, and how many of them are not told below."""
    if not one.count:
        text = ngettext("%(tried)d value comes back", "all %(tried)d values come back", one.tried)
    elif one.count > len(one.findings):
        text = _("%(count)d of %(tried)d values do not come back, the first %(listed)d are below")
    else:
        text = _("%(count)d of %(tried)d values do not come back")
    facts = {"tried": one.tried, "count": one.count, "listed": len(one.findings)}
    return f"{_name(one)}: {text % facts}"


def _name(one: engine.FieldProof) -> str:
    sign = {terms.Direction.PUSH: "→", terms.Direction.PULL: "←"}.get(one.direction, "↔")
    return f"{one.local} {sign} {one.remote}"
