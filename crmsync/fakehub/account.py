"""Who this portal is and how much of its daily allowance is used; and what a static token may do."""

import datetime
import zoneinfo

from crmsync.fakehub import auth, clock, errors, exchange


def details(call: exchange.Call) -> exchange.Response:
    portal = call.hub.portal
    now = datetime.datetime.fromtimestamp(call.hub.clock.seconds(), zoneinfo.ZoneInfo(portal.time_zone))
    offset = now.utcoffset() or datetime.timedelta()
    return exchange.answer(
        {
            "portalId": portal.id,
            "accountType": portal.account_type,
            "timeZone": portal.time_zone,
            "companyCurrency": portal.currency,
            "additionalCurrencies": [],
            "utcOffset": f"{now:%z}"[:3] + ":" + f"{now:%z}"[3:],
            "utcOffsetMilliseconds": round(offset.total_seconds() * 1000),
            "uiDomain": "app.hubspot.com",
            "dataHostingLocation": "na1",
        }
    )


def daily_usage(call: exchange.Call) -> exchange.Response:
    """Only told to legacy private apps (docs); how the others are refused is a guess."""
    if call.token.kind != "static":
        raise errors.RefusalError(403, "This call is for private apps only", "FORBIDDEN")
    limits, hub_id = call.hub.limits, call.token.hub_id
    now_ms = call.hub.clock.now_ms()
    usage = {
        "name": "private-apps-api-calls-daily",
        "usageLimit": limits.daily,
        "currentUsage": limits.used_today(hub_id),
        "collectedAt": clock.iso(now_ms),
        "fetchStatus": "SUCCESS",
        "resetsAt": clock.iso(limits.resets_at_ms(hub_id)),
    }
    return exchange.answer({"results": [usage]})


def introspect(call: exchange.Call) -> exchange.Response:
    """``POST /oauth/v2/private-apps/get/access-token-info``; it needs no Authorization header."""
    token = call.hub.portal.tokens.get(str(call.document("tokenKey")["tokenKey"]))
    if token is None or token.revoked or not token.is_static:
        raise auth.invalid()
    return exchange.answer(
        {
            "userId": token.user_id,
            "hubId": token.hub_id,
            "appId": token.app_id,
            "scopes": sorted(token.scopes),
        }
    )
