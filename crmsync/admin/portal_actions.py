"""What staff do with portals: test, refresh, pause, hold, resume, confirm the installation, disconnect."""

from collections.abc import Callable

from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from crmsync import jobs
from crmsync.admin import address, attempt, confirm, news, portal_facts, scope_table, tool
from crmsync.admin.holding import Holding
from crmsync.flows import connect, discover, environment, report, scopes, standing
from crmsync.models import Portal, choices

State = choices.PortalState


class PortalActions(Holding):
    actions = [
        *("test_connection", "refresh_fields", "pause", "resume", "hold_pushes", "hold_pulls", "release"),
        *("confirm_installation", "detach", "disconnect", "rehearse", "switch_version"),
    ]
    only_tools = frozenset({"confirm_installation", "detach", "disconnect", "rehearse", "switch_version"})

    def get_tools(self, request: HttpRequest, obj: Portal) -> list[str]:
        """What makes sense in the state the portal is in."""
        found = ["test_connection", "refresh_fields"] if obj.hub_id is not None else []
        if obj.state == State.CONNECTED:
            found.append("pause")
        if obj.state == State.PAUSED or (obj.state == State.CONNECTED and obj.waits_until):
            found.append("resume")
        if obj.hub_id is not None:
            found += ["release"] if obj.held else ["hold_pushes", "hold_pulls"]
        if obj.state not in (State.NEW, State.DISCONNECTED):
            found.append("disconnect")
        if obj.hub_id is not None and (obj.other_install or environment.differences(obj)):
            found.append("confirm_installation")
        if obj.hub_id is not None and not environment.judge(obj).may_read:
            found.append("detach")
        return found

    def get_hidden_tools(self, request: HttpRequest, obj: Portal) -> list[str]:
        return ["rehearse", "switch_version"]

    def get_more_tools(self, request: HttpRequest, obj: Portal) -> list[tool.Tool]:
        """The way to HubSpot's consent page, where the portal connects by OAuth."""
        path = address.path_of("oauth_start", obj.pk)
        if not (path and self.has_connect_permission(request) and scope_table.kind_of(obj) == scope_table.OAUTH):
            return []
        label = _("Connect with HubSpot") if obj.hub_id is None else _("Reconnect with HubSpot")
        return [tool.Tool("connect", label, path)]

    def get_list_tools(self, request: HttpRequest) -> list[tool.Tool]:
        if not self.has_connect_permission(request):
            return []
        url = self.list_url(self.model)
        return [
            tool.of_all("pause-all", "pause", _("Pause all"), url),
            tool.of_all("resume-all", "resume", _("Resume all"), url),
        ]

    # --- Calls ----------------------------------------------------------------------------------------------

    @admin.action(description=_("Test connection"), permissions=["connect"])
    def test_connection(self, request: HttpRequest, queryset: models.QuerySet) -> None:
        """One real call a portal. A paused portal stays paused."""
        for portal in queryset:
            tested, refusal = attempt.attempt(lambda one=portal: connect.test(one))
            if tested is None:
                self.say(request, f"{portal}: {refusal}", messages.ERROR)
                continue
            self.log_change(request, portal, _("Tested the connection."))
            found = scopes.compare(portal, is_oauth=scope_table.kind_of(portal) == scope_table.OAUTH)
            facts = {"portal": portal, "zone": portal.time_zone, "type": portal.account_type}
            facts |= {"tier": _(report.look_up_tier(portal).label), "scopes": found.summary}
            self.say(request, _WORKS % facts)
        jobs.ring()

    @admin.action(description=_("Refresh fields"), permissions=["connect"])
    def refresh_fields(self, request: HttpRequest, queryset: models.QuerySet) -> None:
        """Reads object types, properties, pipelines, labels, rules and owners again."""
        for portal in queryset:
            if self.discover(request, portal):
                self.log_change(request, portal, _("Refreshed the fields."))

    def discover(self, request: HttpRequest, portal: Portal) -> bool:
        """Discover a portal's fields and say what came of it; whether it worked."""
        found, refusal = attempt.attempt(lambda: discover.discover(portal))
        if found is None:
            text = _("%(portal)s: the fields could not be discovered. %(why)s")
            self.say(request, text % {"portal": portal, "why": refusal}, messages.ERROR)
            return False
        text = _("%(portal)s: the fields were discovered: %(news)s.")
        self.say(request, text % {"portal": portal, "news": news.told(found)})
        for one in news.missing(found):
            self.say(request, one, messages.WARNING)
        return True

    # --- Standing -------------------------------------------------------------------------------------------

    @admin.action(description=_("Pause"), permissions=["connect"])
    def pause(self, request: HttpRequest, queryset: models.QuerySet):
        """Changes are still captured; nothing is sent or read until it is resumed."""
        rows = queryset.filter(state=State.CONNECTED)
        if not rows.exists():
            return self.say(request, _("Only a connected portal can be paused."), messages.WARNING)
        if asked := confirm.confirm(self, request, rows, "pause", title=_("Pause"), text=_PAUSING, if_many=True):
            return asked
        for portal in rows:
            reason = str(_("Paused by %(user)s.") % {"user": request.user.get_username()})
            if self._put(request, portal, lambda one=portal, why=reason: standing.pause(one, why), _("Paused.")):
                self.say(request, _("%(portal)s is paused; changes wait in the queues.") % {"portal": portal})
        return None

    @admin.action(description=_("Resume"), permissions=["connect"])
    def resume(self, request: HttpRequest, queryset: models.QuerySet):
        """What waited goes on by itself."""
        rows = queryset.filter(
            models.Q(state=State.PAUSED) | models.Q(state=State.CONNECTED, waits_until__isnull=False)
        )
        if not rows.exists():
            return self.say(request, _("Only a paused or waiting portal can be resumed."), messages.WARNING)
        if asked := confirm.confirm(self, request, rows, "resume", title=_("Resume"), text=_RESUMING, if_many=True):
            return asked
        for portal in rows:
            waiting = portal_facts.say_backlog(standing.catch_up(portal))
            if self._put(request, portal, lambda one=portal: standing.resume(one), _("Resumed.")):
                self.say(request, _("%(portal)s goes on. %(waiting)s") % {"portal": portal, "waiting": waiting})
        jobs.ring()
        return None

    def has_hold_permission(self, request: HttpRequest) -> bool:
        """As pausing it."""
        return self.has_connect_permission(request)

    @admin.action(description=_("Confirm this installation"), permissions=["unlock"])
    def confirm_installation(self, request: HttpRequest, queryset: models.QuerySet):
        """A person says that this is the installation that works with the account."""
        rows = list(queryset)
        parts = [f"{portal}: {part}" for portal in rows for part in environment.differences(portal)]
        others = [_OTHER % {"portal": one, "name": one.other_install} for one in rows if one.other_install]
        question = confirm.Question(
            _("Confirm this installation"),
            _CONFIRMING,
            is_final=True,
            differs=(*parts, *others),
            happens=(_WRITES_AGAIN,),
        )
        if asked := confirm.ask(self, request, queryset, "confirm_installation", question):
            return asked
        for portal in rows:
            step = lambda one=portal: standing.confirm(one)  # noqa: E731
            if self._put(request, portal, step, _("Confirmed this installation.")):
                self.say(request, _("%(portal)s: this installation may write now.") % {"portal": portal})
        jobs.ring()
        return None

    @admin.action(description=_("Detach this copy"), permissions=["unlock"])
    def detach(self, request: HttpRequest, queryset: models.QuerySet):
        """For a copy of the database: it forgets the account, so that a test account can be connected."""
        question = confirm.Question(
            _("Detach this copy"), _DETACHING, is_final=True, happens=_DETACH_HAPPENS, stays=_DETACH_STAYS
        )
        if asked := confirm.ask(self, request, queryset, "detach", question):
            return asked
        for portal in queryset:
            if self._put(request, portal, lambda one=portal: standing.detach(one), _("Detached this copy.")):
                self.say(request, _("%(portal)s is detached. Next: connect a test account.") % {"portal": portal})
        return None

    @admin.action(description=_("Disconnect"), permissions=["connect"])
    def disconnect(self, request: HttpRequest, queryset: models.QuerySet):
        """Stops everything at once; what is needed to go on later stays."""
        rows = list(queryset.exclude(state__in=(State.NEW, State.DISCONNECTED)))
        if not rows:
            return self.say(request, _("Only a portal that was connected can be disconnected."), messages.WARNING)
        is_oauth = any(scope_table.kind_of(one) == scope_table.OAUTH for one in rows)
        question = confirm.Question(
            _("Disconnect"),
            _DISCONNECTING,
            is_final=True,
            happens=(*_HAPPENS, *(_HAPPENS_OAUTH if is_oauth else _HAPPENS_TOKEN)),
            stays=_STAYS,
            options=(("uninstalls", _("Also uninstall the app in HubSpot")),) if is_oauth else (),
        )
        chosen = queryset.filter(pk__in=[one.pk for one in rows])
        if asked := confirm.ask(self, request, chosen, "disconnect", question):
            return asked
        for portal in rows:
            self._disconnect(request, portal)
        return None

    def _disconnect(self, request: HttpRequest, portal: Portal) -> None:
        uninstalls = request.POST.get("uninstalls") == "yes"
        reason = str(_("Disconnected by %(user)s.") % {"user": request.user.get_username()})
        trouble, refusal = attempt.attempt(lambda: standing.disconnect(portal, reason, uninstalls=uninstalls))
        if trouble is None:
            self.say(request, f"{portal}: {refusal}", messages.ERROR)
            return
        text = _("Disconnected, and asked HubSpot to uninstall the app.") if uninstalls else _("Disconnected.")
        self.log_change(request, portal, text)
        self.say(request, _("%(portal)s is disconnected; nothing that waits is lost.") % {"portal": portal})
        if trouble:
            self.say(request, _("HubSpot was not told: %(why)s") % {"why": trouble}, messages.WARNING)

    def _put(self, request: HttpRequest, portal: Portal, step: Callable[[], None], note: object) -> bool:
        """Take a step and write it into the history; whether it was possible."""
        _none, refusal = attempt.attempt(step)
        if refusal:
            self.say(request, f"{portal}: {refusal}", messages.ERROR)
            return False
        self.log_change(request, portal, note)
        return True


_WORKS = _("%(portal)s: the connection works. Account type %(type)s, tier: %(tier)s, time zone %(zone)s. %(scopes)s")
_PAUSING = _("Changes are still captured, but nothing is sent to or read from these accounts until you resume them.")
_RESUMING = _("All work that waited for these accounts starts now, in both directions.")
_CONFIRMING = _(
    "Only one installation may write to a HubSpot account. Confirm only if this is the one, and no copy of it for a"
    " test or a rehearsal."
)
_OTHER = _("%(portal)s: another installation (%(name)s) has worked with this account.")
_WRITES_AGAIN = _("What waits is sent to HubSpot, and later differences are measured from here.")
_DETACHING = _("For a copy of an installation, such as staging made from production. HubSpot is not called.")
_DETACH_HAPPENS = (
    _("This copy forgets the HubSpot account, its tokens, and all links to its records."),
    _("What waits in the queues is dropped here; the original installation has its own."),
    _("Its mappings become drafts."),
)
_DETACH_STAYS = (_("Mappings, field mappings, rules and user links"), _("All records in Django, and all in HubSpot"))
_DISCONNECTING = _("Nothing is sent to or read from HubSpot until somebody connects again. No record is touched.")
_HAPPENS = (
    _("All work with HubSpot stops at once, also runs that are under way."),
    _("The access token is forgotten."),
)
_HAPPENS_OAUTH = (_("HubSpot is asked to take back the app's access."),)
_HAPPENS_TOKEN = (_("The token stays valid in HubSpot until you delete it there."),)
_STAYS = (
    _("Mappings, field mappings, rules and discovered fields"),
    _("Links between records, so that nothing is made twice after connecting again"),
    _("Cursors and both queues; changes in Django are still captured"),
    _("The client secret, so that webhooks which are still under way are verified and kept"),
    _("All records, on both sides"),
)
