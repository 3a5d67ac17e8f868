"""Verdict: what a mapping's page says of each pair: safe, lossy or impossible, and why; judged once a page."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from crmsync import adapters
from crmsync.admin import catalogue, cells
from crmsync.engine import across, convert, findings, lint, stages, terms
from crmsync.engine import contract as engine
from crmsync.flows import contract, contractedges
from crmsync.ledger import book, specs
from crmsync.models import FieldMapping, Mapping, RemoteProperty

_Severity = findings.Severity
_Found = findings.Finding


@dataclass(frozen=True, slots=True)
class Judged:
    """A mapping as it is saved; ``required`` are properties that HubSpot demands of every new record."""

    facts: engine.MappingFacts
    schema: engine.Schema
    findings: tuple[_Found, ...]
    by_row: dict[int, list[_Found]]
    required: frozenset[str]


def of(mapping: Mapping) -> Judged:
    """Two queries beside the catalogue's, the first time."""
    if not hasattr(mapping, "judged"):
        mapping.judged = _judge(mapping)
    return mapping.judged


def _judge(mapping: Mapping) -> Judged:
    known = catalogue.of(mapping)
    edges = contractedges.Read(known.associations, known.nearby.labels) if known.associations is not None else None
    (facts,), schema = contract.of_group(mapping.portal, mapping.object_type, [mapping], known.discovered, edges)
    found = lint.check(facts, schema)
    by_row: dict[int, list[_Found]] = defaultdict(list)
    for one in found:
        if one.field_id is not None:
            by_row[one.field_id].append(one)
    required = {group[0] for group in schema.required if len(group) == 1}
    required |= {one.property for one in schema.rules if one.kind == "REQUIRED"}
    return Judged(facts, stages.narrow(facts, schema), found, by_row, frozenset(required))


def cell(row: FieldMapping) -> SafeString:
    """The sign with its word, the reasons on demand, and what both ends are."""
    return cells.lines(_sign(row), cells.note(" · ".join(_ends(row))))


def _sign(row: FieldMapping) -> SafeString:
    if not row.is_active:
        return _of_idle(row)
    told = [one for one in of(row.mapping).by_row.get(row.pk, ()) if one.severity is not _Severity.INFO]
    if not told:
        return cells.badge(_("safe"), "good", "✓")
    worst = told[0]
    kind, sign = ("bad", "✗") if worst.severity is _Severity.ERROR else ("warn", "⚠")
    why = cells.bullets([f"{one.sentence} {one.remedy}" for one in told])
    return cells.details(cells.badge(_(worst.code.label), kind, sign), why)


def _of_idle(row: FieldMapping) -> SafeString:
    """Nothing flows, so lint does not judge it; that it never could is still told."""
    known = catalogue.of(row.mapping)
    local, remote = _local(known, row.local), _remote(known, row.remote)
    kind = _kind(remote) if remote else None
    if local and kind and not convert.is_possible(local.local_type, kind):
        return cells.badge(_("off: impossible"), "bad", "✗")
    return cells.badge(_("off"), "quiet", "–")


def _ends(row: FieldMapping) -> Iterator[str]:
    known, judged = catalogue.of(row.mapping), of(row.mapping)
    local, remote = _local(known, row.local), _remote(known, row.remote)
    if local:
        yield _(local.local_type.label) if local.is_writable else _("%s, read-only") % _(local.local_type.label)
        if row.local in judged.facts.local_required:
            yield _("required in Django")
    if remote is None:
        return
    kind = _kind(remote)
    label = _(kind.label) if kind else remote.type
    yield "↔ " + (_("%s, read-only") % label if remote.is_read_only else label)
    if remote.label and remote.label != remote.name:
        yield remote.label
    if remote.group:
        yield _("group %s") % remote.group
    if row.remote in judged.schema.properties and judged.schema.properties[row.remote].is_unique:
        yield _("unique in HubSpot")
    if row.remote in judged.required:
        yield _("required in HubSpot")


def _local(known: catalogue.Catalogue, path: str) -> adapters.LocalField | None:
    try:
        return known.adapter.describe(path) if known.adapter else None
    except adapters.LocalFieldError:
        return None


def _remote(known: catalogue.Catalogue, name: str) -> RemoteProperty | None:
    return (known.across if across.is_across(name) else known.remote).get(name)


def _kind(row: RemoteProperty) -> terms.RemoteType | None:
    try:
        return book.remote_type(row)
    except specs.SpecError:
        return None
