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
    info = connect.granted(credentials.load(portal.pk), tokens.access_token)
    if info is None and tokens.scopes:  # the answer itself tells the scopes, too
        info = types.TokenInfo(hub_id=details.portal_id, user_id=tokens.user_id, scopes=tokens.scopes)
    entered = credentials.Entered(kind=choices.CredentialKind.OAUTH)
    connect.store(portal, details, info, entered, access.to_fresh(tokens, now))
    return portal


def _app(portal: Portal) -> access.App:
    app = access.app_of(credentials.load(portal.pk))
    if app.client_id and app.client_secret:
        return app
    raise connect.ConnectError(
        "The OAuth app is not known. Enter its client id and client secret, or set CRMSYNC['OAUTH_CLIENT_ID'] and"
        " CRMSYNC['OAUTH_CLIENT_SECRET']."
    )
