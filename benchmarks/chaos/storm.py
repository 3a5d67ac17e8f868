"""Thousands of edits on both sides while webhooks come twice, late or never: equal worlds, and nothing in silence."""

from collections import Counter

from benchmarks.chaos import edits, oracle, setting, verdict
from benchmarks.chaos.killer import Killer
from benchmarks.chaos.stage import Stage
from benchmarks.chaos.witness import Witness
from project.demo.story import Story


def run(stage: Stage) -> None:
    """Edits under disturbed webhooks; failures are noted on the stage."""
    story = Story(stage.world, check=True)
    setting.fill(stage, story)
    setting.connect(stage, story)
    setting.tell(stage, story, "Backfill both ways")
    setting.tell(stage, story, "Both worlds")
    disturb_webhooks(stage, story)
    witness = Witness(story.hub)
    held_before = witness.count_local()
    desk = edits.make_desk(story.hub, stage.rng)
    type_and_kill(stage, desk)
    verdict.judge(stage, story, witness)
    check_witness(stage, witness, desk, held_before)
    tell_deliveries(stage, story)


def disturb_webhooks(stage: Stage, story: Story) -> None:
    options = stage.options
    settings = {"duplicate": options.duplicate, "reorder": options.reorder, "lose": options.lose}
    story.hub.post("webhooks", {**settings, "seed": options.seed})
    stage.say("webhooks: " + ", ".join(f"{name} {share:.0%}" for name, share in settings.items()))


def type_and_kill(stage: Stage, desk: edits.Desk) -> None:
    """Both typists at once, with kills among them if any are wished."""
    each = stage.options.edits // 2
    typists = [
        edits.Typist(
            side,
            desk,
            seed=f"storm:{stage.options.seed}",
            pause=stage.options.pause,
            hub_url=stage.world.fakehub_url,
            edits=each,
        )
        for side in (oracle.LOCAL, oracle.REMOTE)
    ]
    killer = Killer(stage, stage.options.kills, flushes=min(1, stage.options.kills))
    killer.start()
    killer.allow(1.0)
    for typist in typists:
        typist.start()
    edits.join(typists)
    killer.finish()
    stage.say(f"{len(desk.journal)} edits typed in {desk.journal[-1].at - desk.journal[0].at:.0f} s")


def check_witness(stage: Stage, witness: Witness, desk: edits.Desk, held_before: int) -> None:
    """Every line of the users' journal must be in the witnesses' histories, or they are blind."""
    seen: Counter[tuple] = Counter()
    for cell, (_, mine, theirs, _) in witness.account().items():
        seen.update((oracle.LOCAL, cell, write.value) for write in mine if write.is_user)
        seen.update((oracle.REMOTE, cell, write.value) for write in theirs if write.is_user)
    missed = [one for one in desk.journal if not seen[one.side, one.cell, one.value]]
    for one in missed[: verdict.SHOWN]:
        stage.fail(f"no witness of {one.value!r} typed on the {one.side} side in {one.cell}")
    stage.say(f"{witness.count_local() - held_before} values written to the product's rows, by users and crmsync")


def tell_deliveries(stage: Stage, story: Story) -> None:
    """How the webhooks fared, from the fakehub's ledger."""
    fates: Counter[str] = Counter()
    seq = 0
    while rows := story.hub.get("ledger", since_seq=seq, kind="delivery", limit=10_000)["rows"]:
        for row in rows:
            fates[row["note"] or str(row["status"])] += len(row["events"])
        seq = rows[-1]["seq"]
    stage.say("webhook events: " + ", ".join(f"{count} {fate}" for fate, count in sorted(fates.items())))
