"""Opens what the work of one mapping needs: its frozen spec, both sides, and the portal's shared pace."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from crmsync import conf
from crmsync.engine import spec
from crmsync.ledger import budget, queue, specs
from crmsync.models import Mapping, Portal
from crmsync.sides import local, remote


@dataclass(slots=True)
class Scope:
    """One batch's or run's world; ``lease`` is the token under which it holds links."""

    mapping: Mapping
    spec: spec.MappingSpec
    local: local.LocalSide
    remote: remote.RemoteSide
    lease: str
    run_id: int | None = None


def open_scope(mapping_id: int, *, run_id: int | None = None) -> Scope:
    """The scope of a mapping; specs.SpecError where it cannot run."""
    mapping = Mapping.objects.select_related("portal").get(pk=mapping_id)
    one = specs.load(mapping)
    return Scope(
        mapping=mapping,
        spec=one,
        local=local.LocalSide(one, specs.adapter_of(mapping)),
        remote=remote.RemoteSide(one, remote.client_for(access_of(mapping.portal))),
        lease=queue.make_lease(),
        run_id=run_id,
    )


def access_of(portal: Portal) -> remote.Access:
    """The portal's credentials as the remote side wants them."""
    options = conf.current()
    return remote.Access(
        portal_id=portal.pk,
        api_url=options.API_URL,
        token=portal.token,
        version=portal.api_version or options.API_VERSION,
        timeout=(options.CONNECT_TIMEOUT, options.READ_TIMEOUT),
        reserve=_reserver(portal.pk, options),
    )


def _reserver(portal_id: int | None, options: conf.Options) -> Callable[[str], float] | None:
    """A portal that is not stored yet has no shared pace: its first call is the only one."""
    if portal_id is None or not options.BURST_PER_10_SECONDS:
        return None

    def reserve(lane: str) -> float:
        step = remote.pace(
            lane,
            time.time(),
            burst_per_10=options.BURST_PER_10_SECONDS,
            search_per_second=options.SEARCH_PER_SECOND or options.BURST_PER_10_SECONDS,
        )
        return budget.reserve(portal_id, lane, step)

    return reserve


def hold_back(portal_id: int, seconds: float) -> None:
    """After a 429: every worker of this portal waits."""
    options = conf.current()
    if options.BURST_PER_10_SECONDS:
        tat = remote.held_until(time.time(), seconds, burst_per_10=options.BURST_PER_10_SECONDS)
        budget.hold_back(portal_id, "burst", tat)
