"""The worst moments, made to happen: what chaos meets once in thousands of edits is arranged here in one world.

A worker's answer is held back by a fault of the fakehub, so that a user or a kill falls exactly between reading,
writing and remembering. Each moment takes a record of its own; the end is judged as after any chaos.
"""

from collections.abc import Callable

from benchmarks.chaos import edits, killer, setting, verdict
from benchmarks.chaos.stage import Stage, wait_until
from benchmarks.chaos.witness import Witness
from project.demo.story import Story, settle

HELD = 2.0  # seconds an answer is held back: time enough to act, shorter than any time-out
PATIENCE = 30.0
OURS, THEIRS = "typed in Django", "typed in HubSpot"


class Moment:
    """One record, its two users and the worker."""

    def __init__(self, stage: Stage, story: Story, places: dict[str, edits.Place], number: int) -> None:
        self.stage, self.hub, self.places, self.number = stage, story.hub, places, number
        self.remote_id = next(iter(places.values())).remote_id

    def save(self, field: str) -> None:
        place = self.places[field]
        row = place.column.model.objects.get(pk=place.pk)
        setattr(row, field, f"{OURS} {self.number}")
        row.save(update_fields=[field, "updated_at"])

    def edit(self, field: str) -> None:
        name = self.places[field].column.remote
        self.hub.update("contacts", {self.remote_id: {name: f"{THEIRS} {self.number}"}})

    def hold_answer(self, operation: str) -> None:
        """The next such call of the worker is done at once and answered late."""
        self.hub.post("faults", {"kind": "slow", "delay": HELD, "after": True, "operation": operation})

    def fail_history(self) -> None:
        """The next reading of a history, and its immediate retry, get a server error."""
        history = {"operation": "batch.read", "contains": "propertiesWithHistory"}
        self.hub.post("faults", {"kind": "status", "status": 500, "times": 2, **history})

    def await_call(self, operation: str, act: Callable[[], None]) -> None:
        """Do something and return as soon as HubSpot has done the worker's next such call."""
        before = self.count(operation)
        act()
        if not wait_until(lambda: self.count(operation) > before, PATIENCE, 0.005):
            self.stage.fail(f"moment {self.number}: no {operation} came")

    def count(self, operation: str) -> int:
        """Held answers are in the ledger only afterwards, so faults are asked how often they hit."""
        faults = self.hub.get("faults")["faults"]
        return sum(one["hits"] for one in faults if one["operation"] == operation)

    def pause_worker(self) -> None:
        self.stage.world.supervisor.hold(self.stage.world.workers[0])

    def resume_worker(self) -> None:
        self.stage.world.supervisor.release(self.stage.world.workers[0])

    def kill_worker(self) -> None:
        pid = self.stage.world.supervisor.pid(self.stage.world.workers[0])
        for one in (*killer.children(pid), pid):
            killer.end(one)


def killed_before_a_conflict_is_remembered(moment: Moment) -> None:
    """Both users typed; Django wins; the worker dies after HubSpot wrote, before anything was stored."""
    moment.pause_worker()
    moment.edit("job_title")
    moment.save("job_title")
    moment.hold_answer("batch.update")
    moment.await_call("batch.update", moment.resume_worker)
    moment.kill_worker()


def killed_before_a_race_is_noticed(moment: Moment) -> None:
    """A HubSpot user types between the worker's read and its write; it dies before it reads the history back."""
    moment.hold_answer("batch.read")
    moment.hold_answer("batch.update")
    moment.await_call("batch.read", lambda: moment.save("city"))
    moment.await_call("batch.update", lambda: moment.edit("city"))
    moment.kill_worker()


def race_alone(moment: Moment) -> None:
    """The same race, and nobody dies."""
    moment.hold_answer("batch.read")
    moment.await_call("batch.read", lambda: moment.save("city"))
    moment.edit("city")


def lost_webhook_under_our_write(moment: Moment) -> None:
    """A HubSpot user types in another field between the worker's read and its write, and the webhook is lost."""
    moment.hub.post("webhooks", {"lose": 1.0})
    moment.hold_answer("batch.read")
    moment.hold_answer("batch.update")
    moment.await_call("batch.read", lambda: moment.save("city"))
    moment.await_call("batch.update", lambda: moment.edit("last_name"))
    moment.hub.post("webhooks", {"lose": 0.0})


def history_unreadable_after_a_conflict(moment: Moment) -> None:
    """Both users typed; Django wins; HubSpot wrote, but fails when the worker reads the history back."""
    moment.pause_worker()
    moment.edit("job_title")
    moment.save("job_title")
    moment.fail_history()
    moment.resume_worker()


def history_unreadable_after_a_race(moment: Moment) -> None:
    """A HubSpot user types between the worker's read and its write, and HubSpot fails when it reads the history."""
    moment.hold_answer("batch.read")
    moment.fail_history()
    moment.await_call("batch.read", lambda: moment.save("city"))
    moment.edit("city")


MOMENTS = (
    killed_before_a_conflict_is_remembered,
    killed_before_a_race_is_noticed,
    race_alone,
    lost_webhook_under_our_write,
    history_unreadable_after_a_conflict,
    history_unreadable_after_a_race,
)


def run(stage: Stage) -> None:
    """Every moment, one after the other; failures are noted on the stage."""
    story = Story(stage.world, check=True)
    setting.fill(stage, story)
    setting.connect(stage, story)
    setting.tell(stage, story, "Backfill both ways")
    setting.tell(stage, story, "Both worlds")
    witness = Witness(story.hub)
    records = group(edits.make_desk(story.hub, stage.rng))
    for number, act in enumerate(MOMENTS):
        stage.say(f"moment {number}: {(act.__doc__ or '').strip()}")
        act(Moment(stage, story, records[number], number))
        settle(story)
        story.hub.session.delete(f"{story.hub.url}/_fakehub/faults").raise_for_status()
    verdict.judge(stage, story, witness)


def group(desk: edits.Desk) -> list[dict[str, edits.Place]]:
    """The places of each contact by field."""
    found: dict[int, dict[str, edits.Place]] = {}
    for place in desk.places:
        if place.cell.object_type == "contacts":
            found.setdefault(place.pk, {})[place.cell.field] = place
    return list(found.values())
