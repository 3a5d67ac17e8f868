"""What records show of their primary associated record: read in batches, merged into their values by path."""

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from crmsync.engine import across, record, spec
from crmsync.hubspot import associations, errors, objects, types
from crmsync.hubspot import client as hubspot_client

Failed = dict[str, errors.HubSpotError]
_Partners = Mapping[str, Sequence[across.Partner]]


@dataclass(frozen=True, slots=True)
class Round:
    """A page of the records that several others are associated with: ids by the id they were asked of.

    ``done`` are those with no further page, ``failed`` those whose page could not be read.
    """

    reading: dict[str, list[str]] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    failed: Failed = field(default_factory=dict)


class Reader:
    """What one mapping takes over from associated records; with nothing to take over it calls nobody."""

    def __init__(self, one: spec.MappingSpec, client: hubspot_client.Client) -> None:
        self.object_type = one.object_type
        self.client = client
        self.wanted = across.read_by(one)

    def complete(self, rows: Sequence[record.Record]) -> tuple[dict[str, record.Record], Failed]:
        """Records by id with the values of their associated ones; and what could not be completed, by id.

        An association read and a record read for each object type and 100 records.
        """
        found, failed = {row.key.id: row for row in rows}, Failed()
        for object_type, names in self.wanted.items():
            if found:
                shown, wrong = self._read(object_type, names, list(found))
                failed |= wrong
                found = {
                    key: dataclasses.replace(row, values={**row.values, **shown[key]})
                    for key, row in found.items()
                    if key in shown
                }
        return found, failed

    def _read(
        self, object_type: str, names: Sequence[str], ids: Sequence[str]
    ) -> tuple[dict[str, dict[str, str | None]], Failed]:
        settled = associations.read_batch(self.client, self.object_type, object_type, ids)
        partners = {key: [_to_partner(one) for one in several] for key, several in settled.done.items()}
        chosen = {key: across.choose(self.object_type, object_type, several) for key, several in partners.items()}
        values, wrong = self.read(object_type, {one.id for one in chosen.values() if one is not None})
        failed, shown = dict(settled.failed), {}
        for key, one in chosen.items():
            if one is not None and one.id in wrong:
                failed[key] = wrong[one.id]
            elif one is not None and one.id not in values:  # archived since its association was read
                shown[key] = across.make_values(object_type, names, (), None, {})
            else:
                shown[key] = across.make_values(
                    object_type, names, partners[key], one, values[one.id] if one is not None else {}
                )
        return shown, failed

    def read(self, object_type: str, ids: Collection[str]) -> tuple[dict[str, Mapping[str, str | None]], Failed]:
        """The wanted values of records of another type, by id, and what could not be read; what is gone is in
        neither."""
        if not ids:
            return {}, {}
        settled = objects.read_batch(self.client, object_type, sorted(ids), self.wanted[object_type])
        wrong = {key: one for key, one in settled.failed.items() if not isinstance(one, errors.NotFound)}
        return {key: one.properties for key, one in settled.done.items()}, wrong

    def iter_reading(self, object_type: str, ids: Sequence[str]) -> Iterator[Round]:
        """Who is associated with these records of another type, up to 500 a record and round."""
        for settled in associations.iter_batch(self.client, object_type, self.object_type, ids):
            yield Round(
                reading={key: [one.to_id for one in page.records] for key, page in settled.done.items()},
                done={key for key, page in settled.done.items() if page.after is None},
                failed=dict(settled.failed),
            )

    def changed(self, object_type: str, since: datetime, until: datetime, last_id: str) -> Iterator[list[str]]:
        """Pages of ids of another type changed in a window, in their order behind ``last_id``."""
        pages = objects.iter_search(
            self.client, object_type, since=since, until=until, properties=["hs_object_id"], after_id=last_id or "0"
        )
        for page in pages:
            if page.records:
                yield [one.id for one in page.records]

    def archived(self, object_type: str) -> Iterator[list[str]]:
        """Pages of ids of another type that are archived: no search shows them."""
        for page in objects.iter_pages(self.client, object_type, archived=True):
            yield [one.id for one in page.records]


def _to_partner(one: types.Association) -> across.Partner:
    return across.Partner(one.to_id, tuple(label.label for label in one.labels))
