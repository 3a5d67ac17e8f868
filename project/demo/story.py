"""What the demo shows, step by step, and with ``check`` what must hold of each.

Every step ends in one line. The two worlds are compared by ``compare``, which shares no code with crmsync.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from django.contrib.auth import get_user_model
from django.db import close_old_connections
from django.utils import timezone

from crmsync.engine.terms import MappingState
from crmsync.fakehub import defaults
from crmsync.ledger import portals
from crmsync.models import InboxEvent, Mapping, OutboxEntry, Portal
from project.demo import compare, factories, mappings, portal
from project.demo.hub import Hub
from project.demo.models import Opportunity, Organisation, Person
from project.supervisor import HOME
from project.trade import portal as trade_portal
from project.trade import world as trade_world
from project.world import World

PORTAL = "Demo portal"
TOKEN = "pat-na1-fakehub-demo-token-0001"
EDITS = 10
SETTLE_SECONDS = 180.0
QUIET_SECONDS = 10.0
# What the issue of this demo promises at idle: seconds.
PUSH_GOAL, PULL_GOAL = 1.0, 3.0


class StepError(Exception):
    """What does not hold, in one sentence."""


@dataclass
class Story:
    """The world being told about, and what was noticed on the way."""

    world: World
    check: bool
    held: int = 0
    failed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.hub = Hub(self.world.fakehub_url)

    def step(self, name: str, act: Callable[[], str]) -> None:
        """Do one step and say how it went; a step that fails is named, and the story goes on."""
        started = time.monotonic()
        close_old_connections()
        try:
            said = act()
        except (StepError, subprocess.CalledProcessError, ValueError) as error:
            self.failed.append(f"{name}: {error}")
            print(f"  FAILED {name}: {error}", flush=True)
            return
        self.held += 1
        print(f"  {name}: {said} ({time.monotonic() - started:.1f} s)", flush=True)


def run(world: World, check: bool) -> int:
    """Tell the story; 0 when every step held."""
    story = Story(world, check)
    print("crmsync demo", flush=True)
    for name, act in STEPS.items():
        story.step(name, lambda act=act: act(story))
    if story.failed:
        print(f"demo: {len(story.failed)} of {len(STEPS)} steps failed", flush=True)
        for line in story.failed:
            print(f"  {line}", flush=True)
        return 1
    print(f"demo: all {story.held} steps held", flush=True)
    return 0


def manage(story: Story, *arguments: str, given: str = "", shown: bool = False, codes: tuple[int, ...] = (0,)) -> str:
    """Run a management command as a user would, in a process of its own; what it printed."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=HOME,
        env=dict(story.world.env),
        input=given,
        stdout=subprocess.PIPE,
        stderr=None if shown else subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode not in codes:
        said = (done.stderr or done.stdout or "").strip().splitlines()
        raise StepError(f"{arguments[0]} ended with {done.returncode}: {said[-1] if said else 'no word'}")
    return done.stdout.strip()


def fill_product(story: Story) -> str:
    """The product's own data, and users whom HubSpot knows as owners."""
    if not Person.objects.exists():
        factories.build_world(story.world.seed)
    clients = trade_world.build(story.world.seed)
    for number, user in enumerate(get_user_model().objects.exclude(email="").order_by("pk")):
        story.hub.post(
            "owners",
            {
                "owner_id": 7000 + number,
                "email": user.email,
                "first": user.first_name or user.username,
                "last": user.last_name,
                "user_id": 9000 + number,
                "archived": False,
            },
        )
    return (
        f"{Person.objects.count()} people, {Organisation.objects.count()} organisations,"
        f" {Opportunity.objects.count()} opportunities, {clients} clients of a second product"
    )


def fill_portal(story: Story) -> str:
    """What the portal's own people had typed in before the sync came."""
    for name, label, kind, field_type, options in mappings.CUSTOM_PROPERTIES:
        facts: dict[str, object] = {"name": name, "label": label, "kind": kind, "field_type": field_type}
        if options:
            facts["options"] = [{"label": one.title(), "value": one} for one in options]
        story.hub.post("properties/contacts", facts)
    for object_type, rows in trade_portal.PROPERTIES.items():
        for facts in rows:
            story.hub.post(f"properties/{object_type}", facts)
    for pipeline in trade_portal.pipelines():
        story.hub.post("pipelines/deals", pipeline)
    if not next(story.hub.records("contacts"), None):
        story.hub.post("webhooks", {"target": ""})  # nobody listens yet
        world = portal.portal_world(story.world.seed, list(Person.objects.all()), list(Organisation.objects.all()))
        for object_type, rows in world.items():
            story.hub.create(object_type, rows)
    story.hub.post("webhooks", {"target": story.world.webhook_url, "secret": story.world.client_secret})
    story.hub.post("apps", {"client_id": defaults.DEMO_APP["client_id"], "redirect_uris": [story.world.redirect_uri]})
    contacts, companies = (len(story.hub.properties(kind)) for kind in ("contacts", "companies"))
    return f"{contacts} contacts, {companies} companies"


def connect(story: Story) -> str:
    return manage(story, "crmsync_connect", PORTAL, "--stdin", given=f"{TOKEN}\n{story.world.client_secret}\n")


def discover(story: Story) -> str:
    return manage(story, "crmsync_discover", PORTAL).replace("\n", "; ")


def map_fields(story: Story) -> str:
    if not Mapping.objects.exists():
        mappings.load(Portal.objects.get(label=PORTAL), state=MappingState.DRAFT)
    return ", ".join(f"{one.model_label} ↔ {one.object_type}" for one in Mapping.objects.all())


def preview(story: Story) -> str:
    """A dry run of everything writes nothing to either side."""
    before, people = story.hub.writes(), Person.objects.count()
    said = [
        manage(story, "crmsync_backfill", label, "--dry-run", codes=(0, 3)).replace("\n", "; ")
        for label in (mappings.PEOPLE, mappings.ORGANISATIONS, mappings.OPPORTUNITIES)
    ]
    if story.hub.writes() != before or Person.objects.count() != people:
        raise StepError("the preview wrote something")
    return " | ".join(said)


def go_live(story: Story) -> str:
    """From now on changes of both sides are captured; what was there before is the backfill's."""
    rows = list(Mapping.objects.all())
    for mapping in rows:
        portals.start_mapping(mapping, timezone.now())
    return f"{len(rows)} mappings"


def backfill(story: Story) -> str:
    """Every record of each mapping, HubSpot's first, so that they can be matched."""
    said = [
        manage(story, "crmsync_backfill", label, shown=True).replace("\n", "; ")
        for label in (mappings.ORGANISATIONS, mappings.PEOPLE, mappings.OPPORTUNITIES)
    ]
    return " | ".join(said)


def compare_worlds(story: Story) -> str:
    """Both worlds, field by field."""
    settle(story)
    found = [line for kind in compare.WORLDS for line in compare.differences(kind, story.hub.properties(kind))]
    if found:
        more = f" … and {len(found) - 3} more" if len(found) > 3 else ""
        raise StepError("; ".join(found[:3]) + more)
    counts = {kind: len(story.hub.properties(kind)) for kind in compare.WORLDS}
    return ", ".join(f"{count} {kind} equal" for kind, count in counts.items())


def settle(story: Story) -> None:
    """Wait until nothing is due on either side."""
    deadline = time.monotonic() + SETTLE_SECONDS
    calm = 0
    while calm < 2:
        if time.monotonic() > deadline:
            raise StepError(
                f"not at rest after {SETTLE_SECONDS:.0f} s: {OutboxEntry.objects.count()} outbox entries,"
                f" {InboxEvent.objects.count()} inbox events, {story.hub.backlog()} webhook events"
            )
        is_calm = not (OutboxEntry.objects.exists() or InboxEvent.objects.exists() or story.hub.backlog())
        calm = calm + 1 if is_calm else 0
        time.sleep(0.3)


def edit_locally(story: Story) -> str:
    """Saves in the product, each timed until HubSpot has it."""
    remote_ids = {r["properties"].get("email"): r["id"] for r in story.hub.records("contacts")}
    delays = []
    for number, person in enumerate(_sample(Person, "email")):
        person.city = f"Edited in Django {number}"
        started = time.monotonic()
        person.save()
        key = remote_ids[person.email.strip().lower()]
        _wait_for(lambda key=key, city=person.city: _shown(story, key, "city") == city, "HubSpot")
        delays.append(time.monotonic() - started)
    return _judge(story, delays, PUSH_GOAL, "Django to HubSpot")


def edit_remotely(story: Story) -> str:
    """Edits by a HubSpot user, each timed until the product has it: the webhook path."""
    people = {person.email.strip().lower(): person.pk for person in Person.objects.all()}
    records = [r for r in story.hub.records("contacts") if r["properties"].get("email") in people]
    delays = []
    for number, record in enumerate(records[:: max(1, len(records) // EDITS)][:EDITS]):
        title = f"Edited in HubSpot {number}"
        pk = people[record["properties"]["email"]]
        started = time.monotonic()
        story.hub.update("contacts", {record["id"]: {"jobtitle": title}})
        _wait_for(lambda pk=pk, title=title: Person.objects.filter(pk=pk, job_title=title).exists(), "Django")
        delays.append(time.monotonic() - started)
    return _judge(story, delays, PULL_GOAL, "HubSpot to Django")


def _sample(model: type, key: str) -> Iterator:
    rows = model.objects.order_by("pk")
    yield from rows[:: max(1, rows.count() // EDITS)][:EDITS]


def _shown(story: Story, key: str, name: str) -> str | None:
    value: str | None = story.hub.record("contacts", key)["properties"].get(name)
    return value


def _wait_for(is_there: Callable[[], bool], where: str) -> None:
    deadline = time.monotonic() + SETTLE_SECONDS
    while not is_there():
        if time.monotonic() > deadline:
            raise StepError(f"an edit did not reach {where} within {SETTLE_SECONDS:.0f} s")
        time.sleep(0.02)


def _judge(story: Story, delays: list[float], goal: float, way: str) -> str:
    """The measured delays; a median over the goal is said, and is no failure of the sync itself."""
    median = statistics.median(delays)
    said = f"{len(delays)} edits, {way} p50 {median:.2f} s, max {max(delays):.2f} s"
    return said if median <= goal else f"{said} (goal {goal:.0f} s missed)"


def stay_quiet(story: Story) -> str:
    """When nothing changes, nothing is written: an echo would show here."""
    settle(story)
    before = story.hub.writes()
    time.sleep(QUIET_SECONDS)
    written = story.hub.writes() - before
    if written:
        raise StepError(f"{written} write calls in {QUIET_SECONDS:.0f} quiet seconds")
    return f"0 write calls in {QUIET_SECONDS:.0f} seconds"


STEPS: dict[str, Callable[[Story], str]] = {
    "The product's data": fill_product,
    "The portal's data": fill_portal,
    "Connect": connect,
    "Discover": discover,
    "Three mappings": map_fields,
    "Preview": preview,
    "Go live": go_live,
    "Backfill both ways": backfill,
    "Both worlds": compare_worlds,
    "Edits in Django": edit_locally,
    "Edits in HubSpot": edit_remotely,
    "Quiet": stay_quiet,
    "Both worlds again": compare_worlds,
}
