"""Makes chosen rows in HubSpot because the host or a person asks, though their mapping makes none there by itself."""

from collections.abc import Iterable

from django.db import models
from django.utils import timezone

from crmsync import adapters
from crmsync.engine import terms
from crmsync.flows import dossier, reconcile, trial
from crmsync.ledger import outbox, places
from crmsync.models import Mapping


class OnceError(Exception):
    """Why nothing can be sent: one sentence with the remedy."""


def ask(
    model: type[models.Model], pks: Iterable[object], mapping: Mapping | None = None, *, using: str = places.OWN
) -> int:
    """Queue these rows so that they are made in HubSpot once, or linked there, whatever the rules for new records
    and “create missing records” say; how many were queued. What happens to them later is the mapping's to say.

    OnceError where no live mapping, or not the one given, sends this model. ``using``: the database of the
    transaction that saved the rows, if that is still open.
    """
    label = adapters.registered_label(model)
    of_model = Mapping.objects.filter(model_label__iexact=label, version_of=None)
    found = [mapping] if mapping is not None else list(of_model)
    able = [one for one in found if not _refuse(one, label)]
    if not able:
        raise OnceError(_refuse(found[0], label) if found else f"No mapping has the Django model {label}. Add one.")
    keys = list(dict.fromkeys(str(pk) for pk in pks))
    outbox.mark_many([one.pk for one in able], keys, timezone.now(), is_asked=True, using=using)
    return len(keys)


def make(mapping: Mapping, local_pk: str) -> reconcile.Result:
    """Make one row in HubSpot now, or link it there; what has to wait, such as for a parent, is queued.

    OnceError where the mapping cannot; trial.TrialError where it may not write now.
    """
    if refusal := find_refusal(mapping):
        raise OnceError(refusal)
    item = dossier.Item(local_pk=local_pk, is_asked=True)
    result, _entry = trial.sync(mapping, item)
    if result.stop is not None and result.stop.seconds == 0.0:  # planned anew: what it was planned by has changed
        result, _entry = trial.sync(mapping, item)
    if is_waiting(result):
        ask(adapters.adapter_for(mapping.model_label).model, [local_pk], mapping)
    return result


def is_waiting(result: reconcile.Result) -> bool:
    """Whether it is made later by itself."""
    stop = result.stop
    return stop is not None and not stop.park and stop.outcome is terms.Outcome.WAITING


def find_refusal(mapping: Mapping) -> str:
    """Why a mapping makes nothing in HubSpot once, with the remedy; "" where it can."""
    return _refuse(mapping, mapping.model_label)


def _refuse(mapping: Mapping, label: str) -> str:
    """Why a mapping sends no row of this model; "" if it does."""
    if mapping.model_label.lower() != label.lower():
        return f"The mapping “{mapping}” is of {mapping.model_label}, not of {label}. Choose another one."
    if not terms.Direction(mapping.direction).pushes:
        return (
            f"The mapping “{mapping}” only takes values from HubSpot. Set its direction to both ways, switch “create"
            " missing records in HubSpot” off, and add a sync rule to HubSpot that also gates updates: HubSpot's"
            " hs_object_id is empty. Then nothing but what is asked for is sent."
        )
    if not terms.MappingState(mapping.state).is_started:
        return f"The mapping “{mapping}” is not live. Switch it on first."
    return ""
