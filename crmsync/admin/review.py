"""Review: the steps of a mapping's page that are only looked at: statuses, rules, what was proved, what follows."""

from collections.abc import Collection, Iterator

from django.contrib import admin
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from crmsync.admin import cells, events, lint_table, members, page, verdict
from crmsync.engine import contract, terms
from crmsync.flows import revisions
from crmsync.models import Conflict, Edge, InboxEvent, Link, LogEntry, Mapping, OutboxEntry, Run, SyncRule

# Changes that a message lists; the page of revisions has them all.
_LISTED = 5


class Steps(page.Page):
    """Readonly fields of the mapping's form."""

    @admin.display(description=gettext_lazy("value maps"))
    def statuses(self, obj: Mapping) -> SafeString | str:
        """Each active field whose values are chosen on both sides, or that has a map already."""
        judged = verdict.of(obj)
        rows = [
            [
                cells.link(self.url_of("fieldmapping_change", one.id), f"{one.local} ↔ {one.remote}"),
                _count_lines(one),
                *(_gap(lost, one) if flows else _("does not flow this way") for flows, lost in gaps),
            ]
            for one in judged.facts.rows
            if (gaps := _gaps(one, judged.schema.properties.get(one.remote))) is not None
        ]
        head = [_("field"), _("lines"), _("not mapped to HubSpot"), _("not mapped from HubSpot")]
        return cells.table(head, rows, _("Value maps")) if rows else _NO_STATUSES

    @admin.display(description=gettext_lazy("sync rules"))
    def rule_list(self, obj: Mapping) -> SafeString | str:
        add = reverse("admin:crmsync_syncrule_add", current_app=self.admin_site.name)
        rules = [
            [
                cells.link(self.object_url(rule), rule),
                cells.arrow(rule.direction, rule.get_direction_display()),
                members.say(rule),
                _switch(rule.is_active),
            ]
            for rule in _rules_of(obj)
        ]
        head = [_("rule"), _("direction"), _("lets in"), _("switch")]
        table = cells.table(head, rows=rules, label=_("Sync rules")) if rules else _("None: every record takes part.")
        return cells.blocks(table, cells.link(f"{add}?mapping={obj.pk}", _("Add a sync rule")))

    @admin.display(description=gettext_lazy("what happens by itself"))
    def events(self, obj: Mapping) -> SafeString | str:
        return events.table(obj, _rules_of(obj))

    @admin.display(description=gettext_lazy("findings"))
    def contract(self, obj: Mapping) -> SafeString | str:
        return lint_table.contract(self, obj)

    @admin.display(description=gettext_lazy("proof"))
    def proof_state(self, obj: Mapping) -> SafeString | str:
        """Which revision counts as proved, with the way to the proof."""
        tested, url = obj.tested_revision, self.url_of("mapping_proof", obj.pk)
        if tested is None:
            said = cells.badge(_("not tested yet"), "quiet", "…")
        elif tested == obj.revision:
            said = cells.badge(_("tested as it is now"), "good", "✓")
        else:
            said = cells.badge(_("tested at revision %(number)d, edited since") % {"number": tested}, "warn", "!")
        return cells.lines(said, cells.link(url, _("Round-trip proof: every kind of value there and back")))

    @admin.display(description=gettext_lazy("what a change means"))
    def concerns(self, obj: Mapping) -> str:
        return concern(obj)

    @admin.display(description=gettext_lazy("switches"))
    def switches(self, obj: Mapping) -> SafeString | str:
        """Nothing flows by itself unless all of these are on."""
        judged = verdict.of(obj)
        active = len(judged.facts.rows)
        return cells.bullets(
            [
                cells.lines(_("This mapping:"), cells.state(obj.state, obj.get_state_display())),
                cells.lines(_("Directions held by a person:"), cells.held(obj.held) or _("none")),
                _("Fields switched on: %(active)d of %(all)d") % {"active": active, "all": obj.field_count},
                _("Rules and associations have their own switches in steps 5 and 6."),
            ]
        )

    @admin.display(description=gettext_lazy("work"))
    def work(self, obj: Mapping) -> SafeString | str:
        mine = {"mapping__id__exact": obj.pk}
        pages = (Link, OutboxEntry, InboxEvent, Run, LogEntry, Conflict)
        found = [cells.link(self.list_url(m, **mine), m._meta.verbose_name_plural) for m in pages]
        edges = self.list_url(Edge, association__mapping__id__exact=obj.pk)
        return cells.bullets([*found, cells.link(edges, Edge._meta.verbose_name_plural)])


def _rules_of(obj: Mapping) -> list[SyncRule]:
    """With their conditions; read once a page."""
    if not hasattr(obj, "all_rules"):
        obj.all_rules = list(obj.rules.prefetch_related("conditions"))
    return obj.all_rules


def concern(obj: Mapping) -> str:
    """How many records an edit concerns, and when it reaches them."""
    count = obj.link_count
    if not terms.MappingState(obj.state).is_started:
        return _("Nothing flows yet, so an edit concerns no record.")
    text = ngettext(
        "%(count)s linked record: it is planned by the new revision when it changes next, or at once by a backfill;"
        " what waits in the queues is planned anew.",
        "%(count)s linked records: each is planned by the new revision when it changes next, or at once by a"
        " backfill; what waits in the queues is planned anew.",
        count,
    )
    return text % {"count": cells.number(count)}


def say_edit(mapping: Mapping) -> str:
    """What the edit just noted changed, in the words of the page of revisions."""
    try:
        found = [str(one) for one in revisions.compare(mapping, mapping.revision - 1, mapping.revision)]
    except revisions.RevisionError:
        found = []  # the revision before is older than what is kept
    more = len(found) - _LISTED
    rest = [ngettext("%d more change", "%d more changes", more) % more] if more > 0 else []
    return "; ".join([*found[:_LISTED], *rest])


def _switch(is_on: bool) -> SafeString:
    return cells.badge(_("on"), "good", "✓") if is_on else cells.badge(_("off"), "quiet", "–")


def _gaps(
    row: contract.Row, found: contract.Property | None
) -> tuple[tuple[bool, Collection[str]], tuple[bool, Collection[str]]] | None:
    """(flows, values without a line) to and from HubSpot; None for a field that neither has nor wants a map."""
    choices = row.column.choices if row.column else frozenset()
    options = found.options if found else frozenset()
    if not (row.has_map or (choices and options)):
        return None
    out = choices.difference(row.to_remote) if row.has_map else choices - options
    back = options.difference(row.to_local) if row.has_map else options - choices
    return (row.pushes, out), (row.pulls, back)


def _gap(lost: Collection[str], row: contract.Row) -> SafeString | str:
    if not lost:
        return cells.badge(_("nothing is missing"), "good", "✓")
    text = ngettext("%d value", "%d values", len(lost)) % len(lost)
    names = ", ".join(_first(sorted(lost)))
    is_held = row.unmapped is terms.UnmappedPolicy.HOLD
    badge = cells.badge(text, "warn" if is_held else "quiet", "!" if is_held else "")
    return cells.lines(badge, cells.note(f"{names}: {_(row.unmapped.label)}"))


def _first(names: list[str]) -> Iterator[str]:
    yield from names[:_LISTED]
    if len(names) > _LISTED:
        yield "…"


def _count_lines(row: contract.Row) -> str:
    count = len(set(row.to_remote.items()) | {(ours, theirs) for theirs, ours in row.to_local.items()})
    return str(count) if count else _("none: same values on both sides")


_NO_STATUSES = gettext_lazy(
    "No field needs a value map: a field with choices and a property with options would be listed here."
)
