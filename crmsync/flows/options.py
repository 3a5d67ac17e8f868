"""Adds to properties the options that a batch is about to send, where their field mapping says so.

One change a property and batch. HubSpot takes the whole list of options, so that two who change it at once could lose
each other's: a lock keeps our own workers apart, and the list is read before and after.
"""

import contextlib
import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta

from django.core.exceptions import FieldDoesNotExist
from django.utils import timezone

from crmsync.engine import canonical, changes, spec, terms
from crmsync.flows import dossier, failures, scope
from crmsync.hubspot import errors, properties, types
from crmsync.ledger import heartbeats, schema

# Three calls and a slow answer; a worker that was killed holds the others up no longer.
_LOCK_SECONDS = 60

Wanted = dict[spec.FieldSpec, dict[str, list]]
"""For each field the values that are no options yet, with the works that send them."""


def add_missing(one: scope.Scope, works: Iterable) -> None:
    """Make the options; where that is not possible only the field is held back, and everything else goes on."""
    wanted = _find_wanted(one, works)
    for field, found in wanted.items():
        with _lock(one, field) as is_ours:
            if not is_ours:
                _stop(found, dossier.BUSY)
                continue
            try:
                _add(one, field, found)
            except errors.HubSpotError as error:
                _refuse(field, found, error)


def _find_wanted(one: scope.Scope, works: Iterable) -> Wanted:
    fields = {field.id: field for field in one.spec.fields if field.adds_options}
    wanted: Wanted = {}
    for work in works if fields else ():
        for write in work.plan.remote_writes if work.stop is None else ():
            field = fields.get(write.field_id)
            for value in _values(field, str(write.value)) if field else ():
                if value not in field.options:
                    wanted.setdefault(field, defaultdict(list))[value].append(work)
    return wanted


def _values(field: spec.FieldSpec, sent: str) -> list[str]:
    return (
        canonical.split_choices(sent) if field.remote_type is terms.RemoteType.CHECKBOXES else [sent] if sent else []
    )


@contextlib.contextmanager
def _lock(one: scope.Scope, field: spec.FieldSpec) -> Iterator[bool]:
    """Whether this worker alone may change the property's options now."""
    name = f"{one.spec.portal_id} {one.spec.object_type} {field.remote}"
    now = timezone.now()
    is_ours = heartbeats.take(name, heartbeats.OPTIONS, now, timedelta(seconds=_LOCK_SECONDS))
    try:
        yield is_ours
    finally:
        if is_ours:
            heartbeats.give_back(name, heartbeats.OPTIONS, now)


def _add(one: scope.Scope, field: spec.FieldSpec, found: Mapping[str, list]) -> None:
    labels = _labels(one, field.local)
    options = [types.Option(value, labels.get(value, value)) for value in sorted(found)]
    after = properties.add_options(one.remote.client, one.spec.object_type, field.remote, options)
    pairs = [[option.value, option.label] for option in after.options]
    schema.store_options(one.spec.portal_id, one.spec.object_type, field.remote, pairs)


def _labels(one: scope.Scope, path: str) -> dict[str, str]:
    """How the choices of a local field are called, by value; nothing for a path that is no column."""
    model = one.local.adapter.model
    *relations, name = path.split("__")
    try:
        for relation in relations:
            model = model._meta.get_field(relation).related_model
        found = model._meta.get_field(name)
    except (FieldDoesNotExist, AttributeError):
        return {}
    return {str(value): str(label) for value, label in getattr(found, "flatchoices", ())}


def _refuse(field: spec.FieldSpec, found: Mapping[str, list], error: errors.HubSpotError) -> None:
    """A refusal for good holds the field back; anything that passes by itself holds the records up."""
    verdict = failures.classify(error)
    if verdict.kind in (failures.Kind.RETRY, failures.Kind.LIMITED, failures.Kind.PORTAL):
        _stop(found, dossier.stop_for(error))
        return
    for value, works in found.items():
        why = f'"{value[:80]}" could not be added to the options of {field.remote}: {verdict.message}'
        problem = changes.FieldProblem(field.id, terms.Problem.OPTION_UNKNOWN.value, why)
        for work in works:
            _hold(work, problem)


def _hold(work, problem: changes.FieldProblem) -> None:
    """Take the field's write out of the plan; without any other the record waits for a person."""
    plan = work.plan
    left = tuple(write for write in plan.remote_writes if write.field_id != problem.field_id)
    clashes = tuple(clash for clash in plan.clashes if clash.field_id != problem.field_id)
    if len(left) == len(plan.remote_writes):
        return  # another of its values was refused before
    work.plan = dataclasses.replace(plan, remote_writes=left, clashes=clashes, problems=(*plan.problems, problem))
    if not left and plan.creates is terms.SideName.REMOTE:
        code = f"field.{problem.code}"
        work.stop = dossier.Stop(code, problem.message, outcome=terms.Outcome.FAILED, park=True)


def _stop(found: Mapping[str, list], stop: dossier.Stop) -> None:
    for works in found.values():
        for work in works:
            work.stop = stop
