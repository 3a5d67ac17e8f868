"""Pipelines, owners, custom schemas and the account, with the captured bodies."""

import traceback
from datetime import UTC, datetime

import pytest

from crmsync.hubspot import account, errors, owners, pipelines, schemas, types

PIPELINE = {
    "id": "default",
    "label": "Sales Pipeline",
    "displayOrder": 1,
    "archived": False,
    "stages": [
        {
            "id": "closedwon",
            "label": "Closed won",
            "displayOrder": 5,
            "metadata": {"isClosed": "true", "probability": "1.0"},
            "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
            "archived": False,
        },
        {
            "id": "appointmentscheduled",
            "label": "Appointment",
            "displayOrder": 0,
            "metadata": {"isClosed": "false", "probability": "0.2"},
            "archived": False,
        },
    ],
}


def test_pipelines_and_stages_in_order(fake):
    """C3: stages by id; their metadata is text."""
    sender = fake([{"results": [PIPELINE, PIPELINE | {"id": "2", "displayOrder": 0, "stages": None}]}])
    second, first = pipelines.list_all(sender, "deals")
    assert (first.id, second.id) == ("default", "2")
    assert [stage.id for stage in first.stages] == ["appointmentscheduled", "closedwon"]
    assert first.stages[1].metadata == {"isClosed": "true", "probability": "1.0"}
    assert sender.requests[0].path == "/crm/pipelines/2026-09/deals"


OWNER = {
    "id": "41629779",
    "email": "ada@x.test",
    "type": "PERSON",
    "firstName": "Ada",
    "lastName": "Lovelace",
    "userId": 9586504,
    "userIdIncludingInactive": 9586504,
    "archived": False,
    "teams": [{"id": "1", "name": "T", "primary": True}],
}


def test_owners_active_and_archived_page_by_page(fake):
    """X5, A16: an owner id is not a user id; archived owners lose one of their user ids, and keep the other."""
    gone = OWNER | {"id": "7", "archived": True, "userId": None, "email": None}
    sender = fake([{"results": [OWNER], "paging": {"next": {"after": "x"}}}, {"results": []}, {"results": [gone]}])
    active, archived = owners.iter_all(sender)
    assert active == types.Owner(
        "41629779", "ada@x.test", "Ada", "Lovelace", 9586504, user_id_including_inactive=9586504
    )
    assert (archived.id, archived.user_id, archived.email, archived.archived) == ("7", None, "", True)
    assert archived.user_id_including_inactive == 9586504
    assert [request.target.partition("?")[2] for request in sender.requests] == [
        "limit=100&archived=false",
        "limit=100&archived=false&after=x",
        "limit=100&archived=true",
    ]


@pytest.mark.parametrize("archived", [True, False])
def test_only_the_owners_of_one_kind(fake, archived):
    """X5: who left can be looked for alone."""
    sender = fake([{"results": [OWNER]}])
    assert len(list(owners.iter_all(sender, archived))) == 1
    assert [request.query for request in sender.requests] == [
        (("limit", "100"), ("archived", "true" if archived else "false"))
    ]


SCHEMA = {
    "id": "3465404",
    "objectTypeId": "2-3465404",
    "fullyQualifiedName": "p1234_cars",
    "name": "cars",
    "labels": {"singular": "Car", "plural": "Cars"},
    "primaryDisplayProperty": "model",
    "secondaryDisplayProperties": [],
    "requiredProperties": ["vin"],
    "properties": [{"name": "vin", "label": "VIN", "type": "string", "fieldType": "text"}],
    "associations": [],
    "archived": False,
}


def test_custom_object_types(fake):
    sender = fake([{"results": [SCHEMA]}, SCHEMA])
    (found,) = schemas.list_all(sender)
    assert found == schemas.get(sender, "2-3465404")
    assert (found.object_type_id, found.plural, found.required_properties) == ("2-3465404", "Cars", ("vin",))
    assert [one.name for one in found.properties] == ["vin"]
    assert [request.path for request in sender.requests] == [
        "/crm-object-schemas/2026-09/schemas",
        "/crm-object-schemas/2026-09/schemas/2-3465404",
    ]


DETAILS = {
    "portalId": 123,
    "accountType": "DEVELOPER_TEST",
    "timeZone": "US/Eastern",
    "companyCurrency": "USD",
    "additionalCurrencies": ["EUR"],
    "utcOffset": "-05:00",
    "utcOffsetMilliseconds": -18000000,
    "uiDomain": "app.hubspot.com",
    "dataHostingLocation": "na1",
}


def test_account_details(fake):
    """C12, C13, fault 27: the connection check names the portal."""
    found = account.details(fake([DETAILS]))
    assert (found.portal_id, found.account_type, found.time_zone, found.currency) == (
        123,
        "DEVELOPER_TEST",
        "US/Eastern",
        "USD",
    )
    assert (found.additional_currencies, found.utc_offset_ms, found.data_hosting_location) == (
        ("EUR",),
        -18_000_000,
        "na1",
    )


@pytest.mark.parametrize("body", [None, {}, {"portalId": None}, {"portalId": "x"}])
def test_an_account_without_an_id_is_no_account(fake, body):
    with pytest.raises(errors.UnknownOutcome):
        account.details(fake([body]))


def test_introspection_of_a_static_token(fake):
    """C9: granted scopes are compared with those needed."""
    sender = fake([{"userId": 1, "hubId": 2, "appId": 3, "scopes": ["oauth", "crm.objects.deals.read"]}])
    found = account.introspect(sender, "pat-secret")
    assert found == types.TokenInfo(2, 1, 3, ("oauth", "crm.objects.deals.read"))
    request = sender.requests[0]
    assert (request.path, request.json) == (
        "/oauth/v2/private-apps/get/access-token-info",
        {"tokenKey": "pat-secret"},
    )
    assert "pat-secret" not in repr(request)


def test_a_refused_introspection_shows_no_token(fake):
    """C18, I19: error reporters print the variables of every frame."""
    with pytest.raises(errors.Unauthorized) as caught:
        account.introspect(fake([errors.Unauthorized(status=401)]), "pat-secret")
    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    frames = [frame for frame in frames if frame.f_code.co_filename == account.__file__]
    assert frames
    assert not [frame for frame in frames if "pat-secret" in repr(frame.f_locals)]


USED = account.Usage(1_000_000, 2, datetime(2026, 11, 21, 10, tzinfo=UTC), datetime(2026, 11, 22, 5, tzinfo=UTC))


@pytest.mark.parametrize(("status", "wanted"), [("SUCCESS", USED), ("CACHED", USED), ("FAILURE", None)])
def test_daily_usage(fake, status, wanted):
    """C31, A23, fault 10, 11: the usage endpoint counts other apps too, and says when the day ends."""
    row = {
        "name": "private-apps-api-calls-daily",
        "usageLimit": 1000000,
        "currentUsage": 2,
        "collectedAt": "2026-11-21T10:00:00.000Z",
        "fetchStatus": status,
        "resetsAt": "2026-11-22T00:00:00-05:00",
    }
    assert account.daily_usage(fake([{"results": [row]}])) == wanted
    assert account.daily_usage(fake([{"results": []}])) is None


def test_daily_usage_without_times(fake):
    """A23: ``resetsAt`` may be null; the count is good all the same."""
    row = {"usageLimit": 5, "currentUsage": 2, "fetchStatus": "SUCCESS", "collectedAt": "soon", "resetsAt": None}
    assert account.daily_usage(fake([{"results": [row]}])) == account.Usage(5, 2)
