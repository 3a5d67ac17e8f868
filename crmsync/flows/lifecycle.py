"""The life of a mapping: draft, tested, approved, live, paused; every step is recorded with who took it and why."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from crmsync import conf
from crmsync.engine import findings, terms
from crmsync.engine import prove as engine
from crmsync.flows import configure, lint, prove
from crmsync.ledger import edges, portals, specs, steps
from crmsync.models import Mapping

State = terms.MappingState
_NAMED = 3  # findings that a refusal quotes


class LifecycleError(Exception):
    """A step that may not be taken now: one sentence with the remedy."""


@dataclass(frozen=True, slots=True)
class Life:
    """Where a mapping stands: its state and revision, and the revisions that were tested and approved last."""

    state: State
    revision: int
    tested: int | None = None
    approved: int | None = None

    @property
    def is_tested(self) -> bool:
        return self.tested == self.revision

    @property
    def is_approved(self) -> bool:
        return self.approved == self.revision

    @property
    def is_behind(self) -> bool:
        """Whether it runs as nobody has tested it."""
        return self.state.is_started and self.tested is not None and not self.is_tested

    @property
    def is_unapproved(self) -> bool:
        """Whether it runs as it was tested, but not as it was approved."""
        return self.state.is_started and self.is_tested and not self.is_approved

    def __str__(self) -> str:
        """As "live at revision 7, tested at revision 5: prove again"."""
        said = [f"{self.state.label} at revision {self.revision}"]
        for word, revision in (("tested", self.tested), ("approved", self.approved)):
            if self.state.value != word and revision is not None:
                said.append(f"{word} at revision {revision}")
        return ", ".join(said) + (": prove again" if self.is_behind else "")


def find_life(mapping: Mapping) -> Life:
    """Where a mapping stands; what was never recorded is None."""
    tested, approved = steps.latest(mapping, State.TESTED), steps.latest(mapping, State.APPROVED)
    return Life(
        State(mapping.state),
        mapping.revision,
        tested.revision if tested else None,
        approved.revision if approved else None,
    )


def note_edit(mapping: Mapping, by_id: int | None, *, note: str = steps.EDITED) -> None:
    """A mapping or a part of it was edited: its revision grows, and the configuration of the new one is kept.

    What was tested or approved is a draft again; what runs goes on, and what was planned before is planned anew.
    """
    portals.bump(mapping)
    _record(mapping, mapping.state, by_id, note)


def note_created(mapping: Mapping, by_id: int | None) -> None:
    """A mapping was made: its first revision is kept."""
    _record(mapping, mapping.state, by_id, steps.CREATED)


# --- Steps --------------------------------------------------------------------------------------------------------


def find_obstacles(mapping: Mapping) -> list[str]:
    """What keeps a mapping from counting as tested: lint's errors, and values that come back different."""
    errors = _find_errors(mapping)
    found = [_say_error(one) for one in errors]
    try:
        open_changes = prove.open_changes(mapping, prove.prove(mapping))
    except specs.SpecError as error:
        return found or [str(error)]
    return [*found, *(_say_change(*each) for each in open_changes)]


def _find_errors(mapping: Mapping) -> list[findings.Finding]:
    return [one for one in lint.of_mapping(mapping) if one.severity is findings.Severity.ERROR]


def _say_error(one: findings.Finding) -> str:
    """Row or scope, what is wrong, and the remedy."""
    return " ".join(filter(None, [one.field and f"{one.field}:", one.sentence, one.remedy]))


def _say_change(one: engine.FieldProof, found: engine.Finding) -> str:
    return f"{one.local} ↔ {one.remote}: {found.chain}, which nobody has accepted."


def mark_tested(mapping: Mapping, by_id: int | None, note: str = "") -> None:
    """The mapping as it is now is tested; LifecycleError where lint has errors or the proof has open changes."""
    _raise_unless_sound(mapping)
    with _locked(mapping):
        _take(mapping, (State.DRAFT,), State.TESTED, by_id, note)


def _raise_unless_sound(mapping: Mapping) -> None:
    remedy = "Mend what the contract says, and mend or accept what the round-trip proof lists."
    _raise_if_any(f"“{mapping}” cannot count as tested.", find_obstacles(mapping), remedy)


def _raise_if_any(head: str, obstacles: list[str], remedy: str) -> None:
    if obstacles:
        more = [f"And {len(obstacles) - _NAMED} more."] if len(obstacles) > _NAMED else []
        raise LifecycleError(" ".join([head, *obstacles[:_NAMED], *more, remedy]))


def approve(mapping: Mapping, by_id: int | None, note: str = "") -> None:
    """The tested mapping may go live; LifecycleError where it is not tested, or a second person is wanted."""
    with _locked(mapping):
        tested = steps.latest(mapping, State.TESTED)
        if tested is None or tested.revision != mapping.revision:
            raise LifecycleError(
                f"“{mapping}” is not tested at revision {mapping.revision}. Mark it as tested first."
            )
        if conf.current().TWO_PERSON_APPROVAL and by_id in {None, tested.by_id, steps.author_id(mapping)}:
            raise LifecycleError(
                f"“{mapping}” must be approved by somebody who neither made its last edit nor marked it as tested"
                " (CRMSYNC['TWO_PERSON_APPROVAL']). Ask a second person."
            )
        _take(mapping, (State.DRAFT, State.TESTED), State.APPROVED, by_id, note)


def check_switch_on(mapping: Mapping, *, may_approve: bool) -> None:
    """LifecycleError where the present revision is not approved, and this person alone cannot bring it there, or
    where lint has errors by now.

    What was only paused may go on as it was; a new version is never switched on, but promoted.
    """
    if mapping.version_of_id is not None:
        raise LifecycleError(f"“{mapping}” is a new version, which never runs by itself. Promote it instead.")
    if not steps.is_only_paused(mapping):
        check_ready(mapping, may_approve=may_approve)


def check_ready(mapping: Mapping, *, may_approve: bool) -> None:
    """LifecycleError where the present revision may not run: as it is not approved, or has errors by now."""
    life = find_life(mapping)
    if life.is_approved:  # since then another mapping may have gone live, or HubSpot changed
        errors = [_say_error(one) for one in _find_errors(mapping)]
        _raise_if_any(f"“{mapping}” cannot be switched on.", errors, "Mend what the contract says.")
        return
    if conf.current().TWO_PERSON_APPROVAL:
        todo = "Let a second person approve it" if life.is_tested else "Mark it as tested and let it be approved"
        raise LifecycleError(f"“{mapping}” is not approved at revision {mapping.revision}. {todo} first.")
    if not may_approve:
        raise LifecycleError(
            f"“{mapping}” is not approved at revision {mapping.revision}. Ask somebody with the permission"
            " “Can approve mappings”."
        )
    if not life.is_tested:
        _raise_unless_sound(mapping)


def switch_on(mapping: Mapping, by_id: int | None, *, may_approve: bool, note: str = "") -> None:
    """From now on changes flow; LifecycleError as ``check_switch_on``.

    Where one person may do it all, what is missing of test and approval is recorded on the way.
    """
    check_switch_on(mapping, may_approve=may_approve)
    with _locked(mapping):
        if not steps.is_only_paused(mapping):
            life = find_life(mapping)
            if not life.is_approved and not life.is_tested:
                _take(mapping, (State.DRAFT,), State.TESTED, by_id, note)
            if not life.is_approved:
                _take(mapping, (State.DRAFT, State.TESTED), State.APPROVED, by_id, note)
        portals.start_mapping(mapping, timezone.now())
        edges.wake_waiting(mapping.pk, timezone.now())
        _record(mapping, State.LIVE, by_id, note)


def pause(mapping: Mapping, by_id: int | None) -> None:
    """Changes are captured and wait."""
    portals.stop_mapping(mapping.pk, "", by_id=by_id)


@contextmanager
def _locked(mapping: Mapping) -> Iterator[None]:
    """Hold the row at the revision that was judged; LifecycleError where it was edited meanwhile."""
    with transaction.atomic():
        row = Mapping.objects.select_for_update().filter(pk=mapping.pk).first()
        if row is None or row.revision != mapping.revision:
            raise LifecycleError(f"“{mapping}” was edited meanwhile. Look at it again.")
        mapping.state = row.state
        yield


def _take(mapping: Mapping, before: tuple[State, ...], after: State, by_id: int | None, note: str) -> None:
    """Record a step; a mapping that runs goes on running, and none goes back."""
    if mapping.state in before:
        mapping.state = after
        mapping.save(update_fields=["state"])
    _record(mapping, after, by_id, note)


def _record(mapping: Mapping, state: str, by_id: int | None, note: str) -> None:
    steps.record(mapping, state, by_id=by_id, note=note, config=configure.text_of(mapping))
