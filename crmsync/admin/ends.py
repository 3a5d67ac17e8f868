"""One end of a pair as staff see it: a row's own page on this site, a record's page in HubSpot."""

from django.apps import apps
from django.contrib.admin.utils import quote
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from crmsync.admin import cells
from crmsync.engine import terms
from crmsync.models import Mapping


def django_record(model_label: str, pk: str, site: str) -> SafeString | str:
    """A link to the row's own page where this site has one."""
    label = f"{model_label.rpartition('.')[2]} {pk}"
    try:
        model = apps.get_model(model_label)
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
        url = reverse(name, args=[quote(pk)], current_app=site)
    except (LookupError, ValueError, NoReverseMatch):
        return label
    return cells.link(url, label)


def record(mapping: Mapping, side: str, key: str, site: str) -> SafeString | str:
    """The record of either side, with a way to it."""
    if side == terms.SideName.LOCAL:
        return django_record(mapping.model_label, key, site)
    return cells.hubspot_record(mapping.portal, mapping.object_type, key)


def named(mapping: Mapping, side: str, key: str, site: str) -> SafeString:
    """The same with its side before it."""
    return format_html("{}: {}", _(terms.SideName(side).label), record(mapping, side, key, site))
