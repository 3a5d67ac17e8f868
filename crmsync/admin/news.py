"""What the last discovery of a portal's fields said: new, changed, gone, and what could not be read."""

import dataclasses

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from crmsync.admin import cells
from crmsync.flows import discover
from crmsync.models import Portal

# The first discovery finds hundreds of names at once.
_NAMED = 60
_WORDS = {"added": gettext_lazy("added"), "changed": gettext_lazy("changed"), "removed": gettext_lazy("removed")}
_KINDS = {
    "object type": gettext_lazy("object types"),
    "property": gettext_lazy("properties"),
    "pipeline": gettext_lazy("pipelines"),
    "label": gettext_lazy("association labels"),
    "rule": gettext_lazy("validation rules"),
}


def report_of(portal: Portal) -> discover.Report:
    """The report as it was stored; an empty one where there is none, or where it is of another release."""
    known = {one.name for one in dataclasses.fields(discover.Report)}
    return discover.Report(**{name: value for name, value in portal.discovery.items() if name in known})


def told(report: discover.Report) -> str:
    """A report in one line."""
    counts: dict[str, dict[str, int]] = {}
    for kind, _type, word, names in report.news():
        of_kind = counts.setdefault(kind, {})
        of_kind[word] = of_kind.get(word, 0) + len(names)
    parts = [
        f"{_KINDS[kind]}: {', '.join(f'{count} {_WORDS[word]}' for word, count in of_kind.items())}"
        for kind, of_kind in counts.items()
    ]
    if new := report.owners.get("added", 0):
        parts.append(ngettext("%(count)d new owner", "%(count)d new owners", new) % {"count": new})
    return "; ".join(str(part) for part in parts) or _("nothing changed")


def missing(report: discover.Report) -> list[str]:
    """What could not be read, and which scope would allow it."""
    text = _("%(what)s could not be read. Grant one of these scopes in HubSpot and refresh again: %(scopes)s.")
    return [text % {"what": what, "scopes": scopes} for what, scopes in report.missing.items()]


def shown(portal: Portal) -> SafeString | str:
    """All of it, for the portal's page."""
    report = report_of(portal)
    rows = [[_KINDS[kind], of or cells.EMPTY, _WORDS[word], _names(names)] for kind, of, word, names in report.news()]
    problem = portal.discovery.get("problem", "")
    return cells.blocks(
        cells.warning(problem) if problem else "",
        *(cells.warning(one) for one in missing(report)),
        _("Last time: %(news)s.") % {"news": told(report)} if portal.discovered_at else "",
        cells.table([_("what"), _("object type"), _("change"), _("names")], rows, _("What changed in HubSpot")),
    )


def _names(names: list[str]) -> SafeString | str:
    if len(names) <= 3:
        return ", ".join(names)
    more = len(names) - _NAMED
    rest = ngettext("… and %(count)d more", "… and %(count)d more", more) % {"count": more} if more > 0 else ""
    summary = ngettext("%(count)d name", "%(count)d names", len(names)) % {"count": len(names)}
    return cells.details(summary, f"{', '.join(names[:_NAMED])} {rest}")
