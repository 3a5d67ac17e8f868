"""Conflicts: fields and associations that both sides changed, who won, and the choice where a person must say so."""

from django.contrib import admin, messages
from django.contrib.admin.views import main
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from crmsync import jobs
from crmsync.admin import attempt, cells, confirm, ends, page, payload
from crmsync.engine import objecttypes, terms
from crmsync.flows import choose
from crmsync.models import Conflict

_LOCAL, _REMOTE = terms.SideName.LOCAL, terms.SideName.REMOTE


class _Open(admin.SimpleListFilter):
    """What waits for a person, which has no winner to filter by."""

    title, parameter_name = _("decision"), "waits"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, object]]:
        return [("1", _("a person must choose")), ("0", _("decided"))]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet) -> models.QuerySet:
        if self.value() not in ("0", "1"):
            return queryset
        return queryset.filter(winner="") if self.value() == "1" else queryset.exclude(winner="")


class _ConflictList(main.ChangeList):
    """Knows who looks, so that values are shown to those only who may see them."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        for row in self.result_list:
            row.shows = payload.is_allowed(request)
            if row.shows:
                payload.trace(request, row)


@admin.register(Conflict)
class ConflictAdmin(page.ReadOnlyPage):
    """``shows``: whether this person may see the values of a row."""

    list_display = ["what", "outcome", "here", "there", "records", "mapping", "happened"]
    list_filter = [_Open, "mapping", "winner", "at"]
    list_select_related = ["mapping__portal"]
    search_fields = ["local_pk__exact", "remote_id__exact", "field__startswith"]
    actions = ["take_local", "take_remote"]
    tools = ("take_local", "take_remote")
    empty_hint = _(
        "A conflict is a field that was changed in Django and in HubSpot between two syncs."
        " There is none: nothing to do."
    )

    def get_changelist(self, request: HttpRequest, **kwargs):
        return _ConflictList

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        return super().get_queryset(request).select_related("mapping__portal")

    def get_fieldsets(self, request: HttpRequest, obj: Conflict | None = None):
        values = ["sides"] if obj is None or obj.shows else ["hidden_values"]
        may_choose = obj is not None and not obj.winner and self.has_operate_permission(request)
        return [
            (None, {"fields": ["mapping", "at", "what", ("ours", "theirs"), "decided", "why"]}),
            (_("Values"), {"fields": values, "description": _CHOOSE if may_choose else ""}),
        ]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Conflict | None:
        row = super().get_object(request, object_id, from_field)
        if row is not None:
            row.shows = payload.is_allowed(request)
            if row.shows:
                payload.trace(request, row)
        return row

    def get_tools(self, request: HttpRequest, obj: Conflict) -> list[str]:
        return [] if obj.winner else super().get_tools(request, obj)

    # --- A person's choice ----------------------------------------------------------------------------------

    @admin.action(description=_("Django's side stands"), permissions=["operate"])
    def take_local(self, request: HttpRequest, queryset: models.QuerySet):
        return self._take(request, queryset, "take_local", _LOCAL)

    @admin.action(description=_("HubSpot's side stands"), permissions=["operate"])
    def take_remote(self, request: HttpRequest, queryset: models.QuerySet):
        return self._take(request, queryset, "take_remote", _REMOTE)

    def _take(self, request: HttpRequest, queryset: models.QuerySet, action: str, winner: terms.SideName):
        """Only what waits for a person is asked about; the value of the other side cannot be brought back."""
        rows = queryset.filter(winner="")
        if not rows.exists():
            return self.say(request, _("This was decided already: nothing is left to choose."), messages.WARNING)
        title = _("%(side)s's side stands") % {"side": winner.label}
        text = _STANDS[winner]
        if asked := confirm.confirm(self, request, rows, action, title=title, text=text, is_final=True):
            return asked
        done = sum(self._choose(request, row, winner) for row in rows.order_by("pk"))
        if done:
            jobs.ring()
            said = ngettext(
                "%(count)d conflict was decided: %(side)s's side stands. The record is due now.",
                "%(count)d conflicts were decided: %(side)s's side stands. The records are due now.",
                done,
            )
            self.say(request, said % {"count": done, "side": winner.label})
        return None

    def _choose(self, request: HttpRequest, row: Conflict, winner: terms.SideName) -> bool:
        _none, refusal = attempt.attempt(lambda: choose.choose(row, winner, request.user.get_username()))
        if refusal:
            self.say(request, refusal, messages.WARNING)
            return False
        self.log_change(request, row, _("Chose %(side)s's side.") % {"side": winner.label})
        return True

    # --- Cells ----------------------------------------------------------------------------------------------

    @admin.display(description=_("field or association"), ordering="field")
    def what(self, obj: Conflict):
        """Both ends by name."""
        kind = cells.note(_("association")) if _is_association(obj) else ""
        return cells.lines(" ↔ ".join(obj.field.split("|")), kind)

    @admin.display(description=_("Django record"), ordering="local_pk")
    def ours(self, obj: Conflict):
        return ends.django_record(obj.mapping.model_label, obj.local_pk, self.admin_site.name)

    @admin.display(description=_("HubSpot record"), ordering="remote_id")
    def theirs(self, obj: Conflict):
        return cells.hubspot_record(obj.mapping.portal, obj.mapping.object_type, obj.remote_id)

    @admin.display(description=_("records"), ordering="local_pk")
    def records(self, obj: Conflict):
        return cells.lines(self.ours(obj), self.theirs(obj))

    @admin.display(description=_("decision"), ordering="winner")
    def outcome(self, obj: Conflict):
        """Who won, and by which rule; of one that waits the rule says no more than that."""
        return cells.lines(self.decided(obj), cells.note(self.why(obj)) if obj.winner else "")

    @admin.display(description=_("in Django"))
    def here(self, obj: Conflict):
        return cells.folded(_shown(obj, obj.local_value))

    @admin.display(description=_("in HubSpot"))
    def there(self, obj: Conflict):
        return cells.folded(_shown(obj, obj.remote_value))

    @admin.display(description=_("values"))
    def sides(self, obj: Conflict):
        """What both sides last agreed on, and what each had when the conflict was found."""
        rows = [
            [_(_LOCAL.label), _shown(obj, obj.base_local), _shown(obj, obj.local_value)],
            [_(_REMOTE.label), _shown(obj, obj.base_remote), _shown(obj, obj.remote_value)],
        ]
        return cells.table([_("side"), _("last agreed on"), _("value now")], rows, _("Values"))

    @admin.display(description=_("winner"), ordering="winner")
    def decided(self, obj: Conflict):
        if not obj.winner:
            return cells.badge(_("a person must choose"), "warn", "!")
        return cells.badge(_("%(side)s won") % {"side": obj.get_winner_display()}, "good", "✓")

    @admin.display(description=_("rule"), ordering="rule")
    def why(self, obj: Conflict):
        return _say_rule(obj.rule)

    @admin.display(description=_("at"), ordering="at")
    def happened(self, obj: Conflict):
        return cells.when(obj.at)

    @admin.display(description=_("values"))
    def hidden_values(self, obj: Conflict):
        return payload.HIDDEN


def _is_association(obj: Conflict) -> bool:
    """By its other end: no property of HubSpot's is called like an object type."""
    to_type = obj.field.partition("|")[2]
    return to_type in objecttypes.STANDARD or to_type.startswith("2-")


def _shown(obj: Conflict, value: str | None) -> str:
    if value is None or value == "":
        return cells.EMPTY
    return value if obj.shows or _is_association(obj) else payload.MASK


def _say_rule(rule: str) -> object:
    """A rule in words; who chose, where a person did."""
    code, _sign, user = rule.partition(": ")
    if code == choose.BY_HAND:
        return _("chosen by %(user)s") % {"user": user}
    if code == choose.OVERTAKEN:
        return _("both sides came together before anyone chose")
    return _(terms.Cause(rule).label) if rule in set(terms.Cause) else rule


_CHOOSE = _(
    "The record waits with this field as it is on each side. Choose whose side stands, with the buttons on this page;"
    " or make both sides equal by hand."
)
_STANDS = {
    _LOCAL: _(
        "What Django has goes to HubSpot and replaces what is there. A value that changed since the conflict was"
        " found is not replaced: it becomes a conflict anew."
    ),
    _REMOTE: _(
        "What HubSpot has goes to Django and replaces what is there. A value that changed since the conflict was"
        " found is not replaced: it becomes a conflict anew."
    ),
}
