"""The preview: what the first page of each direction would do, record by record and field by field."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from crmsync.admin import attempt, cells, payload
from crmsync.admin import page as pages
from crmsync.engine import changes, plan, spec, terms
from crmsync.flows import backfill
from crmsync.models import Mapping, choices

_KINDS = {
    "new": ("good", "+"),
    "update": ("warn", "~"),
    "conflict": ("bad", "!"),
    "held": ("bad", "✗"),
    "skip": ("quiet", "="),
}
_NEW = (terms.Outcome.CREATED, terms.Outcome.ADOPTED)


@dataclass(slots=True)
class Line:
    """One row of the table; ``kind`` colours it, ``label`` says the same in words."""

    record: str
    field: str = ""
    local: object = ""
    remote: object = ""
    kind: str = "skip"
    label: object = ""
    result: object = ""
    rule: object = ""
    span: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """One direction: its lines and counts, or why there are none; ``notes``: what waits whatever a record holds."""

    title: object
    lines: list[Line]
    counts: list[str]
    refusal: str = ""
    notes: tuple[str, ...] = ()


@require_safe
def _respond(request: HttpRequest, page: pages.Page, mapping: Mapping) -> TemplateResponse:
    parts = [_part(mapping, kind, shows=payload.is_allowed(request)) for kind in backfill.kinds(mapping, _BOTH)]
    context = page.make_context(
        request,
        title=_("Preview of “%(mapping)s”") % {"mapping": mapping},
        original=mapping,
        mapping_url=page.object_url(mapping),
        parts=parts,
        shows_values=payload.is_allowed(request),
        hidden=payload.HIDDEN,
    )
    return TemplateResponse(request, "admin/crmsync/preview.html", context)


_BOTH = terms.Direction.BOTH


def view(page: pages.Page, request: HttpRequest, object_id: str) -> TemplateResponse:
    """GET: plans the first page of each direction; permission to view the mapping and to operate."""
    if not page.has_operate_permission(request):
        raise PermissionDenied
    return _respond(request, page, page.get_viewed(request, object_id))


def _part(mapping: Mapping, kind: str, *, shows: bool) -> Part:
    title = choices.RunKind(kind).label
    found, refusal = attempt.attempt(lambda: list(backfill.preview(mapping, kind)))
    if found is None:
        return Part(title, [], [], refusal)
    lines = [line for one in found for pair in one.pairs for line in lines_of(one.spec, pair, shows=shows)]
    notes = dict.fromkeys(text for one in found for text in notes_of(one.spec))
    lines += _associations(mapping, kind)
    return Part(title, lines, [text for one in found for text in _counts(one)], notes=tuple(notes))


_MOVES = {
    terms.EdgeMove.ADD_REMOTE: "new",
    terms.EdgeMove.ADD_LOCAL: "new",
    terms.EdgeMove.CUT_REMOTE: "update",
    terms.EdgeMove.CUT_LOCAL: "update",
    terms.EdgeMove.WAIT: "held",
    terms.EdgeMove.REFUSE: "held",
}


def _associations(mapping: Mapping, kind: str) -> list[Line]:
    """Associations of linked records that would be made, removed or waited for; keys only, no values."""
    found, refusal = attempt.attempt(lambda: backfill.foresee(mapping, kind))
    if found is None:
        return [Line("", label=_("associations"), result=refusal, span=1)]
    return [
        Line(
            record=f"{join.work.link.local_pk} ↔ {join.remote_id}",
            field=f"{join.one.local} ↔ {join.one.to_type}",
            local=step.local_pk or cells.EMPTY,
            remote=step.remote_id or cells.EMPTY,
            kind=_MOVES[step.move],
            label=cells.badge(_("association"), *_KINDS[_MOVES[step.move]]),
            result=step.detail or _(step.move.label),
            span=1,
        )
        for join in found
        for step in join.steps
        if step.move in _MOVES
    ]


def notes_of(mapping: spec.MappingSpec) -> Iterator[str]:
    """Fields and associations that are held back in every record, and why records without a partner wait."""
    yield from (one.held.message for one in (*mapping.fields, *mapping.associations) if one.held is not None)
    if mapping.unmatched:
        yield mapping.unmatched


def _counts(one: plan.Plan) -> list[str]:
    counts = one.counts()
    return [f"{counts[term]} {_(term.label)}" for term in terms.Outcome if counts.get(term)]


def lines_of(mapping: spec.MappingSpec, pair: changes.PairPlan, *, shows: bool) -> list[Line]:
    """The lines of one record: at least one, which says why where nothing would be written."""
    fields = {one.id: one for one in mapping.fields}
    lines = [
        *_writes(pair, fields, pair.local_writes, terms.SideName.LOCAL, shows=shows),
        *_writes(pair, fields, pair.remote_writes, terms.SideName.REMOTE, shows=shows),
        *_fixed(pair, shows=shows),
        *_clashes(pair, fields, shows=shows),
        *_problems(pair, fields, shows=shows),
    ]
    if not lines:
        detail = pair.detail if shows else payload.without_values(pair.detail)
        lines = [Line(_key(pair), label=_(pair.outcome.label), result=detail or _reason(pair.reason))]
    lines[0].span = len(lines)
    return lines


def all_lines_of(mapping: spec.MappingSpec, pair: changes.PairPlan, *, shows: bool) -> list[Line]:
    """As ``lines_of``, and the fields beside them that stay as they are."""
    lines = lines_of(mapping, pair, shows=shows)
    told = {line.field for line in lines}
    for one in mapping.fields:
        if f"{one.local} ↔ {one.remote}" not in told:
            lines.append(_line(pair, one, "skip", _("stays"), "", "", shows=shows))
    lines[0].span = len(lines)
    return lines


def _writes(pair, fields, writes, side: terms.SideName, *, shows: bool) -> Iterator[Line]:
    kind = "new" if pair.outcome in _NEW else "update"
    for write in writes:
        becomes = _("%(side)s becomes “%(value)s”") % {"side": _(side.label), "value": _shown(write.value, shows)}
        yield _line(
            pair, fields[write.field_id], kind, _(pair.outcome.label), result=becomes, rule=write.rule, shows=shows
        )


def _fixed(pair: changes.PairPlan, *, shows: bool) -> Iterator[Line]:
    """What a new record gets whatever its partner holds."""
    for one in pair.fixed:
        becomes = _("%(side)s becomes “%(value)s”") % {"side": _(one.side.label), "value": _shown(one.value, shows)}
        label = cells.badge(_(pair.outcome.label), *_KINDS["new"])
        yield Line(_key(pair), one.field, kind="new", label=label, result=becomes, rule=_("fixed value"))


def _clashes(pair, fields, *, shows: bool) -> Iterator[Line]:
    for clash in pair.clashes:
        winner = clash.winner
        result = _("%(side)s wins") % {"side": _(winner.label)} if winner else _("a person must choose")
        yield _line(pair, fields[clash.field_id], "conflict", _("conflict"), result, clash.rule, shows=shows)


def _problems(pair, fields, *, shows: bool) -> Iterator[Line]:
    for problem in pair.problems:
        text = problem.message if shows else payload.without_values(problem.message)
        yield _line(pair, fields[problem.field_id], "held", _("held back"), text, "", shows=shows)


def _line(pair, field: spec.FieldSpec, kind: str, label, result, rule: str, *, shows: bool) -> Line:
    local = pair.pair.local.values.get(field.local) if pair.pair.local else None
    remote = pair.pair.remote.values.get(field.remote) if pair.pair.remote else None
    return Line(
        record=_key(pair),
        field=f"{field.local} ↔ {field.remote}",
        local=_shown(local, shows),
        remote=_shown(remote, shows),
        kind=kind,
        label=cells.badge(label, *_KINDS[kind]),
        result=result,
        rule=_cause(rule),
    )


def _shown(value: object, shows: bool) -> str:
    if value is None or value == "":
        return cells.EMPTY
    return str(value) if shows else payload.MASK


def _key(pair: changes.PairPlan) -> str:
    """The record by its ids: nothing personal."""
    local, remote = pair.pair.local, pair.pair.remote
    return f"{local.key.id if local else cells.EMPTY} ↔ {remote.key.id if remote else cells.EMPTY}"


def _cause(rule: str) -> str:
    return _(terms.Cause(rule).label) if rule in set(terms.Cause) else rule


def _reason(reason: str) -> str:
    return _(terms.Reason(reason).label) if reason in set(terms.Reason) else reason
