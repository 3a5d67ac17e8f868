"""A connected portal and one mapping of 12 columns; planted, emptied and worked through between the runs."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, models

from benchmarks import records
from benchmarks.bare import Bare
from crmsync.fakehub.hub import FakeHub
from crmsync.flows import backfill, connect, discover, keyproperty, push, scope
from crmsync.ledger import credentials
from crmsync.models import Conflict, Delivery, InboxEvent, Link, LogEntry, Mapping, OutboxEntry, Portal, Run, choices
from project.demo import mappings
from project.demo.hub import Hub
from project.demo.models import Person

SECRET = "bench-client-secret"
PULL, PUSH = choices.RunKind.BACKFILL_PULL, choices.RunKind.BACKFILL_PUSH
_EMPTIED = (OutboxEntry, InboxEvent, Delivery, LogEntry, Conflict, Run, Link, Person)


class BenchError(Exception):
    """The work that was timed was not done: its time means nothing."""


class World:
    """One portal, one live mapping of people and contacts, and the barest client beside it."""

    def __init__(self) -> None:
        url = settings.CRMSYNC["API_URL"]
        self.hub, self.bare = Hub(url), Bare(url)
        self.add_properties()
        self.portal = connect.connect(
            Portal(label="Bench"), credentials.Entered("static", token=FakeHub.token, client_secret=SECRET)
        )
        discover.discover(self.portal)
        self.mapping = self._map()

    def _map(self) -> Mapping:
        people, *others = mappings.load(self.portal)
        for one in others:
            one.delete()
        people.fields.exclude(local__in=records.COLUMNS).update(is_active=False)
        return people

    def add_properties(self) -> None:
        """What the portal's own people made before the sync came, and crmsync's key property."""
        for name, label, kind, field_type, options in mappings.CUSTOM_PROPERTIES:
            facts = {"options": [{"label": one, "value": one} for one in options]} if options else {}
            given = {"name": name, "kind": kind, "field_type": field_type, "label": label, **facts}
            self.hub.post("properties/contacts", given)

    def reset(self) -> None:
        """Both sides empty; the portal as it was connected."""
        self.hub.post("reset", {})
        self.add_properties()
        self.empty()
        Mapping.objects.update(is_provisioned=False)
        keyproperty.ensure(scope.open_scope(self.mapping.pk))

    def empty(self) -> None:
        """Django's side empty."""
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                tables = ", ".join(one._meta.db_table for one in _EMPTIED)
                cursor.execute(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
                return
            for one in _EMPTIED:
                cursor.execute(f"DELETE FROM {one._meta.db_table}")

    def plant(self, count: int) -> list[str]:
        """Contacts in the portal, as they are; their ids."""
        rows = (records.to_properties(records.make_person(number)) for number in range(count))
        made: list[str] = []
        for part in records.chunks(rows, 2000):
            made += self.hub.post("plant/contacts", {"rows": part})["ids"]
        return made

    def use(self, **options: Any) -> None:
        """Options of crmsync from now on."""
        settings.CRMSYNC = {**settings.CRMSYNC, **options}

    def use_save(self, is_on: bool) -> None:
        Mapping.objects.update(uses_save=is_on)
        self.mapping.refresh_from_db()

    def backfill(self, kind: str) -> Run:
        """A whole run in one direction, in this process."""
        run = backfill.start(self.mapping, kind)
        for _ in backfill.pages(run):
            pass
        return run

    def push_all(self) -> None:
        """The outbox until nothing is due."""
        while push.push(self.mapping.pk):
            pass

    def age_links(self) -> None:
        """As if an hour had passed: what was written just now is read again, in case it was read before."""
        Link.objects.update(synced_at=models.F("synced_at") - timedelta(hours=1))

    def calls(self) -> tuple[int, int]:
        """Calls so far: all, and those that write records."""
        found = self.hub.get("counters")["calls"]
        return sum(found.values()), found.get("write", 0)

    def demand(self, count: int, *, people: int | None = None) -> None:
        """Raise unless so many records are linked, and nothing waits or failed."""
        linked = Link.objects.filter(state=choices.LinkState.LINKED, remote_id__isnull=False).count()
        found = {
            "links": linked,
            "people": Person.objects.count(),
            "outbox": OutboxEntry.objects.count(),
            "inbox": InboxEvent.objects.count(),
        }
        wanted = {"links": count, "people": count if people is None else people, "outbox": 0, "inbox": 0}
        if found != wanted:
            raise BenchError(f"the work was not done: {found}, wanted {wanted}")
