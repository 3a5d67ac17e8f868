"""The checklist as its page shows it: each step with its mark, what to do, and whether a person may tick it."""

from dataclasses import dataclass

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from crmsync.admin import cells
from crmsync.engine import prerequisites
from crmsync.flows import checklist
from crmsync.models import Portal

Status = prerequisites.Status
_MARKS = {
    Status.DONE: ("good", "✓"),
    Status.MISSING: ("bad", "✗"),
    Status.MANUAL: ("warn", "!"),
    Status.UNKNOWN: ("quiet", "?"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One line. ``answer``: what its button sends as ``is_done``, "" where there is none."""

    key: str
    title: str
    mark: SafeString
    detail: str
    remedy: str
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A section with its steps and how many of them are done."""

    title: str
    mapping_id: int | None
    steps: tuple[Step, ...]
    count: str


def sections_of(portal: Portal, *, may_tick: bool) -> list[Part]:
    """All sections; buttons only for whoever ``may_tick``."""
    ticked = set(portal.ticks.values_list("key", flat=True))
    return [_part(one, ticked, may_tick=may_tick) for one in checklist.of_portal(portal)]


def _part(section: checklist.Section, ticked: set[str], *, may_tick: bool) -> Part:
    steps = tuple(_step(section, item, ticked, may_tick=may_tick) for item in section.items)
    done = sum(item.state is Status.DONE for item in section.items)
    count = _("%(done)d of %(all)d done") % {"done": done, "all": len(steps)}
    return Part(section.title, section.mapping_id, steps, count)


def _step(section: checklist.Section, item: prerequisites.Item, ticked: set[str], *, may_tick: bool) -> Step:
    key = checklist.key_of(section, item)
    answer = ""
    if may_tick and item.state is Status.MANUAL:
        answer = "yes"
    elif may_tick and item.state is Status.DONE and key in ticked:
        answer = "no"
    mark = cells.badge(_(item.state.label), *_MARKS[item.state])
    return Step(key, item.title, mark, item.detail, item.remedy, answer)
