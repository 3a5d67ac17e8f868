"""Banner: what every crmsync page says of what does not work as usual, and where that is mended; one query where
all is well."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.contrib import admin
from django.http import HttpRequest
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crmsync import conf
from crmsync.admin import schema_news, support
from crmsync.engine import environment as engine_environment
from crmsync.flows import environment
from crmsync.ledger import vanished
from crmsync.models import Portal, choices

# More than these and the page below is not seen any more.
_SHOWN = 5
# An end of support this many days ahead is time to rehearse the next version.
WARN_DAYS = 90
_State = choices.PortalState
# In these a portal has lost its access; in the others somebody wanted it so.
_LOST = (_State.REVOKED, _State.UNINSTALLED, _State.KEY_MISSING)
_COLUMNS = (
    *("label", "hub_id", "state", "state_reason", "held", "waits_until", "waits_code"),
    *("account_type", "api_version", "fingerprint", "other_install"),
)


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is not as usual; ``kind`` is bad or warn, ``sign`` says the same without colour."""

    kind: str
    sentence: str

    @property
    def sign(self) -> str:
        return "✗" if self.kind == "bad" else "!"


@dataclass(frozen=True, slots=True)
class Banner:
    """What is up with a portal, and the page that mends it ("" where the person may not see it)."""

    name: str
    troubles: tuple[Trouble, ...]
    url: str = ""
    link: str = ""

    @property
    def kind(self) -> str:
        return "bad" if any(one.kind == "bad" for one in self.troubles) else "warn"


def find(page: admin.ModelAdmin, request: HttpRequest) -> list[Banner]:
    """The banners of a page, worst first, the sixth and later ones as a number."""
    now, may_open = timezone.now(), _may_open(page, request)
    found = [_read_only()] if conf.current().READ_ONLY else []
    portals = list(vanished.with_losses(Portal.objects.only(*_COLUMNS)))
    for portal in portals:
        if troubles := tuple(troubles_of(portal, now)):
            url = page.object_url(portal) if may_open else ""
            found.append(Banner(str(portal), troubles, url, _("Open the portal")))
    found.sort(key=lambda one: one.kind)  # "bad" is before "warn"
    gone = schema_news.find(page, request) if any(one.has_losses for one in portals) else []
    news = [Banner(one.name, (Trouble("bad", one.sentence),), one.url, one.link) for one in gone]
    return [*found[:_SHOWN], *_rest(page, len(found) - _SHOWN, may_open=may_open), *news]


def troubles_of(portal: Portal, now: datetime) -> Iterator[Trouble]:
    """What keeps a portal from working as usual, or soon will. No query."""
    if portal.state != _State.CONNECTED:
        kind = "bad" if portal.state in _LOST else "warn"
        yield Trouble(kind, _join(_sentence(portal.get_state_display()), portal.state_reason))
    elif portal.waits_until and portal.waits_until > now:
        until = formats.date_format(timezone.localtime(portal.waits_until), "DATETIME_FORMAT")
        yield Trouble("warn", _("No call is made before %(time)s (%(code)s).") % _waits(portal, until))
    if portal.held:
        yield Trouble("warn", _sentence(portal.get_held_display()))
    if portal.state != _State.NEW:
        yield from _of_installation(portal)
    yield from _of_version(portal, now)


def _of_installation(portal: Portal) -> Iterator[Trouble]:
    verdict = environment.judge(portal)
    if verdict.state is engine_environment.State.LOCKED:  # its page lists the parts that differ
        yield Trouble("bad", _join(_("Locked: this installation is not the one that connected it."), verdict.remedy))
    elif verdict.state is engine_environment.State.REFUSED:
        yield Trouble("bad", _join(verdict.reason, verdict.remedy))
    if portal.other_install:
        text = _("Another installation (%(name)s) works with this account: confirm this one first.")
        yield Trouble("bad", text % {"name": portal.other_install})


def _of_version(portal: Portal, now: datetime) -> Iterator[Trouble]:
    ends, days = support.ends(portal, timezone.localdate(now))
    version = support.present(portal)
    if ends is None or days is None:
        text = _("crmsync does not speak API version %(version)s: switch to another one.")
        yield Trouble("bad", text % {"version": version})
        return
    if days >= WARN_DAYS:
        return
    facts = {"version": version, "date": formats.date_format(ends), "days": days}
    if days < 0:
        yield Trouble("bad", _("HubSpot's support of API version %(version)s ended on %(date)s.") % facts)
        return
    text = ngettext(
        "HubSpot's support of API version %(version)s ends on %(date)s, in %(days)d day.",
        "HubSpot's support of API version %(version)s ends on %(date)s, in %(days)d days.",
        days,
    )
    yield Trouble("warn", text % facts)


def _read_only() -> Banner:
    text = _("This installation reads HubSpot and writes nothing there: CRMSYNC['READ_ONLY'] is set.")
    return Banner(_("Read-only"), (Trouble("warn", text),))


def _may_open(page: admin.ModelAdmin, request: HttpRequest) -> bool:
    found = page.admin_site._registry.get(Portal)
    return found is not None and found.has_view_or_change_permission(request)


def _rest(page: admin.ModelAdmin, count: int, *, may_open: bool) -> list[Banner]:
    if count <= 0:
        return []
    text = ngettext("%(count)d more portal needs a look.", "%(count)d more portals need a look.", count)
    url = page.list_url(Portal) if may_open else ""
    return [Banner("", (Trouble("warn", text % {"count": count}),), url, _("All portals"))]


def _waits(portal: Portal, until: str) -> dict[str, str]:
    return {"time": until, "code": portal.waits_code or _("by HubSpot's wish")}


def _sentence(label: object) -> str:
    text = str(label)
    return f"{text[:1].upper()}{text[1:]}."


def _join(*sentences: str) -> str:
    return " ".join(one for one in sentences if one)
