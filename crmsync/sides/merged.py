"""Records that HubSpot merged: which record is left of one, and which ones a record was made of.

HubSpot: CRM objects, merge; old ids answer one by one, never in a batch.
"""

from collections.abc import Collection

from crmsync.engine import record, spec
from crmsync.hubspot import errors, objects
from crmsync.sides import remote


def old_ids(found: record.Record) -> frozenset[str]:
    """The ids of the records that were merged into this one."""
    said = str(found.values.get(spec.MERGED_PROPERTY) or "")
    return frozenset(part.strip() for part in said.split(";") if part.strip()) - {found.key.id}


def find(
    side: remote.RemoteSide, keys: Collection[str]
) -> tuple[dict[str, record.Record], dict[str, errors.HubSpotError]]:
    """What is left of records that are gone, by their old ids; and what failed by old id.

    Archived ones were not merged, which one call says of a hundred; of the others each costs a call.
    """
    settled = objects.read_batch(side.client, side.spec.object_type, sorted(keys), [], archived=True)
    left: dict[str, str] = {}
    failed: dict[str, errors.HubSpotError] = {}
    for key in sorted(set(keys) - settled.done.keys()):
        try:
            left[key] = objects.get(side.client, side.spec.object_type, key).id
        except errors.NotFound:
            continue
        except errors.HubSpotError as error:
            failed[key] = error
    rows, missed = side.read({new for old, new in left.items() if new != old}) if left else ({}, {})
    failed |= {old: missed[new] for old, new in left.items() if _is_failure(missed.get(new))}
    return {old: rows[new] for old, new in left.items() if new in rows}, failed


def _is_failure(error: errors.HubSpotError | None) -> bool:
    return error is not None and not isinstance(error, errors.NotFound)
