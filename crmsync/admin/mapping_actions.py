"""What staff do with mappings: test, approve, switch on, pause, duplicate, start a backfill in one direction."""

from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from crmsync import conf, jobs
from crmsync.admin import attempt, cells, confirm
from crmsync.admin.holding import Holding
from crmsync.engine import terms
from crmsync.flows import advance, backfill, lifecycle, lint
from crmsync.ledger import steps
from crmsync.models import Mapping, Portal, choices

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


_TESTING = _(
    "Whoever marks mappings as tested says: they do what they should. The contract must have no errors, and every"
    " value that comes back different from the round-trip proof must be accepted."
)
_APPROVING = _("What is approved may be switched on. An edit makes a draft of it again.")
_HOLDS = ("hold_pushes", "hold_pulls", "release")
_LIFE = ("mark_tested", "approve", "set_live", "pause")


class MappingActions(Holding):
    actions = [*_LIFE, "duplicate", "backfill_pull", "backfill_push", *_HOLDS]
    tools = (*_LIFE, "backfill_pull", "backfill_push", *_HOLDS)

    def get_tools(self, request: HttpRequest, obj: Mapping) -> list[str]:
        release = ["release"] if obj.held else []
        nearer = _steps(obj)
        if obj.state != _STATES.LIVE:
            return [*nearer, *release]
        direction = terms.Direction(obj.direction)
        pulls = ["backfill_pull"] if direction.pulls else []
        pushes = ["backfill_push"] if direction.pushes else []
        holds = ["hold_pushes", "hold_pulls"] if pulls and pushes and not obj.held else []
        return ["pause", *nearer, *pulls, *pushes, *holds, *release]

    def has_approve_permission(self, request: HttpRequest) -> bool:
        """May say that a tested mapping may go live."""
        return request.user.has_perm("crmsync.approve_mapping")

    @admin.action(description=_("Mark as tested"), permissions=["change"])
    def mark_tested(self, request: HttpRequest, queryset: models.QuerySet):
        """Only what is sound is marked; the others say what is in the way."""
        question = confirm.Question(_("Mark as tested"), _TESTING, takes_note=True)
        return self._step(request, queryset, "mark_tested", question, lifecycle.mark_tested, _("Marked as tested."))

    @admin.action(description=_("Approve"), permissions=["approve"])
    def approve(self, request: HttpRequest, queryset: models.QuerySet):
        """A mapping that is tested as it is now."""
        question = confirm.Question(_("Approve"), _APPROVING, takes_note=True)
        return self._step(request, queryset, "approve", question, lifecycle.approve, _("Approved."))

    def _step(self, request: HttpRequest, queryset: models.QuerySet, action: str, question, take, done: object):
        if asked := confirm.ask(self, request, queryset, action, question):
            return asked
        for mapping in queryset:
            note = request.POST.get("note", "").strip()
            _none, refusal = attempt.attempt(lambda one=mapping, why=note: take(one, request.user.pk, why))
            if refusal:
                self.say(request, refusal, messages.ERROR)
                continue
            self.log_change(request, mapping, done)
            self.say(request, f"{mapping}: {done}")
        return None

    @admin.action(description=_("Switch on"), permissions=["change"])
    def set_live(self, request: HttpRequest, queryset: models.QuerySet):
        """Only what can run and is approved, or may be by this person, is asked about; the others say why not."""
        able = [one for one in queryset.exclude(state=_STATES.LIVE) if self._can_start(request, one)]
        if not able:
            return None
        rows = queryset.filter(pk__in=[one.pk for one in able])
        happens = tuple(line for one in able for line in _todo(one))
        question = confirm.Question(_("Switch on"), _GOING_LIVE, happens=happens, takes_note=True)
        if asked := confirm.ask(self, request, rows, "set_live", question):
            return asked
        for mapping in able:
            self._switch_on(request, mapping)
        jobs.ring()
        return None

    def _switch_on(self, request: HttpRequest, mapping: Mapping) -> None:
        may, note = self.has_approve_permission(request), request.POST.get("note", "").strip()
        _none, refusal = attempt.attempt(
            lambda: lifecycle.switch_on(mapping, request.user.pk, may_approve=may, note=note)
        )
        if refusal:
            return self.say(request, refusal, messages.ERROR)
        self.log_change(request, mapping, _("Set live."))
        self.say(request, _("“%(mapping)s” is live.") % {"mapping": mapping})
        if not mapping.match_keys.exists():
            self.say(request, _NO_MATCH % {"mapping": mapping}, messages.WARNING)
        return None

    def _can_start(self, request: HttpRequest, mapping: Mapping) -> bool:
        if not self._can_run(request, mapping):
            return False
        may = self.has_approve_permission(request)
        _none, refusal = attempt.attempt(lambda: lifecycle.check_switch_on(mapping, may_approve=may))
        if refusal:
            self.say(request, refusal, messages.ERROR)
            self._lead_to_scopes(request, mapping)
        return not refusal

    def _lead_to_scopes(self, request: HttpRequest, mapping: Mapping) -> None:
        """The page where a missing scope is asked for again."""
        found = [one.field for one in lint.of_mapping(mapping) if one.code is lint.SCOPE]
        if found and self.admin_site.is_registered(Portal):
            page = self.admin_site.get_model_admin(Portal)
            text = _("Reconnect “%(portal)s”") % {"portal": mapping.portal}
            link = cells.link(page.object_url(mapping.portal), text)
            self.say(request, format_html("{}: {}", link, ", ".join(found)), messages.WARNING)

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
            lifecycle.pause(mapping, request.user.pk)
            self.log_change(request, mapping, _("Paused."))
            self.say(request, _("“%(mapping)s” is paused; changes wait in the queues.") % {"mapping": mapping})
        return None

    @admin.action(description=_("Duplicate to another portal"), permissions=["add"])
    def duplicate(self, request: HttpRequest, queryset: models.QuerySet):
        """Leads to the page that asks where to."""
        if queryset.count() != 1:
            return self.say(request, _("Choose one mapping to duplicate."), messages.WARNING)
        return HttpResponseRedirect(self.url_of("mapping_duplicate", queryset.get().pk))

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


def life_of(obj: Mapping) -> lifecycle.Life:
    """Where a mapping stands; without a query where its page's queryset loaded it."""
    if not hasattr(obj, "tested_revision"):
        return lifecycle.find_life(obj)
    return lifecycle.Life(_STATES(obj.state), obj.revision, obj.tested_revision, obj.approved_revision)


def _steps(obj: Mapping) -> list[str]:
    """The steps that bring a mapping nearer to live, the likeliest first."""
    life = life_of(obj)
    if obj.state == _STATES.LIVE:
        return ["mark_tested"] if life.is_behind else ["approve"] if life.is_unapproved else []
    next_one = [] if life.is_approved else ["approve"] if life.is_tested else ["mark_tested"]
    is_barred = conf.current().TWO_PERSON_APPROVAL and not life.is_approved and obj.state != _STATES.PAUSED
    is_version = obj.version_of_id is not None  # which is promoted instead
    return next_one if is_barred or is_version else ["set_live", *next_one]


def _todo(mapping: Mapping) -> list[object]:
    """What is recorded on the way to live, beside that."""
    life = lifecycle.find_life(mapping)
    if life.is_approved or steps.is_only_paused(mapping):
        return []
    facts = {"mapping": mapping, "revision": mapping.revision}
    if life.is_tested:
        return [_("“%(mapping)s” is recorded as approved at revision %(revision)d.") % facts]
    return [_("“%(mapping)s” is recorded as tested and approved at revision %(revision)d.") % facts]


def refuse(mapping: Mapping) -> object:
    """Why a mapping cannot run, in one sentence with the remedy; empty if it can."""
    return attempt.attempt(lambda: advance.check_runs(mapping))[1]


_NO_MATCH = _(
    "“%(mapping)s” has no match key, so existing partners are not found and records may be made twice. Add one."
)
