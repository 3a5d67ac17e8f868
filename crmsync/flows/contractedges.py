"""What a mapping's associations lead to, and why one cannot work at present, as facts that engine.lint judges."""

import dataclasses
from collections.abc import Iterator, Sequence

from crmsync.engine import contract, terms
from crmsync.flows import contractparts
from crmsync.ledger import relations, specs
from crmsync.models import Mapping


def add(
    facts: Sequence[contract.MappingFacts], group: Sequence[Mapping], parts: contractparts.Parts
) -> list[contract.MappingFacts]:
    """The facts with the relations of those mappings that have associations."""
    pairs = zip(facts, group, strict=True)
    return [
        dataclasses.replace(one, relations=tuple(_relations(row))) if ("edge", row.pk) in parts else one
        for one, row in pairs
    ]


def _relations(mapping: Mapping) -> Iterator[contract.Relation]:
    try:
        model = specs.adapter_of(mapping).model
    except specs.SpecError:
        return  # said of the model already
    rows = list(mapping.associations.filter(is_active=True).select_related("to_mapping"))
    for row, one in zip(rows, relations.load_rows(mapping, rows, model), strict=True):
        is_live = row.to_mapping.state == terms.MappingState.LIVE
        yield contract.Relation(str(row), one.held, "" if is_live else row.to_mapping.label)
