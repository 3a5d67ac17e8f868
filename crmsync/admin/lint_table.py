"""The contract of a mapping as its page shows it: each finding with its row, what happens, and the remedy."""

from collections.abc import Iterable

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crmsync.admin import cells, page, verdict
from crmsync.engine import findings
from crmsync.flows import lint
from crmsync.models import Mapping

Severity = findings.Severity
_GONE = {findings.Code.PROPERTY_MISSING, findings.Code.PROPERTY_ARCHIVED}
_MARKS = {Severity.ERROR: ("bad", "✗"), Severity.WARNING: ("warn", "!"), Severity.INFO: ("quiet", "i")}


def contract(home: page.Page, mapping: Mapping) -> SafeString | str:
    """What must be mended in sight, what is only good to know on demand; two queries beside the catalogue's."""
    found = verdict.of(mapping).findings
    told = [one for one in found if one.severity is not Severity.INFO]
    more = [one for one in found if one.severity is Severity.INFO]
    text = ngettext("%(count)d remark", "%(count)d remarks", len(more)) % {"count": len(more)}
    return cells.blocks(
        _table(home, told) if told else cells.badge(_("Nothing to mend"), "good", "✓"),
        cells.details(text, _table(home, more)) if more else "",
        cells.note(_("As of the last “Refresh fields” on the portal's page.")),
    )


def _table(home: page.Page, found: Iterable[lint.Finding]) -> SafeString | str:
    rows = [[_mark(one), _where(home, one), _words(one)] for one in found]
    return cells.table([_("level"), _("where"), _("what, and what to do")], rows, _("Contract"))


def _mark(one: lint.Finding) -> SafeString:
    return cells.lines(cells.badge(_(one.severity.label), *_MARKS[one.severity]), cells.note(one.code))


def _where(home: page.Page, one: lint.Finding) -> SafeString | str:
    if one.field_id is None:
        return one.field or cells.EMPTY
    link = cells.link(home.url_of("fieldmapping_change", one.field_id), one.field)
    if one.code not in _GONE:
        return link
    url = home.url_of("mapping_replace", one.mapping_id, one.field_id)
    return cells.lines(link, cells.link(url, _("Replace with …")))


def _words(one: lint.Finding) -> SafeString:
    return cells.lines(one.sentence, cells.note(one.effect), one.remedy)
