"""The control API of a served portal: JSON under ``/_fakehub/``, for tests and demos; it is in no ledger.

| call | what it does |
|---|---|
| GET  state/{type}?after=&limit=&archived= | records with all values by id, at most 10,000, and the next ``after`` |
| GET  record/{type}/{id} | one record, archived or not, or null |
| GET  associations/{type}/{id}/{to} | ``{id: [type numbers]}`` |
| POST ui/{create,update,archive,restore,merge,associate,dissociate} | ``{"edits": […]}``, see below |
| POST plant/{type} | ``{"rows": […], "at_ms": …}``: records as they are, unchecked, without webhooks; answers ids |
| GET  ledger?since_seq=&kind=&limit= | rows (kind: request, change, delivery) and ``last_seq`` |
| GET  counters | ``writes``, calls by family, ``last_seq``, ``backlog`` of webhooks, records by type |
| GET, POST, DELETE faults | the planted faults; plant one: ``{"kind", …}`` as in faults.py; clear all |
| POST webhooks | target, secret, duplicate, copies, reorder, lose, window, spacing, seed, subscriptions … |
| POST clock/advance, clock/skew | ``{"seconds"}``: move on; let Date and signature times be wrong by so much |
| POST search | ``{"lag"}``: seconds until search sees a change |
| POST limits | tier, enabled, burst, association_burst, marketplace_burst, searches, daily, daily_used, retry_after |
| POST flags | preserve_primary_id, associate_by_domain, partial_updates, merged_ids_resolve, name, … |
| POST tokens | ``{"token", "scopes", "app_id", "user_id", "kind", "expires_ms", "revoked", "hub_id"}`` |
| POST apps | a new OAuth app or changes of one: the fields of ``apps.App``, at least client_id |
| POST accounts | another account or changes of one: the fields of ``apps.Account``, at least hub_id |
| POST oauth | the fields of ``apps.Settings``; kill_after_issue: so many token answers are lost |
| POST expire | ``{"app_id"}``: access tokens of one or all OAuth apps run out now |
| POST revoke | ``{"token"}`` or ``{"client_id" or "app_id", "hub_id"}``: one token, or all of an app |
| POST uninstall | ``{"client_id" or "app_id", "hub_id"}``: as a user does in the account |
| POST scopes | ``{"token"}`` or ``{"client_id" or "app_id"}``, ``"remove"``, ``"add"``: of the tokens there are |
| GET  installs | which app is in which account, and whether it still is |
| POST owners | ``{"owner_id", "email", "first", "last", "user_id", "archived"}`` |
| POST properties/{type} | ``{"name", "kind", "field_type", …}`` |
| POST pipelines/{type} | one pipeline with its stages |
| POST object-types | ``{"name", "associated", …}``; answers its id |
| POST rules/{type} | ``{"name", "when"}``, or ``{"name", "rule_type", "arguments"}`` |
| POST reset | start anew: no records, no faults, an empty ledger, no webhook target |

An edit is what a user does in HubSpot: ``type``, ``id``, ``properties``, for merge ``other``, for associations
``to``, ``to_id`` and ``numbers``. The answer is ``{"results": [{"id"} or {"error"}]}``, one an edit, in their order.
The flags are those of ``snapshot.FLAGS``, the kinds of tokens are in ``auth.Token``.
"""

import dataclasses
import itertools
import json
import urllib.parse
from collections.abc import Callable
from typing import Any

from crmsync.fakehub import errors, exchange, ledger

PREFIX = "/_fakehub/"
MAX_PAGE = 10_000
Answer = Callable[[Any, list[str], dict[str, str], dict[str, Any]], Any]


def handle(hub: Any, method: str, target: str, body: bytes) -> exchange.Response:
    """Answer one control request; mistakes get a 400 with ``error``."""
    path, _, query = target.partition("?")
    word, *rest = path.removeprefix(PREFIX).strip("/").split("/")
    act = TABLE.get((method, word))
    if act is None:
        return exchange.answer({"error": f"no such control call: {method} {path}"}, 404)
    try:
        given = json.loads(body) if body else {}
        return exchange.answer(act(hub, [urllib.parse.unquote(one) for one in rest], _pairs(query), given))
    except errors.RefusalError as refusal:
        return exchange.answer({"error": refusal.message}, 400)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as bad:
        return exchange.answer({"error": f"{type(bad).__name__}: {bad}"}, 400)


def _pairs(query: str) -> dict[str, str]:
    return dict(urllib.parse.parse_qsl(query))


def _state(hub: Any, rest: list[str], query: dict[str, str], _given: dict[str, Any]) -> Any:
    limit = min(int(query.get("limit", 1000)), MAX_PAGE)
    with hub.lock:
        table = hub.store.table(hub.portal.kind(rest[0]))
        found = table.page(int(query.get("after", 0)), limit + 1, query.get("archived") == "true")
        page: dict[str, Any] = {"results": [hub.show(record) for record in found[:limit]]}
        if len(found) > limit:
            page["after"] = str(found[limit].id)
        return page


def _record(hub: Any, rest: list[str], _query: dict[str, str], _given: dict[str, Any]) -> Any:
    return hub.record(rest[0], rest[1])


def _associations(hub: Any, rest: list[str], _query: dict[str, str], _given: dict[str, Any]) -> Any:
    return hub.associated(rest[0], rest[1], rest[2])


def _ui(hub: Any, rest: list[str], _query: dict[str, str], given: dict[str, Any]) -> Any:
    act = EDITS[rest[0]]
    results = []
    for edit in given["edits"]:
        try:
            results.append({"id": act(hub, edit) or edit.get("id")})
        except (errors.RefusalError, ValueError) as bad:
            results.append({"error": str(bad)})
    return {"results": results}


EDITS: dict[str, Callable[[Any, dict[str, Any]], Any]] = {
    "create": lambda hub, edit: hub.ui_create(edit["type"], edit["properties"]),
    "update": lambda hub, edit: hub.ui_update(edit["type"], edit["id"], edit["properties"]) and None,
    "archive": lambda hub, edit: hub.ui_archive(edit["type"], edit["id"]),
    "restore": lambda hub, edit: hub.ui_restore(edit["type"], edit["id"]),
    "merge": lambda hub, edit: hub.ui_merge(edit["type"], edit["id"], edit["other"]),
    "associate": lambda hub, edit: hub.ui_associate(
        edit["type"], edit["id"], edit["to"], edit["to_id"], edit.get("numbers", ())
    ),
    "dissociate": lambda hub, edit: hub.ui_dissociate(edit["type"], edit["id"], edit["to"], edit["to_id"]),
}


def _plant(hub: Any, rest: list[str], _query: dict[str, str], given: dict[str, Any]) -> Any:
    return {"ids": hub.plant(rest[0], given["rows"], given.get("at_ms"))}


def _ledger(hub: Any, _rest: list[str], query: dict[str, str], _given: dict[str, Any]) -> Any:
    limit = min(int(query.get("limit", MAX_PAGE)), MAX_PAGE)
    with hub.lock:
        rows = hub.ledger.since(int(query.get("since_seq", 0)), query.get("kind", ""))
        found = [ledger.show(row) for row in itertools.islice(rows, limit)]
        return {"rows": found, "last_seq": hub.ledger.last_seq}


def _counters(hub: Any, _rest: list[str], _query: dict[str, str], _given: dict[str, Any]) -> Any:
    with hub.lock:
        return {
            "writes": hub.ledger.writes_made,
            "calls": dict(hub.ledger.counts),
            "last_seq": hub.ledger.last_seq,
            "backlog": hub.webhooks.backlog,
            "records": {table.kind.name: len(table.live) for table in hub.store.tables.values()},
        }


def _list_faults(hub: Any, *_facts: Any) -> Any:
    with hub.lock:
        return {"faults": [dataclasses.asdict(fault) for fault in hub.faults.planted]}


def _plant_fault(hub: Any, _rest: list[str], _query: dict[str, str], given: dict[str, Any]) -> Any:
    return dataclasses.asdict(hub.plant_fault(**given))


def _clear_faults(hub: Any, *_facts: Any) -> Any:
    with hub.lock:
        hub.faults.clear()
    return {}


def _search(hub: Any, _rest: list[str], _query: dict[str, str], given: dict[str, Any]) -> Any:
    with hub.lock:
        hub.index.lag = float(given["lag"])
    return {}


def _flags(hub: Any, _rest: list[str], _query: dict[str, str], given: dict[str, Any]) -> Any:
    hub.set_flags(**given)
    return {}


def _clock(hub: Any, rest: list[str], _query: dict[str, str], given: dict[str, Any]) -> Any:
    {"advance": hub.advance, "skew": hub.skew_clock}[rest[0]](given["seconds"])
    return {}


def _installs(hub: Any, *_facts: Any) -> Any:
    with hub.lock:
        return {"installs": [dataclasses.asdict(one) for one in hub.portal.grants.installs.values()]}


def _reset(hub: Any, *_facts: Any) -> Any:
    hub.reset()
    return {}


def _forward(name: str, takes_type: bool = False) -> Answer:
    """A call that hands its fields to a method of the hub, after the object type of its path."""

    def act(hub: Any, rest: list[str], _query: dict[str, str], given: dict[str, Any]) -> Any:
        result = getattr(hub, name)(*rest[:1] if takes_type else (), **given)
        return {} if result is None or not isinstance(result, str | int) else {"id": result}

    return act


def _count(name: str) -> Answer:
    """A call whose answer is how many things it touched."""

    def act(hub: Any, _rest: list[str], _query: dict[str, str], given: dict[str, Any]) -> Any:
        return {"count": getattr(hub, name)(**given)}

    return act


def _pipeline(hub: Any, rest: list[str], _query: dict[str, str], given: dict[str, Any]) -> Any:
    hub.add_pipeline(rest[0], given)
    return {}


TABLE: dict[tuple[str, str], Answer] = {
    ("GET", "state"): _state,
    ("GET", "record"): _record,
    ("GET", "associations"): _associations,
    ("POST", "ui"): _ui,
    ("POST", "plant"): _plant,
    ("GET", "ledger"): _ledger,
    ("GET", "counters"): _counters,
    ("GET", "faults"): _list_faults,
    ("POST", "faults"): _plant_fault,
    ("DELETE", "faults"): _clear_faults,
    ("POST", "webhooks"): _forward("set_webhooks"),
    ("POST", "clock"): _clock,
    ("POST", "search"): _search,
    ("POST", "limits"): _forward("set_limits"),
    ("POST", "flags"): _flags,
    ("POST", "tokens"): _forward("add_token"),
    ("POST", "apps"): _forward("add_app"),
    ("POST", "accounts"): _forward("add_account"),
    ("POST", "oauth"): _forward("set_oauth"),
    ("POST", "expire"): _count("expire_tokens"),
    ("POST", "revoke"): _count("revoke"),
    ("POST", "uninstall"): _count("uninstall"),
    ("POST", "scopes"): _count("change_scopes"),
    ("GET", "installs"): _installs,
    ("POST", "owners"): _forward("add_owner"),
    ("POST", "properties"): _forward("add_property", takes_type=True),
    ("POST", "pipelines"): _pipeline,
    ("POST", "object-types"): _forward("add_object_type"),
    ("POST", "rules"): _forward("plant_rule", takes_type=True),
    ("POST", "reset"): _reset,
}
