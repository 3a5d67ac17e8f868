"""Opens what the work of one mapping needs: its frozen spec and both sides."""

from dataclasses import dataclass, field
from datetime import datetime

from crmsync import conf
from crmsync.engine import routes, spec, terms, twins
from crmsync.flows import access
from crmsync.ledger import queue, specs
from crmsync.models import Mapping, choices
from crmsync.sides import local, remote


@dataclass(slots=True)
class Scope:
    """One batch's or run's world; ``lease`` is the token under which it holds links. ``held`` are the sides that a
    person, or the settings of a rehearsal, do not want written now. ``is_outdated``: HubSpot's schema is no longer
    as it was at ``discovered_at``; ``looked``: what was asked of it again after a refusal (see relearn)."""

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


def open_scope(mapping_id: int, *, run_id: int | None = None) -> Scope:
    """The scope of a mapping; specs.SpecError where it cannot run."""
    mapping = Mapping.objects.select_related("portal").get(pk=mapping_id)
    one = specs.load(mapping)
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
    )


def renewed(one: Scope) -> Scope:
    """The same scope, opened anew if HubSpot's schema was read again since."""
    known = Mapping.objects.values_list("portal__discovered_at", flat=True).get(pk=one.mapping.pk)
    is_same = not one.is_outdated and known == one.discovered_at
    return one if is_same else open_scope(one.mapping.pk, run_id=one.run_id)


def _held(mapping: Mapping) -> frozenset[terms.SideName]:
    words = {mapping.held, mapping.portal.held}
    if conf.current().READ_ONLY:
        words.add(choices.Held.PUSH)
    sides = {choices.Held.PUSH: terms.SideName.REMOTE, choices.Held.PULL: terms.SideName.LOCAL}
    return frozenset(side for word, side in sides.items() if word in words)
