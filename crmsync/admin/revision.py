"""Revised: whatever edits a part of a mapping makes the mapping's revision grow, and nothing else does."""

from django.db import models
from django.http import HttpRequest

from crmsync.admin import kept
from crmsync.flows import lifecycle


def has_edits(form, formsets) -> bool:
    """Whether a submitted form says anything new."""
    return form.has_changed() or any(formset.has_changed() for formset in formsets)


class Revised(kept.Kept):
    """For pages of objects that belong to a mapping."""

    def save_related(self, request: HttpRequest, form, formsets, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if has_edits(form, formsets):
            lifecycle.note_edit(self.get_mapping(form.instance), request.user.pk)

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        mapping = self.get_mapping(obj)
        super().delete_model(request, obj)
        lifecycle.note_edit(mapping, request.user.pk)

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet) -> None:
        mappings = {mapping.pk: mapping for mapping in map(self.get_mapping, queryset)}
        super().delete_queryset(request, queryset)
        for mapping in mappings.values():
            lifecycle.note_edit(mapping, request.user.pk)
