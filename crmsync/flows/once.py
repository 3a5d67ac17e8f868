"""Makes chosen rows in HubSpot because the host or a person asks, though their mapping makes none there by itself."""

from collections.abc import Iterable

from django.db import models
from django.utils import timezone

from crmsync import adapters
from crmsync.engine import terms
from crmsync.ledger import outbox
from crmsync.models import Mapping


class OnceError(Exception):
    """Why nothing can be sent: one sentence with the remedy."""


def ask(model: type[models.Model], pks: Iterable[object], mapping: Mapping | None = None) -> int:
    """Queue these rows so that they are made in HubSpot once, or linked there, whatever the rules for new records
    and “create missing records” say; how many were queued. What happens to them later is the mapping's to say.

    OnceError where no live mapping, or not the one given, sends this model.
    """
    label = adapters.registered_label(model)
    found = [mapping] if mapping is not None else list(Mapping.objects.filter(model_label__iexact=label))
    able = [one for one in found if not _refuse(one, label)]
    if not able:
        raise OnceError(_refuse(found[0], label) if found else f"No mapping has the Django model {label}. Add one.")
    keys = list(dict.fromkeys(str(pk) for pk in pks))
    outbox.mark_many([one.pk for one in able], keys, timezone.now(), is_asked=True)
    return len(keys)


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
