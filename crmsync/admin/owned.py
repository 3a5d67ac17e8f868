"""OwnedFields: marks the fields that HubSpot owns in the host's own admin pages (U10)."""

import copy

from django import forms
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext as _

from crmsync import adapters
from crmsync.admin import cells
from crmsync.engine import terms
from crmsync.models import FieldMapping

_KEPT = "_crmsync_owned"


class OwnedFields:
    """Put it before ModelAdmin: form fields whose value comes from HubSpot only get a badge and a sentence.

    One query a page; nothing is asked of HubSpot, and nothing is made read-only.
    """

    def get_form(self, request: HttpRequest, obj=None, change: bool = False, **kwargs) -> type[forms.ModelForm]:
        form = super().get_form(request, obj, change, **kwargs)
        for name, mapping in find_owned(request, self.model).items():
            if name in form.base_fields:
                form.base_fields[name] = _marked(form.base_fields[name], mapping)
        return form

    @property
    def media(self) -> forms.Media:
        return super().media + forms.Media(css={"all": ["crmsync/admin.css"]})


def find_owned(request: HttpRequest, model: type) -> dict[str, str]:
    """Field names of a model that only HubSpot writes, in a live mapping, each with the mapping's name; remembered
    with the request."""
    known = request.__dict__.setdefault(_KEPT, {})
    if model not in known:
        known[model] = _read(adapters.registered_label(model))
    return known[model]


def _read(label: str) -> dict[str, str]:
    rows = FieldMapping.objects.filter(
        mapping__model_label__iexact=label, mapping__state=terms.MappingState.LIVE, is_active=True
    ).exclude(mapping__direction=terms.Direction.PUSH)
    pulled: dict[str, str] = {}
    shared = set()
    for local, mapping, own, whole in rows.values_list("local", "mapping__label", "direction", "mapping__direction"):
        if own == terms.Direction.PUSH:
            continue
        if terms.Direction.PULL in (own, whole):
            pulled.setdefault(local, mapping)
        else:
            shared.add(local)
    return {name: mapping for name, mapping in pulled.items() if name not in shared}


def _marked(field: forms.Field, mapping: str) -> forms.Field:
    marked = copy.copy(field)
    marked.label = format_html("{} {}", field.label, cells.badge(_("HubSpot"), "hubspot", "←"))
    sentence = _("This value comes from HubSpot (“%(mapping)s”): what is entered here does not go there.")
    text = sentence % {"mapping": mapping}
    marked.help_text = format_html("{} {}", field.help_text, text) if field.help_text else text
    return marked
