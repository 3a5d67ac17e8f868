"""Who is connected: the account, a static token's app and scopes, the daily usage.

HubSpot: account information API; usage guidelines. The limits of what an account may hold have a file of
their own, and are called from here.
"""

from dataclasses import dataclass
from datetime import datetime

from crmsync.hubspot import limits, shapes, types, wire

record_limits = limits.record_limits
property_limits = limits.property_limits


@dataclass(frozen=True, slots=True)
class Usage:
    """Calls of all private apps today; ``limit`` is the account's. Only told to legacy private apps.

    ``collected_at`` is when HubSpot counted (it may be a while ago), ``resets_at`` when the count begins anew:
    midnight in the account's time zone. Both aware UTC, None where HubSpot does not say.
    """

    limit: int
    used: int
    collected_at: datetime | None = None
    resets_at: datetime | None = None


def details(client: wire.Sender) -> types.Account:
    """The connected account: the cheapest proof that a token works, and of which portal it is."""
    return shapes.read_as(_to_account, client.send(wire.get(client.paths.account_info("details"))))


def introspect(client: wire.Sender, token: str) -> types.TokenInfo:
    """Account, app and scopes of a static token (private app, project app, perhaps service keys)."""
    request = wire.post(client.paths.static_token_info(), {"tokenKey": token}, reads=True)
    del token  # error reporters print the variables of a frame
    return shapes.read_as(_to_token_info, client.send(request))


def daily_usage(client: wire.Sender) -> Usage | None:
    """Today's calls as HubSpot counts them, over all apps of the account; None where it does not say."""
    path = client.paths.account_info("api-usage", "daily", "private-apps")
    page = shapes.to_page(client.send(wire.get(path)), _to_usage)
    return next((usage for usage in page.records if usage is not None), None)


def _to_account(raw: shapes.Json) -> types.Account:
    return types.Account(
        portal_id=int(raw["portalId"]),
        account_type=shapes.word(raw, "accountType"),
        time_zone=shapes.word(raw, "timeZone"),
        currency=shapes.word(raw, "companyCurrency"),
        additional_currencies=shapes.words(raw, "additionalCurrencies"),
        utc_offset_ms=shapes.number(raw, "utcOffsetMilliseconds") or 0,
        ui_domain=shapes.word(raw, "uiDomain"),
        data_hosting_location=shapes.word(raw, "dataHostingLocation"),
    )


def _to_token_info(raw: shapes.Json) -> types.TokenInfo:
    return types.TokenInfo(
        hub_id=int(raw["hubId"]),
        user_id=shapes.number(raw, "userId"),
        app_id=shapes.number(raw, "appId"),
        scopes=shapes.words(raw, "scopes"),
    )


def _to_usage(raw: shapes.Json) -> Usage | None:
    limit, used = shapes.number(raw, "usageLimit"), shapes.number(raw, "currentUsage")
    told = shapes.word(raw, "fetchStatus") in ("SUCCESS", "CACHED")
    if not told or limit is None or used is None:
        return None
    times = shapes.to_time(raw.get("collectedAt")), shapes.to_time(raw.get("resetsAt"))
    return Usage(limit, used, *times)
