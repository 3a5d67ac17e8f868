"""The scopes of a portal: which are needed and why, which are granted, missing, or granted for nothing."""

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crmsync.admin import cells, tool
from crmsync.engine import scopes as engine_scopes
from crmsync.flows import scopes
from crmsync.models import Mapping, Portal, choices

OAUTH = choices.CredentialKind.OAUTH


def kind_of(portal: Portal) -> str:
    """How a portal connects; "" where nothing was entered yet."""
    return portal.credential.kind if hasattr(portal, "credential") else ""


def before(portal: Portal) -> SafeString | str:
    """What a first connection needs: the least scopes, each with its reasons."""
    is_oauth = kind_of(portal) == OAUTH
    rows = [
        [one.scope, _reasons(one), _("only for some features") if one.is_optional else _("needed")]
        for one in scopes.needed(portal, is_oauth=is_oauth)
    ]
    return cells.blocks(
        cells.table([_("scope"), _("why"), _("how much")], rows, _("Scopes")),
        "" if is_oauth else cells.note(_("An OAuth app needs the scope “oauth”, too.")),
    )


def after(portal: Portal) -> SafeString | str:
    """What the mappings need against what was granted."""
    is_oauth = kind_of(portal) == OAUTH
    found = scopes.compare(portal, is_oauth=is_oauth)
    if not found.is_known:
        rows = [[one.scope, _reasons(one), _unknown()] for one in scopes.needed(portal, is_oauth=is_oauth)]
    else:
        rows = [
            *([one.scope, _reasons(one), _missing(one)] for one in (*found.missing, *found.missing_optional)),
            *([one.scope, _reasons(one), cells.badge(_("granted"), "good", "✓")] for one in found.present),
            *([one, cells.EMPTY, cells.badge(_("not needed"), "quiet", "–")] for one in found.removable),
        ]
    refused = _("HubSpot refused calls for lack of: %(scopes)s.") % {"scopes": ", ".join(portal.missing_scopes)}
    return cells.blocks(
        found.summary,
        cells.warning(refused) if portal.missing_scopes else "",
        _ask_again(portal) if found.missing or found.missing_optional else "",
        cells.table([_("scope"), _("why"), _("state")], rows, _("Scopes")),
        cells.note(_("What is not needed can be taken away from the app in HubSpot.")) if found.removable else "",
    )


def short(portal: Portal, mappings: list[Mapping]) -> SafeString | str:
    """In a list: all there, or how many are missing. ``mappings`` are the portal's, with their fields: no query."""
    if portal.hub_id is None:
        return cells.EMPTY
    is_oauth = kind_of(portal) == OAUTH
    uses = [scopes._use(one) for one in mappings]  # the list reads all mappings at once, the flow reads one portal's
    needs = engine_scopes.needed(uses, oauth=is_oauth) if uses else scopes.needed(Portal(), is_oauth=is_oauth)
    found = engine_scopes.compare(needs, portal.scopes, known=portal.are_scopes_known)
    missing = len({*(one.scope for one in found.missing), *portal.missing_scopes})
    if missing:
        text = ngettext("%(count)d missing", "%(count)d missing", missing) % {"count": missing}
        return cells.badge(text, "bad", "✗")
    return cells.badge(_("ok"), "good", "✓") if found.is_known else cells.badge(_("not told"), "quiet", "?")


def _reasons(need: engine_scopes.Need) -> SafeString | str:
    """Who needs a scope what for."""
    return cells.bullets(list(need.reasons))


def _unknown() -> SafeString:
    return cells.badge(_("HubSpot does not say"), "quiet", "?")


def _missing(need: engine_scopes.Need) -> SafeString:
    mark = cells.badge(_("missing"), "warn" if need.is_optional else "bad", "✗")
    text = _("It allows %(what)s.") % {"what": engine_scopes.unlocked_by(need.scope)}
    if need.is_optional:
        text += " " + _("Everything else works without it.")
    return cells.lines(mark, cells.note(text))


def _ask_again(portal: Portal) -> SafeString | str:
    """Consent once more, for the scopes that are missing; a token's app is changed in HubSpot instead."""
    if kind_of(portal) != OAUTH:
        return _("Grant what is missing to the app in HubSpot, then test the connection.")
    return tool.button("connect", _("Ask HubSpot for them again")) if portal.viewer.may_connect else ""
