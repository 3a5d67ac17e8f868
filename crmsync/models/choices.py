"""Django's choices made of the engine's terms, and the few enums that only rows have."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crmsync.engine import terms


def of(term: type[terms.Term]) -> list[tuple[str, str]]:
    """(value, lazily translated label) pairs of an engine enum."""
    return [(member.value, _(member.label)) for member in term]


class PortalState(models.TextChoices):
    """Work is done in CONNECTED only; in every other state it is kept."""

    NEW = "new", _("not connected yet")
    CONNECTED = "connected", _("connected")
    REVOKED = "revoked", _("access revoked")
    UNINSTALLED = "uninstalled", _("uninstalled in HubSpot")
    KEY_MISSING = "key_missing", _("secret unreadable")
    PAUSED = "paused", _("paused")
    DISCONNECTED = "disconnected", _("disconnected")


class CredentialKind(models.TextChoices):
    OAUTH = "oauth", _("OAuth app")
    STATIC = "static", _("access token of a private or project app")
    SERVICE_KEY = "service_key", _("service key")


class Held(models.TextChoices):
    """The direction that a person has stopped, while the other one goes on."""

    NONE = "", _("nothing is held")
    PUSH = "push", _("nothing is sent to HubSpot")
    PULL = "pull", _("nothing is taken from HubSpot")


class LinkState(models.TextChoices):
    CREATING = "creating", _("being created in HubSpot")
    LINKED = "linked", _("linked")
    ENDED = "ended", _("ended")


class RunKind(models.TextChoices):
    BACKFILL_PULL = "backfill_pull", _("backfill from HubSpot")
    BACKFILL_PUSH = "backfill_push", _("backfill to HubSpot")
    PULL = "pull", _("changes from HubSpot")
    PUSH = "push", _("changes to HubSpot")
    CANARY = "canary", _("canary of a new version")


class RunState(models.TextChoices):
    RUNNING = "running", _("running")
    FINISHED = "finished", _("finished")
    STOPPED = "stopped", _("stopped")
    FAILED = "failed", _("failed")


class CanaryState(models.TextChoices):
    """What became of one record of a canary."""

    WAITING = "waiting", _("not tried yet")
    TRIED = "tried", _("tried")
    DROPPED = "dropped", _("put back")


class CursorKind(models.TextChoices):
    FAST = "fast", _("fast pass")
    FULL = "full", _("complete pass")
    TIMED = "timed", _("look for relative dates")
