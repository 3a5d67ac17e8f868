"""Kept: a mapping that is kept in a file, and every part of it, is shown and not edited; the file is named."""

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext as _

from crmsync.ledger import canaries
from crmsync.models import Mapping


class Kept(admin.ModelAdmin):
    """For pages of mappings and of what belongs to one. State and runs are not in the file: their buttons stay."""

    def get_mapping(self, obj: models.Model) -> Mapping:
        raise NotImplementedError

    def is_kept(self, obj: models.Model | None) -> bool:
        return obj is not None and obj.pk is not None and bool(self.get_mapping(obj).locked_by)

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return super().has_change_permission(request, obj) and not self.is_kept(obj)

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not self.is_kept(obj)

    def formfield_for_foreignkey(self, db_field, request: HttpRequest, **kwargs):
        """Nothing can be added to a mapping that is kept in a file."""
        if db_field.related_model is Mapping:
            kwargs.setdefault("queryset", Mapping.objects.filter(locked_by=""))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


def sentence(mapping: Mapping) -> str:
    """Why a page shows a mapping only, and where it is edited."""
    if mapping.locked_by == canaries.LOCK:
        return _("A canary of this version is open, so it stays as it was tried. Promote or drop it first.")
    text = _("This mapping is kept in the file “%(file)s”. Edit that file, then run crmsync_config apply with it.")
    return text % {"file": mapping.locked_by}
