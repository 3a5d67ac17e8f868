"""Value maps: two tables, one a direction."""

import pytest

from crmsync.engine import errors, spec, valuemap

STAGES = spec.ValueMap({"prospect": "lead", "new": "lead", "won": "customer"}, {"lead": "new", "mql": "new"})
LOOSE = spec.ValueMap({"a": "1"}, {"1": "a"}, strict=False)


def test_each_direction_has_its_own_table():
    """L6 and L7: several values of either side may share one of the other."""
    assert valuemap.to_remote("prospect", STAGES) == "lead"
    assert valuemap.to_local("lead", STAGES) == "new"
    assert valuemap.to_local("mql", STAGES) == "new"


@pytest.mark.parametrize("translate", [valuemap.to_remote, valuemap.to_local])
def test_a_strict_map_refuses_what_it_does_not_hold(translate):
    with pytest.raises(errors.ConvertError) as caught:
        translate("stranger", STAGES)
    assert caught.value.code == "option_unknown"
    assert '"stranger"' in caught.value.message


def test_a_loose_map_passes_what_it_does_not_hold():
    assert valuemap.to_remote("b", LOOSE) == "b"
    assert valuemap.to_local("2", LOOSE) == "2"


def test_sets_of_choices_are_translated_one_by_one():
    assert valuemap.all_to_remote(["new", "won"], STAGES) == ["lead", "customer"]
    assert valuemap.all_to_local(["lead", "mql"], STAGES) == ["new", "new"]


def test_values_that_a_round_trip_would_move_are_found():
    """L8: these are the ones that only the base protects."""
    assert not valuemap.is_injective(STAGES.to_remote)
    assert valuemap.is_injective(LOOSE.to_remote)
    assert valuemap.find_unstable(STAGES) == {"prospect": "new", "won": None}
    assert valuemap.find_unstable(LOOSE) == {}
