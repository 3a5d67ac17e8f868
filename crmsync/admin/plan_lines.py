"""What a plan would do to one record, as the rows of a table: field by field and association by association."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crmsync.admin import cells, payload
from crmsync.engine import changes, spec, terms
from crmsync.flows import dossier, edgejoin

_KINDS = {
    "new": ("good", "+"),
    "update": ("warn", "~"),
    "conflict": ("bad", "!"),
    "held": ("bad", "✗"),
    "skip": ("quiet", "="),
}
_NEW = (terms.Outcome.CREATED, terms.Outcome.ADOPTED)
_MOVES = {
    terms.EdgeMove.ADD_REMOTE: "new",
    terms.EdgeMove.ADD_LOCAL: "new",
    terms.EdgeMove.CUT_REMOTE: "update",
    terms.EdgeMove.CUT_LOCAL: "update",
    terms.EdgeMove.WAIT: "held",
    terms.EdgeMove.REFUSE: "held",
}


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
        lines = [Line(key_of(pair), label=_(pair.outcome.label), result=detail or _reason(pair.reason))]
    lines[0].span = len(lines)
    return lines


def stopped_line_of(case: dossier.Case, *, shows: bool) -> Line:
    """Why a record got no plan, such as one that another mapping has linked."""
    stop = case.stop
    text = stop.message if shows else payload.without_values(stop.message, stop.code)
    here = next((one.local_pk for one in case.items if one.local_pk), cells.EMPTY)  # not of another mapping
    there = next((one.remote_id for one in case.items if one.remote_id), cells.EMPTY)
    record = f"{here} ↔ {there}"
    return Line(record, label=_(stop.outcome.label), result=text)


def edge_lines_of(join: edgejoin.Join) -> list[Line]:
    """The associations of one record that would be made, removed or waited for; keys only, no values."""
    return [
        Line(
            record=key_of(join.work.plan),
            field=f"{join.one.local} ↔ {join.one.to_type}",
            local=step.local_pk or cells.EMPTY,
            remote=step.remote_id or cells.EMPTY,
            kind=_MOVES[step.move],
            label=cells.badge(_("association"), *_KINDS[_MOVES[step.move]]),
            result=step.detail or _(step.move.label),
            span=1,
        )
        for step in join.steps
        if step.move in _MOVES
    ]


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
        said = _CLEARED if write.clears_first else _("%(side)s becomes “%(value)s”")
        becomes = said % {"side": _(side.label), "value": _shown(write.value, shows)}
        yield _line(
            pair, fields[write.field_id], kind, _(pair.outcome.label), result=becomes, rule=write.rule, shows=shows
        )


def _fixed(pair: changes.PairPlan, *, shows: bool) -> Iterator[Line]:
    """What a new record gets whatever its partner holds."""
    for one in pair.fixed:
        becomes = _("%(side)s becomes “%(value)s”") % {"side": _(one.side.label), "value": _shown(one.value, shows)}
        label = cells.badge(_(pair.outcome.label), *_KINDS["new"])
        yield Line(key_of(pair), one.field, kind="new", label=label, result=becomes, rule=_("fixed value"))


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
        record=key_of(pair),
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


def key_of(pair: changes.PairPlan) -> str:
    """The record by its ids: nothing personal."""
    local, remote = pair.pair.local, pair.pair.remote
    return f"{local.key.id if local else cells.EMPTY} ↔ {remote.key.id if remote else cells.EMPTY}"


def _cause(rule: str) -> str:
    return _(terms.Cause(rule).label) if rule in set(terms.Cause) else rule


def _reason(reason: str) -> str:
    return _(terms.Reason(reason).label) if reason in set(terms.Reason) else reason


_CLEARED = gettext_lazy("%(side)s is cleared first, then becomes “%(value)s”")
