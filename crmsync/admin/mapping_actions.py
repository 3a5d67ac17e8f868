"""What staff do with mappings: set live, pause, and start a backfill in one direction."""

from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crmsync import jobs
from crmsync.admin import attempt, confirm
from crmsync.admin.holding import Holding
from crmsync.engine import terms
from crmsync.flows import backfill
from crmsync.ledger import portals, specs
from crmsync.models import Mapping, choices

_STATES = terms.MappingState
_GOING_LIVE = _(
    "From now on changes flow by themselves as these mappings say. Existing records are left alone until they change"
    " or a backfill is started. Look at the preview first."
)
_PAUSING = _("Changes are still captured and wait until the mappings are set live again.")
_BACKFILLING = _(
    "Every record of these mappings is looked at, page by page, and what differs is written. The run can be stopped"
    " and resumed at any time. Look at the preview first."
)


class MappingActions(Holding):
    actions = ["set_live", "pause", "backfill_pull", "backfill_push", "hold_pushes", "hold_pulls", "release"]
    tools = ("set_live", "pause", "backfill_pull", "backfill_push", "hold_pushes", "hold_pulls", "release")

    def get_tools(self, request: HttpRequest, obj: Mapping) -> list[str]:
        release = ["release"] if obj.held else []
        if obj.state != _STATES.LIVE:
            return ["set_live", *release]
        direction = terms.Direction(obj.direction)
        pulls = ["backfill_pull"] if direction.pulls else []
        pushes = ["backfill_push"] if direction.pushes else []
        holds = ["hold_pushes", "hold_pulls"] if pulls and pushes and not obj.held else []
        return ["pause", *pulls, *pushes, *holds, *release]

    @admin.action(description=_("Set live"), permissions=["change"])
    def set_live(self, request: HttpRequest, queryset: models.QuerySet):
        """Only what can run is asked about and set live; the others say why not."""
        able = [one for one in queryset.exclude(state=_STATES.LIVE) if self._can_run(request, one)]
        if not able:
            return None
        rows = queryset.filter(pk__in=[one.pk for one in able])
        if asked := confirm.confirm(self, request, rows, "set_live", title=_("Set live"), text=_GOING_LIVE):
            return asked
        for mapping in able:
            portals.start_mapping(mapping, timezone.now())
            self.log_change(request, mapping, _("Set live."))
            self.say(request, _("“%(mapping)s” is live.") % {"mapping": mapping})
            if not mapping.match_keys.exists():
                self.say(request, _NO_MATCH % {"mapping": mapping}, messages.WARNING)
        jobs.ring()
        return None

    def _can_run(self, request: HttpRequest, mapping: Mapping) -> bool:
        refusal = refuse(mapping)
        if refusal:
            self.say(request, refusal, messages.ERROR)
        return not refusal

    @admin.action(description=_("Pause"), permissions=["change"])
    def pause(self, request: HttpRequest, queryset: models.QuerySet):
        rows = queryset.filter(state=_STATES.LIVE)
        if not rows.exists():
            return self.say(request, _("Only a live mapping can be paused."), messages.WARNING)
        if asked := confirm.confirm(self, request, rows, "pause", title=_("Pause"), text=_PAUSING, if_many=True):
            return asked
        for mapping in rows:
            portals.stop_mapping(mapping.pk, "")
            self.log_change(request, mapping, _("Paused."))
            self.say(request, _("“%(mapping)s” is paused; changes wait in the queues.") % {"mapping": mapping})
        return None

    @admin.action(description=_("Backfill from HubSpot"), permissions=["operate"])
    def backfill_pull(self, request: HttpRequest, queryset: models.QuerySet):
        return self._backfill(request, queryset, choices.RunKind.BACKFILL_PULL)

    @admin.action(description=_("Backfill to HubSpot"), permissions=["operate"])
    def backfill_push(self, request: HttpRequest, queryset: models.QuerySet):
        return self._backfill(request, queryset, choices.RunKind.BACKFILL_PUSH)

    def _backfill(self, request: HttpRequest, queryset: models.QuerySet, kind: choices.RunKind):
        """Opens runs, or takes up unfinished ones; workers do the rest."""
        able = [one for one in queryset if self._can_backfill(request, one, kind)]
        if not able:
            return None
        rows = queryset.filter(pk__in=[one.pk for one in able])
        if asked := confirm.confirm(self, request, rows, kind.value, title=kind.label, text=_BACKFILLING):
            return asked
        for mapping in able:
            run, refusal = attempt.attempt(lambda one=mapping: backfill.start(one, kind, user_id=request.user.pk))
            if run is None:
                self.say(request, refusal, messages.ERROR)
                continue
            self.log_change(request, mapping, _("Started: %(run)s.") % {"run": run})
            self.say(request, _("%(run)s is running; see Runs for its progress.") % {"run": run})
        jobs.ring()
        return None

    def _can_backfill(self, request: HttpRequest, mapping: Mapping, kind: choices.RunKind) -> bool:
        refusal = ""
        if mapping.state != _STATES.LIVE:
            refusal = _("“%(mapping)s” is not live: set it live first.")
        elif kind not in backfill.kinds(mapping, terms.Direction.BOTH):
            refusal = _("“%(mapping)s” does not flow this way: change its direction first.")
        if refusal:
            self.say(request, refusal % {"mapping": mapping}, messages.ERROR)
        return not refusal

    def has_hold_permission(self, request: HttpRequest) -> bool:
        """As pausing it."""
        return self.has_change_permission(request)


def refuse(mapping: Mapping) -> object:
    """Why a mapping cannot run, in one sentence with the remedy; empty if it can."""
    spec, refusal = attempt.attempt(lambda: specs.load(mapping))
    if spec is None:
        return refusal
    if not spec.fields:
        return _("“%(mapping)s” has no active field mapping: add one.") % {"mapping": mapping}
    if mapping.portal.state == choices.PortalState.NEW:
        return _("The portal of “%(mapping)s” is not connected: enter its access token.") % {"mapping": mapping}
    return ""


_NO_MATCH = _(
    "“%(mapping)s” has no match key, so existing partners are not found and records may be made twice. Add one."
)
