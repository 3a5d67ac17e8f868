"""Lint: what is wrong, or will be, between mappings and what their portals were found to be; it calls nobody."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from crmsync.engine import findings, lint
from crmsync.flows import contract
from crmsync.models import Mapping, Portal

Finding = findings.Finding
SCOPE = findings.Code.SCOPE


def of_mapping(mapping: Mapping) -> tuple[Finding, ...]:
    """The findings of a mapping, the worst first; three queries where its portal is loaded."""
    return tuple(_of_group(mapping.portal, mapping.object_type, [mapping]))


def of_mappings(mappings: Iterable[Mapping]) -> tuple[Finding, ...]:
    """The findings of several mappings, one mapping after the other by name, the worst of each first."""
    groups: dict[tuple[int, str], list[Mapping]] = defaultdict(list)
    for one in mappings:
        groups[one.portal_id, one.object_type].append(one)
    found = [
        finding
        for (_, object_type), group in groups.items()
        for finding in _of_group(group[0].portal, object_type, group)
    ]
    return tuple(sorted(found, key=lambda one: (one.mapping, one.mapping_id)))


def count(found: Iterable[Finding]) -> dict[findings.Severity, int]:
    """How many findings there are of each severity, the worst first; none is left out."""
    said = [one.severity for one in found]
    return {severity: said.count(severity) for severity in findings.Severity}


def _of_group(portal: Portal, object_type: str, group: Sequence[Mapping]) -> Iterator[Finding]:
    facts, schema = contract.of_group(portal, object_type, group)
    for one in facts:
        yield from lint.check(one, schema)
