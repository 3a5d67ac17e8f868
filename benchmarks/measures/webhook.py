"""The webhook's door, in process through the full middleware stack, against a view that only answers 204."""

import time
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection, connections

from benchmarks import deliveries
from benchmarks.trial import Seconds, Trial, timed
from benchmarks.world import BenchError, World
from crmsync.models import Delivery

SIZE = 1000
BLOCK = 50
CONNECTIONS = 10
FORGED = 50


def measure(trial: Trial) -> None:
    """``size`` is the number of requests a run."""
    settings.ROOT_URLCONF = "benchmarks.measures.webhook_urls"
    world, count = World(), trial.size or SIZE
    is_rq = trial.name.endswith("_rq")
    world.use(RUNNER="rq" if is_rq else "database")
    handler = WSGIHandler()
    for _ in range(trial.runs):
        for what, events in (("hundred", 100), ("one", 1)):
            body = deliveries.make_body(world.portal.hub_id, events)
            _against_bare(trial, handler, what, body, count)
        if not is_rq:
            _crowd(trial, handler, deliveries.make_body(world.portal.hub_id, 100), count)
    if not is_rq:
        _forged(trial, handler, deliveries.make_body(world.portal.hub_id, 1))
    _profile(trial, handler, world, count)


def _against_bare(trial: Trial, handler: WSGIHandler, what: str, body: bytes, count: int) -> None:
    """Both in blocks, turn by turn; what was acknowledged must be seen from another connection."""
    Delivery.objects.all().delete()
    ours = bare = Seconds()
    acknowledged = 0
    for _ in range(max(count // BLOCK, 1)):
        empty = [deliveries.request("/bare/", body) for _ in range(BLOCK)]
        bare += timed(lambda given=empty: _expect(deliveries.answer_all(handler, given)))
        signed = [deliveries.sign(body) for _ in range(BLOCK)]
        ours += timed(lambda given=signed: _expect(deliveries.answer_all(handler, given)))
        acknowledged += BLOCK
    trial.put_rates(what, acknowledged, ours, bare)
    if not trial.name.endswith("_rq"):
        trial.put("lost", acknowledged - seen_elsewhere())


def _expect(statuses: list[int]) -> None:
    if set(statuses) != {204}:
        raise BenchError(f"not all were acknowledged: {sorted(set(statuses))}")


def seen_elsewhere() -> int:
    """Deliveries as another connection sees them: only what is committed."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(_count).result()


def _count() -> int:
    try:
        return Delivery.objects.count()
    finally:
        connection.close()


def _crowd(trial: Trial, handler: WSGIHandler, body: bytes, count: int) -> None:
    """Ten at once: the time to answer that one in a hundred exceeds."""
    each = [[deliveries.sign(body) for _ in range(max(count // CONNECTIONS, 1))] for _ in range(CONNECTIONS)]
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        found = sorted(one for part in pool.map(lambda given: _times(handler, given), each) for one in part)
    fact = f"median {found[len(found) // 2] * 1000:.1f} ms, worst {found[-1] * 1000:.1f} ms"
    trial.put("p99", found[int(len(found) * 0.99)] * 1000, fact)


def _times(handler: WSGIHandler, environs: list[deliveries.Environ]) -> list[float]:
    times = []
    for environ in environs:
        start = time.perf_counter()
        _expect([deliveries.answer(handler, environ)])
        times.append(time.perf_counter() - start)
    connections.close_all()
    return times


def _forged(trial: Trial, handler: WSGIHandler, body: bytes) -> None:
    """Signed by a stranger, signed too long ago, or changed on the way: none may be taken."""
    before = seen_elsewhere()
    environs = [deliveries.sign(body, secret="a stranger's") for _ in range(FORGED)]
    environs += [deliveries.sign(body, age=301) for _ in range(FORGED)]
    for number in range(FORGED):
        genuine = deliveries.sign(body)
        signature = {name: value for name, value in genuine.items() if name.startswith("HTTP_X_HUBSPOT")}
        changed = deliveries.request(deliveries.PATH, body.replace(b"CRM_UI", b"CRM_U%d" % (number % 10)))
        environs.append(changed | signature)
    statuses = deliveries.answer_all(handler, environs)
    taken = sum(status < 400 for status in statuses) + seen_elsewhere() - before
    trial.put("forged", taken, f"of {len(statuses)}")


def _profile(trial: Trial, handler: WSGIHandler, world: World, count: int) -> None:
    for what, events in (("hundred", 100), ("one", 1)):
        body = deliveries.make_body(world.portal.hub_id, events)
        signed = [deliveries.sign(body) for _ in range(count)]
        trial.profile(what, lambda given=signed: deliveries.answer_all(handler, given))
