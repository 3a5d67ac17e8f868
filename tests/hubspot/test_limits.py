"""What an account may hold, in the published shapes."""

import pytest

from crmsync.hubspot import account, errors, limits


def named(object_type_id, label, **more):
    return {"objectTypeId": object_type_id, "singularLabel": label[:-1], "pluralLabel": label, **more}


CONTACTS = named("0-1", "Contacts", usage=900, limit=1_000, percentage=90.0)
RECORDS = {
    "hubspotDefinedObjectTypes": [CONTACTS],
    "customObjectTypes": {
        "byObjectType": [named("2-123", "Cars", usage=5)],
        "overallLimit": 500_000,
        "overallPercentage": 0.001,
        "overallUsage": 5,
    },
}
PROPERTIES = {"byObjectType": [CONTACTS], "overallLimit": 10_000, "overallPercentage": 9.0, "overallUsage": 901}


def test_records(fake):
    """A18, C7: custom object types have no limit of their own, they share one."""
    sender = fake([RECORDS])
    assert account.record_limits(sender) == limits.RecordLimits(
        types=(limits.TypeLimit("0-1", 900, 1_000, "Contacts"), limits.TypeLimit("2-123", 5, None, "Cars")),
        custom_usage=5,
        custom_limit=500_000,
    )
    assert sender.requests[0].target == "/crm/limits/2026-09/records"


def test_properties(fake):
    """A18, U20: whether the properties a mapping wants still fit in."""
    sender = fake([PROPERTIES])
    found = account.property_limits(sender)
    assert found == limits.PropertyLimits((limits.TypeLimit("0-1", 900, 1_000, "Contacts"),), 901, 10_000)
    assert sender.requests[0].target == "/crm/limits/2026-09/custom-properties"


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        RECORDS | {"customObjectTypes": None},
        RECORDS | {"hubspotDefinedObjectTypes": [{"objectTypeId": "0-1"}]},
    ],
)
def test_another_shape_is_no_limit(fake, body):
    """Fault 14."""
    with pytest.raises(errors.UnknownOutcome):
        account.record_limits(fake([body]))
