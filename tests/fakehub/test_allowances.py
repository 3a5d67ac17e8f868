"""What an account may hold, as ``/crm/limits`` tells it."""

import pytest


@pytest.fixture(params=["2026-09", "2026-03"])
def limits(request, api):
    return lambda path: api.get(f"/crm/limits/{request.param}/{path}")


def of(kind, listed):
    return next(one for one in listed if one["objectTypeId"] == kind)


def test_records_by_type(limits, portal):
    """C7, F10: how much room there is, before anything is created."""
    portal.plant("contacts", [{"firstname": str(number)} for number in range(30)])
    kind = portal.add_object_type("cars")
    portal.plant(kind, [{"hs_object_source": "IMPORT"}])
    portal.set_flags(allowances={"records": 300})
    body = limits("records")
    contacts = of("0-1", body["hubspotDefinedObjectTypes"])
    assert (contacts["usage"], contacts["limit"], contacts["percentage"]) == (30, 300, 10.0)
    assert (contacts["singularLabel"], contacts["pluralLabel"]) == ("Contact", "Contacts")
    custom = body["customObjectTypes"]
    assert (custom["overallUsage"], of(kind, custom["byObjectType"])["usage"]) == (1, 1)


def test_custom_and_calculated_properties(limits, portal):
    """U20: room for the properties a mapping wants to create."""
    portal.add_property("contacts", "vip")
    portal.add_property("contacts", "twice", "number", calculationFormula="1")
    portal.set_flags(allowances={"custom_properties": 2, "calculated_properties": 0})
    body = limits("custom-properties")
    assert (of("0-1", body["byObjectType"])["usage"], of("0-1", body["byObjectType"])["percentage"]) == (2, 100.0)
    assert of("0-2", body["byObjectType"])["usage"] == 0
    calculated = limits("calculated-properties")
    assert (calculated["overallUsage"], calculated["overallLimit"], calculated["overallPercentage"]) == (1, 0, 0.0)


def test_types_and_pipelines(limits, portal):
    """A18: room for the second pipeline a mapping needs."""
    assert limits("custom-object-types") == {"limit": 10, "usage": 0, "percentage": 0.0}
    portal.add_object_type("cars")
    assert limits("custom-object-types") == {"limit": 10, "usage": 1, "percentage": 10.0}
    deals = of("0-3", limits("pipelines")["hubspotDefinedObjectTypes"])
    assert (deals["usage"], deals["limit"]) == (1, 15)


def test_labels_by_pair(limits, portal):
    """F19: at most ten of one pair."""
    portal.add_label("contacts", "companies", "Boss", "Report")
    both = limits("associations/labels")["results"]
    assert [(one["fromObjectType"]["objectTypeId"], one["allLabels"]) for one in both] == [
        ("0-1", ["Boss"]),
        ("0-2", ["Report"]),
    ]
    (one,) = limits("associations/labels?fromObjectTypeId=0-1&toObjectTypeId=0-2")["results"]
    assert (one["usage"], one["limit"], one["percentage"]) == (1, 10, 10.0)
    assert limits("associations/labels?fromObjectTypeId=0-3")["results"] == []
