"""Opens what the work of one mapping needs: its frozen spec and both sides."""

from dataclasses import dataclass

from crmsync import conf
from crmsync.engine import spec, terms
from crmsync.flows import access
from crmsync.ledger import queue, specs
from crmsync.models import Mapping, choices
from crmsync.sides import local, remote


@dataclass(slots=True)
class Scope:
    """One batch's or run's world; ``lease`` is the token under which it holds links. ``held`` are the sides that a
    person, or the settings of a rehearsal, do not want written now."""

    mapping: Mapping
    spec: spec.MappingSpec
    local: local.LocalSide
    remote: remote.RemoteSide
    lease: str
    run_id: int | None = None
    held: frozenset[terms.SideName] = frozenset()


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
    )


def _held(mapping: Mapping) -> frozenset[terms.SideName]:
    words = {mapping.held, mapping.portal.held}
    if conf.current().READ_ONLY:
        words.add(choices.Held.PUSH)
    sides = {choices.Held.PUSH: terms.SideName.REMOTE, choices.Held.PULL: terms.SideName.LOCAL}
    return frozenset(side for word, side in sides.items() if word in words)
