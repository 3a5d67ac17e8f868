"""Revisions: what a mapping was, what lies between two of its revisions, and how it becomes an old one again."""

import dataclasses

from crmsync.engine import config, configdiff, configtext
from crmsync.flows import configure
from crmsync.ledger import steps
from crmsync.models import Mapping


class RevisionError(Exception):
    """A revision that cannot be looked at: one sentence with the remedy."""


def compare(mapping: Mapping, old: int, new: int) -> tuple[configdiff.ConfigChange, ...]:
    """What made the one revision into the other; the name counts as the same, since it has changed for both."""
    return configdiff.compare([_config(mapping, old)], [_config(mapping, new)])


def plan(mapping: Mapping, revision: int) -> configure.Plan:
    """What ``restore`` would change; ConfigError with everything that keeps it from being restored."""
    return configure.make_plan(mapping.portal, _text(mapping, revision), _options(mapping))


def restore(mapping: Mapping, revision: int, by_id: int | None) -> configure.Plan:
    """Make the mapping what it was at a revision, as a new one; state, links and name stay."""
    note = f"{steps.EDITED}: revision {revision} was restored"
    options = dataclasses.replace(_options(mapping), by_id=by_id, note=note)
    return configure.apply(mapping.portal, _text(mapping, revision), options)


def _options(mapping: Mapping) -> configure.Options:
    return configure.Options(chosen=(mapping.label,), of_version=mapping.version_of_id is not None)


def _text(mapping: Mapping, revision: int) -> str:
    return configtext.to_text([_config(mapping, revision)])


def _config(mapping: Mapping, revision: int) -> config.MappingConfig:
    """The configuration of a revision under the name that the mapping has now."""
    text = configure.text_of(mapping) if revision == mapping.revision else steps.config_of(mapping, revision)
    if not text:
        raise RevisionError(f"Revision {revision} of “{mapping}” is not kept. Choose one of the list.")
    (one,) = configtext.from_text(text)
    others = tuple(
        dataclasses.replace(each, to=mapping.label if each.to == one.name else each.to) for each in one.associations
    )
    return dataclasses.replace(one, name=mapping.label, associations=others)
