"""Opens what the work of one mapping needs: its frozen spec and both sides."""

import dataclasses
from collections.abc import Mapping as Dict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from crmsync import conf
from crmsync.engine import changes, plan, record, routes, spec, terms, twins
from crmsync.flows import access
from crmsync.ledger import queue, specs
from crmsync.models import Mapping, choices
from crmsync.sides import local, remote


class Keeper(Protocol):
    """Stands beside a batch of a canary: it makes the plan, and keeps what the records had before.

    ``before`` is told what is about to be written, and may set cases aside; ``after`` is told in the settling
    transaction what both sides have now.
    """

    def make_plan(self, one: spec.MappingSpec, pairs: Sequence[changes.Pair], now: datetime) -> plan.Plan: ...

    def before(self, one: "Scope", cases: Sequence[Any], planned: plan.Plan) -> None: ...

    def after(self, one: "Scope", works: Sequence[Any], refreshed: Dict[str, record.Record]) -> None: ...


@dataclass(slots=True)
class Scope:
    """One batch's or run's world; ``lease`` is the token under which it holds links. ``held`` are the sides that a
    person, or the settings of a rehearsal, do not want written now. ``is_outdated``: HubSpot's schema is no longer
    as it was at ``discovered_at``; ``looked``: what was asked of it again after a refusal (see relearn). ``keeper``:
    the canary for which it is done. Of a new version ``mapping`` is that, and ``spec`` goes by the id of the live
    one, whose links and bases it works with."""

    mapping: Mapping
    spec: spec.MappingSpec
    local: local.LocalSide
    remote: remote.RemoteSide
    lease: str
    run_id: int | None = None
    held: frozenset[terms.SideName] = frozenset()
    is_outdated: bool = False
    looked: set[tuple[object, ...]] = field(default_factory=set)
    discovered_at: datetime | None = None
    paired: tuple[twins.Twin, ...] = ()
    keeper: Keeper | None = None


def open_scope(mapping_id: int, *, run_id: int | None = None, keeper: Keeper | None = None) -> Scope:
    """The scope of a mapping; specs.SpecError where it cannot run."""
    mapping = Mapping.objects.select_related("portal").get(pk=mapping_id)
    one = load(mapping, with_associations=keeper is None)
    return Scope(
        mapping=mapping,
        spec=one,
        local=local.LocalSide(one, specs.adapter_of(mapping)),
        remote=remote.RemoteSide(one, remote.client_for(access.access_of(mapping.portal))),
        lease=queue.make_lease(),
        run_id=run_id,
        held=_held(mapping),
        paired=twins.find(routes.make_routes(one)),
        discovered_at=mapping.portal.discovered_at,
        keeper=keeper,
    )


def load(mapping: Mapping, *, with_associations: bool = True) -> spec.MappingSpec:
    """A mapping's spec; that of a new version goes by the mapping it is a version of: links, bases and edges are
    that one's. SpecError where it cannot run.

    A canary leaves associations alone: one that it made could not be told from one that a person made since.
    """
    one = specs.load(mapping)
    live = mapping.version_of if mapping.version_of_id is not None else None
    if live is None:
        return one
    known = {(row.local, row.to_mapping_id): row.pk for row in live.associations.all()} if with_associations else {}
    edges = tuple(
        dataclasses.replace(each, id=known.get((each.local, each.to_mapping_id), each.id))
        for each in one.associations
        if with_associations
    )
    return dataclasses.replace(one, id=live.pk, revision=live.revision, associations=edges)


def renewed(one: Scope) -> Scope:
    """The same scope, opened anew if HubSpot's schema was read again since."""
    known = Mapping.objects.values_list("portal__discovered_at", flat=True).get(pk=one.mapping.pk)
    is_same = not one.is_outdated and known == one.discovered_at
    return one if is_same else open_scope(one.mapping.pk, run_id=one.run_id)


def _held(mapping: Mapping) -> frozenset[terms.SideName]:
    words = {mapping.held, mapping.portal.held}
    if mapping.version_of_id is not None:
        words.add(mapping.version_of.held)
    if conf.current().READ_ONLY:
        words.add(choices.Held.PUSH)
    sides = {choices.Held.PUSH: terms.SideName.REMOTE, choices.Held.PULL: terms.SideName.LOCAL}
    return frozenset(side for word, side in sides.items() if word in words)
