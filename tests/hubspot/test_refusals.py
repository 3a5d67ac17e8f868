"""Every row of HubSpot's error table, with the captured bodies."""

import json

import pytest

from crmsync.hubspot import errors, refusals

E = errors


def refused(status, body, **facts):
    return refusals.from_answer(status, body if isinstance(body, bytes) else json.dumps(body).encode(), **facts)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, E.ValidationError),
        (401, E.Unauthorized),
        (402, E.HubSpotError),
        (403, E.MissingScopes),
        (404, E.NotFound),
        (405, E.HubSpotError),
        (408, E.UnknownOutcome),
        (409, E.Conflict),
        (414, E.UriTooLong),
        (415, E.HubSpotError),
        (423, E.Locked),
        (429, E.RateLimited),
        (477, E.Moving),
        *[(status, E.ServerError) for status in (500, 502, 503, 504, 521, 522, 523, 524, 525, 526)],
    ],
)
@pytest.mark.parametrize("body", [b"", b"<html>no</html>", b"[1]", b'{"message": null, "errors": 3, "context": []}'])
def test_the_status_decides_whatever_the_body_is(status, kind, body):
    """Fault 9, 12, 14: an error answer may hold anything."""
    error = refused(status, body, correlation_id="from-header", retry_after=7.0)
    assert type(error) is kind
    assert error.status == status
    assert error.correlation_id == "from-header"
    assert error.retry_after == 7.0


VALIDATION = {
    "status": "error",
    "message": (
        'Property values were not valid: [{"isValid":false,"message":"Property \\"x\\" does not exist",'
        '"error":"PROPERTY_DOESNT_EXIST","name":"x"},{"isValid":false,"message":"Email address ada@ is invalid",'
        '"error":"INVALID_EMAIL","name":"email"}]'
    ),
    "correlationId": "c-1",
    "errors": [
        {
            "message": 'Property "x" does not exist',
            "code": "PROPERTY_DOESNT_EXIST",
            "context": {"propertyName": ["x"]},
        }
    ],
    "category": "VALIDATION_ERROR",
}


def test_validation_problems_come_from_both_places_each_once():
    error = refused(400, VALIDATION)
    assert [(problem.name, problem.code) for problem in error.problems] == [
        ("x", "PROPERTY_DOESNT_EXIST"),
        ("email", "INVALID_EMAIL"),
    ]
    assert error.category == "VALIDATION_ERROR"
    assert error.correlation_id == "c-1"
    assert "ada@" not in str(error)


def test_an_item_without_errors_is_read_from_its_message():
    item = {key: VALIDATION[key] for key in ("category", "message")}
    error = refusals.from_item(item)
    assert type(error) is E.ValidationError
    assert {problem.name for problem in error.problems} == {"x", "email"}
    assert error.status == 207


@pytest.mark.parametrize("message", ['Property values were not valid: [{"name":"x"', "[{]", "[{}, 3]"])
def test_a_cut_off_list_in_the_message_breaks_nothing(message):
    error = refused(400, {"category": "VALIDATION_ERROR", "message": message})
    assert isinstance(error, E.ValidationError)


def test_a_property_named_in_the_context_only():
    body = {"category": "VALIDATION_ERROR", "message": "m", "context": {"propertyName": ["dealstage"]}}
    assert [problem.name for problem in refused(400, body).problems] == ["dealstage"]


@pytest.mark.parametrize(
    "body",
    [
        {
            "message": "Duplicate IDs found in batch input: [123456]. IDs must be unique",
            "context": {"ids": ["123456"]},
        },
        {"message": "Duplicate IDs found in batch input: [123456]. IDs must be unique"},
    ],
)
def test_duplicate_ids(body):
    """Fault 15: the same id twice in one batch is told by name."""
    assert refused(400, body | {"category": "VALIDATION_ERROR"}).duplicate_ids == ("123456",)


@pytest.mark.parametrize(
    ("status", "body", "existing"),
    [
        (409, {"message": "Contact already exists. Existing ID: 37765128953", "category": "CONFLICT"}, "37765128953"),
        (409, {"message": "Contact already exists.", "category": "CONFLICT"}, None),
        (
            400,
            {
                "message": "Cannot set PropertyValueCoordinates{propertyName=vat, value=AT1} on 1. "
                "4711 already has that value.",
                "category": "VALIDATION_ERROR",
            },
            "4711",
        ),
        (409, {"message": "4711 already has that value.", "category": "CONFLICT"}, "4711"),
        (409, {"message": "m", "context": {"existingId": ["88"]}}, "88"),
    ],
)
def test_conflicts_name_the_record_that_is_there(status, body, existing):
    """Fault 40: the 409 "existing id" path, and its 400 form for custom unique properties."""
    error = refused(status, body)
    assert type(error) is E.Conflict
    assert error.existing_id == existing
    assert error.status == status


def test_captured_items_of_a_207():
    """Fault 15: the two captured partial failures."""
    conflict = refusals.from_item(
        {
            "category": "CONFLICT",
            "message": "Contact already exists. Existing ID: 171591000198",
            "context": {"objectWriteTraceId": ["0"], "existingId": ["171591000198"]},
        }
    )
    assert type(conflict) is E.Conflict
    assert conflict.existing_id == "171591000198"
    gone = refusals.from_item(
        {
            "category": "OBJECT_NOT_FOUND",
            "message": "Could not get some CONTACT objects, they may be deleted or not exist.",
            "context": {"ids": ["5"]},
        }
    )
    assert type(gone) is E.NotFound
    assert gone.context == {"ids": ["5"]}
    taken = refusals.from_item(
        {
            "category": "OBJECT_ALREADY_EXISTS",
            "subCategory": "Properties.PROPERTY_WITH_NAME_EXISTS",
            "message": "A property named 'age__c' already exists.",
            "context": {"name": ["age__c"]},
        }
    )
    assert type(taken) is E.Conflict
    assert taken.sub_category == "Properties.PROPERTY_WITH_NAME_EXISTS"
    assert type(refusals.from_item({"category": "SOMETHING_NEW"})) is E.HubSpotError
    assert type(refusals.from_item({})) is E.HubSpotError


SCOPES = ["crm.objects.deals.read", "crm.objects.deals.write"]


@pytest.mark.parametrize(
    "body",
    [
        {
            "category": "MISSING_SCOPES",
            "errors": [
                {"message": "One or more are required.", "context": {"requiredGranularScopes": SCOPES}},
            ],
        },
        {"category": "MISSING_SCOPES", "context": {"requiredGranularScopes": SCOPES}},
    ],
)
def test_scopes_from_either_shape(body):
    """C9, fault 26: missing scopes are named."""
    assert refused(403, body).scopes == tuple(SCOPES)


def test_any_other_403_has_no_scopes():
    error = refused(403, {"category": "USER_DOES_NOT_HAVE_PERMISSIONS", "message": "no"})
    assert type(error) is E.MissingScopes
    assert error.scopes == ()
    assert "USER_DOES_NOT_HAVE_PERMISSIONS" in str(error)


@pytest.mark.parametrize(
    ("body", "policy"),
    [
        (
            {
                "status": "error",
                "message": "You have reached your daily limit.",
                "errorType": "RATE_LIMIT",
                "correlationId": "c",
                "policyName": "DAILY",
                "requestId": "r",
            },
            "DAILY",
        ),
        (
            {
                "policyName": "TEN_SECONDLY_ROLLING",
                "message": "You have reached your ten_secondly_rolling limit.",
                "category": "RATE_LIMITS",
            },
            "TEN_SECONDLY_ROLLING",
        ),
        ({"policyName": "SECONDLY", "message": "You have reached your secondly limit."}, "SECONDLY"),
        ({"message": "You have reached your secondly limit."}, "SECONDLY"),
        ({"message": "You have reached your ten_secondly_rolling limit."}, "TEN_SECONDLY_ROLLING"),
        ({"message": "You have reached your daily limit."}, "DAILY"),
        ({"message": "slow down", "policyName": "SOMETHING_NEW"}, ""),
        ({}, ""),
    ],
)
def test_rate_limit_policies(body, policy):
    """C23, fault 9: policyName decides, its text only where it is missing."""
    assert refused(429, body).policy == policy


@pytest.mark.parametrize(("given", "wanted"), [(None, 2.0), (1.0, 2.0), (5.0, 5.0)])
def test_a_lock_lasts_at_least_two_seconds(given, wanted):
    """Fault 9: 423 waits at least 2 s."""
    assert refused(423, b"", retry_after=given).retry_after == wanted


def test_oauth_errors_have_their_code_as_category():
    body = {"error": "invalid_grant", "status": "BAD_REFRESH_TOKEN", "message": "refresh token is revoked"}
    assert refused(400, body).category == "BAD_REFRESH_TOKEN"
    assert refused(429, {"status": "error", "errorType": "RATE_LIMIT"}).category == "RATE_LIMIT"


REVOKED = "refresh token is invalid, expired or revoked"


@pytest.mark.parametrize("status", [400, 401])
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (
            {
                "error": "invalid_grant",
                "error_description": REVOKED,
                "status": "BAD_REFRESH_TOKEN",
                "message": REVOKED,
            },
            "BAD_REFRESH_TOKEN",
        ),
        ({"error": "invalid_request", "status": "BAD_REFRESH_TOKEN", "message": "m"}, "BAD_REFRESH_TOKEN"),
        ({"status": "BAD_REFRESH_TOKEN", "message": "missing or invalid refresh token"}, "BAD_REFRESH_TOKEN"),
        ({"error": "invalid_grant", "status": "BAD_AUTH_CODE", "message": "m"}, "BAD_AUTH_CODE"),
        ({"status": "BAD_REDIRECT_URI", "message": "m"}, "BAD_REDIRECT_URI"),
        ({"error": "access_denied", "status": "BAD_HUB", "message": "missing or unknown hub id"}, "BAD_HUB"),
        ({"error": "invalid_client", "status": "BAD_CLIENT_ID", "message": "m"}, "BAD_CLIENT_ID"),
        ({"status": "BAD_CLIENT_SECRET", "message": "m"}, "BAD_CLIENT_SECRET"),
        ({"error": "invalid_grant", "error_description": "m"}, "invalid_grant"),
        ({"error": "invalid_client"}, "invalid_client"),
        ({"error": "invalid_grant", "status": "error"}, "invalid_grant"),
        ({"error": "invalid_grant", "status": "BAD_CODE_VERIFIER"}, "BAD_CODE_VERIFIER"),
        ({"error": "invalid_grant", "status": "BAD_ as a sentence"}, "invalid_grant"),
    ],
)
def test_refusals_of_the_token_endpoint(status, body, reason):
    """Fault 26: the documented body, the ones seen in the wild, and the bare words of OAuth."""
    error = refused(status, body | {"context": {"client_secret": ["s"]}}, correlation_id="c-1")
    assert type(error) is E.BadGrant
    assert (error.reason, error.status, error.correlation_id) == (reason, status, "c-1")
    assert (error.message, error.context) == ("", {})


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"error": "unsupported_grant_type", "status": "BAD_GRANT_TYPE"}, E.ValidationError),
        (400, {"error": "invalid_request"}, E.ValidationError),
        (400, {"error": {"status": "BAD_REFRESH_TOKEN"}}, E.ValidationError),
        (401, {"category": "EXPIRED_AUTHENTICATION"}, E.Unauthorized),
        (429, {"status": "BAD_REFRESH_TOKEN", "policyName": "TEN_SECONDLY_ROLLING"}, E.RateLimited),
        (500, {"error": "invalid_grant"}, E.ServerError),
        (503, {"status": "BAD_REFRESH_TOKEN"}, E.ServerError),
    ],
)
def test_everything_else_stays_what_it_is(status, body, kind):
    """Fault 9, 12, 26: no trouble of the moment looks like a connection that was taken back."""
    assert type(refused(status, body)) is kind


def test_an_expired_token_is_told_from_a_wrong_one():
    """Fault 24."""
    assert refused(401, {"category": "EXPIRED_AUTHENTICATION"}).expired
    assert not refused(401, {"category": "INVALID_AUTHENTICATION"}).expired
    assert refusals.from_item({"category": "EXPIRED_AUTHENTICATION"}).expired
