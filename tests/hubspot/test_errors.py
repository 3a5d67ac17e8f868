"""The error tree: sentences that may be shown, and nothing in them that may not."""

import pickle

import pytest

from crmsync.hubspot import errors

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.HubSpotError)]
PERSONAL = "ada.lovelace@example.test already taken by Ada Lovelace"


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_is_one_sentence_with_status_and_correlation_id(kind):
    """C24: each failure class yields a message of its own."""
    text = str(kind("", status=418, category="SOME_CODE", correlation_id="abc-123"))
    assert "status 418" in text
    assert "SOME_CODE" in text
    assert "correlation id abc-123" in text
    assert text.endswith(").")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if not kind.own_words])
def test_hubspot_s_words_are_kept_but_never_printed(kind):
    """C18, C34: a message may quote a person's values, so neither str, repr nor args hold it."""
    error = kind(PERSONAL, context={"value": [PERSONAL]}, category=PERSONAL, correlation_id=PERSONAL)
    assert error.message == PERSONAL
    for shown in (str(error), repr(error), repr(error.args)):
        assert "@" not in shown
        assert "Ada Lovelace" not in shown


def test_validation_names_properties_and_codes_only():
    problem = errors.PropertyProblem("email", "INVALID_EMAIL", f"{PERSONAL} is invalid")
    error = errors.ValidationError("x", problems=(problem,), duplicate_ids=("1", "2"), status=400)
    assert str(error) == "HubSpot did not accept the values: email INVALID_EMAIL, 2 ids sent twice (status 400)."


def test_details_of_the_others():
    """C9, C24: missing scopes are named; a conflict names the record; a limit its policy."""
    assert "crm.objects.deals.read" in str(errors.MissingScopes(scopes=("crm.objects.deals.read",)))
    assert "record 171" in str(errors.Conflict(existing_id="171"))
    assert "DAILY" in str(errors.RateLimited(policy="DAILY"))
    assert "BAD_REFRESH_TOKEN" in str(errors.BadGrant(reason="BAD_REFRESH_TOKEN"))
    assert str(errors.ConfigError("the base URL must be https")).endswith("the base URL must be https.")


def test_only_lost_answers_may_have_been_applied():
    """Fault 13: what may have happened is told apart from what certainly did not."""
    assert {kind for kind in KINDS if kind.maybe_applied} == {errors.UnknownOutcome, errors.ServerError}


@pytest.mark.parametrize(
    "error",
    [
        errors.Conflict("m", existing_id="7", status=409, correlation_id="c"),
        errors.RateLimited("m", policy="DAILY", status=429, retry_after=3.0),
        errors.ValidationError("m", problems=(errors.PropertyProblem("a", "B", "c"),)),
        errors.SignatureError("mismatch"),
        errors.BadGrant(reason="BAD_HUB", status=400),
        errors.Unauthorized(status=401, category="EXPIRED_AUTHENTICATION"),
    ],
)
def test_errors_survive_pickling(error):
    """A job queue may store the exception of a failed job."""
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert vars(again) == vars(error)
    assert str(again) == str(error)


def test_a_token_is_expired_only_where_hubspot_says_so():
    """Fault 24, 26: expired can be mended by a refresh; anything else is not known to be."""
    assert errors.Unauthorized(category="EXPIRED_AUTHENTICATION").expired
    assert errors.Unauthorized(expired=True).expired
    assert not errors.Unauthorized(category="INVALID_AUTHENTICATION").expired
    assert not errors.Unauthorized().expired


@pytest.mark.parametrize(
    ("reason", "revoked"),
    [
        ("BAD_REFRESH_TOKEN", True),
        ("BAD_HUB", True),
        ("invalid_grant", True),
        ("BAD_AUTH_CODE", False),
        ("BAD_REDIRECT_URI", False),
        ("BAD_CLIENT_ID", False),
        ("BAD_CLIENT_SECRET", False),
        ("invalid_client", False),
        ("", False),
    ],
)
def test_a_wrong_app_revokes_no_connection(reason, revoked):
    """Fault 23, 26: a mistyped client secret must not look as if every account had left."""
    assert errors.BadGrant(reason=reason).is_revoked is revoked
