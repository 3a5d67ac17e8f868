"""Says why no property can be created in HubSpot now; HubSpot is not called."""

from crmsync.engine import scopes, terms
from crmsync.flows import access, environment
from crmsync.ledger import canaries
from crmsync.models import Mapping, Portal, choices
from crmsync.sides import remote


def of_mapping(mapping: Mapping) -> str:
    """Why the fields of a mapping cannot get properties, "" if nothing is known to be in the way."""
    if mapping.locked_by == canaries.LOCK:
        return "A canary of this version is open, so it stays as it was tried. Promote or drop it first."
    if mapping.locked_by:
        return (
            f"This mapping is kept in the file “{mapping.locked_by}”. Edit that file, then run crmsync_config apply"
            " with --create-properties."
        )
    if not terms.Direction(mapping.direction).pushes:
        return "This mapping only takes values from HubSpot: nothing would fill the properties. Change its direction."
    return of_portal(mapping.portal, mapping.object_type, mapping.held)


def of_portal(portal: Portal, object_type: str, held: str = "") -> str:
    """Why HubSpot may not be written, or does not let properties of this type be created; "" if it may."""
    try:
        access.raise_if_closed(portal.pk)
    except remote.Halted as error:
        return error.message
    verdict = environment.judge(portal)
    if not verdict.may_write:
        return f"{verdict.reason} {verdict.remedy}"
    if choices.Held.PUSH in (portal.held, held):
        return "A person holds back what is sent to HubSpot. Release it on the page of the portal or mapping first."
    need = missing_scope(portal, object_type)
    if need is None:
        return ""
    return (
        f"HubSpot has not granted the scope {need.scope}, without which no property can be created. Grant it to the"
        " app in HubSpot, then reconnect on the portal's page; with a token press “Test connection” there."
    )


def missing_scope(portal: Portal, object_type: str) -> scopes.Need | None:
    """The scope that creating properties lacks; None where it is granted, or HubSpot does not tell."""
    need = scopes.to_create_properties(object_type)
    return None if not portal.are_scopes_known or need.is_met(portal.scopes) else need
