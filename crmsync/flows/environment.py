"""Which installation this is, and whether it may work with a portal: a copy of it writes nothing until told to."""

import hashlib
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone

from crmsync import conf
from crmsync.engine import environment
from crmsync.ledger import credentials
from crmsync.models import Portal
from crmsync.sides import remote

_LOOPBACK = {"127.0.0.1", "localhost", "[::1]", "::1"}


def site() -> str:
    """Where people see this site: the public address, else the first allowed host; one name for this machine,
    because a site under development moves from port to port."""
    host = urlsplit(conf.current().PUBLIC_URL).hostname or next(iter(settings.ALLOWED_HOSTS), "")
    return "localhost" if host in _LOOPBACK else host


def database() -> str:
    """Which database this is, by where it lives; never a user or a password."""
    one = settings.DATABASES["default"]
    host = one.get("HOST") or "localhost"
    return f"{one['ENGINE'].rpartition('.')[2]}://{host}:{one.get('PORT') or ''}/{one['NAME']}"


def present(hub_id: int | None, account_type: str) -> environment.Fingerprint:
    """The fingerprint of this installation and a portal, as they are now."""
    return environment.Fingerprint(
        site=site(),
        database=hashlib.sha256(database().encode()).hexdigest()[:16],
        label=conf.current().ENVIRONMENT,
        portal_id=hub_id or 0,
        account_type=account_type,
    )


def install_id() -> str:
    """Names this installation in HubSpot without telling where it is."""
    text = f"{site()}|{database()}|{conf.current().ENVIRONMENT}"
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def judge(one: Portal | credentials.Pass) -> environment.Verdict:
    """May this installation work with this portal?"""
    options = conf.current()
    stored = environment.from_json(one.fingerprint)
    return environment.decide(
        stored,
        present(one.hub_id, one.account_type),
        environment=options.ENVIRONMENT,
        read_only=options.READ_ONLY,
    )


def judge_account(hub_id: int | None, account_type: str) -> environment.Verdict:
    """May this installation work with this account at all, whatever was stored before?"""
    options = conf.current()
    now = present(hub_id, account_type)
    return environment.decide(now, now, environment=options.ENVIRONMENT, read_only=options.READ_ONLY)


def differences(portal: Portal) -> tuple[str, ...]:
    """What is not as it was when this portal was connected or last confirmed."""
    stored = environment.from_json(portal.fingerprint)
    return environment.differences(stored, present(portal.hub_id, portal.account_type)) if stored else ()


def mark(text: str) -> str:
    """A description that names this installation, for crmsync's own property in HubSpot."""
    return environment.set_marker(text, install_id(), conf.current().ENVIRONMENT or site())


def other_install(text: str) -> str:
    """The name of another installation that works with this portal, as its mark in HubSpot says; "" if none."""
    found = environment.read_marker(text)
    return found[1] or found[0] if found is not None and found[0] != install_id() else ""


def beside(other: str) -> remote.Halted:
    """What stops the work of a second installation until a person confirms it."""
    return remote.Halted(
        "portal.other_install",
        f"Another installation, “{other}”, works with this HubSpot account. If both are wanted, or the other one is"
        " gone, press “Confirm this installation” on the portal's page.",
    )


def bind(portal: Portal) -> None:
    """From now on this installation works with the portal, beside another one if that is known by now."""
    known = portal.other_install or portal.fingerprint.get("beside", "")
    portal.fingerprint = {**present(portal.hub_id, portal.account_type).to_json(), "beside": known}
    portal.other_install = ""
    portal.checked_at = timezone.now()
    Portal.objects.filter(pk=portal.pk).update(
        fingerprint=portal.fingerprint, other_install="", checked_at=portal.checked_at
    )
