"""Versions: a copy of a started mapping is edited beside it, tried, and becomes its next revision when promoted."""

import dataclasses
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from crmsync.engine import config, configdiff, configtext, terms
from crmsync.flows import advance, configure, lifecycle
from crmsync.ledger import canaries, configrows, configs, portals, steps
from crmsync.models import AcceptedProof, Canary, Mapping

State = terms.MappingState
_SUFFIX = " (new version)"
_LONGEST = 100


class VersionError(Exception):
    """Why a version cannot be prepared or promoted: one sentence with the remedy."""


@dataclass(frozen=True, slots=True)
class Promotion:
    """What promoting would change. ``overtaken``: what was edited in the live mapping since the version was made, and
    would be taken back. ``waiting``: at most so many records are planned again at once. ``seen``: both revisions."""

    changes: tuple[configdiff.ConfigChange, ...]
    overtaken: tuple[configdiff.ConfigChange, ...]
    waiting: int
    seen: str


# --- Preparing ----------------------------------------------------------------------------------------------------


def find(mapping: Mapping) -> Mapping | None:
    """The version that is being prepared of a mapping."""
    return Mapping.objects.filter(version_of=mapping).first()


def refuse(mapping: Mapping) -> str:
    """Why no version of a mapping can be prepared; "" if one can."""
    if mapping.version_of_id is not None:
        return f"“{mapping}” is a new version itself. Edit it, and promote it when it is ready."
    if mapping.locked_by:
        return (
            f"“{mapping}” is kept in the file “{mapping.locked_by}”. Edit that file, and look at what it changes with"
            " crmsync_config plan."
        )
    if not State(mapping.state).is_started:
        return f"“{mapping}” is not live: edit it as it is."
    if (other := find(mapping)) is not None:
        return f"“{other}” is prepared already. Edit it, promote it, or delete it."
    return ""


def prepare(mapping: Mapping, by_id: int | None) -> Mapping:
    """Make a draft with all that the mapping says; it never runs by itself. VersionError as ``refuse`` says."""
    with transaction.atomic():
        live = Mapping.objects.select_for_update().get(pk=mapping.pk)
        name = live.label[: _LONGEST - len(_SUFFIX)] + _SUFFIX
        why = refuse(live)
        if not why and Mapping.objects.filter(label=name).exists():
            why = f"There is a mapping “{name}”. Rename that one first."
        if why:
            raise VersionError(why)
        (row,) = configs.rows_of(live.portal, [live.label])
        given = dataclasses.replace(configs.read(row), name=name)
        made = configrows.write(live.portal, None, given)
        configrows.write_associations(made, given.associations)
        made.version_of, made.is_provisioned = live, live.is_provisioned
        made.save(update_fields=["version_of", "is_provisioned"])
        _copy_accepted(live, made)
        note = f"{steps.CREATED}: from revision {live.revision} of “{live}”"
        steps.record(made, made.state, by_id=by_id, note=note, config=configure.text_of(made))
    return made


def _copy_accepted(source: Mapping, target: Mapping) -> None:
    """What persons accepted of the proof counts for the same field of the other mapping, too."""
    fields = {(one.local, one.remote): one.pk for one in target.fields.all()}
    rows = AcceptedProof.objects.filter(field__mapping=source).select_related("field")
    found = [(fields.get((one.field.local, one.field.remote)), one) for one in rows]
    copies = [AcceptedProof(field_id=pk, key=one.key, by_id=one.by_id) for pk, one in found if pk is not None]
    AcceptedProof.objects.bulk_create(copies, ignore_conflicts=True)


def discard(version: Mapping) -> None:
    """Delete a version; the mapping that it is a version of is not touched. VersionError while a canary is open."""
    _live(version)
    if canaries.find_open(version) is not None:
        raise VersionError(f"A canary of “{version}” is open. Drop it first: its records are put back then.")
    version.delete()


# --- Promoting ----------------------------------------------------------------------------------------------------


def foresee(version: Mapping) -> Promotion:
    """What promoting a version would change; ConfigError with everything that keeps it from being promoted."""
    live = _live(version)
    text = _text(version)
    plan = configure.make_plan(live.portal, text, configure.Options(chosen=(live.label,)))
    count = portals.backlog_of(live, canaries.links_of(version))
    return Promotion(plan.changes, _overtaken(version, live), count, seen_of(version))


def seen_of(version: Mapping) -> str:
    """Both revisions, as whoever looked at them sends them back."""
    return f"{version.revision}.{_live(version).revision}"


def promote(version: Mapping, by_id: int | None, *, may_approve: bool, seen: str = "") -> configure.Plan:
    """Make the version the next revision of its mapping, which keeps its state, links and name; the version is gone.

    ``seen``: what ``foresee`` said, else what is there now. VersionError where either was edited since or the canary
    is being dropped; LifecycleError and SpecError where the version may not run; ConfigError as ``foresee``.
    """
    live = _live(version)
    advance.check_runs(version)
    lifecycle.check_ready(version, may_approve=may_approve)
    with transaction.atomic():
        _lock(version, live, seen or seen_of(version))
        canary = canaries.lock(version)
        if canary is not None and canary.is_dropping:
            raise VersionError("The canary is being dropped. Finish that first.")
        note = f"{steps.EDITED}: “{version}” was promoted"
        plan = configure.apply(
            live.portal, _text(version), configure.Options(chosen=(live.label,), by_id=by_id, note=note)
        )
        row = Mapping.objects.get(pk=live.pk)
        if version.is_provisioned and not row.is_provisioned:
            Mapping.objects.filter(pk=row.pk).update(is_provisioned=True)
        _copy_accepted(version, row)
        _count_steps(version, row, by_id)
        _let_go(canary, version)
        version.delete()
    return plan


def _live(version: Mapping) -> Mapping:
    if version.version_of_id is None:
        raise VersionError(f"“{version}” is no new version. Prepare one on the page of a live mapping.")
    return Mapping.objects.select_related("portal").get(pk=version.version_of_id)


def _text(version: Mapping) -> str:
    """The version as a file would have it, under the name of the live mapping."""
    return _named(configure.text_of(version), _live(version).label)


def _named(text: str, name: str) -> str:
    (one,) = configtext.from_text(text)
    return configtext.to_text([dataclasses.replace(one, name=name)])


def _overtaken(version: Mapping, live: Mapping) -> tuple[configdiff.ConfigChange, ...]:
    """What lies between the live mapping when the version was made of it, and now."""
    first = version.steps.order_by("id").values_list("config", flat=True).first()
    return configdiff.compare(_read(first, live.label), _read(configure.text_of(live), live.label)) if first else ()


def _read(text: str, name: str) -> list[config.MappingConfig]:
    return configtext.from_text(_named(text, name))


def _lock(version: Mapping, live: Mapping, seen: str) -> None:
    rows = Mapping.objects.select_for_update().filter(pk__in=[version.pk, live.pk])
    found = dict(rows.order_by("pk").values_list("pk", "revision"))
    if f"{found.get(version.pk)}.{found.get(live.pk)}" != seen:
        raise VersionError(f"“{version}” or “{live}” was edited meanwhile. Look at what changes again.")


def _count_steps(version: Mapping, row: Mapping, by_id: int | None) -> None:
    """What was tested and approved of the version counts for the new revision; what is missing is recorded."""
    life = lifecycle.find_life(version)
    for state, is_done in ((State.TESTED, life.is_tested), (State.APPROVED, life.is_approved)):
        step = steps.latest(version, state) if is_done else None
        note = step.note if step else "recorded with the promotion"
        text = configure.text_of(row)
        steps.record(row, state, by_id=step.by_id if step else by_id, note=note, config=text)


def _let_go(canary: Canary | None, version: Mapping) -> None:
    if canary is not None:
        canaries.end(canary, f"“{version}” was promoted.", timezone.now())
