"""FakeHub: one portal with its store, search index, limits, faults, webhooks, ledger and journal, ready to be asked.

    hub = FakeHub(seed=7, clock=clock.ManualClock())
    answer = hub.handle("GET", "/crm/objects/2026-09/contacts?limit=5", {"Authorization": f"Bearer {hub.token}"})

The same seed, clock and calls give the same ids, orders and ledger. All methods may be called from any thread.
"""

import random
import threading
import urllib.parse
import uuid
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from crmsync.fakehub import (
    annex,
    auth,
    clock,
    defaults,
    edges,
    errors,
    events,
    exchange,
    faults,
    granting,
    index,
    journal,
    ledger,
    limits,
    masks,
    objecttypes,
    people,
    portal,
    records,
    routing,
    store,
    webhooks,
)

Item = TypeVar("Item")
ROUTER = routing.ROUTER
UI_USER = 75514748


class FakeHub(granting.Granting):
    """``search_lag`` are seconds until search sees a change; ``limits_on`` False lifts all rate limits; ``tier`` is
    free, professional, enterprise or increased; ``state`` names a file that survives a kill. Further names are
    flags of the portal: ``snapshot.FLAGS`` (time_zone, account_type, preserve_primary_id, associate_by_domain …)."""

    token = defaults.DEMO_TOKEN

    def __init__(
        self,
        seed: int = 0,
        clock: clock.Clock | None = None,
        portal_id: int = 4242,
        search_lag: float = 0.0,
        *,
        state: str = "",
        **flags: Any,
    ) -> None:
        self.lock = threading.RLock()
        self.seed = seed
        self.on_events: Callable[[], None] | None = None
        self.journal: journal.Journal | None = None
        self._given = (clock, portal_id, search_lag, flags)
        self._build()
        if state:
            self.journal = journal.Journal(self, state)
            self.store.watch(self.journal.watch)
        self.commit()

    def _build(self) -> None:
        given, portal_id, search_lag, flags = self._given
        options = dict(flags)
        self.clock = given or clock.Clock()
        self.portal = portal.Portal(portal_id, self.clock, self.seed)
        self.ledger = ledger.Ledger(self.clock)
        self.index = index.Index(self.clock, search_lag)
        tier, on = options.pop("tier", "professional"), options.pop("limits_on", True)
        self.limits = limits.Limits(self.clock, self.portal, tier, on)
        self.faults = faults.Faults(self._random("faults"))
        announcer = events.Announcer(self.portal, portal.DEMO_APP_ID)
        self.webhooks = webhooks.Outbox(self.clock, self.ledger, announcer, f"{self.seed}:webhooks")
        self.store = store.Store(self.portal, self.clock, self._random("ids"))
        self.store.watch(self.ledger.watch, self.index.watch, self.webhooks.watch)
        self.people = people.People(self.portal, self.store, UI_USER)
        self._order = self._random("order")
        self._names = self._random("names")
        self.set_flags(**options)

    def _random(self, purpose: str) -> random.Random:
        return random.Random(f"{self.seed}:{purpose}")

    def reset(self) -> None:
        """Start anew as built: no records, no faults, an empty ledger, no webhook target."""
        with self.lock:
            self._build()
            if self.journal:
                self.journal.clear()
                self.store.watch(self.journal.watch)
            self.commit()

    def close(self) -> None:
        """Close the state file, if there is one."""
        with self.lock:
            if self.journal:
                self.journal.close()
                self.journal = None

    def handle(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None = b""
    ) -> exchange.Response:
        """Answer one request. ``target`` is the path with its query; the caller obeys ``drop`` and ``delay``."""
        started = self.clock.stopwatch()
        path, _, query = target.partition("?")
        route, params = ROUTER.find(method, path)
        params = {name: urllib.parse.unquote(value) for name, value in params.items()}
        parsed = urllib.parse.parse_qs(query, keep_blank_values=True) if query else {}
        call = exchange.Call(self, method, path, parsed, body or b"", params, params.get("V", ""), headers=headers)
        with self.lock:
            at = self.clock.now_ms()
            response, applied = self._answer(call, route)
            response.headers["Date"] = clock.http_date(int(self.clock.told()))
            self._log(call, route, query, response, applied, at, started)
            self.commit()
        return response

    def _answer(self, call: exchange.Call, route: routing.Route | None) -> tuple[exchange.Response, bool]:
        if route is None:
            return self._refused(errors.resource_not_found()), False
        if call.is_too_long:
            return exchange.Response(
                414, b"<html><body>URI Too Long</body></html>", {"Content-Type": "text/html"}
            ), False
        call.shape = route.shape
        call.fault = self.faults.pick(call, route.operation, route.family)
        if call.fault and call.fault.is_before:
            return call.fault.spoil(None), False
        rates: dict[str, str] = {}
        applied = False
        try:
            if not route.is_public:
                self._admit(call)
                rates = self.limits.admit(call.token, route.pool)
                auth.demand(call.token, auth.alternatives(route.scope, self._kinds(call)))
                if call.hub is not self:
                    annex.require_reading(route.family)
            response = route.handler(call)
            applied = True
        except errors.RefusalError as refusal:
            response = self._refused(refusal)
        response.headers.update(rates)
        return (call.fault.spoil(response) if call.fault else response), applied

    def _admit(self, call: exchange.Call) -> None:
        """Find out who is calling, and for which account."""
        now = self.clock.now_ms()
        call.token = auth.authenticate(self.portal.tokens, call.header("authorization"), now)
        self.portal.grants.tire(call.token)
        auth.check_age(call.token, now)
        if call.token.hub_id == self.portal.id:
            return
        account = self.portal.account(call.token.hub_id)
        if account is None:
            raise auth.invalid()
        call.hub = annex.Annex(self, account)

    def _kinds(self, call: exchange.Call) -> list[objecttypes.ObjectType]:
        return [call.hub.portal.kind(call.params[name]) for name in ("type", "to") if name in call.params]

    def _refused(self, refusal: errors.RefusalError) -> exchange.Response:
        correlation_id = str(uuid.UUID(int=self._names.getrandbits(128), version=4))
        response = exchange.answer(refusal.body(correlation_id), refusal.status)
        if refusal.page:
            response = exchange.page(refusal.page, refusal.status)
        response.headers["x-hubspot-correlation-id"] = correlation_id
        response.headers.update(refusal.headers)
        return response

    def _log(self, call: exchange.Call, route: routing.Route | None, query: str, *outcome: Any) -> None:
        response, applied, at, started = outcome
        self.ledger.add(
            ledger.RequestRow,
            call.method,
            masks.path(call.path),
            masks.query(query, call.path),
            masks.body(call.body, call.path, is_known=route is not None),
            0 if response.drop else response.status,
            applied,
            round(self.clock.stopwatch() - started, 6),
            route.family if route else "other",
            route.operation if route else "unknown",
            call.fault.name if call.fault else "",
            at=at,
        )

    def commit(self) -> None:
        """Make what happened last, and wake who delivers webhooks."""
        if self.journal is not None:
            self.journal.commit()
        else:
            self.portal.grants.dirty.clear()
            self.webhooks.fresh.clear()
            self.webhooks.done.clear()
        if self.on_events is not None and self.webhooks.backlog:
            self.on_events()

    # what handlers ask their portal

    def shuffled(self, items: list[Item]) -> list[Item]:
        """Batch answers come in no order a caller may rely on."""
        self._order.shuffle(items)
        return items

    def next_number(self) -> int:
        """A number for a thing that is no record."""
        return self._names.randint(100_000_000, 999_999_999)

    def after_create(self, record: records.Record, source: records.Source) -> None:
        """A new contact joins the company whose domain its e-mail has, where the portal is set so."""
        _, _, domain = record.props.get("email", "").partition("@")
        if not self.portal.associate_by_domain or record.kind.id != "0-1" or not domain:
            return
        companies = self.store.table(self.portal.kinds["0-2"])
        for number in companies.live:
            if companies.records[number].props.get("domain", "").lower() == domain:
                edges.put(self, ("0-1", record.id, "0-2", number), (1,), source)
                return

    def erase(self, record: records.Record, source: records.Source) -> None:
        """Delete for good, and block the addresses."""
        self.portal.block_emails(list(store.unique_values("email", record.props)))
        self.store.purge(record, source)
