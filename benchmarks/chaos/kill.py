"""Killed workers and a killed backfill change no outcome, and a Redis that forgets everything loses nothing."""

import random
import subprocess
import sys
import time
from collections.abc import Callable

from benchmarks.chaos import edits, oracle, setting, verdict
from benchmarks.chaos.killer import Killer, run_and_kill
from benchmarks.chaos.stage import Stage
from benchmarks.chaos.witness import Witness
from crmsync.models import Conflict
from project import leash
from project.demo import mappings
from project.demo.story import Story
from project.supervisor import HOME

FLUSHES = 2
WHILE_FILLED, WHILE_TOLD = 0.3, 0.5  # shares of the kills: in the backfill, and by the end of the story
PAUSE = 0.25  # seconds between two edits of one user while there are kills left
BACKFILLS = (mappings.ORGANISATIONS, mappings.PEOPLE, mappings.OPPORTUNITIES)
UNREST_SECONDS = 600.0  # how long kills may take to be done


def run(stage: Stage) -> None:
    """The demo's story under a killer; failures are noted on the stage."""
    story = Story(stage.world, check=True)
    setting.fill(stage, story)
    witness = Witness(story.hub)
    setting.connect(stage, story)
    killer = Killer(stage, stage.options.rounds, flushes=FLUSHES)
    killer.start()
    try:
        backfill(stage, story, killer)
        setting.tell(stage, story, "Both worlds")
        conflicts = Conflict.objects.count()
        killer.allow(WHILE_TOLD)
        setting.tell(stage, story, "Edits in Django")
        setting.tell(stage, story, "Edits in HubSpot")
        killer.allow(1.0)
        edit_until_done(stage, story, killer)
    finally:
        killer.finish()
    check_kills(stage, killer)
    verdict.judge(stage, story, witness)
    if (more := Conflict.objects.count() - conflicts) > 0:
        stage.fail(f"{more} conflicts logged where no two users edited the same field")


def backfill(stage: Stage, story: Story, killer: Killer) -> None:
    """The backfill command, killed and started again as a user would, while the workers are killed too."""
    rng = random.Random(f"backfill:{stage.options.seed}")
    killer.allow(WHILE_FILLED)
    for label in BACKFILLS:
        aims = [make_aim(rng, story) for _ in range(rng.randint(1, 2))]
        killed = run_and_kill(lambda label=label: start_backfill(story, label), aims)
        stage.say(f"backfill of {label}: killed {killed} times, then done")


def start_backfill(story: Story, label: str) -> subprocess.Popen:
    argv = (sys.executable, "manage.py", "crmsync_backfill", label, "--no-progress")
    return subprocess.Popen(leash.make_command(argv), cwd=HOME, env=dict(story.world.env), stdout=subprocess.DEVNULL)


def make_aim(rng: random.Random, story: Story) -> Callable[[], bool]:
    """When to kill: so many seconds on, or as soon as HubSpot has applied so many more writes."""
    end, writes = rng.uniform(0.8, 6.0), rng.randint(1, 6)
    is_aimed = rng.random() < 0.6
    seen: list[float] = []

    def is_time() -> bool:
        if not seen:
            seen.extend((time.monotonic(), story.hub.writes()))
        if is_aimed:
            return story.hub.writes() - seen[1] >= writes
        return time.monotonic() - seen[0] > end

    return is_time


def edit_until_done(stage: Stage, story: Story, killer: Killer) -> None:
    """Users of both sides go on typing, each in fields of their own, until every kill is done."""
    desk = edits.make_desk(story.hub, stage.rng)
    sides = {oracle.LOCAL: ("city", "phone", "notes"), oracle.REMOTE: ("last_name", "bio", "employees")}
    typists = [make_typist(stage, side, narrow(desk, fields)) for side, fields in sides.items()]
    for typist in typists:
        typist.start()
    deadline = time.monotonic() + UNREST_SECONDS
    while killer.left and killer.is_alive() and time.monotonic() < deadline:
        time.sleep(0.2)
    for typist in typists:
        typist.is_over.set()
    edits.join(typists)
    stage.say(" and ".join(f"{one.done} edits on the {one.side} side" for one in typists))


def narrow(desk: edits.Desk, fields: tuple[str, ...]) -> edits.Desk:
    places = [place for place in desk.places if place.cell.field in fields]
    return edits.Desk(places, places[: edits.HOT], places[0], [])


def make_typist(stage: Stage, side: str, desk: edits.Desk) -> edits.Typist:
    seed = f"kill:{stage.options.seed}"
    return edits.Typist(side, desk, seed=seed, pause=PAUSE, hub_url=stage.world.fakehub_url)


def check_kills(stage: Stage, killer: Killer) -> None:
    """A proof without its kills is none."""
    if killer.left:
        stage.fail(f"{killer.left} of {len(killer.kills)} kills were not done")
