"""The OAuth door: sends a person to HubSpot's consent page, and takes them back from there, once."""

import secrets
import time
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import NoReverseMatch, reverse
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from crmsync import conf, jobs
from crmsync.flows import connect, consent, discover
from crmsync.models import Portal

_KEY = "crmsync_consent"
# Long enough to choose an account and read the scopes; HubSpot's own code lives shorter still.
_SECONDS = 600


@never_cache
@require_POST
def start(request: HttpRequest, portal_id: int) -> HttpResponse:
    """Somebody pressed “Connect with HubSpot”: off to the consent page, or back with the sentence that says why not.

    The state is random, bound to this session and user, good once and for ten minutes.
    """
    if not request.user.has_perm("crmsync.connect_portal"):
        raise PermissionDenied(_("You may not connect portals."))
    portal = get_object_or_404(Portal, pk=portal_id)
    state, uri = secrets.token_urlsafe(32), redirect_uri(request)
    try:
        address = consent.address(portal, uri, state)
    except connect.ConnectError as error:
        messages.error(request, str(error))
        return HttpResponseRedirect(_page_of(portal))
    request.session[_KEY] = {
        "state": state,
        "user": str(request.user.pk),
        "portal": portal.pk,
        "until": time.time() + _SECONDS,
        "redirect_uri": uri,
    }
    return HttpResponseRedirect(address)


def redirect_uri(request: HttpRequest) -> str:
    """The address HubSpot returns to: exactly this must be entered in the HubSpot app."""
    path = reverse("crmsync:oauth_callback")
    base = conf.current().PUBLIC_URL.rstrip("/")
    return f"{base}{path}" if base else request.build_absolute_uri(path)


@never_cache
@require_GET
@login_not_required
def callback(request: HttpRequest) -> HttpResponse:
    """Back from HubSpot. It is a GET because HubSpot makes it one; the state is what makes it safe."""
    asked: dict[str, Any] = request.session.pop(_KEY, None) or {}
    given = request.GET.get("state", "")
    is_ours = (
        bool(asked)
        and constant_time_compare(asked["state"], given)
        and asked["user"] == str(request.user.pk)
        and time.time() < asked["until"]
    )
    if not is_ours:
        raise PermissionDenied(
            _(
                "This answer from HubSpot was not asked for in this session, is too old, or was used already."
                " Open the portal's page and press “Connect with HubSpot” again."
            )
        )
    if not request.user.has_perm("crmsync.connect_portal"):
        raise PermissionDenied(_("You may not connect portals."))
    portal = Portal.objects.filter(pk=asked["portal"]).first()
    if portal is None:
        raise PermissionDenied(_("The portal was deleted meanwhile. Add it again."))
    _take(request, portal, asked["redirect_uri"])
    return HttpResponseRedirect(_page_of(portal))


def _take(request: HttpRequest, portal: Portal, uri: str) -> None:
    """Connect and discover, and tell the person how both went."""
    code = request.GET.get("code", "")
    if not code:
        reason = request.GET.get("error_description") or request.GET.get("error") or _("no reason was given")
        messages.error(request, _("HubSpot did not connect the account: %(reason)s.") % {"reason": reason[:200]})
        return
    is_known = portal.hub_id is not None
    try:
        consent.finish(portal, code, uri)
        messages.success(request, _("Connected to HubSpot account %(hub_id)s.") % {"hub_id": portal.hub_id})
        discover.discover(portal)
        found = _("HubSpot's fields were discovered.")
        messages.success(request, found if is_known else f"{found} {_('Nothing was synced yet.')}")
    except (connect.ConnectError, discover.DiscoveryError) as error:
        messages.error(request, str(error))
        return
    jobs.ring()


def _page_of(portal: Portal) -> str:
    """The portal's page in the admin, or the site's front page where there is no admin."""
    try:
        return reverse("admin:crmsync_portal_change", args=[portal.pk])
    except NoReverseMatch:
        return "/"
