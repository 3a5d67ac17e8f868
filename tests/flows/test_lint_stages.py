"""Lint and the gap list over a fakehub: a mapping of one pipeline hears of no other pipeline's stages."""

import pytest
from django.urls import reverse

from crmsync.flows import lint
from crmsync.models import Mapping
from tests.flows import recipes
from tests.flows.conftest import Sync

STAGES = ("lint.option_unmapped", "lint.stage_elsewhere", "lint.stage_missing")


@pytest.fixture
def deals(sync: Sync) -> Mapping:
    """Opportunities, both ways, beside a second pipeline "jobs" of three stages; nothing says which one is theirs."""
    recipes.add_jobs(sync)
    found = sync.mappings["Opportunities"]
    found.fixed_values.all().delete()
    Mapping.objects.filter(pk=found.pk).update(direction="both")
    return Mapping.objects.get(pk=found.pk)


def of_stages(mapping: Mapping) -> dict[str, str]:
    """What is said of the stage's row, by code."""
    row = mapping.fields.get(remote="dealstage")
    found = lint.of_mapping(Mapping.objects.get(pk=mapping.pk))
    return {str(one.code): one.sentence for one in found if one.field_id == row.pk and one.code in STAGES}


def test_the_stages_of_another_pipeline_are_no_gap(deals: Mapping) -> None:
    """X16: with its fixed value the mapping's records are never in the other pipeline."""
    assert "working" in of_stages(deals)["lint.option_unmapped"]
    recipes.fix(deals, "remote", "pipeline", "default")
    assert "working" not in of_stages(deals)["lint.option_unmapped"]


def test_a_first_value_does_not_say_where_records_stay(deals: Mapping) -> None:
    """A value that only new records get may be changed in HubSpot: its stages may come in."""
    recipes.fix(deals, "remote", "pipeline", "default", decides=False)
    assert "working" in of_stages(deals)["lint.option_unmapped"]


def test_a_line_with_a_stage_of_another_pipeline_is_an_error(deals: Mapping) -> None:
    """X16, A10: it is told as such, not as gone, and the mapping cannot be tested with it."""
    recipes.fix(deals, "remote", "pipeline", "default")
    deals.fields.get(remote="dealstage").value_map.filter(local_value="won").update(remote_value="working")
    found = of_stages(deals)
    assert "“working”" in found["lint.stage_elsewhere"]
    assert "lint.stage_missing" not in found


def test_the_gap_list_of_the_mappings_page_says_the_same(deals: Mapping, admin_client) -> None:
    page = reverse("admin:crmsync_mapping_change", args=[deals.pk])
    assert "6 values<" in admin_client.get(page).content.decode()
    recipes.fix(deals, "remote", "pipeline", "default")
    assert "3 values<" in admin_client.get(page).content.decode()
