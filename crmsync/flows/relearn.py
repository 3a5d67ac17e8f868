"""A write that HubSpot refused although the schema as known allows it: is the schema another by now?"""

import logging
import time
from collections.abc import Callable

from crmsync.flows import discover, dossier, scope
from crmsync.hubspot import errors
from crmsync.ledger import specs
from crmsync.models import Portal

logger = logging.getLogger(__name__)

# Seconds between two looks at the schema of one object type: a storm of refusals causes one.
_PAUSE = 60.0
# Portal and object type, and for labels the type that they lead to.
_Key = tuple[int, str] | tuple[int, str, str]
_looked: dict[_Key, float] = {}

# The record is planned again with the schema as it is now: a field that cannot work is held, the others go on.
CHANGED = dossier.Stop(
    "record.schema_changed", "The properties in HubSpot changed; the record is planned again.", seconds=0.0
)


def stop_for(one: scope.Scope, error: Exception) -> dossier.Stop:
    """How a refused record stops: planned again where the schema was not as known, else as the error says."""
    key = (one.spec.portal_id, one.spec.object_type)
    return _stop(one, error, key, discover.refresh)


def stop_for_edge(one: scope.Scope, to_type: str, error: Exception) -> dossier.Stop:
    """As ``stop_for``, of a record whose labelled association was refused: the label may be gone."""
    key = (one.spec.portal_id, one.spec.object_type, to_type)
    return _stop(one, error, key, discover.refresh_labels)


def _stop(one: scope.Scope, error: Exception, key: _Key, refresh: Callable[..., bool]) -> dossier.Stop:
    if isinstance(error, errors.ValidationError) and _has_changed(one, key, refresh):
        return CHANGED
    return dossier.stop_for(error)


def _has_changed(one: scope.Scope, key: _Key, refresh: Callable[..., bool]) -> bool:
    """Whether the mapping is planned with another schema by now; looked at once a scope and key.

    What counts is what the mapping makes of the schema as stored: another worker may have read it before us.
    """
    if not one.is_outdated and key not in one.looked:
        one.looked.add(key)
        one.is_outdated = _refresh(key, refresh) or _is_stale(one)
    return one.is_outdated


def _refresh(key: _Key, refresh: Callable[..., bool]) -> bool:
    """Read the schema again, unless this process did a moment ago; whether that brought news."""
    if time.monotonic() - _looked.get(key, -_PAUSE) < _PAUSE:
        return False
    _looked[key] = time.monotonic()
    portal_id, *types = key
    try:
        return refresh(Portal.objects.get(pk=portal_id), *types)
    except errors.HubSpotError as error:
        logger.warning("the schema was not read again", extra={"error": type(error).__name__})
        return False


def _is_stale(one: scope.Scope) -> bool:
    try:
        return scope.load(one.mapping, with_associations=one.keeper is None) != one.spec
    except specs.SpecError:
        return True  # opening the scope again says why
