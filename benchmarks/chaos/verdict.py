"""What must hold at the end of every chaos, and the evidence that is kept where it does not."""

import json
import time
from collections import Counter
from pathlib import Path

from django.db import close_old_connections

from benchmarks.chaos import oracle
from benchmarks.chaos.cells import TABLES, Cell
from benchmarks.chaos.stage import Stage, wait_until
from benchmarks.chaos.witness import Witness
from crmsync.models import InboxEvent, Link, LogEntry, OutboxEntry
from project.demo import compare
from project.demo.story import QUIET_SECONDS, Story

CONVERGE_SECONDS = 180.0  # the delayed poll comes every 60 s
SHOWN = 10  # differences told of each kind


def judge(stage: Stage, story: Story, witness: Witness) -> None:
    """All checks after users and faults have stopped; what fails is noted on the stage."""
    check_rest(stage, story)
    check_worlds(stage, story)
    check_duplicates(stage, story)
    check_quiet(stage, story)
    check_worlds(stage, story)
    check_overwrites(stage, witness)


def differences(story: Story) -> list[str]:
    return [line for kind in compare.WORLDS for line in compare.differences(kind, story.hub.properties(kind))]


def is_at_rest(story: Story) -> bool:
    return not (OutboxEntry.objects.exists() or InboxEvent.objects.exists() or story.hub.backlog())


def check_rest(stage: Stage, story: Story) -> None:
    """Both sides equal and nothing left to do, within the stated time."""
    close_old_connections()
    started = time.monotonic()
    if wait_until(lambda: is_at_rest(story) and not differences(story), CONVERGE_SECONDS, 0.5):
        stage.say(f"converged {time.monotonic() - started:.1f} s after the last disturbance")
        return
    for model in (OutboxEntry, InboxEvent):
        for row in model.objects.all()[:SHOWN]:
            stage.fail(f"still queued: {model.__name__} {row}, {row.state}, {row.last_code} {row.last_message}")
    if backlog := story.hub.backlog():
        stage.fail(f"{backlog} webhook events not delivered")


def check_worlds(stage: Stage, story: Story) -> None:
    found = differences(story)
    for line in found[:SHOWN]:
        stage.fail(f"different: {line}")
    if len(found) > SHOWN:
        stage.fail(f"… and {len(found) - SHOWN} more differences")
    if not found:
        counts = {kind: len(story.hub.properties(kind)) for kind in compare.WORLDS}
        stage.say(", ".join(f"{count} {kind} equal" for kind, count in counts.items()))


def check_duplicates(stage: Stage, story: Story) -> None:
    """Two records of one e-mail, domain, name or create key; as many records here as there."""
    for kind, (model, _, _, key_property) in compare.WORLDS.items():
        records = story.hub.properties(kind)
        for name in (key_property, "crmsync_key"):
            counts = Counter(record.get(name) for record in records if record.get(name))
            for value, count in counts.items():
                if count > 1:
                    stage.fail(f"duplicate: {count} {kind} with {name} {value}")
        if len(records) != model.objects.count():
            stage.fail(f"duplicate: {len(records)} {kind} for {model.objects.count()} rows")


def check_quiet(stage: Stage, story: Story) -> None:
    """An echo would be a write call although nobody types."""
    before, rows = story.hub.writes(), story_rows()
    time.sleep(QUIET_SECONDS)
    if written := story.hub.writes() - before:
        stage.fail(f"echo: {written} write calls in {QUIET_SECONDS:.0f} quiet seconds")
    elif rows != story_rows():
        stage.fail(f"echo: the product's rows were saved in {QUIET_SECONDS:.0f} quiet seconds")
    else:
        stage.say(f"0 write calls, 0 saved rows in {QUIET_SECONDS:.0f} quiet seconds")


def story_rows() -> set[tuple]:
    """When each row of the product was last saved."""
    return {
        (name, *row) for name, (model, _) in TABLES.items() for row in model.objects.values_list("pk", "updated_at")
    }


def check_overwrites(stage: Stage, witness: Witness) -> oracle.Account:
    """The oracle over all cells; every silent overwrite is a failure, with its trail in ``evidence.txt``."""
    total = oracle.Account()
    trails = []
    for cell, (account, mine, theirs, log) in sorted(witness.account().items(), key=lambda item: str(item[0])):
        total += account
        if account.silent:
            trails.append(make_trail(cell, account, mine, theirs, log))
            stage.fail(f"silent overwrite: {cell.object_type} {cell.key} {cell.field}: {'; '.join(account.silent)}")
    if trails:
        path: Path = stage.world.directory / "evidence.txt"
        path.write_text("\n\n".join(trails))
        stage.say(f"evidence: {path}")
    stage.say(
        f"users' values: {total.final} final, {total.superseded} replaced by a user of the same side,"
        f" {total.carried} by one of the other side who saw them, {total.logged} in the conflict log,"
        f" {len(total.silent)} replaced in silence"
    )
    return total


def make_trail(cell: Cell, account: oracle.Account, mine: list, theirs: list, log: list) -> str:
    """What a person needs to see how it came: both histories, the conflict log, the link and its log entries."""
    lines = [f"{cell}", *account.silent]
    for name, history in (("Django", mine), ("HubSpot", theirs)):
        lines.append(f"{name}: " + " -> ".join(f"{w.value!r}{' (user)' if w.is_user else ''}" for w in history))
    lines += [f"conflict: {row}" for row in log]
    model = TABLES[cell.object_type][0]
    key = "email__iexact" if cell.object_type == "contacts" else "domain"
    row = model.objects.filter(**{key: cell.key}).first()
    for link in Link.objects.filter(mapping__object_type=cell.object_type, local_pk=str(row.pk)) if row else ():
        lines.append(f"link: {link.state} {link.remote_id} {link.base} seen {link.remote_modified_at}")
        entries = LogEntry.objects.filter(mapping=link.mapping_id, local_pk=link.local_pk).order_by("pk")
        lines += [f"log: {one.at} {one.outcome} {one.reason} {json.dumps(one.changes)}" for one in entries]
    return "\n".join(lines)
