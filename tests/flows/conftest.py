"""A connected portal with the demo's mappings over a fakehub in this process: no network, no worker.

Truth is asked of three witnesses: Django's rows, the fakehub's records and ledger. crmsync's logs are none.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from django.test import Client

from crmsync import jobs
from crmsync.engine.terms import MappingState
from crmsync.fakehub import clock
from crmsync.fakehub.hub import FakeHub
from crmsync.flows import backfill, connect, meter
from crmsync.ledger import credentials
from crmsync.models import InboxEvent, Mapping, OutboxEntry, Portal
from crmsync.sides import remote
from crmsync.testing import fakehub
from project.demo import mappings
from project.demo.models import Person
from tests.flows import discovered

SECRET = "flow-tests-client-secret"
WEBHOOK_URL = "http://testserver/crmsync/webhook/"


@dataclass
class Sync:
    """A small world: the fake HubSpot, the portal as crmsync knows it, and a mapping by its name."""

    hub: FakeHub
    portal: Portal
    mappings: dict[str, Mapping] = field(default_factory=dict)

    @property
    def people(self) -> Mapping:
        return self.mappings[mappings.PEOPLE]

    def contact(self, key: str) -> dict[str, str | None]:
        record = self.hub.record("contacts", key)
        return record["properties"]

    def contacts(self) -> list[dict]:
        return list(self.hub.records("contacts"))

    def drain(self) -> None:
        """Work until nothing is due now; rows that wait for a time are left."""
        jobs.work(30.0)

    def backfill(self, kind: str, mapping: Mapping | None = None) -> dict[str, int]:
        run = backfill.start(mapping or self.people, kind)
        for _ in backfill.pages(run):
            pass
        return run.counts

    def deliver(self) -> int:
        """The portal's webhooks, through the real view; how many requests were acknowledged."""
        client = Client()
        statuses = []

        def post(url: str, headers: dict[str, str], body: bytes) -> int:
            named = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
            named.pop("HTTP_CONTENT_TYPE", None)
            answer = client.post("/crmsync/webhook/", body, content_type="application/json", **named)
            statuses.append(answer.status_code)
            return answer.status_code

        self.hub.deliver_webhooks(post)
        assert all(status == 204 for status in statuses), statuses
        return len(statuses)

    def writes(self) -> int:
        """Write calls that HubSpot applied."""
        return self.hub.ledger.writes_made

    def queued(self) -> tuple[int, int]:
        return OutboxEntry.objects.count(), InboxEvent.objects.count()


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    remote._clients.clear()
    meter._books.clear()
    with fakehub.connected(FakeHub(seed=3, limits_on=False, clock=clock.Clock())) as portal:
        yield portal


@pytest.fixture
def make_sync(hub: FakeHub, transactional_db: None, settings) -> Callable[..., Sync]:
    settings.CRMSYNC = {**settings.CRMSYNC, "BURST_PER_10_SECONDS": 0, "RUNNER": "database"}

    def make(state: str = MappingState.LIVE, *, webhooks: bool = True) -> Sync:
        for name, label, kind, field_type, options in mappings.CUSTOM_PROPERTIES:
            facts = {"options": [{"label": one, "value": one} for one in options]} if options else {}
            hub.add_property("contacts", name, kind, field_type, label=label, **facts)
        entered = credentials.Entered("static", token=hub.token, client_secret=SECRET)
        portal = connect.connect(Portal(label="Flows"), entered)
        discovered.discover_once(hub, portal)
        if webhooks:
            hub.set_webhooks(target=WEBHOOK_URL, secret=SECRET)
        return Sync(hub, portal, {one.label: one for one in mappings.load(portal, state=state)})

    return make


@pytest.fixture
def sync(make_sync: Callable[..., Sync]) -> Sync:
    return make_sync()


@pytest.fixture
def ada(sync: Sync) -> Person:
    """A person who is linked and in sync."""
    person = Person.objects.create(first_name="Ada", last_name="Lovelace", email="ada@example.com", city="London")
    sync.drain()
    sync.deliver()
    sync.drain()
    return person


@pytest.fixture
def ada_id(sync: Sync, ada: Person) -> str:
    """Her HubSpot id, as HubSpot knows it."""
    (key,) = [record["id"] for record in sync.contacts() if record["properties"]["email"] == ada.email]
    return key
