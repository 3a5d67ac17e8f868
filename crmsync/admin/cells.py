"""What a cell shows: badges, arrows, times and links; text is always escaped, colour never the only sign."""

import re
from datetime import datetime, timedelta

from django.utils import formats, timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import Truncator
from django.utils.timesince import timesince, timeuntil
from django.utils.translation import gettext as _

from crmsync.engine import terms
from crmsync.models import Portal, choices

EMPTY = "–"
# Longer sentences make a changelist's rows too high.
_FOLDED = 60

_ARROWS = {terms.Direction.PUSH: "→", terms.Direction.PULL: "←", terms.Direction.BOTH: "↔"}
_OUTCOMES = {
    terms.Outcome.FAILED: ("bad", "✗"),
    terms.Outcome.CONFLICT: ("warn", "!"),
    terms.Outcome.WAITING: ("quiet", "…"),
    terms.Outcome.EXCLUDED: ("quiet", "–"),
    terms.Outcome.ARCHIVED: ("quiet", "–"),
    terms.Outcome.UNLINKED: ("quiet", "–"),
}
_STATES = {
    choices.PortalState.CONNECTED: ("good", "✓"),
    choices.PortalState.NEW: ("quiet", "…"),
    choices.PortalState.REVOKED: ("bad", "✗"),
    choices.PortalState.UNINSTALLED: ("bad", "✗"),
    choices.PortalState.KEY_MISSING: ("bad", "✗"),
    choices.PortalState.DISCONNECTED: ("quiet", "–"),
    terms.MappingState.LIVE: ("good", "✓"),
    terms.MappingState.PAUSED: ("warn", "‖"),
    terms.QueueState.PARKED: ("bad", "✗"),
    choices.RunState.FINISHED: ("good", "✓"),
    choices.RunState.FAILED: ("bad", "✗"),
    choices.LinkState.LINKED: ("good", "✓"),
}
# HubSpot: CRM object type ids; custom types are their own id.
_TYPE_IDS = {"contacts": "0-1", "companies": "0-2", "deals": "0-3", "tickets": "0-5"}
_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")


def badge(text: object, kind: str = "quiet", sign: str = "") -> SafeString:
    """A labelled mark; ``kind`` is good, warn, bad or quiet."""
    return format_html(
        '<span class="crmsync-badge crmsync-{}"><span aria-hidden="true">{}</span> {}</span>', kind, sign, text
    )


def state(value: str, label: object) -> SafeString:
    """The badge of a portal's, mapping's, link's, run's or queue row's state."""
    return badge(label, *_STATES.get(value, ("quiet", "")))


def held(value: str) -> SafeString | str:
    """The badge of a direction that a person stopped; nothing where none is."""
    words = {choices.Held.PUSH: _("pushes held"), choices.Held.PULL: _("pulls held")}
    return badge(words[choices.Held(value)], "warn", "‖") if value else ""


def outcome(value: str, label: object) -> SafeString | str:
    """The badge of what became of a record; empty until something did."""
    return badge(label, *_OUTCOMES.get(value, ("good", "✓"))) if value else EMPTY


def lines(*parts: object) -> SafeString:
    """What belongs together, one below the other; empty parts are left out."""
    shown = ((part,) for part in parts if part not in ("", EMPTY))
    return format_html_join(mark_safe("<br>"), "{}", shown) or EMPTY


def arrow(direction: str, label: object) -> SafeString:
    """Which way values flow, in a sign and in words: Django is on the left, HubSpot on the right."""
    return format_html(
        '<span class="crmsync-arrow" aria-hidden="true">{}</span> {}', _ARROWS[terms.Direction(direction)], label
    )


def joined(left: str, direction: str, label: object, right: str) -> SafeString:
    """Two names with the arrow of their direction between them."""
    sign = _ARROWS[terms.Direction(direction)]
    return format_html(
        '{} <span class="crmsync-arrow" role="img" title="{}" aria-label="{}">{}</span> {}',
        left,
        label,
        label,
        sign,
        right,
    )


def when(value: datetime | None) -> SafeString | str:
    """How long ago or ahead, with the moment and its zone on hover."""
    if value is None:
        return EMPTY
    local, now = timezone.localtime(value), timezone.now()
    if abs((now - value).total_seconds()) < 60:
        text = _("just now")
    elif value < now:
        text = _("%(time)s ago") % {"time": timesince(value, now, depth=1)}
    else:
        text = _("in %(time)s") % {"time": timeuntil(value, now, depth=1)}
    moment = f"{formats.date_format(local, 'DATETIME_FORMAT')} {local.tzname()}"
    return format_html('<time datetime="{}" title="{}">{}</time>', value.isoformat(), moment, text)


def link(url: str, text: object) -> SafeString:
    return format_html('<a href="{}">{}</a>', url, text)


def outward(url: str, text: object) -> SafeString:
    """A link that leaves this site."""
    return format_html(
        '<a href="{}" target="_blank" rel="noopener noreferrer">{} <span aria-hidden="true">↗︎</span></a>', url, text
    )


def note(text: object) -> SafeString:
    """A remark below what it is about."""
    return format_html('<span class="crmsync-note">{}</span>', text)


def warning(text: object) -> SafeString:
    """What needs a person, on its own line."""
    return format_html('<div class="crmsync-warning"><span aria-hidden="true">!</span> {}</div>', text)


def duration(seconds: float) -> str:
    """About how long, in words."""
    now = timezone.now()
    text = timesince(now - timedelta(seconds=max(seconds, 60)), now, depth=1)
    return text if seconds >= 60 else _("less than a minute")


def meter(value: int, most: int, text: object) -> SafeString:
    """How much of something is left, as a bar and in words."""
    return format_html(
        '<progress max="{}" value="{}" aria-label="{}"></progress> {}', most, min(value, most), text, text
    )


def number(value: int | None) -> str:
    """A count with its thousands parted; a dash where it is not known."""
    return EMPTY if value is None else formats.number_format(value, use_l10n=True, force_grouping=True)


def blocks(*parts: object) -> SafeString | str:
    """Parts that stand below each other as blocks; empty ones are left out."""
    shown = [(part,) for part in parts if part not in ("", None, EMPTY)]
    return format_html_join("", '<div class="crmsync-block">{}</div>', shown) or EMPTY


def details(summary: object, inner: object) -> SafeString:
    """What is shown on demand."""
    return format_html('<details class="crmsync-details"><summary>{}</summary>{}</details>', summary, inner)


def copyable(text: str, hint: object) -> SafeString:
    """A value to be copied elsewhere."""
    return format_html('<code class="crmsync-copy">{}</code><span class="crmsync-note">{}</span>', text, hint)


def hubspot_record(portal: Portal, object_type: str, remote_id: str | None) -> SafeString | str:
    """The record's page in HubSpot, where the account is known."""
    if not remote_id:
        return EMPTY
    if portal.hub_id is None:
        return remote_id
    domain = portal.ui_domain if _DOMAIN.fullmatch(portal.ui_domain) else "app.hubspot.com"
    type_id = _TYPE_IDS.get(object_type, object_type)
    return outward(f"https://{domain}/contacts/{portal.hub_id}/record/{type_id}/{remote_id}", remote_id)


def bullets(lines: list[object]) -> SafeString | str:
    """A short list, or a dash."""
    if not lines:
        return EMPTY
    inner = format_html_join("", "<li>{}</li>", ((line,) for line in lines))
    return format_html('<ul class="crmsync-list">{}</ul>', inner)


def folded(text: str) -> SafeString | str:
    """A sentence that may be long: its beginning, and all of it on demand."""
    if len(text) <= _FOLDED:
        return text or EMPTY
    return format_html(
        '<details class="crmsync-folded"><summary>{}</summary>{}</details>', Truncator(text).chars(_FOLDED), text
    )


def table(head: list[object], rows: list[list[object]], label: object = "") -> SafeString | str:
    """A small table inside a form; cells are escaped unless they are safe already. ``label`` names it."""
    if not rows:
        return EMPTY
    return format_html(
        '<div class="crmsync-scroll" tabindex="0" role="region" aria-label="{}">'
        '<table class="crmsync-table"><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>',
        label or head[0],
        format_html_join("", '<th scope="col">{}</th>', ((one,) for one in head)),
        format_html_join(
            "", "<tr>{}</tr>", ((format_html_join("", "<td>{}</td>", ((c,) for c in row)),) for row in rows)
        ),
    )
