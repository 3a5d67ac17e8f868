"""Holding: buttons that stop one direction of a portal or a mapping while the other one goes on, and release it."""

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from crmsync import jobs
from crmsync.admin import confirm
from crmsync.flows import standing
from crmsync.models import choices

Held = choices.Held


class Holding(admin.ModelAdmin):
    """Whoever mixes it in says in ``has_hold_permission`` who may."""

    @admin.action(description=_("Hold pushes"), permissions=["hold"])
    def hold_pushes(self, request: HttpRequest, queryset: models.QuerySet):
        """Nothing is sent to HubSpot."""
        return self._hold(request, queryset, Held.PUSH, "hold_pushes")

    @admin.action(description=_("Hold pulls"), permissions=["hold"])
    def hold_pulls(self, request: HttpRequest, queryset: models.QuerySet):
        """Nothing is taken from HubSpot."""
        return self._hold(request, queryset, Held.PULL, "hold_pulls")

    @admin.action(description=_("Release"), permissions=["hold"])
    def release(self, request: HttpRequest, queryset: models.QuerySet):
        """Both directions go on."""
        return self._hold(request, queryset, Held.NONE, "release")

    def _hold(self, request: HttpRequest, queryset: models.QuerySet, direction: Held, name: str):
        title = getattr(self, name).short_description
        if asked := confirm.confirm(self, request, queryset, name, title=title, text=_HOLDING, if_many=True):
            return asked
        for row in queryset:
            standing.hold(row, direction)
            self.log_change(request, row, f"{direction.label}.")
            self.say(request, f"{row}: {direction.label}.")
        if direction is Held.NONE:
            jobs.ring()
        return None


_HOLDING = _(
    "Changes are still captured on both sides; those of a direction that is held wait until it is released. A record"
    " with changes in both directions waits as a whole."
)
