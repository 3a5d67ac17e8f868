"""The round-trip proof: what comes back different, to be mended or accepted, and what is held back or remembered."""

from collections.abc import Mapping as Table
from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from crmsync.admin import attempt, cells
from crmsync.admin import page as pages
from crmsync.engine import prove as engine
from crmsync.engine import terms
from crmsync.flows import prove, withdraw
from crmsync.ledger import steps
from crmsync.models import AcceptedProof, Mapping

_KINDS = {
    engine.Kind.NOT_INJECTIVE: ("warn", "!"),
    engine.Kind.LOSSY: ("warn", "~"),
    engine.Kind.REFUSED: ("quiet", "✗"),
}
_ROWS = {engine.Verdict.CHANGES: "update", engine.Verdict.SAME: "skip", engine.Verdict.HELD: "skip"}
_PICK, _BACK = "accept", "withdraw"


@dataclass(slots=True)
class Line:
    """One row; ``field`` and ``span`` only on a field's first. ``pick``: what a ticked box sends, "" for no box;
    ``back``: what the button sends that takes an acceptance back."""

    way: str
    start: str
    becomes: str
    returns: str
    kind: str
    label: SafeString
    why: str
    remedy: str
    writes: str
    pick: str
    accepted: SafeString | str = ""
    back: str = ""
    field: str = ""
    span: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """Findings that mean the same: a heading, what to do about them, and their lines."""

    title: object
    hint: object
    lines: list[Line]
    is_folded: bool = True


Accepted = Table[tuple[int, str], AcceptedProof]


def view(page: pages.Page, request: HttpRequest, object_id: str) -> HttpResponse:
    """GET proves the mapping as it is saved; POST accepts the ticked findings, or takes one acceptance back. No
    record's value is in it.

    Permission to view the mapping; accepting is as testing: whoever may change mappings.
    """
    return _respond(request, page, page.get_viewed(request, object_id))


@require_http_methods(["GET", "HEAD", "POST"])
def _respond(request: HttpRequest, page: pages.Page, mapping: Mapping) -> HttpResponse:
    may_accept = page.has_change_permission(request)
    if request.method == "POST" and not may_accept:
        raise PermissionDenied
    proof, refusal = attempt.attempt(lambda: prove.prove(mapping))
    if request.method == "POST" and proof is not None:
        decide = _withdraw if _BACK in request.POST else _accept
        decide(request, page, mapping, proof)
        return HttpResponseRedirect(page.url_of("mapping_proof", mapping.pk))
    fields, accepted = proof.fields if proof else (), steps.accepted(mapping)
    context = page.make_context(
        request,
        title=_("Round-trip proof of “%(mapping)s”") % {"mapping": mapping},
        original=mapping,
        mapping_url=page.object_url(mapping),
        refusal=refusal,
        parts=parts_of(fields, accepted, may_accept=may_accept),
        tried=sum(one.tried for one in fields),
        counts=[_count(one) for one in fields],
    )
    return TemplateResponse(request, "admin/crmsync/proof.html", context)


def _accept(request: HttpRequest, page: pages.Page, mapping: Mapping, proof: engine.Proof) -> None:
    """What is ticked and still comes back as it was shown; the browser names nothing that is not found anew."""
    ticked = set(request.POST.getlist(_PICK))
    found = [
        (one.field_id, each.key)
        for one, each in prove.open_changes(mapping, proof)
        if _pick(one.field_id, each.key) in ticked
    ]
    if not found:
        return page.say(request, _("Nothing was accepted: tick what is as it should be."), messages.WARNING)
    steps.accept(found, request.user.pk)
    text = ngettext("%(count)d finding was accepted.", "%(count)d findings were accepted.", len(found))
    page.log_change(request, mapping, text % {"count": len(found)})
    page.say(request, text % {"count": len(found)})
    return None


def _withdraw(request: HttpRequest, page: pages.Page, mapping: Mapping, proof: engine.Proof) -> None:
    """One finding that somebody accepted and that still is what it was; the mapping has to be tested anew."""
    wanted = request.POST.get(_BACK, "")
    found = [(one, each) for one in proof.fields for each in one.findings if _pick(one.field_id, each.key) == wanted]
    if not any(withdraw.withdraw(mapping, *one, request.user.pk) for one in found):
        return page.say(request, _("Nothing was taken back: it was not accepted any more."), messages.WARNING)
    text = _("An acceptance was taken back. The mapping has to be tested anew.")
    page.log_change(request, mapping, text)
    page.say(request, text)
    return None


def parts_of(fields, accepted: Accepted, *, may_accept: bool) -> list[Part]:
    """The findings by what they mean; what is empty is left out."""
    verdict = engine.Verdict
    boxes = _lines(fields, verdict.CHANGES, accepted, may_accept=may_accept, is_accepted=False)
    parts = [
        Part(_("Comes back different"), _OPEN, boxes, is_folded=False),
        Part(
            _("Accepted"),
            _ACCEPTED,
            _lines(fields, verdict.CHANGES, accepted, may_accept=may_accept, is_accepted=True),
            is_folded=False,
        ),
        Part(_("Remembered"), _SAME, _lines(fields, verdict.SAME, accepted)),
        Part(_("Held back"), _HELD, _lines(fields, verdict.HELD, accepted)),
    ]
    return [part for part in parts if part.lines]


def _lines(
    fields,
    verdict: engine.Verdict,
    accepted: Accepted,
    *,
    may_accept: bool = False,
    is_accepted: bool | None = None,
) -> list[Line]:
    """The lines of one verdict; ``is_accepted``: only those that are, or only those that are not; None: all."""
    found = []
    for one in fields:
        lines = [
            _line(one, each, accepted.get((one.field_id, each.key)), may_accept=may_accept)
            for each in one.findings
            if each.verdict is verdict and is_accepted in (None, (one.field_id, each.key) in accepted)
        ]
        if lines:
            lines[0].field, lines[0].span = _name(one), len(lines)
        found += lines
    return found


def _line(one: engine.FieldProof, found: engine.Finding, row: AcceptedProof | None, *, may_accept: bool) -> Line:
    ways = [terms.SideName.LOCAL, terms.SideName.REMOTE, terms.SideName.LOCAL]
    if found.starts is terms.SideName.REMOTE:
        ways = [terms.SideName.REMOTE, terms.SideName.LOCAL, terms.SideName.REMOTE]
    if one.direction is not terms.Direction.BOTH:
        ways.pop()
    is_open = may_accept and row is None and found.verdict is engine.Verdict.CHANGES
    return Line(
        way=" → ".join(_(side.label) for side in ways),
        start=found.start or _("blank"),
        becomes=_shown(found.becomes),
        returns=_shown(found.back),
        kind=_ROWS[found.verdict],
        label=cells.badge(_(found.kind.label), *_KINDS[found.kind]),
        why=found.why,
        remedy=found.remedy,
        writes=_(found.echo.label),
        pick=_pick(one.field_id, found.key) if is_open else "",
        back=_pick(one.field_id, found.key) if may_accept and row is not None else "",
        accepted=cells.lines(row.by or _("somebody who is gone"), cells.when(row.at)) if row else "",
    )


def _pick(field_id: int, key: str) -> str:
    return f"{field_id}-{key}"


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


_OPEN = gettext_lazy(
    "Mend these, or accept those that are as they should be: until then the mapping does not count as tested."
)
_ACCEPTED = gettext_lazy(
    "These are as they should be, said whoever is named. Another result has to be accepted anew. Taking one back"
    " makes a new revision of the mapping, which has to be tested anew."
)
_SAME = gettext_lazy(
    "crmsync remembers what each side answered, so nothing moves these values by itself. Nothing is to be done."
)
_HELD = gettext_lazy(
    "These are never sent: the field of such a record is held back and listed with the reason. Nothing is lost."
)
