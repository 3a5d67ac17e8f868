"""Portals: the list, the guided form that connects one, and its page; secrets are write-only."""

from django.contrib import admin, messages
from django.contrib.admin.utils import flatten_fieldsets, unquote
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters

from crmsync import conf, jobs
from crmsync.admin import attempt, cells, page, portal_facts, portal_form, portal_list, scope_table, usage
from crmsync.admin.deletion import CountedDeletion
from crmsync.admin.portal_actions import PortalActions
from crmsync.admin.portal_facts import PortalFacts
from crmsync.admin.portal_pages import PortalPages
from crmsync.admin.version import VersionPart
from crmsync.flows import connect, standing
from crmsync.ledger import credentials
from crmsync.models import Link, Mapping, Portal, RemotePipeline, RemoteProperty, UserLink, choices

Kind = choices.CredentialKind
State = choices.PortalState
_SECRETS = ("new_token", "new_client_secret")


@admin.register(Portal)
class PortalAdmin(PortalPages, PortalFacts, VersionPart, PortalActions, CountedDeletion, page.Page):
    form = portal_form.PortalForm
    list_display = ["label", "state_since", "account_short", "scopes_short", "webhook_short", "left"]
    list_filter = ["state"]
    search_fields = ["label", "=hub_id"]
    raw_id_fields = ["service_user"]
    counted = (
        (UserLink, "portal"),
        (RemoteProperty, "portal"),
        (RemotePipeline, "portal"),
        (Link, "portal"),
    )
    keeps = ((Mapping, "portal"),)
    empty_hint = _(
        "A portal is one HubSpot account. Nothing is synced by connecting one."
        " Next: add one; the form says what you need in HubSpot for it."
    )

    def get_changelist(self, request: HttpRequest, **kwargs):
        return portal_list.PortalList

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        """With the credential, but without its secrets: a lost key breaks no page."""
        hidden = (f"credential__{name}" for name in credentials.SECRETS)
        return super().get_queryset(request).select_related("credential").defer(*hidden)

    # --- The form -------------------------------------------------------------------------------------------

    def get_fieldsets(self, request: HttpRequest, obj: Portal | None = None):
        """The steps of connecting one; then facts, and what may be edited of it below the facts they are about."""
        if obj is None:
            return _STEPS
        return _facts_of(obj, enters_secrets=self._may_enter_secrets(request, obj))

    def get_readonly_fields(self, request: HttpRequest, obj: Portal | None = None) -> list[str]:
        """All that are shown and are no input."""
        shown = flatten_fieldsets(self.get_fieldsets(request, obj))
        return [name for name in shown if name not in _INPUTS]

    def get_form(self, request: HttpRequest, obj: Portal | None = None, change: bool = False, **kwargs):
        """Secrets only for whoever may connect: an input that is not shown must not be read either."""
        form = super().get_form(request, obj, change=change, **kwargs)
        shown = flatten_fieldsets(self.get_fieldsets(request, obj))
        for name in set(form.base_fields) - set(shown):
            del form.base_fields[name]
        form.refusal = getattr(request, "crmsync_refusal", "")
        form.viewer = self._viewer(request)
        return form

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Portal | None:
        portal = super().get_object(request, object_id, from_field)
        if portal is not None:
            portal.viewer = self._viewer(request)
        return portal

    def _viewer(self, request: HttpRequest) -> portal_form.Viewer:
        return portal_form.Viewer(request.build_absolute_uri("/"), self.has_connect_permission(request))

    def _may_enter_secrets(self, request: HttpRequest, obj: Portal | None) -> bool:
        may_edit = obj is None or self.has_change_permission(request, obj)
        return may_edit and self.has_connect_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A portal begins with a credential, so adding one is connecting one."""
        return super().has_add_permission(request) and self.has_connect_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Portal | None = None) -> bool:
        return super().has_delete_permission(request, obj) and self.has_connect_permission(request)

    # --- Connecting -----------------------------------------------------------------------------------------

    @method_decorator(csrf_protect)
    @method_decorator(sensitive_post_parameters(*_SECRETS))
    def changeform_view(self, request, object_id=None, form_url="", extra_context=None) -> HttpResponse:
        """A new token is tried before Django opens its transaction: no call is made inside one."""
        extra_context = {"show_save_and_add_another": False, **(extra_context or {})}
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
        if not form.is_valid() or not form.has_new_token:
            return None
        step = lambda: connect.connect(form.instance, form.get_entered())  # noqa: E731
        portal, request.crmsync_refusal = attempt.attempt(step)
        if portal is None:
            return None
        message = self.construct_change_message(request, form, [], add=found is None)
        if found is None:
            self.say(request, _CONNECTED % {"hub_id": portal.hub_id})
            self.log_addition(request, portal, message)
        else:
            waiting = portal_facts.say_backlog(standing.catch_up(portal))
            self.say(request, _RECONNECTED % {"hub_id": portal.hub_id, "waiting": waiting})
            self.log_change(request, portal, message)
        self.discover(request, portal)
        jobs.ring()
        return HttpResponseRedirect(self.object_url(portal))

    def save_model(self, request: HttpRequest, obj: Portal, form, change: bool) -> None:
        """Only what was edited: workers write the other columns meanwhile."""
        if not change:
            obj.save()
        elif names := [name for name in form.changed_data if name not in portal_form.CREDENTIAL]:
            obj.save(update_fields=names)
        if not change or form.changes_credential:
            overlap = conf.current().secret_overlap
            credentials.enter(obj, form.get_entered(), timezone.now(), overlap)

    def response_add(self, request: HttpRequest, obj: Portal, post_url_continue: str | None = None) -> HttpResponse:
        """The way goes on at the portal's page: there is the button that leads to HubSpot."""
        self.say(request, _NEXT % {"portal": obj}, messages.INFO)
        return HttpResponseRedirect(self.object_url(obj))

    def response_change(self, request: HttpRequest, obj: Portal) -> HttpResponse:
        """Back to the portal's page: what comes next is there."""
        response = super().response_change(request, obj)
        stays = "_continue" in request.POST or "_addanother" in request.POST
        return response if stays else HttpResponseRedirect(self.object_url(obj))

    # --- Cells of the list ----------------------------------------------------------------------------------

    @admin.display(description=_("state"), ordering="state")
    def state_since(self, obj: Portal):
        return cells.lines(self.shown_state(obj), cells.note(cells.when(obj.state_at)) if obj.state_at else "")

    @admin.display(description=_("account"), ordering="hub_id")
    def account_short(self, obj: Portal):
        told = " · ".join(one for one in (obj.account_type, obj.time_zone) if one)
        return cells.lines(obj.hub_id or cells.EMPTY, cells.note(told) if told and obj.hub_id else "")

    @admin.display(description=_("scopes"))
    def scopes_short(self, obj: Portal):
        return scope_table.short(obj, obj.listed_mappings)

    @admin.display(description=_("last webhook"), ordering="webhook_at")
    def webhook_short(self, obj: Portal):
        return _("none: service key") if scope_table.kind_of(obj) == Kind.SERVICE_KEY else cells.when(obj.webhook_at)

    @admin.display(description=_("calls left today"), ordering="daily_remaining")
    def left(self, obj: Portal):
        return cells.number(usage.left_today(obj, timezone.now()))


def _facts_of(obj: Portal, *, enters_secrets: bool):
    """The fieldsets of a portal's page; what does not apply to it is left out."""
    is_usual = obj.state == State.CONNECTED and not (obj.held or obj.waits_until)
    why = [*(["why"] if obj.state_reason else []), *([] if is_usual or obj.state == State.NEW else ["backlog"])]
    connection = [("shown_state", "since"), *why, "credential_facts", ("account", "checked"), "mappings"]
    account = [("time_zone", "currency"), ("ui_domain", "app_id")]
    secrets = {"fields": [*portal_form.CREDENTIAL, "redirect_url"], "classes": ["collapse"], "description": _UPDATING}
    kept = getattr(obj, "credential", None)
    is_kept = kept is not None and kept.previous_until is not None and kept.previous_until > timezone.now()
    previous = ["previous_secret"] if is_kept else []
    return [
        (_("Connection"), {"fields": [*connection, *(account if obj.hub_id else [])]}),
        (_("Name"), {"fields": ["label", "service_user"]}),
        *([(_("Update credentials"), secrets)] if enters_secrets else []),
        (_("Scopes"), {"fields": ["granted"]}),
        (_("Limits"), {"fields": ["tier", "pace", "budget", *(["waits"] if obj.waits_until else []), "chart"]}),
        (_("Webhooks"), {"fields": ["webhook_url", "webhook", *previous, "subscriptions"]}),
        (_("API version"), {"fields": ["version_state", *(["rehearsed"] if obj.rehearsal else [])]}),
        (_("Safety"), {"fields": ["installation", "other", ("environment_label", "writes")]}),
        (_("Fields"), {"fields": ["discovered", "field_news"]}),
        (_("Checklist"), {"fields": ["steps"]}),
    ]


_STEPS = [
    (_("1. How to connect"), {"fields": ["label", "kind"]}),
    (_("2. What you need"), {"fields": ["needed_scopes"], "description": _("Grant at least these in HubSpot.")}),
    (_("3. Copy these values"), {"fields": ["redirect_url", "webhook_url"]}),
    (_("4. Enter what HubSpot shows"), {"fields": ["new_token", "client_id", "new_client_secret"]}),
    (_("5. More"), {"fields": ["service_user", "api_version"]}),
]
_INPUTS = {"label", "service_user", "api_version", *portal_form.CREDENTIAL}
_CONNECTED = _("Connected to HubSpot account %(hub_id)s. Nothing is synced yet.")
_RECONNECTED = _("Connected to HubSpot account %(hub_id)s. %(waiting)s")
_UPDATING = _("Mappings, links and cursors stay. What you leave empty stays as it is stored.")
_NEXT = _("“%(portal)s” was added. Next: press “Connect with HubSpot”.")
