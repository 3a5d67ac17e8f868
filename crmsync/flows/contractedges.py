"""What a mapping's associations lead to, and why one cannot work at present, as facts that engine.lint judges."""

import dataclasses
from collections.abc import Iterator, Sequence

from crmsync.engine import contract, terms
from crmsync.flows import contractparts
from crmsync.ledger import relations, specs
from crmsync.models import Association, Mapping


@dataclasses.dataclass(frozen=True, slots=True)
class Read:
    """What a caller has read already, of one mapping: its associations with the mappings they lead to, and the labels
    of its object type."""

    rows: Sequence[Association]
    labels: relations.Labels


def add(
    facts: Sequence[contract.MappingFacts],
    group: Sequence[Mapping],
    parts: contractparts.Parts,
    known: Read | None = None,
) -> list[contract.MappingFacts]:
    """The facts with the relations of those mappings that have associations. ``known``: of the only one."""
    return [
        _with_relations(one, row, known) if ("edge", row.pk) in parts else one
        for one, row in zip(facts, group, strict=True)
    ]


def _with_relations(one: contract.MappingFacts, mapping: Mapping, known: Read | None) -> contract.MappingFacts:
    return dataclasses.replace(one, relations=tuple(_relations(mapping, known or _read(mapping))))


def _read(mapping: Mapping) -> Read:
    rows = list(mapping.associations.select_related("to_mapping"))
    is_labelled = any(row.label for row in rows if row.is_active)
    return Read(rows, relations.read_labels(mapping.portal_id, mapping.object_type) if is_labelled else ())


def _relations(mapping: Mapping, known: Read) -> Iterator[contract.Relation]:
    try:
        model = specs.adapter_of(mapping).model
    except specs.SpecError:
        return  # said of the model already
    rows = [row for row in known.rows if row.is_active]
    is_started = terms.MappingState(mapping.state).is_started
    for row, one in zip(rows, relations.load_rows(mapping, rows, model, known.labels), strict=True):
        there = terms.MappingState(row.to_mapping.state)
        unlinked = "" if there is terms.MappingState.LIVE else row.to_mapping.label
        yield contract.Relation(str(row), one.held, unlinked, is_next=not (is_started or there.is_started))
