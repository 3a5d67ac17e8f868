"""Combined values: the fields of which one value is made, and a table of what each combination becomes in HubSpot."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.forms.models import model_to_dict
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from crmsync.admin import catalogue, field_page_form, forms, widgets
from crmsync.admin import page as pages
from crmsync.engine import combined, terms
from crmsync.flows import lifecycle
from crmsync.models import FieldMapping, ValueMapEntry

_WAYS = (terms.Direction.BOTH, terms.Direction.PUSH)
# Lines that one form lists, so that it stays below Django's limit of 1,000 inputs; and empty ones for more.
_MOST, _EXTRA = 200, 3


@dataclass(frozen=True, slots=True)
class Cell:
    """One input: a select of ``options``, or a text where the field takes anything."""

    name: str
    label: str
    value: str
    options: SafeString | str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One combination, a value for each field, and what it becomes."""

    values: tuple[str, ...]
    target: str = ""

    @property
    def text(self) -> str:
        return combined.text_of(self.values) or ""


def is_allowed(page: pages.Page, request: HttpRequest, row: FieldMapping) -> bool:
    """Whoever may change the row, where its mapping sends anything."""
    return page.has_change_permission(request, row) and terms.Direction(row.mapping.direction).pushes


def view(page: pages.Page, request: HttpRequest, object_id: str) -> HttpResponse:
    """GET ``part`` (up to three) shows the combinations of these fields, all of them with ``every``; POST stores the
    table. Permission to change the field mapping."""
    row = page.get_viewed(request, object_id)
    if not is_allowed(page, request, row):
        raise PermissionDenied
    return _respond(request, page, row)


@require_http_methods(["GET", "HEAD", "POST"])
def _respond(request: HttpRequest, page: pages.Page, row: FieldMapping) -> HttpResponse:
    known, is_post = catalogue.Catalogue(row.mapping), request.method == "POST"
    sent = request.POST if is_post else request.GET
    parts = tuple(dict.fromkeys(filter(None, sent.getlist("part")))) or combined.parts(row.local)
    faults = _find_path_faults(row, parts)
    choices = [() if faults else _values(known, one) for one in parts]
    lines = _posted(sent, len(parts)) if is_post else _stored(row, len(parts))
    if is_post and not faults:
        faults = _find_faults(request, row, known, lines)
        if not faults:
            return _save(request, page, row, parts, lines)
    every = combined.find_choices([[value for value, _label in some] for some in choices])
    if sent.get("every") and not is_post:
        lines = [*lines, *_missing(choices, {line.text for line in lines})][:_MOST]
    targets = widgets.Options(known.remote_values(row.remote))
    context = page.make_context(
        request,
        title=_("Combined values of “%(field)s”") % {"field": row},
        original=row,
        mapping_url=page.object_url(row),
        faults=faults,
        parts=parts,
        picks=_picks(known, parts),
        rows=[] if faults and not is_post else list(_rows(row, parts, choices, targets, lines)),
        remote=row.remote,
        revision=row.mapping.revision,
        count=len(every),
        unmapped=len(set(every) - {line.text for line in lines if line.target}),
        lost=[] if is_post else [one.local_value for one in _entries(row) if _split(one, len(parts)) is None],
    )
    return TemplateResponse(request, "admin/crmsync/combine.html", context)


# --- What is shown ----------------------------------------------------------------------------------------------


def _picks(known: catalogue.Catalogue, parts: Sequence[str]) -> list[Cell]:
    """A select for each field that may be part of it."""
    options = widgets.Options([pair for pair in known.local_pairs if not combined.is_combined(pair[0])])
    chosen = [*parts, *[""] * combined.MOST_PARTS][: combined.MOST_PARTS]
    return [
        Cell("part", _("Field %(number)d") % {"number": number}, value, options.html(value))
        for number, value in enumerate(chosen, 1)
    ]


def _values(known: catalogue.Catalogue, path: str) -> tuple[widgets.Choice, ...]:
    return tuple(pair for pair in known.local_values(path) if pair[0])


def _rows(row, parts, choices, targets: widgets.Options, lines: Sequence[Line]) -> Iterator[list[Cell]]:
    """The inputs of each line, and of some empty ones."""
    options = [widgets.Options(some) if some else None for some in choices]
    blank = Line(("",) * len(parts))
    for number, line in enumerate([*lines, *[blank] * _EXTRA]):
        facts = {"number": number + 1}
        cells = [
            Cell(
                f"value-{number}-{place}",
                f"{part}, {_('line %(number)d') % facts}",
                value,
                some.html(value) if some else "",
            )
            for place, (part, value, some) in enumerate(zip(parts, line.values, options, strict=True))
        ]
        label = f"{row.remote}, {_('line %(number)d') % facts}"
        shown = targets.html(line.target) if len(targets) else ""
        yield [*cells, Cell(f"to-{number}", label, line.target, shown)]


def _entries(row: FieldMapping) -> list[ValueMapEntry]:
    """The lines of its table to HubSpot."""
    return list(row.value_map.filter(direction__in=_WAYS))


def _split(entry: ValueMapEntry, count: int) -> tuple[str, ...] | None:
    return combined.split(entry.local_value, count)


def _stored(row: FieldMapping, count: int) -> list[Line]:
    """The lines there are; those that are no combination of so many fields are told apart."""
    found = [(_split(one, count), one.remote_value) for one in _entries(row)]
    return [Line(values, target) for values, target in found if values is not None]


def _missing(choices, present: set[str]) -> Iterator[Line]:
    """A line without a target for every combination that has none."""
    if combined.find_choices([[value for value, _label in some] for some in choices]):
        for values in itertools.product(*([value for value, _label in some] for some in choices)):
            line = Line(values)
            if line.text not in present:
                yield line


# --- What is stored -----------------------------------------------------------------------------------------------


def _posted(sent, count: int) -> list[Line]:
    """Lines as entered; empty ones are left out."""
    numbers = sorted(int(name[3:]) for name in sent if name.startswith("to-") and name[3:].isdecimal())
    lines = [
        Line(
            tuple(sent.get(f"value-{number}-{place}", "").strip() for place in range(count)),
            sent.get(f"to-{number}", "").strip(),
        )
        for number in numbers[: _MOST + _EXTRA]
    ]
    return [line for line in lines if any(line.values) or line.target]


def _find_path_faults(row: FieldMapping, parts: Sequence[str]) -> list[str]:
    """What the row's own page would say of these fields."""
    before = model_to_dict(row)
    form = field_page_form.FieldPageForm(_data(row, parts), instance=row)
    found = [text for texts in form.errors.values() for text in texts]
    for name in ("local", "direction"):  # the form that judged them has set them
        setattr(row, name, before[name])
    return found


def _data(row: FieldMapping, parts: Sequence[str]) -> dict[str, object]:
    """Several fields as one value are only ever sent."""
    way = terms.Direction.PUSH if len(parts) > 1 else row.direction
    return {**model_to_dict(row), "local": combined.SIGN.join(parts), "direction": way}


def _find_faults(
    request: HttpRequest, row: FieldMapping, known: catalogue.Catalogue, lines: Sequence[Line]
) -> list[str]:
    if request.POST.get("revision") != str(row.mapping.revision):
        return [_("Somebody else changed this mapping meanwhile. Open this page again and repeat your change.")]
    found, seen, options = [], set(), known.remote_values(row.remote)
    for number, line in enumerate(lines, 1):
        where = _("Line %(number)d") % {"number": number}
        if not any(line.values):
            found.append(_("%(line)s: choose the values that become “%(to)s”.") % {"line": where, "to": line.target})
        elif line.text in seen:
            found.append(_("%(line)s: “%(text)s” is there twice.") % {"line": where, "text": line.text})
        elif line.target:
            data = {"direction": terms.Direction.PUSH, "local_value": line.text, "remote_value": line.target}
            form = forms.ValueMapForm(data, remote_values=options, ways=_WAYS)
            found += [f"{where}: {text}" for texts in form.errors.values() for text in texts]
        seen.add(line.text)
    return found


def _save(
    request: HttpRequest, page: pages.Page, row: FieldMapping, parts: Sequence[str], lines: Sequence[Line]
) -> HttpResponse:
    """One edit of the mapping: the fields, and the table to HubSpot as it is now."""
    wanted = {line.text: line.target for line in lines if line.target}
    with transaction.atomic():
        data = _data(row, parts)
        row.local, row.direction = str(data["local"]), str(data["direction"])
        row.save(update_fields=["local", "direction"])
        kept = {one.local_value: one for one in _entries(row) if wanted.get(one.local_value) == one.remote_value}
        row.value_map.filter(direction__in=_WAYS).exclude(pk__in=[one.pk for one in kept.values()]).delete()
        way = terms.Direction.PUSH
        ValueMapEntry.objects.bulk_create(
            ValueMapEntry(field=row, direction=way, local_value=text, remote_value=target)
            for text, target in wanted.items()
            if text not in kept
        )
        lifecycle.note_edit(row.mapping, request.user.pk)
    text = ngettext("%(field)s: %(count)d combination.", "%(field)s: %(count)d combinations.", len(wanted))
    said = text % {"field": row, "count": len(wanted)}
    page.log_change(request, row, said)
    page.say(request, said)
    return HttpResponseRedirect(page.object_url(row))
