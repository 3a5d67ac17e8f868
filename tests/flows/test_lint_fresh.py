"""Lint of a fresh file: mappings that lead to each other and were never started have nothing to be warned of."""

from crmsync.engine.terms import MappingState
from crmsync.flows import lint
from crmsync.models import Association, Mapping
from tests.flows.conftest import Sync


def targets(mapping: Mapping) -> list[tuple[str, str]]:
    """(code, severity) of what is said of the other end."""
    found = lint.of_mapping(Mapping.objects.get(pk=mapping.pk))
    return [(str(one.code), str(one.severity)) for one in found if one.code.startswith("lint.target")]


def move(mapping: Mapping, state: str) -> None:
    Mapping.objects.filter(pk=mapping.pk).update(state=state)


def test_two_drafts_that_lead_to_each_other_are_only_remarked(sync: Sync) -> None:
    """A32: from a file all mappings come as drafts; only one that runs without the other is warned of."""
    people, companies = sync.people, sync.mappings["Organisations"]
    Association.objects.create(mapping=people, to_mapping=companies, local="organisation")
    for state in (MappingState.DRAFT, MappingState.TESTED, MappingState.APPROVED):
        move(people, MappingState.DRAFT)
        move(companies, state)
        assert targets(people) == [("lint.target_next", "info")]
    move(people, MappingState.LIVE)
    assert targets(people) == [("lint.target_not_live", "warning")]
    move(companies, MappingState.LIVE)
    assert targets(people) == []


def test_a_paused_mapping_is_warned_of_before_the_other_goes_live(sync: Sync) -> None:
    """Somebody paused it: it does not go live with the file."""
    people, companies = sync.people, sync.mappings["Organisations"]
    Association.objects.create(mapping=people, to_mapping=companies, local="organisation")
    move(people, MappingState.DRAFT)
    move(companies, MappingState.PAUSED)
    assert targets(people) == [("lint.target_not_live", "warning")]
