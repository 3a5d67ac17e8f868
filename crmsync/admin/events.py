"""Events: what happens by itself when a record is made, changed, deleted or associated on either side, and which
switch stops it."""

from collections.abc import Iterable, Iterator

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from crmsync.admin import catalogue, cells, verdict
from crmsync.engine import terms
from crmsync.models import Mapping, SyncRule

_LOCAL, _REMOTE = terms.SideName.LOCAL, terms.SideName.REMOTE


def table(obj: Mapping, rules: Iterable[SyncRule]) -> SafeString | str:
    """One line an event: when, what follows as the mapping is saved, whether it does, and where that is switched."""
    rules, rows = [rule for rule in rules if rule.is_active], []
    for side, way in ((_LOCAL, terms.Direction.PUSH), (_REMOTE, terms.Direction.PULL)):
        flows = _flows(obj.direction, way)
        found = _reactions(obj, side, way, rules) if flows else [_IDLE]
        rows += [
            [when % {"side": _(side.label)}, says, _badge(is_on, obj), cells.link(f"#{anchor}", switch)]
            for when, says, is_on, anchor, switch in found
        ]
    head = [_("when a record"), _("then"), _("switched"), _("by")]
    shown = cells.table(head, rows, _("What happens by itself"))
    return cells.blocks(cells.note(_state(obj)), shown)


Reaction = tuple[str, object, bool, str, object]
"""(event, what follows, whether it is on, id of its switch on the page, the name of that)."""


def _reactions(obj: Mapping, side: terms.SideName, way: terms.Direction, rules: list[SyncRule]) -> Iterator[Reaction]:
    other = _((_REMOTE if side is _LOCAL else _LOCAL).label)
    makes = obj.creates_remote if side is _LOCAL else obj.creates_local
    name = "creates_remote" if side is _LOCAL else "creates_local"
    said = _MADE if makes else _ONLY_LINKED
    gates = sum(_flows(rule.direction, way) for rule in rules)
    yield (
        _("is made in %(side)s"),
        cells.lines(said % {"side": other}, cells.note(_rules(gates)) if gates else ""),
        makes,
        f"id_{name}",
        obj._meta.get_field(name).verbose_name,
    )
    fields = sum(row.pushes if way is terms.Direction.PUSH else row.pulls for row in verdict.of(obj).facts.rows)
    text = ngettext("%(count)d field follows in %(side)s", "%(count)d fields follow in %(side)s", fields)
    yield (
        _("is changed in %(side)s"),
        text % {"count": fields, "side": other},
        fields > 0,
        "crmsync-step-3",
        _("each field, step 3"),
    )
    name = "deletes_remote" if side is _LOCAL else "deletes_local"
    archives = getattr(obj, name) == terms.DeletePolicy.ARCHIVE
    said = _ARCHIVED if archives else _KEPT
    policy = obj._meta.get_field(name).verbose_name
    yield _("is deleted in %(side)s"), said % {"side": other}, archives, f"id_{name}", policy
    edges = sum(_flows(one.direction, way) for one in _associations(obj) if one.is_active)
    text = ngettext("%(count)d relation follows in %(side)s", "%(count)d relations follow in %(side)s", edges)
    said = text % {"count": edges, "side": other}
    yield _("is associated in %(side)s"), said, edges > 0, "crmsync-step-6", _("each association, step 6")


def _badge(is_on: bool, obj: Mapping) -> SafeString:
    if not is_on:
        return cells.badge(_("off"), "quiet", "–")
    if obj.state == terms.MappingState.LIVE:
        return cells.badge(_("on"), "good", "✓")
    return cells.badge(_("on, once the mapping is live"), "quiet", "…")


def _associations(obj: Mapping):
    """As the page has read them, where it did."""
    known = catalogue.of(obj).associations
    return list(obj.associations.all()) if known is None else known


def _flows(direction: str, way: terms.Direction) -> bool:
    flows = terms.Direction(direction)
    return flows.pushes if way is terms.Direction.PUSH else flows.pulls


def _rules(count: int) -> str:
    text = ngettext("%d sync rule decides for which (step 5)", "%d sync rules decide for which (step 5)", count)
    return text % count


def _state(obj: Mapping) -> object:
    if obj.state == terms.MappingState.LIVE:
        return _("As the mapping is saved now. Whatever is off does not happen.")
    return _("As the mapping is saved now. Nothing of it happens until the mapping is switched on, in step 8.")


# Of a side from which nothing flows.
_IDLE: Reaction = (
    gettext_lazy("is touched in any way in %(side)s"),
    gettext_lazy("nothing: the mapping does not flow this way"),
    False,
    "id_direction",
    gettext_lazy("direction, step 1"),
)
_MADE = gettext_lazy("its partner in %(side)s is linked; where there is none, one is made")
_ONLY_LINKED = gettext_lazy("its partner in %(side)s is linked; where there is none, nothing is made")
_ARCHIVED = gettext_lazy("its partner in %(side)s is archived or deleted, unless it was edited since")
_KEPT = gettext_lazy("the link ends; its partner in %(side)s stays")
