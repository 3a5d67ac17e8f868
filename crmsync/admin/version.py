"""The API version of a portal: until when HubSpot supports it, what the next one would change, and the switch."""

from datetime import datetime

from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest
from django.utils import formats, timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from crmsync.admin import attempt, cells, confirm, support, tool
from crmsync.flows import rehearse
from crmsync.models import Portal

# More differences than these are counted, not listed.
_LISTED = 20


class VersionPart(admin.ModelAdmin):
    @admin.display(description=_("version"))
    def version_state(self, obj: Portal):
        """The version, how long it lives, and the button that rehearses the next one."""
        if support.present(obj) not in support.supported():
            text = _("%(version)s is none that crmsync speaks: switch to another one.")
            return cells.blocks(
                cells.warning(text % {"version": support.present(obj)}), self._switches(obj, support.supported())
            )
        state = rehearse.state(obj, timezone.localdate())
        parts = [cells.lines(state.version, _end(state)), _by_default(obj)]
        if state.next_version:
            parts.append(self._rehearse(obj, state.next_version))
        elif state.is_current:
            parts.append(_("This is HubSpot's current version."))
        else:
            parts.append(_("HubSpot has a newer version, which needs a newer release of crmsync."))
        others = [one for one in support.supported() if one != state.version]
        return cells.blocks(*parts, self._switches(obj, others), _endpoints(state))

    @admin.display(description=_("rehearsal"))
    def rehearsed(self, obj: Portal):
        """What the last rehearsal found: ids and names, no values."""
        found = obj.rehearsal
        when = cells.when(datetime.fromisoformat(found["at"]))
        title = cells.lines(_("Version %(version)s") % {"version": found["version"]}, when)
        problems = [cells.warning(one) for one in found["problems"]]
        return cells.blocks(title, *problems, _reads(found), _writes(found))

    def _rehearse(self, obj: Portal, version: str) -> SafeString | str:
        if not obj.viewer.may_connect:
            return ""
        text = _("It repeats reads under both versions and checks recent writes by the new rules; nothing is sent.")
        label = _("Rehearse version %(version)s") % {"version": version}
        return cells.lines(tool.button("rehearse", label, name="version", value=version), cells.note(text))

    def _switches(self, obj: Portal, versions: list[str]) -> SafeString | str:
        if not obj.viewer.may_connect:
            return ""
        newest = support.supported()[0]
        words = {True: _("Switch to version %(version)s"), False: _("Switch back to version %(version)s")}
        return cells.lines(
            *(
                tool.button("switch_version", words[one == newest] % {"version": one}, name="version", value=one)
                for one in versions
            )
        )

    # --- Actions --------------------------------------------------------------------------------------------

    @admin.action(description=_("Rehearse another API version"), permissions=["connect"])
    def rehearse(self, request: HttpRequest, queryset: models.QuerySet) -> None:
        """Reads under both versions; never writes."""
        version = self._version(request)
        for portal in queryset if version else ():
            found, refusal = attempt.attempt(lambda one=portal: rehearse.rehearse(one, version))
            if found is None:
                self.say(request, f"{portal}: {refusal}", messages.ERROR)
                continue
            self.log_change(request, portal, _("Rehearsed API version %(version)s.") % {"version": version})
            count = _count(found)
            text = ngettext(
                "%(portal)s: the rehearsal of version %(version)s found %(count)d thing to look at.",
                "%(portal)s: the rehearsal of version %(version)s found %(count)d things to look at.",
                count,
            )
            facts = {"portal": portal, "version": version, "count": count}
            self.say(request, text % facts, messages.WARNING if count else messages.SUCCESS)

    @admin.action(description=_("Switch the API version"), permissions=["connect"])
    def switch_version(self, request: HttpRequest, queryset: models.QuerySet):
        """From now on all calls are made under another version; it can be switched back."""
        version = self._version(request)
        if not version:
            return None
        title = _("Switch to version %(version)s") % {"version": version}
        question = confirm.Question(title, _SWITCHING, carried=(("version", version),))
        if asked := confirm.ask(self, request, queryset, "switch_version", question):
            return asked
        for portal in queryset:
            rehearse.switch(portal, version)
            facts = {"portal": portal, "version": version}
            self.log_change(request, portal, _("Switched to API version %(version)s.") % facts)
            self.say(request, _("%(portal)s is called under version %(version)s from now on.") % facts)
        return None

    def _version(self, request: HttpRequest) -> str:
        """The version that was asked for, "" with a message where it is none."""
        version = request.POST.get("version", "")
        if version in support.supported():
            return version
        text = _("Choose one of these API versions: %(known)s.")
        self.say(request, text % {"known": ", ".join(support.supported())}, messages.ERROR)
        return ""


def _end(state: rehearse.VersionState) -> str | SafeString:
    facts = {"date": formats.date_format(state.support_ends), "days": state.days_left}
    if state.days_left < 0:
        return cells.warning(_("HubSpot's support ended on %(date)s.") % facts)
    text = ngettext(
        "HubSpot's support ends on %(date)s, in %(days)d day.",
        "HubSpot's support ends on %(date)s, in %(days)d days.",
        state.days_left,
    )
    return text % facts


def _by_default(obj: Portal) -> str | SafeString:
    return "" if obj.api_version else cells.note(_("By CRMSYNC['API_VERSION']: this portal names none of its own."))


def _endpoints(state: rehearse.VersionState) -> SafeString | str:
    rows = [[family, version or cells.EMPTY, calls, failed] for family, version, calls, failed in state.endpoints]
    head = [_("endpoints"), _("version"), _("calls in 30 days"), _("failed")]
    return cells.details(_("Endpoints in use"), cells.table(head, rows, _("Endpoints in use"))) if rows else ""


def _count(found: dict) -> int:
    differences = sum(len(one["differences"]) for one in found["reads"].values())
    return differences + len(found["writes"]["findings"]) + len(found["problems"])


def _reads(found: dict) -> SafeString | str:
    rows = [[kind, one["compared"], _differences(one["differences"])] for kind, one in found["reads"].items()]
    return cells.table([_("read"), _("records compared"), _("differences")], rows, _("Reads repeated"))


def _differences(found: list[dict]) -> SafeString | str:
    if not found:
        return cells.badge(_("none"), "good", "✓")
    lines = [f"{one['id']} {one['property']}".strip() for one in found[:_LISTED]]
    if len(found) > _LISTED:
        lines.append(_("and %(count)d more") % {"count": len(found) - _LISTED})
    return cells.bullets(lines)


def _writes(found: dict) -> SafeString | str:
    checked = found["writes"]["checked"]
    text = ngettext("%(count)d recent write was checked", "%(count)d recent writes were checked", checked)
    said = f"{text % {'count': checked}}."
    rows = [
        [one["mapping"], one["message"], one["when"], one["count"], one["id"]] for one in found["writes"]["findings"]
    ]
    if not rows:
        return cells.lines(said, cells.badge(_("no rule stands in the way"), "good", "✓") if checked else "")
    head = [_("mapping"), _("what the new version refuses"), _("when"), _("records"), _("such as")]
    return cells.blocks(said, cells.table(head, rows, _("Writes checked")))


_SWITCHING = _(
    "From now on HubSpot is called under this version. Rehearse it first: what it finds is on the portal's page."
    " You can switch back at any time while HubSpot supports the old version."
)
