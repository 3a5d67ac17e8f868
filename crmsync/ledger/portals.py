"""Portals: how each stands, which mappings run, and who stands for its owners; the only writer of user links."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db import models, transaction
from django.db.models.functions import Lower
from django.utils import timezone

from crmsync import signals
from crmsync.engine import terms
from crmsync.ledger import cursors, queue, steps
from crmsync.models import Cursor, InboxEvent, Link, Mapping, OutboxEntry, Portal, Tick, UserLink, choices

State = choices.PortalState


def set_state(portal: Portal, state: str, reason: str = "") -> bool:
    """Turn a portal to a state; work of a portal that is not connected waits. Whether it was in another one."""
    now = timezone.now()
    values = {"state": state, "state_reason": reason, "state_at": now}
    changed = Portal.objects.filter(pk=portal.pk).exclude(state=state).update(**values)
    portal.state, portal.state_reason = state, reason
    if changed:
        signals.portal_state_changed.send_robust(Portal, portal_id=portal.pk, state=state, reason=reason)
    return bool(changed)


def learn(portal: Portal, facts: dict[str, Any]) -> None:
    """Store what HubSpot says of the account, and nothing else: workers write other columns meanwhile."""
    for name, value in facts.items():
        setattr(portal, name, value)
    portal.save(update_fields=None if portal.pk is None else list(facts))


def wait(portal_id: int, until: datetime | None, code: str = "") -> None:
    """Make no call to a portal before ``until`` (None: from now on calls are made); its work is kept."""
    Portal.objects.filter(pk=portal_id).update(waits_until=until, waits_code=code)


def miss_scopes(portal: Portal, scopes: Iterable[str]) -> None:
    """Remember scopes that HubSpot refused a call for; a later grant of them is what starts the work again."""
    portal.missing_scopes = sorted({*portal.missing_scopes, *scopes})
    Portal.objects.filter(pk=portal.pk).update(missing_scopes=portal.missing_scopes)


def see_other_install(portal_id: int, name: str) -> bool:
    """Another installation left its mark in this account: nothing is done until a person confirms that this one
    may work beside it. Whether that is still to be done."""
    portal = Portal.objects.get(pk=portal_id)
    if portal.fingerprint.get("beside") == name:
        return False
    Portal.objects.filter(pk=portal_id).update(other_install=name)
    return True


def hold(holder: Portal | Mapping, direction: str) -> None:
    """Stop one direction of a portal or mapping, or neither (choices.Held); what waited for it is looked at again."""
    type(holder)._default_manager.filter(pk=holder.pk).update(held=direction)
    holder.held = direction
    wake(holder, ("portal.held", "portal.read_only"))


def wake(holder: Portal | Mapping, codes: Collection[str]) -> None:
    """Look again now at what waited for one of these reasons."""
    now = timezone.now()
    field = "mapping" if isinstance(holder, Mapping) else "mapping__portal"
    for model in (OutboxEntry, InboxEvent):
        pks = model._default_manager.filter(**{field: holder}).values("pk")
        queue.wake(model._default_manager.filter(pk__in=pks), codes, now)


def retry_for(portal: Portal, codes: Collection[str]) -> int:
    """Retry what needed attention for one of these reasons, because the reason may be gone; how many rows."""
    now, count = timezone.now(), 0
    for model in (OutboxEntry, InboxEvent):
        rows = model._default_manager.filter(mapping__portal=portal, last_code__in=codes, lease="")
        count += queue.retry(model._default_manager.filter(pk__in=list(rows.values_list("pk", flat=True))), now)
    return count


def stop_mapping(mapping_id: int, reason: str, code: str = "", *, by_id: int | None = None) -> None:
    """Pause a mapping that cannot run, with the sentence staff will read; its work is kept."""
    stopped = Mapping.objects.filter(pk=mapping_id, state=terms.MappingState.LIVE).update(
        state=terms.MappingState.PAUSED, problem=reason, problem_code=code
    )
    if stopped:
        steps.record(Mapping.objects.get(pk=mapping_id), terms.MappingState.PAUSED, by_id=by_id, note=reason)


def resume_stopped(portal: Portal, code: str) -> list[Mapping]:
    """Set live again what was stopped for one reason that is gone now; which mappings."""
    rows = Mapping.objects.filter(portal=portal, state=terms.MappingState.PAUSED, problem_code=code)
    found = list(rows)
    rows.update(state=terms.MappingState.LIVE, problem="", problem_code="")
    steps.record_all(found, terms.MappingState.LIVE, f"{code} is gone")
    return found


def start_mapping(mapping: Mapping, now: datetime) -> None:
    """Set a mapping live: from now on both sides' changes are captured and polled; an old problem is forgotten."""
    cursors.ensure(mapping.pk, now)
    mapping.state, mapping.problem, mapping.problem_code = terms.MappingState.LIVE, "", ""
    mapping.save(update_fields=["state", "problem", "problem_code"])


@transaction.atomic
def detach(portal: Portal) -> int:
    """Forget the account and all that is tied to its records: links, queues, cursors; how many links.

    Mappings stay, as drafts of a portal that is not connected: nothing here can reach that account again.
    """
    mappings = Mapping.objects.filter(portal=portal)
    for model in (OutboxEntry, InboxEvent, Cursor):
        model._default_manager.filter(mapping__in=mappings).delete()
    count, _ = Link.objects.filter(portal=portal).delete()
    steps.record_all(mappings, terms.MappingState.DRAFT, "the portal was detached")
    mappings.update(state=terms.MappingState.DRAFT, is_provisioned=False, problem="", problem_code="", held="")
    facts = {
        "hub_id": None,
        "fingerprint": {},
        "other_install": "",
        "account_type": "",
        "ui_domain": "",
        "app_id": None,
    }
    learn(portal, facts | {"scopes": [], "are_scopes_known": False, "missing_scopes": [], "webhook_at": None})
    return count


def backlog(portal: Portal) -> tuple[int, datetime | None]:
    """How much waits in both queues of a portal, and since when the oldest of it does."""
    found = [
        model._default_manager.filter(mapping__portal=portal, state=terms.QueueState.DUE).aggregate(
            count=models.Count("pk"), oldest=models.Min("captured_at")
        )
        for model in (OutboxEntry, InboxEvent)
    ]
    oldest = min((one["oldest"] for one in found if one["oldest"]), default=None)
    return sum(one["count"] for one in found), oldest


def backlog_of(mapping: Mapping, links: models.QuerySet) -> int:
    """How many records wait in both queues of a mapping, or are of these links; in both queues they count twice."""
    due = {"mapping": mapping, "state": terms.QueueState.DUE}
    pushes = OutboxEntry.objects.filter(**due).exclude(local_pk__in=links.values("local_pk"))
    pulls = InboxEvent.objects.filter(**due).exclude(remote_id__in=links.values("remote_id"))
    return pushes.count() + pulls.count() + links.count()


def speak(portal: Portal, version: str) -> None:
    """From now on a portal is called under another API version."""
    portal.api_version = version
    Portal.objects.filter(pk=portal.pk).update(api_version=version)


def store_rehearsal(portal: Portal, report: dict[str, Any]) -> None:
    """Remember what the last rehearsal of another API version found."""
    portal.rehearsal = report
    Portal.objects.filter(pk=portal.pk).update(rehearsal=report)


def ticks(portal: Portal) -> dict[str, Tick]:
    """The steps of a portal that persons have confirmed, by key."""
    return {one.key: one for one in Tick.objects.filter(portal=portal).select_related("user")}


def tick(portal: Portal, key: str, user_id: int | None) -> None:
    """Remember that a person has done a step; whoever confirmed it first stays."""
    Tick.objects.get_or_create(portal=portal, key=key, defaults={"user_id": user_id})


def untick(portal: Portal, key: str) -> bool:
    """Take a confirmation back; whether there was one."""
    return bool(Tick.objects.filter(portal=portal, key=key).delete()[0])


def bump(mapping: Mapping) -> None:
    """A mapping was edited: its revision grows and an old problem is forgotten; what was tested or approved is a
    draft again."""
    ready = (terms.MappingState.TESTED, terms.MappingState.APPROVED)
    if Mapping.objects.filter(pk=mapping.pk, state__in=ready).update(state=terms.MappingState.DRAFT):
        mapping.state = terms.MappingState.DRAFT
    mapping.revision += 1
    mapping.problem = mapping.problem_code = ""
    mapping.save(update_fields=["revision", "problem", "problem_code"])


def is_at(mapping_id: int, revision: int) -> bool:
    """Whether a mapping still is as it was when it was frozen."""
    return Mapping.objects.filter(pk=mapping_id, revision=revision).exists()


def store_owners(portal: Portal, rows: Iterable[UserLink]) -> dict[str, int]:
    """Store HubSpot's owners; whoever has no user yet is linked to the local user of the same e-mail.

    A link that staff made or removed by hand is left alone, and an owner is never forgotten: records of the
    past name them.
    """
    rows = list(rows)
    known = {link.owner_id: link for link in UserLink.objects.filter(portal=portal)}
    users = _users_by_email(row.email for row in rows)
    counts = {"added": 0, "matched": 0, "known": len(known)}
    with transaction.atomic():
        for row in rows:
            one = known.get(row.owner_id, row)
            if one is row:
                counts["added"] += 1
            else:
                one.email, one.name, one.is_archived = row.email, row.name, row.is_archived
                one.hubspot_user_id = row.hubspot_user_id or one.hubspot_user_id
            if one.user_id is None and not one.is_by_hand:
                one.user_id = users.get(row.email.strip().lower())
                counts["matched"] += one.user_id is not None
            one.save()
    return counts


def _users_by_email(emails: Iterable[str]) -> dict[str, int]:
    wanted = {email.strip().lower() for email in emails if email.strip()}
    user = get_user_model()
    rows = user._default_manager.annotate(lowered=Lower(user.get_email_field_name())).filter(lowered__in=wanted)
    found: dict[str, int] = {}
    for email, pk in rows.order_by("-pk").values_list("lowered", "pk"):
        found[email] = pk
    return found
