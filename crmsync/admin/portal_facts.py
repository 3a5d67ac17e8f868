"""What a portal's page shows of it: how it stands, its account, webhooks, safety and fields; no input."""

from datetime import timedelta

from django.contrib import admin
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from crmsync import conf
from crmsync.admin import address, cells, news, scope_table, usage
from crmsync.engine import environment as engine_environment
from crmsync.flows import environment, standing
from crmsync.models import Mapping, Portal, choices

Kind = choices.CredentialKind
_VERDICTS = {
    engine_environment.State.OPEN: ("good", "✓"),
    engine_environment.State.READ_ONLY: ("warn", "!"),
    engine_environment.State.LOCKED: ("bad", "✗"),
    engine_environment.State.REFUSED: ("bad", "✗"),
}


class PortalFacts(admin.ModelAdmin):
    # --- Connection -----------------------------------------------------------------------------------------

    @admin.display(description=_("state"), ordering="state")
    def shown_state(self, obj: Portal):
        return cells.lines(cells.state(obj.state, obj.get_state_display()), cells.held(obj.held))

    @admin.display(description=_("since"), ordering="state_at")
    def since(self, obj: Portal):
        return cells.when(obj.state_at)

    @admin.display(description=_("why"))
    def why(self, obj: Portal):
        return obj.state_reason or cells.EMPTY

    @admin.display(description=_("what waits"))
    def backlog(self, obj: Portal):
        return say_backlog(standing.catch_up(obj))

    @admin.display(description=_("credential"))
    def credential_facts(self, obj: Portal):
        """How it connects and since when; a token of age is due for a change (HubSpot advises six months)."""
        one = getattr(obj, "credential", None)
        if one is None:
            return _("Nothing was entered yet.")
        days = conf.current().TOKEN_AGE_DAYS
        is_old = one.kind != Kind.OAUTH and one.token_at is not None and _age(one.token_at) > timedelta(days=days)
        text = _("The token is older than %(days)d days: make a new one in HubSpot and update the credentials.")
        entered = format_html("{} {}", _("entered"), cells.when(one.token_at)) if one.token_at else ""
        return cells.blocks(
            cells.lines(one.get_kind_display(), entered), cells.warning(text % {"days": days}) if is_old else ""
        )

    @admin.display(description=_("account"), ordering="hub_id")
    def account(self, obj: Portal):
        return cells.lines(obj.hub_id or cells.EMPTY, cells.note(obj.account_type) if obj.account_type else "")

    @admin.display(description=_("last checked"), ordering="checked_at")
    def checked(self, obj: Portal):
        return cells.when(obj.checked_at)

    @admin.display(description=_("mappings"))
    def mappings(self, obj: Portal):
        return self.count_link(obj.mappings.count(), Mapping, portal__id__exact=obj.pk)

    # --- Scopes and limits ----------------------------------------------------------------------------------

    @admin.display(description=_("scopes"))
    def needed_scopes(self, obj: Portal):
        return scope_table.before(obj)

    @admin.display(description=_("scopes"))
    def granted(self, obj: Portal):
        return scope_table.after(obj) if obj.hub_id is not None else scope_table.before(obj)

    @admin.display(description=_("tier"))
    def tier(self, obj: Portal):
        return usage.tier(obj)

    @admin.display(description=_("pace"))
    def pace(self, obj: Portal):
        return usage.pace(obj)

    @admin.display(description=_("today"))
    def budget(self, obj: Portal):
        return usage.budget(obj)

    @admin.display(description=_("waits until"))
    def waits(self, obj: Portal):
        return usage.waits(obj)

    @admin.display(description=_("calls per day"))
    def chart(self, obj: Portal):
        return cells.blocks(
            usage.chart_of(obj), cells.link(self.url_of("portal_usage", obj.pk), _("Usage report to print"))
        )

    # --- Webhooks -------------------------------------------------------------------------------------------

    @admin.display(description=_("webhook address"))
    def webhook_url(self, obj: Portal):
        return address.shown(
            "webhook", obj.viewer.address, _("Copy it into the webhook settings of the HubSpot app.")
        )

    @admin.display(description=_("redirect address"))
    def redirect_url(self, obj: Portal):
        hint = _("Of OAuth apps only: copy it into the app's Auth page, exactly as it is here.")
        return address.shown("oauth_callback", obj.viewer.address, hint)

    @admin.display(description=_("last webhook"), ordering="webhook_at")
    def webhook(self, obj: Portal):
        """When one came; silence although there are calls means that perhaps none is subscribed to (Fault 19)."""
        if scope_table.kind_of(obj) == Kind.SERVICE_KEY:
            text = _("A service key has no webhooks: changes in HubSpot are found by polling, every %(seconds)s s.")
            return text % {"seconds": conf.current().POLL_SECONDS}
        silent = _("No webhook came for a day although calls were made: check the subscriptions below in HubSpot.")
        is_silent = obj.state == choices.PortalState.CONNECTED and standing.is_silent(obj)
        return cells.blocks(cells.when(obj.webhook_at), cells.warning(silent) if is_silent else "")

    @admin.display(description=_("previous client secret"))
    def previous_secret(self, obj: Portal):
        until = cells.when(obj.credential.previous_until)
        return format_html("{} {}", _("It verifies webhooks, too; that ends"), until)

    @admin.display(description=_("subscriptions"))
    def subscriptions(self, obj: Portal):
        return cells.lines(
            cells.link(self.url_of("portal_subscriptions", obj.pk), _("The list for HubSpot")),
            cells.link(self.url_of("portal_hsmeta", obj.pk), _("Download webhooks-hsmeta.json for a project app")),
        )

    # --- Safety ---------------------------------------------------------------------------------------------

    @admin.display(description=_("this installation"))
    def installation(self, obj: Portal):
        """May it write to this portal, and what is not as it was."""
        verdict = environment.judge(obj)
        mark = cells.badge(_(verdict.state.label), *_VERDICTS[verdict.state])
        return cells.blocks(
            cells.lines(mark, verdict.reason, verdict.remedy), cells.bullets(list(environment.differences(obj)))
        )

    @admin.display(description=_("other installation"))
    def other(self, obj: Portal):
        if not obj.other_install:
            return _("None was seen in this account.")
        text = _("“%(name)s” works with this account, too: nothing is done here until this one is confirmed.")
        return cells.warning(text % {"name": obj.other_install})

    @admin.display(description=_("environment"))
    def environment_label(self, obj: Portal):
        return conf.current().ENVIRONMENT or _("not named: set CRMSYNC['ENVIRONMENT']")

    @admin.display(description=_("writes to HubSpot"))
    def writes(self, obj: Portal):
        if conf.current().READ_ONLY:
            return cells.badge(_("off, by CRMSYNC['READ_ONLY']"), "warn", "!")
        return cells.badge(_("on"), "good", "✓")

    # --- Fields and steps -----------------------------------------------------------------------------------

    @admin.display(description=_("discovered"), ordering="discovered_at")
    def discovered(self, obj: Portal):
        return cells.when(obj.discovered_at)

    @admin.display(description=_("what changed"))
    def field_news(self, obj: Portal):
        return news.shown(obj)

    @admin.display(description=_("steps"))
    def steps(self, obj: Portal):
        text = _("What HubSpot must have for this portal and each of its mappings, done or not")
        return cells.lines(cells.link(self.url_of("portal_checklist", obj.pk), _("Open the checklist")), text)


def say_backlog(found: standing.CatchUp) -> str:
    """How much waits, since when, and how long it takes at least."""
    if not found.count:
        return str(_("Nothing waits."))
    text = ngettext(
        "%(count)s change waits, for %(age)s; catching up takes about %(time)s or more.",
        "%(count)s changes wait, the oldest for %(age)s; catching up takes about %(time)s or more.",
        found.count,
    )
    facts = {"age": cells.duration(found.age), "time": cells.duration(found.estimate)}
    return text % {"count": cells.number(found.count), **facts}


def _age(moment) -> timedelta:
    return timezone.now() - moment
