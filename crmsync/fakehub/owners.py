"""Owners, read-only: live ones, and archived ones when asked for."""

from typing import Any

from crmsync.fakehub import errors, exchange

MAX_PAGE = 500
DEFAULT_PAGE = 100


def list_owners(call: exchange.Call) -> exchange.Response:
    limit = call.number("limit", DEFAULT_PAGE, MAX_PAGE)
    email, after = call.one("email").lower(), call.one("after", "0")
    if not after.isdecimal():
        raise errors.wrong_type("int")
    found = [
        owner
        for owner in sorted(call.hub.portal.owners.values(), key=lambda one: int(one["id"]))
        if owner["archived"] is call.flag("archived")
        and (not email or owner["email"].lower() == email)
        and int(owner["id"]) >= int(after)
    ]
    body: dict[str, Any] = {"results": found[:limit]}
    if len(found) > limit:
        body["paging"] = exchange.next_page(call, found[limit]["id"])
    return exchange.answer(body)


def get_owner(call: exchange.Call) -> exchange.Response:
    key = "userIdIncludingInactive" if call.one("idProperty", "id") == "userId" else "id"
    for owner in call.hub.portal.owners.values():
        if str(owner[key]) == call.params["owner"] and owner["archived"] is call.flag("archived"):
            return exchange.answer(owner)
    raise errors.resource_not_found()
