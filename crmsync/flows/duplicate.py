"""Duplicate: a mapping as a draft in another portal, with all that portal can take; what it cannot is told."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

from crmsync.engine import config, configtext
from crmsync.flows import configure
from crmsync.ledger import steps
from crmsync.models import Mapping, Portal

_PARTS = ("match_keys", "fields", "rules", "fixed_values", "associations")


@dataclass(frozen=True, slots=True)
class Copy:
    """The text that can be applied, and the problems of what was left out of it."""

    text: str
    options: configure.Options
    plan: configure.Plan
    left_out: tuple[config.Problem, ...] = ()


def make_copy(mapping: Mapping, portal: Portal, suffix: str) -> Copy:
    """What a copy in this portal would be, part by part; ConfigError where there can be none at all.

    Names are found anew there: stages by label, owners by e-mail, object types by name.
    """
    (whole,) = configtext.from_text(configure.text_of(mapping))
    options = configure.Options(suffix=suffix)
    _raise_if_taken(whole.name + suffix)
    bare = dataclasses.replace(whole, **dict.fromkeys(_PARTS, ()))
    kept, problems = bare, []
    for name, part in _parts_of(whole):
        tried = dataclasses.replace(kept, **{name: (*getattr(kept, name), part)})
        found = _problems(portal, tried, options)
        if found:
            problems += found
        else:
            kept = tried
    text = configtext.to_text([kept])
    return Copy(text, options, configure.make_plan(portal, text, options), tuple(dict.fromkeys(problems)))


def duplicate(mapping: Mapping, portal: Portal, suffix: str, by_id: int | None) -> tuple[Mapping, Copy]:
    """Make the copy: a draft without links; ConfigError as ``make_copy``."""
    made = make_copy(mapping, portal, suffix)
    note = f"{steps.CREATED}: from “{mapping}” of {mapping.portal}"
    configure.apply(portal, made.text, dataclasses.replace(made.options, by_id=by_id, note=note))
    return Mapping.objects.get(portal=portal, label=mapping.label + suffix), made


def _raise_if_taken(name: str) -> None:
    """Mappings have one name in an installation; what has it must not become the copy."""
    if Mapping.objects.filter(label=name).exists():
        raise config.ConfigError([config.Problem(name, "There is a mapping of this name. Choose another suffix.")])


def _parts_of(whole: config.MappingConfig) -> Iterator[tuple[str, object]]:
    for name in _PARTS:
        for part in getattr(whole, name):
            yield name, part


def _problems(portal: Portal, tried: config.MappingConfig, options: configure.Options) -> list[config.Problem]:
    try:
        configure.make_plan(portal, configtext.to_text([tried]), options)
    except config.ConfigError as error:
        return list(error.problems)
    return []
