"""Portals: connect, test, refresh, pause; secrets are write-only."""

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from crmsync import conf, jobs
from crmsync.admin import attempt, cells, confirm, filters, page, portal_form
from crmsync.admin.deletion import CountedDeletion
from crmsync.flows import connect, discover
from crmsync.ledger import portals
from crmsync.models import Link, Mapping, Portal, RemotePipeline, RemoteProperty, UserLink

_SECRETS = ("new_token", "new_client_secret")


@admin.register(Portal)
class PortalAdmin(CountedDeletion, page.Page):
    form = portal_form.PortalForm
    list_display = ["label", "hub_id", "shown_state", "account_type", "mappings", "checked", "discovered", "webhook"]
    list_filter = ["state"]
    search_fields = ["label", "=hub_id"]
    actions = ["test_connection", "refresh_fields", "pause", "resume"]
    tools = ("test_connection", "refresh_fields", "pause", "resume")
    counted = (
        (UserLink, "portal"),
        (RemoteProperty, "portal"),
        (RemotePipeline, "portal"),
        (Link, "portal"),
    )
    keeps = ((Mapping, "portal"),)
    empty_hint = _(
        "A portal is one HubSpot account with its access token."
        " Next: add one; you need the token of a private app or service key."
    )
    readonly_fields = [
        "shown_state",
        "state_reason",
        "hub_id",
        "account_type",
        "time_zone",
        "currency",
        "ui_domain",
        "granted_scopes",
        "checked",
        "discovered",
        "webhook_url",
        "webhook",
        "mappings",
    ]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        """Without secrets, so that a lost key breaks no page."""
        return filters.portals().annotate(mapping_count=models.Count("mappings"))

    def get_fieldsets(self, request: HttpRequest, obj: Portal | None = None):
        """The steps of connecting; facts appear once there are some."""
        secrets = _SECRETS if self._may_enter_secrets(request, obj) else ()
        if obj is None:
            return [(_("Connection"), {"fields": ["label", *secrets, "api_version"], "description": _NEEDED})]
        state = ["shown_state", "state_reason"] if obj.state_reason else ["shown_state"]
        return [
            (_("Connection"), {"fields": ["label", *state, *secrets, "api_version"]}),
            (
                _("Account"),
                {
                    "fields": [
                        "hub_id",
                        ("account_type", "time_zone", "currency"),
                        "ui_domain",
                        "granted_scopes",
                        ("checked", "discovered"),
                        "mappings",
                    ]
                },
            ),
            (_("Webhooks"), {"fields": ["webhook_url", "webhook"]}),
        ]

    def get_form(self, request: HttpRequest, obj: Portal | None = None, change: bool = False, **kwargs):
        """Secrets only for whoever may connect: an input that is not shown must not be read either."""
        form = super().get_form(request, obj, change=change, **kwargs)
        if not self._may_enter_secrets(request, obj):
            for name in _SECRETS:
                form.base_fields.pop(name, None)
        form.refusal = getattr(request, "crmsync_refusal", "")
        return form

    def _may_enter_secrets(self, request: HttpRequest, obj: Portal | None) -> bool:
        may_edit = obj is None or self.has_change_permission(request, obj)
        return may_edit and self.has_connect_permission(request)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Portal | None:
        """Remembers under which address this site is seen, for the webhook address."""
        portal = super().get_object(request, object_id, from_field)
        if portal is not None:
            portal.seen_at = request.build_absolute_uri("/")
        return portal

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A portal begins with a token, so adding one is connecting one."""
        return super().has_add_permission(request) and self.has_connect_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Portal | None = None) -> bool:
        return super().has_delete_permission(request, obj) and self.has_connect_permission(request)

    # --- Connecting -----------------------------------------------------------------------------------------

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None) -> HttpResponse:
        """A new token is tried before Django opens its transaction: no call is made inside one."""
        if request.method == "POST" and request.POST.get("new_token"):
            answer = self._connect(request, object_id)
            if answer is not None:
                return answer
        return super().changeform_view(request, object_id, form_url, extra_context)

    def _connect(self, request: HttpRequest, object_id: str | None) -> HttpResponse | None:
        """The answer once connected; None leaves it to the ordinary form, which shows what is wrong."""
        found = self.get_object(request, unquote(object_id)) if object_id else None
        allowed = self.has_change_permission(request, found) if object_id else self.has_add_permission(request)
        if not (allowed and self.has_connect_permission(request)) or bool(object_id) != bool(found):
            return None
        form = self.get_form(request, found, change=found is not None)(request.POST, instance=found)
        if not form.is_valid():
            return None
        form.put_secrets(form.instance)
        portal, request.crmsync_refusal = attempt.attempt(lambda: connect.connect(form.instance))
        if portal is None:
            return None
        self.say(request, _CONNECTED % {"hub_id": portal.hub_id})
        message = self.construct_change_message(request, form, [], add=found is None)
        if found is None:
            self.log_addition(request, portal, message)
            return self.response_add(request, portal)
        self.log_change(request, portal, message)
        return self.response_change(request, portal)

    def save_model(self, request: HttpRequest, obj: Portal, form, change: bool) -> None:
        """Only what was edited: workers write the other columns meanwhile."""
        names = [name for name in form.changed_data if name not in _SECRETS]
        names += form.put_secrets(obj)
        if names:
            obj.save(update_fields=names)

    # --- Actions --------------------------------------------------------------------------------------------

    def get_tools(self, request: HttpRequest, obj: Portal) -> list[str]:
        unfit = "pause" if obj.state != portals.State.CONNECTED else "resume"
        return [name for name in self.tools if name != unfit and (name != "resume" or _is_paused(obj))]

    @admin.action(description=_("Test connection"), permissions=["connect"])
    def test_connection(self, request: HttpRequest, queryset: models.QuerySet) -> None:
        """One real call a portal. A paused portal stays paused."""
        for portal in queryset:
            was_paused, reason = _is_paused(portal), portal.state_reason
            connected, refusal = attempt.attempt(lambda one=portal: connect.connect(one))
            if connected is None:
                self.say(request, f"{portal}: {refusal}", messages.ERROR)
                continue
            if was_paused:
                portals.set_state(portal, portals.State.PAUSED, reason)
            self.log_change(request, portal, _("Tested the connection."))
            self.say(request, _WORKS % {"portal": portal, "zone": portal.time_zone, "count": len(portal.scopes)})

    @admin.action(description=_("Refresh fields"), permissions=["connect"])
    def refresh_fields(self, request: HttpRequest, queryset: models.QuerySet) -> None:
        """Reads properties, pipelines and owners again."""
        for portal in queryset:
            report, refusal = attempt.attempt(lambda one=portal: discover.discover(one))
            if report is None:
                self.say(request, f"{portal}: {refusal}", messages.ERROR)
                continue
            self.log_change(request, portal, _("Refreshed the fields."))
            self.say(request, f"{portal}: {_told(report)}")
            for what, scopes in report.missing.items():
                self.say(request, _MISSING % {"what": what, "scopes": scopes}, messages.WARNING)

    @admin.action(description=_("Pause"), permissions=["connect"])
    def pause(self, request: HttpRequest, queryset: models.QuerySet):
        """Changes are still captured; nothing is sent or read until it is resumed."""
        rows = queryset.filter(state=portals.State.CONNECTED)
        if not rows.exists():
            return self.say(request, _("Only a connected portal can be paused."), messages.WARNING)
        if page := confirm.confirm(self, request, rows, "pause", title=_("Pause"), text=_PAUSING, if_many=True):
            return page
        for portal in rows:
            reason = _("Paused by %(user)s.") % {"user": request.user.get_username()}
            portals.set_state(portal, portals.State.PAUSED, str(reason))
            self.log_change(request, portal, _("Paused."))
            self.say(request, _("%(portal)s is paused; changes wait in the queues.") % {"portal": portal})
        return None

    @admin.action(description=_("Resume"), permissions=["connect"])
    def resume(self, request: HttpRequest, queryset: models.QuerySet):
        """What waited goes on by itself."""
        rows = queryset.filter(state=portals.State.PAUSED)
        if not rows.exists():
            return self.say(request, _("Only a paused portal can be resumed."), messages.WARNING)
        if page := confirm.confirm(self, request, rows, "resume", title=_("Resume"), text=_RESUMING, if_many=True):
            return page
        for portal in rows:
            portals.set_state(portal, portals.State.CONNECTED)
            self.log_change(request, portal, _("Resumed."))
            self.say(request, _("%(portal)s goes on; waiting work starts now.") % {"portal": portal})
        jobs.ring()
        return None

    # --- Cells ----------------------------------------------------------------------------------------------

    @admin.display(description=_("state"), ordering="state")
    def shown_state(self, obj: Portal):
        return cells.state(obj.state, obj.get_state_display())

    @admin.display(description=_("mappings"), ordering="mapping_count")
    def mappings(self, obj: Portal):
        return self.count_link(obj.mapping_count, Mapping, portal__id__exact=obj.pk)

    @admin.display(description=_("granted scopes"))
    def granted_scopes(self, obj: Portal):
        return ", ".join(obj.scopes) or _("HubSpot does not tell them for this kind of token.")

    @admin.display(description=_("last checked"), ordering="checked_at")
    def checked(self, obj: Portal):
        return cells.when(obj.checked_at)

    @admin.display(description=_("fields discovered"), ordering="discovered_at")
    def discovered(self, obj: Portal):
        return cells.when(obj.discovered_at)

    @admin.display(description=_("last webhook"), ordering="webhook_at")
    def webhook(self, obj: Portal):
        return cells.when(obj.webhook_at)

    @admin.display(description=_("webhook address"))
    def webhook_url(self, obj: Portal):
        """The address to copy into the HubSpot app."""
        try:
            path = reverse("crmsync:webhook")
        except NoReverseMatch:
            return _("Not reachable yet: include crmsync.urls in the project's urls.py.")
        base = conf.current().PUBLIC_URL or obj.seen_at
        return cells.copyable(f"{base.rstrip('/')}{path}", _COPY)


def _is_paused(portal: Portal) -> bool:
    return portal.state == portals.State.PAUSED


def _told(report: discover.Report) -> str:
    """What discovery found, in one line."""
    parts = []
    for object_type, diff in report.properties.items():
        news = ", ".join(f"{len(names)} {_WORDS[word]}" for word, names in diff.items() if names)
        parts.append(f"{object_type}: {news or _('no change')}")
    new = report.owners.get("added", 0)
    parts.append(ngettext("%(count)d new owner", "%(count)d new owners", new) % {"count": new})
    return "; ".join(str(part) for part in parts)


_WORDS = {"added": _("added"), "changed": _("changed"), "removed": _("removed")}
_NEEDED = _(
    "Create a private app or service key in HubSpot with the scopes crm.objects.contacts.read,"
    " crm.objects.contacts.write, crm.schemas.contacts.read, crm.schemas.contacts.write, the same four for companies"
    " and deals where they are synced, and crm.objects.owners.read. Paste its access token here; saving tests it with"
    " a real call and syncs nothing yet."
)
_CONNECTED = _("Connected to HubSpot account %(hub_id)s. Next: press “Refresh fields”, then add a mapping.")
_WORKS = _("%(portal)s: the connection works (%(zone)s, %(count)d scopes).")
_MISSING = _("%(what)s could not be read. Grant one of these scopes in HubSpot and refresh again: %(scopes)s.")
_PAUSING = _("Changes are still captured, but nothing is sent to or read from these accounts until you resume them.")
_RESUMING = _("All work that waited for these accounts starts now.")
_COPY = _("Copy it into the webhook settings of the HubSpot app.")
