"""API usage of a portal: what is left today, calls per day as a chart, and the printable report."""

from datetime import date, datetime, timedelta

from django.utils import formats, timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crmsync import conf
from crmsync.admin import cells, scope_table
from crmsync.engine import quota, tiers
from crmsync.ledger import usage
from crmsync.models import Portal

Day = tuple[date, int, int, int]
"""(day, calls, failed, over the limit)."""

DAYS = 30
# The chart's own units: a bar and the gap after it, and its height. It grows with the page.
_BAR, _GAP, _HIGH = 16, 4, 120


def left_today(portal: Portal, now: datetime) -> int | None:
    """Calls the account has left today, as HubSpot last said; None where it did not say so today."""
    if portal.daily_remaining is None or portal.limits_at is None:
        return None
    is_today = quota.day_of(portal.limits_at, portal.time_zone) == quota.day_of(now, portal.time_zone)
    return portal.daily_remaining if is_today else None


def tier_of(portal: Portal) -> tiers.Tier:
    """The account's tier, guessed from its limits."""
    is_oauth = scope_table.kind_of(portal) == scope_table.OAUTH
    return tiers.guess(portal.burst_limit, portal.daily_limit, is_oauth)


def tier(portal: Portal) -> SafeString | str:
    """The tier in words, and what it lacks: told as unavailable, which is no error."""
    found = tier_of(portal)
    features = [
        cells.lines(cells.badge(f"{_(one.title)}: {_(one.state.label)}", "quiet", "–"), cells.note(_(one.words)))
        for one in tiers.features_of(found)
        if one.state is tiers.FeatureState.UNAVAILABLE
    ]
    text = cells.lines(_(found.label), cells.note(_("Guessed from the account's limits: HubSpot tells no tier.")))
    return cells.blocks(text, *features)


def pace(portal: Portal) -> str:
    """How fast HubSpot lets us call."""
    if portal.burst_limit is None:
        return _("HubSpot has not said yet; %(count)s calls in 10 seconds are assumed.") % {
            "count": conf.current().BURST_PER_10_SECONDS
        }
    return _("%(count)s calls in 10 seconds") % {"count": portal.burst_limit}


def budget(portal: Portal) -> SafeString | str:
    """The day's calls: what is left of them, and how many of those are for crmsync."""
    if portal.daily_limit is None:
        return _("HubSpot tells no daily limit for this credential.")
    left = left_today(portal, timezone.now())
    facts = {"limit": cells.number(portal.daily_limit), "left": cells.number(left)}
    if left is None:
        return _("%(limit)s calls a day; how many are left today shows with the next call.") % facts
    share = conf.current().DAILY_SHARE
    ours = quota.left_for_us(portal.daily_limit, left, share)
    sentence = _("crmsync may use %(ours)s of them: %(rest)s %% of the day are left to the account's other apps.")
    told = sentence % {"ours": cells.number(ours), "rest": round((1 - share) * 100)}
    shown = cells.meter(left, portal.daily_limit, _("%(left)s of %(limit)s calls are left today") % facts)
    return cells.lines(shown, cells.note(told), cells.note(_resets(portal)))


def _resets(portal: Portal) -> SafeString:
    midnight = quota.next_midnight(timezone.now(), portal.time_zone)
    return format_html("{} {}", _("The day of the account ends"), cells.when(midnight))


def waits(portal: Portal) -> SafeString | str:
    """Until when no call is made, and why."""
    if portal.waits_until is None or portal.waits_until <= timezone.now():
        return cells.EMPTY
    return format_html("{} ({})", cells.when(portal.waits_until), portal.waits_code)


def chart_of(portal: Portal) -> SafeString | str:
    """The calls of the last days; one query."""
    today = quota.day_of(timezone.now(), portal.time_zone)
    return chart(usage.by_day(portal.pk, today - timedelta(days=DAYS - 1)), today)


def chart(days: list[Day], today: date, *, numbers: bool = True, length: int = DAYS) -> SafeString | str:
    """Bars, one a day up to today; ``numbers``: with a table of them for whoever does not see bars."""
    if not days:
        return _("No call was made in these days.")
    by_day = {one[0]: one for one in days}
    shown = [today - timedelta(days=ago) for ago in range(length - 1, -1, -1)]
    rows = [by_day.get(day, (day, 0, 0, 0)) for day in shown]
    highest = max(1, *(calls for _day, calls, _failed, _limited in rows))
    total = sum(calls for _day, calls, _failed, _limited in rows)
    title = ngettext("%(total)s call in %(days)d days", "%(total)s calls in %(days)d days", total)
    label = title % {"total": cells.number(total), "days": length}
    bars = format_html_join("", "{}", ((_bar(place, row, highest),) for place, row in enumerate(rows)))
    picture = format_html(
        '<svg class="crmsync-chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>',
        length * (_BAR + _GAP),
        _HIGH,
        label,
        bars,
    )
    span = _("%(first)s to %(last)s; the highest bar is %(highest)s calls.") % {
        "first": formats.date_format(shown[0]),
        "last": formats.date_format(shown[-1]),
        "highest": cells.number(highest),
    }
    listed = cells.details(_("The numbers"), table(days)) if numbers else ""
    return cells.blocks(label, picture, cells.note(span), listed)


def table(days: list[Day]) -> SafeString | str:
    """The days on which calls were made, newest first."""
    rows = [
        [formats.date_format(day), cells.number(calls), cells.number(failed), cells.number(limited)]
        for day, calls, failed, limited in reversed(days)
    ]
    return cells.table([_("day"), _("calls"), _("failed"), _("over the limit")], rows, _("Calls per day"))


def _bar(place: int, row: Day, highest: int) -> SafeString:
    """One day: all its calls, and on top of its foot those that failed."""
    day, calls, failed, limited = row
    text = _("%(day)s: %(calls)s calls, %(failed)s failed, %(limited)s over the limit") % {
        "day": formats.date_format(day),
        "calls": cells.number(calls),
        "failed": cells.number(failed),
        "limited": cells.number(limited),
    }
    high = round(calls / highest * (_HIGH - 2))
    low = round(min(failed, calls) / highest * (_HIGH - 2))
    left = place * (_BAR + _GAP)
    return format_html(
        '<g><title>{}</title><rect class="crmsync-foot" x="{}" y="{}" width="{}" height="2"></rect>'
        '<rect class="crmsync-bar" x="{}" y="{}" width="{}" height="{}"></rect>'
        '<rect class="crmsync-bar-failed" x="{}" y="{}" width="{}" height="{}"></rect></g>',
        text,
        *(left, _HIGH - 2, _BAR),
        *(left, _HIGH - 2 - high, _BAR, high),
        *(left, _HIGH - 2 - low, _BAR, low),
    )


def families(rows: tuple[tuple[str, str, int, int], ...]) -> SafeString | str:
    """Which endpoints were called, most called first."""
    shown = [
        [name, version or cells.EMPTY, cells.number(calls), cells.number(failed)]
        for name, version, calls, failed in rows
    ]
    return cells.table([_("endpoints"), _("version"), _("calls"), _("failed")], shown, _("Calls by endpoint"))
