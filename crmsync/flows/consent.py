"""Connects a portal by OAuth: the address where a person consents, and what comes back from there."""

from django.utils import timezone

from crmsync import conf
from crmsync.flows import access, connect, failures, scopes
from crmsync.hubspot import errors, oauth, types
from crmsync.ledger import credentials
from crmsync.models import Portal, choices


def address(portal: Portal, redirect_uri: str, state: str) -> str:
    """Where to send the person: HubSpot's consent page, asking for just the scopes the mappings need."""
    app = _app(portal)
    wanted = scopes.needed(portal, is_oauth=True)
    try:
        return oauth.authorize_url(
            conf.current().AUTHORIZE_URL,
            client_id=app.client_id,
            redirect_uri=redirect_uri,
            scopes=[one.scope for one in wanted if not one.is_optional],
            optional_scopes=[one.scope for one in wanted if one.is_optional],
            state=state,
        )
    except errors.HubSpotError as error:
        raise connect.ConnectError(failures.classify(error).message) from error


def finish(portal: Portal, code: str, redirect_uri: str) -> Portal:
    """Exchange the code, check that it is the right account, and store the tokens. ConnectError says why not."""
    app, now = _app(portal), timezone.now()
    try:
        tokens = oauth.exchange(
            access.anonymous_client(portal.api_version),
            client_id=app.client_id,
            client_secret=app.client_secret,
            redirect_uri=redirect_uri,
            code=code,
        )
    except errors.HubSpotError as error:
        raise connect.ConnectError(failures.classify(error).message) from error
    client = connect.trial(tokens.access_token, portal.api_version)
    details = connect.look(client)
    connect.check(portal, details)
    state = _state(portal, app, tokens)
    fresh = access.to_fresh(tokens, now)
    connect.store(portal, details, state, credentials.Entered(kind=choices.CredentialKind.OAUTH))
    credentials.store_consent(portal, fresh, now)
    return portal


def _app(portal: Portal) -> access.App:
    app = access.app_of(credentials.load(portal.pk))
    if app.client_id and app.client_secret:
        return app
    raise connect.ConnectError(
        "The OAuth app is not known. Enter its client id and client secret, or set CRMSYNC['OAUTH_CLIENT_ID'] and"
        " CRMSYNC['OAUTH_CLIENT_SECRET']."
    )


def _state(portal: Portal, app: access.App, tokens: oauth.Tokens) -> types.TokenInfo | None:
    """What was granted: as the token endpoint said, else as introspection does."""
    try:
        found = oauth.introspect(
            access.anonymous_client(portal.api_version),
            client_id=app.client_id,
            client_secret=app.client_secret,
            token=tokens.access_token,
        )
    except errors.HubSpotError:
        if not tokens.scopes:
            return None
        return types.TokenInfo(hub_id=tokens.hub_id or 0, user_id=tokens.user_id, app_id=None, scopes=tokens.scopes)
    return types.TokenInfo(
        hub_id=found.hub_id or 0, user_id=found.user_id, app_id=found.app_id, scopes=found.scopes or tokens.scopes
    )
