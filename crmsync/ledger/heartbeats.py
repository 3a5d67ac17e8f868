"""Heartbeats: which processes work for crmsync, and when each was last heard of."""

from datetime import UTC, datetime, timedelta

from crmsync.models import Heartbeat

# A process beats at least this often while it lives, and is thought dead after three beats were missed.
BEAT_SECONDS = 10
_DEAD_AFTER = timedelta(seconds=3 * BEAT_SECONDS)
_FORGET_AFTER = timedelta(days=1)


def beat(name: str, role: str, now: datetime) -> None:
    """Remember that a process is alive."""
    if not Heartbeat.objects.filter(name=name, role=role).update(seen_at=now):
        Heartbeat.objects.bulk_create(
            [Heartbeat(name=name, role=role, seen_at=now, started_at=now)], ignore_conflicts=True
        )
        Heartbeat.objects.filter(seen_at__lt=now - _FORGET_AFTER).delete()


def alive(role: str, now: datetime) -> int:
    """How many processes of a role are heard of."""
    return Heartbeat.objects.filter(role=role, seen_at__gte=now - _DEAD_AFTER).count()


def last(role: str) -> datetime | None:
    """When a process of a role was last heard of, None if never."""
    return Heartbeat.objects.filter(role=role).order_by("-seen_at").values_list("seen_at", flat=True).first()


# The role of locks on a property's options: not a process, but one that works on them.
OPTIONS = "options"
_FREE = datetime(1970, 1, 2, tzinfo=UTC)


def take(name: str, role: str, now: datetime, most: timedelta) -> bool:
    """Hold a name alone, for ``most`` at the longest; whether it was free."""
    Heartbeat.objects.bulk_create(
        [Heartbeat(name=name[:200], role=role, seen_at=_FREE, started_at=now)], ignore_conflicts=True
    )
    rows = Heartbeat.objects.filter(name=name[:200], role=role, seen_at__lte=now - most)
    return bool(rows.update(seen_at=now))


def give_back(name: str, role: str, taken_at: datetime) -> None:
    """Let go of a name, if it is still held by who took it then."""
    Heartbeat.objects.filter(name=name[:200], role=role, seen_at=taken_at).delete()
