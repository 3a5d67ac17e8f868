"""Schema news: what a banner says of properties and options in HubSpot that are gone while mappings use them."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crmsync.flows import replace
from crmsync.ledger import vanished
from crmsync.models import Mapping

# More than these and the page below is not seen any more; the mappings' own pages list them all.
_SHOWN = 4


@dataclass(frozen=True, slots=True)
class News:
    """One thing that is gone: the mapping it concerns, a sentence, and the page that mends it ("" where the person
    may not see it)."""

    name: str
    sentence: str
    url: str = ""
    link: str = ""


def find(page: admin.ModelAdmin, request: HttpRequest) -> list[News]:
    """Asked only where something is gone: two queries."""
    losses = vanished.find()
    if not losses:
        return []
    shown = losses[:_SHOWN]
    better = replace.names_for(shown)
    found = [News(one.mapping, _sentence(one, better.get(one, "")), *_way(page, request, one)) for one in shown]
    return [*found, *_rest(page, request, len(losses) - _SHOWN)]


def _sentence(one: vanished.Loss, better: str) -> str:
    return " ".join([_what(one), *_waits(one), *_instead(better)])


def _what(one: vanished.Loss) -> str:
    facts = {"name": one.name, "type": one.object_type, "owner": one.owner, "value": one.value}
    if one.kind == vanished.VALUE:
        return _("HubSpot has no “%(value)s” of “%(name)s” any more, which stands for “%(owner)s”.") % facts
    if one.kind == vanished.FIELD:
        text = _("The HubSpot property “%(name)s” of %(type)s, joined with %(owner)s, is gone: this field waits,")
        return f"{text % facts} {_('all other fields go on.')}"
    if one.kind == vanished.KEY:
        text = _("The HubSpot property “%(name)s” of %(type)s, a match key, is gone: new records wait, linked ones")
        return f"{text % facts} {_('go on.')}"
    text = _("The HubSpot property “%(name)s” of %(type)s is gone, which “%(owner)s” asks for: new records wait.")
    return text % facts


def _waits(one: vanished.Loss) -> Iterator[str]:
    if one.waiting:
        text = ngettext("%(count)d record waits.", "%(count)d records wait.", one.waiting)
        yield text % {"count": one.waiting}


def _instead(better: str) -> Iterator[str]:
    if better:
        yield _("Suggested instead: “%(name)s”.") % {"name": better}


def _way(page: admin.ModelAdmin, request: HttpRequest, one: vanished.Loss) -> tuple[str, str]:
    """(address, label) of the page that mends it."""
    mappings = page.admin_site._registry.get(Mapping)
    if mappings is None or not mappings.has_view_or_change_permission(request):
        return "", ""
    if one.kind == vanished.FIELD and mappings.has_change_permission(request):
        return page.url_of("mapping_replace", one.mapping_id, one.row_id), _("Replace it")
    if one.kind == vanished.VALUE:
        return page.url_of("fieldmapping_change", one.row_id), _("Open the value map")
    return page.url_of("mapping_change", one.mapping_id), _("Open the mapping")


def _rest(page: admin.ModelAdmin, request: HttpRequest, count: int) -> list[News]:
    if count <= 0:
        return []
    text = ngettext("%(count)d more thing is gone.", "%(count)d more things are gone.", count) % {"count": count}
    mappings = page.admin_site._registry.get(Mapping)
    may = mappings is not None and mappings.has_view_or_change_permission(request)
    return [News("", text, page.list_url(Mapping) if may else "", _("All mappings"))]
