"""Configuration as code: writes mappings into a file, says what a file would change, and changes just that."""

import dataclasses
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from django.db import transaction

from crmsync.engine import config, configdiff, configtext, terms
from crmsync.flows import configcheck, lacking
from crmsync.ledger import configrows, configs, naming, specs, steps
from crmsync.models import Canary, Mapping, Portal


@dataclass(frozen=True, slots=True)
class Options:
    """``chosen``: only mappings of these names. ``suffix``: what the portal's names have behind the file's.
    ``prunes``: what the file does not have is deleted. ``kept_in``: the file that locks its mappings, "" to unlock
    them, None to leave that as it is. ``file``: how the file is called, for sentences. ``by_id`` and ``note``: who
    applies it and why, for the history of what changes. ``creates_properties``: a property that the file sends values
    to need not be there yet; whoever applies the file creates it first (flows.prepare). ``of_version``: what is
    chosen is a new version of a mapping; files have none."""

    chosen: tuple[str, ...] = ()
    suffix: str = ""
    prunes: bool = False
    kept_in: str | None = None
    file: str = ""
    by_id: int | None = None
    note: str = ""
    creates_properties: bool = False
    of_version: bool = False


@dataclass(frozen=True, slots=True)
class Export:
    """The text of a file, and what a reader of it should know."""

    text: str
    warnings: tuple[config.Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What applying a file would change; ``wanted`` is the file with the ids of this portal, ``needed`` are the
    properties that must be created first."""

    changes: tuple[configdiff.ConfigChange, ...]
    wanted: tuple[config.MappingConfig, ...] = ()
    rows: tuple[Mapping, ...] = ()
    needed: tuple[lacking.Needed, ...] = ()

    @property
    def names(self) -> set[str]:
        """The mappings that change."""
        return {one.mapping for one in self.changes if one.place != _LOCK}


_LOCK = "kept in"


def export(portal: Portal, options: Options) -> Export:
    """The portal's mappings as a file; the same rows give the same bytes. ConfigError: a chosen one is missing."""
    names = naming.Names(portal)
    rows = _rows(portal, options)
    missing = set(options.chosen) - {_short(row.label, options) for row in rows}
    if missing:
        raise config.ConfigError(_unknown(missing, "The portal"))
    found = [_renamed(configs.by_name(configs.read(row), names), options) for row in rows]
    warnings = [*config.find_problems(found), *(one for each in found for one in _nameless(each))]
    return Export(configtext.to_text(found), tuple(warnings))


def text_of(mapping: Mapping) -> str:
    """One mapping as a file would have it, under its own name."""
    (row,) = configs.rows_of(mapping.portal, [mapping.label])
    return configtext.to_text([configs.by_name(configs.read(row), naming.Names(mapping.portal))])


def make_plan(portal: Portal, text: str, options: Options, *, lock: bool = False) -> Plan:
    """What ``apply`` would change; ConfigError with everything that keeps it from being applied."""
    return _plan(portal, text, options, _rows(portal, options, lock=lock), checks=True)


def diff(portal: Portal, text: str, options: Options) -> list[str]:
    """The rows against the file, in both directions, as lines of a unified difference; empty where they agree.

    Names that the portal does not have stay as the file has them, so they show as a difference.
    """
    options = dataclasses.replace(options, prunes=True, kept_in=None)
    plan = _plan(portal, text, options, _rows(portal, options), checks=False)
    if not plan.changes:
        return []
    head = [f"--- portal {portal.label}", f"+++ {options.file or 'file'}"]
    return [*head, *(line for one in plan.changes for line in one.unified())]


def apply(portal: Portal, text: str, options: Options) -> Plan:
    """Change what the plan says, all or nothing; a mapping that does not change keeps its revision.

    New mappings are drafts, others keep their state. ConfigError as ``make_plan``, and where a mapping that is live
    could not run afterwards; then nothing is changed.
    """
    with transaction.atomic():
        plan = make_plan(portal, text, options, lock=True)
        rows = {row.label: row for row in plan.rows}
        changed = [one for one in plan.wanted if one.name in plan.names]
        written = [configrows.write(portal, rows.get(one.name), one) for one in changed]
        for row, one in zip(written, changed, strict=True):
            configrows.write_associations(row, one.associations)
        _raise_if_broken(written)
        _remember(written, options)
        wanted = {one.name for one in plan.wanted}
        if options.prunes:
            Mapping.objects.filter(pk__in=[row.pk for row in _prunable(plan.rows, wanted, options)]).delete()
        if options.kept_in is not None:
            configrows.keep_in(Mapping.objects.filter(portal=portal, label__in=wanted), options.kept_in)
    return plan


# --- Steps --------------------------------------------------------------------------------------------------------


def _plan(portal: Portal, text: str, options: Options, rows: list[Mapping], *, checks: bool) -> Plan:
    names, by_label = naming.Names(portal), {row.label: row for row in rows}
    given = _chosen(configtext.from_text(text), options)
    known = {row.label: configs.by_name(configs.read(row), names) for row in rows}
    labels = set(Mapping.objects.filter(portal=portal, version_of=None).values_list("label", flat=True))
    wanted, shown, problems, creates = [], [], [], []
    for one in given:
        with_ids, unnamed = configs.by_id(one, names)
        wanted.append(with_ids)
        shown.append(one if unnamed else configs.by_name(with_ids, names))
        problems += _unknown_ends(one, {*labels, *(each.name for each in given)})
        if configdiff.compare([known[one.name]] if one.name in known else [], [shown[-1]]):
            creates += lacking.expect(with_ids, names) if options.creates_properties and with_ids is not one else ()
            problems += [*unnamed, *_found(one, with_ids, names, by_label.get(one.name))]
    kept = {one.name for one in given}
    if checks:
        problems += configcheck.find_cycles([*given, *(one for label, one in known.items() if label not in kept)])
        problems += _standing(rows, kept, options)
        if problems:
            raise config.ConfigError(problems)
    prunable = {row.label for row in _prunable(rows, kept, options)}
    old = [one for label, one in known.items() if label in kept | prunable]
    changes = [_counted(one, by_label) for one in configdiff.compare(old, shown, prune=options.prunes)]
    changes += _locks(given, by_label, options)
    changes = [*(one.to_change() for one in creates), *changes]
    return Plan(tuple(changes), tuple(wanted), tuple(rows), tuple(creates))


def _unknown_ends(one: config.MappingConfig, names: Collection[str]) -> Iterator[config.Problem]:
    for each in one.associations:
        if each.to not in names:
            text = f"There is no mapping “{each.to}”, neither in the file nor in the portal. Add it to the file."
            yield config.Problem(f"{one.name} › {each}", text)


def _found(
    given: config.MappingConfig, with_ids: config.MappingConfig, names: naming.Names, row: Mapping | None
) -> Iterator[config.Problem]:
    """Of a mapping that changes: what has not changed is as good as it was."""
    if with_ids is not given:  # else this portal has no such object type, and nothing of it can be looked up
        yield from configcheck.find_problems(with_ids, names, row)


def _rows(portal: Portal, options: Options, *, lock: bool = False) -> list[Mapping]:
    rows = configs.rows_of(portal, [name + options.suffix for name in options.chosen], lock=lock)
    is_version = options.of_version
    return [row for row in rows if row.label.endswith(options.suffix) and (row.version_of_id is None or is_version)]


def _chosen(given: Collection[config.MappingConfig], options: Options) -> list[config.MappingConfig]:
    missing = set(options.chosen) - {one.name for one in given}
    if missing and not options.prunes:
        raise config.ConfigError(_unknown(missing, "The file"))
    found = [one for one in given if not options.chosen or one.name in options.chosen]
    named = [_map_names(one, lambda name: name + options.suffix) for one in found]
    long = [
        config.Problem(one.name, "With the suffix the name is longer than 100 characters.")
        for one in named
        if len(one.name) > 100
    ]
    if long:
        raise config.ConfigError(long)
    return named


def _unknown(names: Iterable[str], where: str) -> list[config.Problem]:
    return [config.Problem("", f"{where} has no mapping “{name}”. Correct --mapping.") for name in sorted(names)]


def _short(label: str, options: Options) -> str:
    return label.removesuffix(options.suffix) if options.suffix else label


def _renamed(one: config.MappingConfig, options: Options) -> config.MappingConfig:
    return _map_names(one, lambda name: _short(name, options))


def _map_names(one: config.MappingConfig, change: Callable[[str], str]) -> config.MappingConfig:
    """A mapping whose name, and those of the mappings it is associated with, were changed."""
    others = tuple(dataclasses.replace(each, to=change(each.to)) for each in one.associations)
    return dataclasses.replace(one, name=change(one.name), associations=others)


def _nameless(one: config.MappingConfig) -> Iterator[config.Problem]:
    values = [value for field in one.fields for line in field.value_map for value in (line.local, line.remote)]
    values += [value for field in one.fields for value in (field.default_local, field.default_remote)]
    values += [fixed.value for fixed in one.fixed_values]
    values += [condition.value for rule in one.rules for condition in rule.conditions]
    for key in naming.find_ids(values):
        text = "no name leads to this id in the portal, so the file has the id, which means nothing in another one."
        yield config.Problem(one.name, f"{key}: {text}")
    if one.object_type.startswith("2-"):
        yield config.Problem(
            one.name, f"{one.object_type}: the object type was not discovered, so the file has its id."
        )


def _prunable(rows: Iterable[Mapping], kept: set[str], options: Options) -> list[Mapping]:
    """What the file does not have; what is kept in another file is that file's."""
    if not options.prunes:
        return []
    mine = {"", options.file, options.kept_in or ""}
    return [row for row in rows if row.label not in kept and row.locked_by in mine]


def _standing(rows: Iterable[Mapping], kept: set[str], options: Options) -> Iterator[config.Problem]:
    """What the state of rows forbids, whatever the file says of them."""
    for row in _prunable(rows, kept, options):
        if row.state == terms.MappingState.LIVE:
            text = "The file does not have this mapping, but it is live. Pause it before --prune deletes it."
            yield config.Problem(row.label, text)
        elif Canary.objects.filter(mapping=row).exists():
            text = "The file does not have this mapping, but a canary of it is open. Drop or promote that first."
            yield config.Problem(row.label, text)
    for row in rows:
        if row.label in kept and row.locked_by not in ("", options.file) and options.kept_in is None:
            text = (
                f"This mapping is kept in the file “{row.locked_by}”. Change it there, or take it over with --lock."
            )
            yield config.Problem(row.label, text)


def _counted(change: configdiff.ConfigChange, rows: dict[str, Mapping]) -> configdiff.ConfigChange:
    """A mapping takes its links along when it is deleted, so the plan says how many."""
    if change.place or change.kind is not configdiff.ChangeKind.DELETE:
        return change
    return dataclasses.replace(change, before=f"the mapping and its {rows[change.mapping].links.count()} links")


def _locks(
    given: Iterable[config.MappingConfig], rows: dict[str, Mapping], options: Options
) -> Iterator[configdiff.ConfigChange]:
    for one in given:
        was = rows[one.name].locked_by if one.name in rows else ""
        if options.kept_in is not None and was != options.kept_in:
            kind = configdiff.ChangeKind.CHANGE
            yield configdiff.ConfigChange(kind, one.name, _LOCK, was or "no file", options.kept_in or "no file")


def _remember(written: Iterable[Mapping], options: Options) -> None:
    """The new revision of each mapping in its history."""
    note = options.note or (f"{steps.EDITED}: {options.file}" if options.file else steps.EDITED)
    for row in written:
        steps.record(row, row.state, by_id=options.by_id, note=note, config=text_of(row))


def _raise_if_broken(written: Iterable[Mapping]) -> None:
    """The last net under an edit of a live mapping: it must still be one that runs."""
    problems = []
    for row in written:
        if row.state == terms.MappingState.LIVE:
            try:
                specs.load(Mapping.objects.get(pk=row.pk))  # without what was read before the edit
            except specs.SpecError as error:
                problems.append(config.Problem(row.label, str(error)))
    if problems:
        raise config.ConfigError(problems)
