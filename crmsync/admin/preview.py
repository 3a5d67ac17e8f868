"""The preview: what the first page of each direction would do, record by record and field by field, twenty a page."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.core.exceptions import PermissionDenied
from django.core.paginator import Page as Cut
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from crmsync.admin import attempt, payload, plan_lines
from crmsync.admin import page as pages
from crmsync.engine import changes, plan, spec, terms
from crmsync.flows import backfill, dossier
from crmsync.models import Mapping, choices

Found = tuple[plan.Plan, list[dossier.Case]]  # of one page of records: the plan, and those it has not
_BOTH = terms.Direction.BOTH
_A_PAGE = 20
# What is asked about a record first: is it new, does it change, or does it stop?
_SORTS = {
    "create": gettext_lazy("create or link"),
    "update": gettext_lazy("update"),
    "unchanged": gettext_lazy("unchanged"),
    "stopped": gettext_lazy("stopped"),
}
_STOPS = (terms.Outcome.FAILED, terms.Outcome.EXCLUDED, terms.Outcome.WAITING, terms.Outcome.CONFLICT)


@dataclass(slots=True)
class Group:
    """One record with its lines; ``sort`` is one of those that can be asked for."""

    sort: str
    lines: list[plan_lines.Line]


@dataclass(frozen=True, slots=True)
class Choice:
    """A link that shows some of the records only, with how many there are."""

    label: object
    url: str
    count: int
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Part:
    """One direction: a page of its records and counts, or why there are none; ``notes``: what waits whatever a
    record holds. ``base_url`` is what a page number is added to."""

    kind: str
    title: object
    counts: list[str] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)
    cut: Cut | None = None
    base_url: str = ""
    refusal: str = ""
    notes: tuple[str, ...] = ()

    @property
    def lines(self) -> list[plan_lines.Line]:
        return [line for group in self.cut or () for line in group.lines]


def view(page: pages.Page, request: HttpRequest, object_id: str) -> TemplateResponse:
    """GET: plans the first page of each direction; permission to view the mapping and to operate.

    For a direction such as ``backfill_pull``, ``backfill_pull_show`` asks for one sort of record only, and
    ``backfill_pull_page`` for a page of them.
    """
    if not page.has_operate_permission(request):
        raise PermissionDenied
    return _respond(request, page, page.get_viewed(request, object_id))


@require_safe
def _respond(request: HttpRequest, page: pages.Page, mapping: Mapping) -> TemplateResponse:
    shows = payload.is_allowed(request)
    context = page.make_context(
        request,
        title=_("Preview of “%(mapping)s”") % {"mapping": mapping},
        original=mapping,
        mapping_url=page.object_url(mapping),
        parts=[_part(request, mapping, kind, shows=shows) for kind in backfill.kinds(mapping, _BOTH)],
        shows_values=shows,
        hidden=payload.HIDDEN,
    )
    return TemplateResponse(request, "admin/crmsync/preview.html", context)


def _part(request: HttpRequest, mapping: Mapping, kind: str, *, shows: bool) -> Part:
    title = choices.RunKind(kind).label
    found, refusal = attempt.attempt(lambda: list(backfill.preview_all(mapping, kind)))
    if found is None:
        return Part(kind, title, refusal=refusal)
    groups = _groups(mapping, kind, found, shows=shows)
    notes = dict.fromkeys(text for one, _stopped in found for text in notes_of(one.spec))
    wanted = request.GET.get(f"{kind}_show", "")
    chosen = [one for one in groups if wanted not in _SORTS or one.sort == wanted]
    return Part(
        kind,
        title,
        counts=[text for one, stopped in found for text in _counts(one, stopped)],
        choices=_choices(request, kind, groups, wanted),
        cut=Paginator(chosen, _A_PAGE).get_page(request.GET.get(f"{kind}_page")),
        base_url=_address(request, **{f"{kind}_page": ""}),
        notes=tuple(notes),
    )


def _groups(mapping: Mapping, kind: str, found: list[Found], *, shows: bool) -> list[Group]:
    """Every record with its fields, and its associations below them; those without a plan with the reason."""
    groups = {
        plan_lines.key_of(pair): Group(_sort_of(pair), plan_lines.lines_of(one.spec, pair, shows=shows))
        for one, _stopped in found
        for pair in one.pairs
    }
    for case in (case for _plan, stopped in found for case in stopped):
        line = plan_lines.stopped_line_of(case, shows=shows)
        groups.setdefault(line.record, Group("stopped", [line]))
    joins, refusal = attempt.attempt(lambda: backfill.foresee(mapping, kind))
    if joins is None:
        groups[""] = Group("stopped", [plan_lines.Line("", label=_("associations"), result=refusal)])
    for join in joins or ():
        _add_edges(groups, plan_lines.key_of(join.work.plan), plan_lines.edge_lines_of(join))
    for group in groups.values():
        group.lines[0].span = len(group.lines)
        for line in group.lines[1:]:
            line.span = 0
    return list(groups.values())


def _add_edges(groups: dict[str, Group], key: str, lines: list[plan_lines.Line]) -> None:
    """A record whose fields are in sync, but not its associations, is one that changes, or stops."""
    if not lines:
        return
    group = groups.setdefault(key, Group("unchanged", []))
    if group.sort == "unchanged":
        group.sort = "stopped" if all(line.kind == "held" for line in lines) else "update"
    group.lines += lines


def _sort_of(pair: changes.PairPlan) -> str:
    if pair.problems or pair.outcome in _STOPS or any(clash.winner is None for clash in pair.clashes):
        return "stopped"
    if pair.outcome in (terms.Outcome.CREATED, terms.Outcome.ADOPTED):
        return "create"
    return "unchanged" if pair.outcome is terms.Outcome.UNCHANGED else "update"


def _choices(request: HttpRequest, kind: str, groups: list[Group], wanted: str) -> list[Choice]:
    """All of them, and each sort that there is."""
    counts = {name: sum(one.sort == name for one in groups) for name in _SORTS}
    every = Choice(_("all"), _url(request, kind, ""), len(groups), wanted not in _SORTS)
    some = [
        Choice(label, _url(request, kind, name), counts[name], wanted == name)
        for name, label in _SORTS.items()
        if counts[name]
    ]
    return [every, *some]


def _url(request: HttpRequest, kind: str, show: str) -> str:
    return f"{_address(request, **{f'{kind}_page': '', f'{kind}_show': show})}#crmsync-{kind}"


def _address(request: HttpRequest, **changed: str) -> str:
    """This page with some of its parameters changed, so that each direction keeps what was chosen for the other."""
    kept = {name: value for name, value in request.GET.items() if name not in changed}
    return f"?{urlencode({**kept, **{name: value for name, value in changed.items() if value}})}"


def notes_of(mapping: spec.MappingSpec) -> Iterator[str]:
    """Fields and associations that are held back in every record, and why records without a partner wait."""
    yield from (one.held.message for one in (*mapping.fields, *mapping.associations) if one.held is not None)
    if mapping.unmatched:
        yield mapping.unmatched


def _counts(one: plan.Plan, stopped: list[dossier.Case]) -> list[str]:
    counts = Counter(one.counts()) + Counter(case.stop.outcome for case in stopped if case.stop)
    return [f"{counts[term]} {_(term.label)}" for term in terms.Outcome if counts.get(term)]
