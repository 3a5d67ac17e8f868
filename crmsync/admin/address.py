"""Addresses that are entered in HubSpot: where it sends webhooks, and people after their consent."""

from django.urls import NoReverseMatch, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from crmsync import conf
from crmsync.admin import cells

NO_URLS = _("Not reachable yet: include crmsync.urls in the project's urls.py.")


def find(name: str, seen_at: str) -> str:
    """The public address of ``webhook`` or ``oauth_callback``; "" where the project does not include our URLs.

    ``seen_at``: the address of this site as the person's browser has it; CRMSYNC['PUBLIC_URL'] goes before it.
    """
    try:
        path = reverse(f"crmsync:{name}")
    except NoReverseMatch:
        return ""
    return f"{(conf.current().PUBLIC_URL or seen_at).rstrip('/')}{path}"


def shown(name: str, seen_at: str, hint: object) -> SafeString | object:
    """The address to copy, or why there is none."""
    found = find(name, seen_at)
    return cells.copyable(found, hint) if found else NO_URLS


def path_of(name: str, *args: object) -> str:
    """The path of one of our public views on this site, "" where our URLs are not included."""
    try:
        return reverse(f"crmsync:{name}", args=args)
    except NoReverseMatch:
        return ""
