"""One step of a mapping's life, asked for by a person or a command, with all that speaks against it."""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from crmsync.engine import terms
from crmsync.flows import lifecycle
from crmsync.ledger import specs
from crmsync.models import Mapping, choices

State = terms.MappingState


class Verb(terms.Term):
    """The steps that can be asked for, with what was done when one is taken."""

    TEST = "test", "marked as tested"
    APPROVE = "approve", "approved"
    LIVE = "live", "switched on"
    PAUSE = "pause", "paused"
    RESUME = "resume", "switched on again"


@dataclass(frozen=True, slots=True)
class Taken:
    """``is_done``: False where the mapping was there already. ``recorded``: steps recorded on the way."""

    is_done: bool
    life: lifecycle.Life
    recorded: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def advance(
    mapping: Mapping, verb: Verb, user: AbstractBaseUser | None, *, note: str = "", is_tried: bool = False
) -> Taken:
    """Take a step; LifecycleError where it may not be taken, as on the mapping's page.

    ``user``: who answers for it, with that person's permissions; None for whoever runs the installation.
    ``is_tried``: all of it is done and taken back, so that a refusal is the one that the step itself would meet.
    """
    _raise_unless_allowed(verb, user)
    with transaction.atomic():
        before = lifecycle.find_life(mapping)
        is_there = _is_there(before, verb)
        if not is_there:
            _STEPS[verb](mapping, user, note)
            mapping.refresh_from_db()
        after = lifecycle.find_life(mapping)
        transaction.set_rollback(is_tried)
    if is_tried:
        mapping.refresh_from_db()
    if is_there:
        return Taken(is_done=False, life=before)
    return Taken(is_done=True, life=after, recorded=_recorded(before, after, verb), warnings=_warn(mapping, after))


def check_runs(mapping: Mapping) -> None:
    """LifecycleError or SpecError where a mapping could not run if it were live."""
    if not specs.check(mapping).fields:
        raise lifecycle.LifecycleError(f"“{mapping}” has no active field mapping: add one.")
    if mapping.portal.state == choices.PortalState.NEW:
        raise lifecycle.LifecycleError(f"The portal of “{mapping}” is not connected: enter its access token.")


def _raise_unless_allowed(verb: Verb, user: AbstractBaseUser | None) -> None:
    name = "approve_mapping" if verb is Verb.APPROVE else "change_mapping"
    if user is not None and not user.has_perm(f"crmsync.{name}"):
        raise lifecycle.LifecycleError(
            f"{user} has not the permission crmsync.{name} that this step needs. Give it to them, or name somebody"
            " who has it."
        )


def _is_there(life: lifecycle.Life, verb: Verb) -> bool:
    """Whether there is nothing to do."""
    states = {Verb.LIVE: State.LIVE, Verb.RESUME: State.LIVE, Verb.PAUSE: State.PAUSED}
    if verb in states:
        return life.state is states[verb]
    return life.is_tested if verb is Verb.TEST else life.is_approved


# --- The steps ----------------------------------------------------------------------------------------------------


def _test(mapping: Mapping, user: AbstractBaseUser | None, note: str) -> None:
    lifecycle.mark_tested(mapping, _id(user), note)


def _approve(mapping: Mapping, user: AbstractBaseUser | None, note: str) -> None:
    lifecycle.approve(mapping, _id(user), note)


def _switch_on(mapping: Mapping, user: AbstractBaseUser | None, note: str) -> None:
    check_runs(mapping)
    may = user is None or user.has_perm("crmsync.approve_mapping")
    lifecycle.switch_on(mapping, _id(user), may_approve=may, note=note)


def _pause(mapping: Mapping, user: AbstractBaseUser | None, note: str) -> None:
    if mapping.state != State.LIVE:
        raise lifecycle.LifecycleError(f"“{mapping}” is not live, so there is nothing to pause.")
    lifecycle.pause(mapping, _id(user))


def _resume(mapping: Mapping, user: AbstractBaseUser | None, note: str) -> None:
    if mapping.state != State.PAUSED:
        raise lifecycle.LifecycleError(f"“{mapping}” was never paused: it is {State(mapping.state).label}. Use live.")
    _switch_on(mapping, user, note)


_STEPS: dict[Verb, Callable[[Mapping, AbstractBaseUser | None, str], None]] = {
    Verb.TEST: _test,
    Verb.APPROVE: _approve,
    Verb.LIVE: _switch_on,
    Verb.PAUSE: _pause,
    Verb.RESUME: _resume,
}


def _id(user: AbstractBaseUser | None) -> int | None:
    return user.pk if user is not None else None


def _recorded(before: lifecycle.Life, after: lifecycle.Life, verb: Verb) -> tuple[str, ...]:
    """Test and approval that were recorded because one person may do it all."""
    if verb not in (Verb.LIVE, Verb.RESUME):
        return ()
    found = (
        (State.TESTED, before.is_tested, after.is_tested),
        (State.APPROVED, before.is_approved, after.is_approved),
    )
    return tuple(state.value for state, was, now in found if now and not was)


def _warn(mapping: Mapping, life: lifecycle.Life) -> tuple[str, ...]:
    if life.state is not State.LIVE or mapping.match_keys.exists():
        return ()
    return (
        f"“{mapping}” has no match key, so existing partners are not found and records may be made twice. Add one.",
    )
