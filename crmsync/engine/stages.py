"""Stages: which pipelines the records of a mapping can be in, and so which stages they can have.

It knows nothing of how pipelines are discovered.
"""

import dataclasses
from collections.abc import Collection
from typing import Final

from crmsync.engine import contract, terms

# HubSpot: pipelines; each stage property with the property that names its pipeline.
PIPELINE_OF: Final[dict[str, str]] = {"dealstage": "pipeline", "hs_pipeline_stage": "hs_pipeline"}


def narrow(mapping: contract.MappingFacts, schema: contract.Schema) -> contract.Schema:
    """The schema with the stages that the mapping's records can have; those of other pipelines are ``elsewhere``.

    Unchanged where nothing says which pipelines those are, or where HubSpot has none of them.
    """
    narrowed = {}
    for stage, pipeline in PIPELINE_OF.items():
        found = schema.properties.get(stage)
        ids = _pipelines(mapping, schema, pipeline) & schema.pipelines.keys()
        if found is not None and ids:
            mine = frozenset[str]().union(*(schema.pipelines[one] for one in ids))
            narrowed[stage] = dataclasses.replace(found, options=mine, elsewhere=found.options - mine)
    if not narrowed:
        return schema
    return dataclasses.replace(schema, properties={**schema.properties, **narrowed})


def _pipelines(mapping: contract.MappingFacts, schema: contract.Schema, name: str) -> Collection[str]:
    """The pipelines of a mapping: the one that its records must have to belong to it, else those of its row's value
    map; none where it may be any. A value that only new records get is left out: they may be moved on."""
    if name in mapping.members:
        return {mapping.members[name]}
    known = frozenset(schema.pipelines)
    ids: frozenset[str] = frozenset()
    for row in mapping.rows:
        if row.remote == name:
            ids |= _of_row(row, known)
    return ids


def _of_row(row: contract.Row, known: frozenset[str]) -> frozenset[str]:
    """What a row can give its property; a row that lets other values pass can give any."""
    if not row.has_map or row.unmapped is not terms.UnmappedPolicy.HOLD:
        return known
    sent = row.to_remote.values() if row.pushes else ()
    return frozenset({*sent, *(row.to_local if row.pulls else ())})
