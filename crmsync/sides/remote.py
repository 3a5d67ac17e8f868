"""The remote world: HubSpot records read and written in batches, settled item by item."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from crmsync.engine import across as paths
from crmsync.engine import combined, match, record, spec, terms
from crmsync.hubspot import client as hubspot_client
from crmsync.hubspot import errors, objects, pacing, record_batches, search, types, wire
from crmsync.sides import across

# Seconds a worker sleeps for its turn while it holds records; longer waits are the queue's, well inside a lease.
PATIENCE = 5.0


class Halted(errors.HubSpotError):
    """No call was made, for a reason of ours: ``code`` is the problem word, ``wait`` seconds until it may pass."""

    says = "Nothing was sent to HubSpot"
    own_words = True

    def __init__(self, code: str, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Access:
    """What it takes to talk to one portal. All callables are asked with every call.

    ``key`` names the client that may be reused ("": none may). ``token`` gives the bearer token or raises.
    ``reserve`` gives the seconds to wait before a call in a lane. ``renew`` is asked after a 401: True, call
    again. ``after`` is told of every call made.
    """

    key: str
    api_url: str
    version: str
    timeout: tuple[float, float]
    token: Callable[[], str]
    reserve: Callable[[str], float] | None = None
    renew: Callable[[], bool] | None = None
    after: hubspot_client.AfterCall | None = None
    is_read_only: Callable[[], bool] | None = None


_clients: dict[str, hubspot_client.Client] = {}


def client_for(access: Access) -> hubspot_client.Client:
    """One client a process and portal: it keeps its connections (and never shares them across a fork)."""
    key = f"{access.key} {access.api_url} {access.version} {access.timeout}"
    if access.key and key in _clients:
        return _clients[key]
    made = hubspot_client.Client(
        access.api_url,
        access.token,
        version=access.version,
        timeout=access.timeout,
        before_call=lambda request: _before(access, request),
        after_call=access.after,
        on_unauthorized=access.renew,
    )
    if access.key:
        _clients[key] = made
    return made


def _before(access: Access, request: wire.Request) -> None:
    if not request.reads and access.is_read_only is not None and access.is_read_only():
        raise Halted("portal.read_only", "This installation rehearses: CRMSYNC['READ_ONLY'] keeps it from writing.")
    seconds = access.reserve(request.lane) if access.reserve is not None else 0.0
    if seconds > PATIENCE:
        raise errors.RateLimited("the portal's pace is used up", retry_after=seconds)
    if seconds > 0:
        time.sleep(seconds)


def pace(
    lane: str, now: float, *, burst_per_10: int, search_per_second: int
) -> Callable[[float], tuple[float, float]]:
    """The pacing step of a lane: from a slot's theoretical arrival time to its new one and the wait.

    A tenth of the window may go at once and the rest is spread, 5 % under the limit: no ten rolling seconds
    exceed it, even when two clocks disagree a little.
    """
    if lane == "search":
        return lambda tat: pacing.reserve(tat, now, per_second=search_per_second, burst=1)
    burst = max(1, burst_per_10 // 10)
    return lambda tat: pacing.reserve(tat, now, per_second=_steady(burst_per_10), burst=burst)


def held_until(now: float, seconds: float, *, burst_per_10: int) -> float:
    """The theoretical arrival time that keeps everybody from calling for ``seconds``."""
    burst = max(1, burst_per_10 // 10)
    return now + seconds + burst / _steady(burst_per_10)


def _steady(burst_per_10: int) -> float:
    """Calls a second once the burst is used up; never nothing, however low the limit."""
    return max(0.05, (burst_per_10 * 0.95 - max(1, burst_per_10 // 10)) / 10)


@dataclass(frozen=True, slots=True)
class ReadBack:
    """A record read back: its values now, and each property's past values, newest first."""

    values: Mapping[str, str | None]
    history: Mapping[str, Sequence[types.HistoryEntry]]


class RemoteSide:
    """One mapping's object type in one portal."""

    def __init__(self, one: spec.MappingSpec, client: hubspot_client.Client) -> None:
        self.spec = one
        self.client = client
        self.across = across.Reader(one, client)
        names = {f.remote for f in one.fields if not (paths.is_across(f.remote) or f.held)}
        names |= {m.remote for m in one.match}
        names |= {c.field for rule in one.rules for c in rule.conditions if c.side == "remote"}
        names |= {name for key in one.match for name in match_properties(one, key)}
        self.combined = [name for name in names if combined.is_combined(name)]
        plain = {part for name in names for part in combined.parts(name)}
        self.properties = sorted(plain | {one.modified_property, spec.MERGED_PROPERTY})

    def read(self, ids: Collection[str]) -> tuple[dict[str, record.Record], dict[str, errors.HubSpotError]]:
        """Records by id, and what failed by id; NotFound there is a direct read of absence."""
        settled = objects.read_batch(self.client, self.spec.object_type, sorted(ids), self.properties)
        rows = {key: self.to_record(one) for key, one in settled.done.items()}
        whole, failed = self.across.complete(list(rows.values()))
        failed = {key: failed[row.key.id] for key, row in rows.items() if row.key.id in failed}
        done = {key: whole[row.key.id] for key, row in rows.items() if row.key.id in whole}
        return done, settled.failed | failed

    def find_present(self, ids: Collection[str]) -> dict[str, record.Record]:
        """Those of these records that are there; any failure but absence is raised, not taken for one."""
        found, failed = self.read(ids)
        for error in failed.values():
            if not isinstance(error, errors.NotFound):
                raise error
        return {key: one for key, one in found.items() if not one.archived}

    def read_by_create_key(self, keys: Collection[str]) -> dict[str, record.Record]:
        """Records by crmsync's own unique key property, read directly (not through the search index)."""
        settled = objects.read_batch(
            self.client,
            self.spec.object_type,
            sorted(keys),
            self.properties,
            id_property=self.spec.key_property,
        )
        _raise_unless_missing(settled)
        whole = {row.key.id: row for row in self._complete(settled.done.values())}
        return {key: whole[one.id] for key, one in settled.done.items()}

    def find(self, one: spec.MatchSpec, values: Collection[str]) -> dict[str, list[record.Record]]:
        """Records by normalised match value. A unique property is read directly; others are searched."""
        wanted = {n for v in values if (n := match.normalise(v, one.normaliser)) is not None}
        if not wanted:
            return {}
        spellings = sorted({text for value in values for text in match.spellings(value, one.normaliser)})
        rows = {row.id: row for row in self._look_up(one, spellings)}
        if one.normaliser is terms.Normaliser.EMAIL_PLUS:
            patterns = sorted(match.tag_pattern(normal) for normal in wanted)
            tagged = search.find_like(
                self.client, self.spec.object_type, one.remote, patterns, properties=self.properties
            )
            rows |= {row.id: row for row in tagged}
        found: dict[str, list[record.Record]] = {}
        for row in self._complete(rows.values()):
            normals = {match.normalise(text, one.normaliser) for text in match_texts(self.spec, one, row)}
            for normal in normals & wanted:
                found.setdefault(normal, []).append(row)
        return found

    def _look_up(self, one: spec.MatchSpec, values: Sequence[str]) -> Collection[types.ObjectRecord]:
        if not one.unique_remote:
            return search.find_by(self.client, self.spec.object_type, one.remote, values, properties=self.properties)
        settled = objects.read_batch(
            self.client, self.spec.object_type, values, self.properties, id_property=one.remote
        )
        _raise_unless_missing(settled)
        return settled.done.values()

    def page(self, after: str, limit: int = 100, *, archived: bool = False) -> tuple[list[record.Record], str]:
        """A page of all records in HubSpot's list order, and the cursor of the next ("" at the end)."""
        page = objects.list_page(
            self.client,
            self.spec.object_type,
            self.properties,
            after=after or None,
            limit=limit,
            archived=archived,
        )
        rows = [self.to_record(one) for one in page.records] if archived else self._complete(page.records)
        return rows, page.after or ""

    def changed(self, since: datetime, until: datetime, last_id: str) -> Iterator[list[record.Record]]:
        """Pages of records changed in a window, in id order behind ``last_id``: keyset search.

        The search index lags: use ids and modified times as hints, never the values.
        """
        pages = search.iter_search(
            self.client,
            self.spec.object_type,
            since=since,
            until=until,
            properties=[self.spec.modified_property],
            after_id=last_id or "0",
        )
        for page in pages:
            if page.records:
                yield [self.to_record(one) for one in page.records]

    def within(self, name: str, since: datetime, until: datetime) -> Iterator[list[str]]:
        """Pages of ids of records whose date property lies in a range, ends included; hints, as of ``changed``."""
        pages = search.iter_search(
            self.client, self.spec.object_type, name, since=since, until=until, properties=[name]
        )
        for page in pages:
            if page.records:
                yield [one.id for one in page.records]

    def create(self, inputs: Mapping[str, Mapping[str, str]]) -> types.Settled:
        """Create records by create key -> properties; the key is stored in the unique key property."""
        return objects.create_batch(
            self.client,
            self.spec.object_type,
            [
                types.CreateInput(trace_id=key, properties={**values, self.spec.key_property: key})
                for key, values in inputs.items()
            ],
        )

    def update(self, inputs: Mapping[str, Mapping[str, str]]) -> types.Settled:
        """Update records by id -> changed properties only."""
        return objects.update_batch(
            self.client,
            self.spec.object_type,
            [types.UpdateInput(id=key, properties=values) for key, values in inputs.items()],
        )

    def archive(self, ids: Sequence[str]) -> types.Settled:
        return objects.archive_batch(self.client, self.spec.object_type, list(ids))

    def histories(self, ids: Collection[str], names: Sequence[str]) -> tuple[dict[str, ReadBack], set[str]]:
        """Records by id as they are now, with the write history of some properties; and the ids whose history
        could not be read. A record that is gone is in neither."""
        settled = objects.read_batch(
            self.client, self.spec.object_type, sorted(ids), self.properties, history=list(names)
        )
        failed = {key for key, error in settled.failed.items() if not isinstance(error, errors.NotFound)}
        found = settled.done.items()
        return {key: ReadBack(self._combine(one.properties), one.history) for key, one in found}, failed

    def _complete(self, rows: Iterable[types.ObjectRecord]) -> list[record.Record]:
        """Records with what they show of associated ones; raises where that cannot be read."""
        whole, failed = self.across.complete([self.to_record(one) for one in rows])
        for error in failed.values():
            raise error
        return list(whole.values())

    def _combine(self, values: Mapping[str, str | None]) -> Mapping[str, str | None]:
        """With the combined paths that fields read."""
        if not self.combined:
            return values
        return {**values, **{name: combined.text_of(map(values.get, combined.parts(name))) for name in self.combined}}

    def to_record(self, one: types.ObjectRecord) -> record.Record:
        return record.Record(
            key=record.RecordKey(self.spec.object_type, one.id),
            values=self._combine(one.properties),
            modified_at=one.updated_at,
            archived=one.archived,
        )


def match_properties(one: spec.MappingSpec, key: spec.MatchSpec) -> tuple[str, ...]:
    """The properties that hold a record's match values: HubSpot keeps a contact's further addresses apart."""
    if key.remote == "email" and one.object_type == "contacts":
        return (key.remote, record_batches.SECONDARY_EMAILS)
    return (key.remote,)


def match_texts(one: spec.MappingSpec, key: spec.MatchSpec, found: record.Record) -> set[str]:
    """The values by which a record may be matched, as HubSpot has them; those that cannot match are left out."""
    own, *further = (str(found.values.get(name) or "") for name in match_properties(one, key))
    texts = [own, *(text for whole in further for text in whole.split(";"))]
    return {text for text in texts if match.normalise(text, key.normaliser) is not None}


def _raise_unless_missing(settled: types.Settled) -> None:
    for error in settled.failed.values():
        if not isinstance(error, errors.NotFound):
            raise error
