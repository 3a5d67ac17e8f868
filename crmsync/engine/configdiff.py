"""What lies between two configurations, part by part: the changes that make the first into the second."""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from crmsync.engine import config, configtext, terms


class ChangeKind(terms.Term):
    CREATE = "create", "+"
    CHANGE = "change", "~"
    DELETE = "delete", "-"


@dataclass(frozen=True, slots=True)
class ConfigChange:
    """One thing that differs. ``place`` leads to it; ``before`` and ``after`` are as the file would have it."""

    kind: ChangeKind
    mapping: str
    place: str
    before: str = ""
    after: str = ""

    def __str__(self) -> str:
        """A line of a plan."""
        values = f"{self.before} → {self.after}" if self.kind is ChangeKind.CHANGE else self.before or self.after
        return f"{self.kind.label} {self._where}" + (f": {values}" if values else "")

    @property
    def _where(self) -> str:
        return f"{self.mapping} › {self.place}" if self.place else self.mapping

    def unified(self) -> Iterator[str]:
        """Its lines of a unified difference: what only the first has, and what only the second has."""
        if self.kind is not ChangeKind.CREATE:
            yield f"-{self._where}" + (f": {self.before}" if self.before else "")
        if self.kind is not ChangeKind.DELETE:
            yield f"+{self._where}" + (f": {self.after}" if self.after else "")


def compare(
    old: Iterable[config.MappingConfig], new: Iterable[config.MappingConfig], *, prune: bool = False
) -> tuple[ConfigChange, ...]:
    """What makes ``old`` into ``new``, by mapping name. What is only in ``old`` is left alone unless ``prune``."""
    before, after = {one.name: one for one in old}, {one.name: one for one in new}
    found: list[ConfigChange] = []
    for name in sorted(before.keys() | after.keys()):
        if name not in after:
            found += [ConfigChange(ChangeKind.DELETE, name, "")] if prune else []
        elif name in before:
            found += _between(name, before[name], after[name])
        else:
            found += _created(after[name])
    return tuple(found)


def _created(one: config.MappingConfig) -> Iterator[ConfigChange]:
    bare = dataclasses.replace(one, match_keys=(), fields=(), rules=(), fixed_values=(), associations=())
    plain = configtext.to_line(bare).replace(', "fields": []', "")
    yield ConfigChange(ChangeKind.CREATE, one.name, "", after=plain)
    yield from _between(one.name, bare, one)


def _between(mapping: str, old: config.MappingConfig, new: config.MappingConfig) -> Iterator[ConfigChange]:
    yield from _attributes(mapping, "", old, new)
    yield from _lines(mapping, "match key", old.match_keys, new.match_keys)
    yield from _keyed(mapping, old.fields, new.fields)
    yield from _order(
        mapping, "order of the fields", [str(one) for one in old.fields], [str(one) for one in new.fields]
    )
    yield from _keyed(mapping, old.rules, new.rules)
    # Fixed values have no order: each is of another field.
    fixed = [sorted(each.fixed_values, key=configtext.to_line) for each in (old, new)]
    yield from _lines(mapping, "fixed value", *fixed)
    yield from _lines(mapping, "association", old.associations, new.associations)


Keyed = config.FieldConfig | config.RuleConfig


def _keyed(mapping: str, old: Sequence[Keyed], new: Sequence[Keyed]) -> Iterator[ConfigChange]:
    """Parts that keep who they are: a field by both its ends, a rule by its name."""
    before, after = {str(one): one for one in old}, {str(one): one for one in new}
    for key, one in before.items():
        if key not in after:
            yield ConfigChange(ChangeKind.DELETE, mapping, key, before=configtext.to_line(one))
    for key, one in after.items():
        if key not in before:
            yield ConfigChange(ChangeKind.CREATE, mapping, key, after=configtext.to_line(one))
            continue
        was = before[key]
        yield from _attributes(mapping, f"{key} › ", was, one)
        if isinstance(one, config.FieldConfig) and isinstance(was, config.FieldConfig):
            yield from _lines(mapping, f"{key} › value map", was.value_map, one.value_map)
        elif isinstance(one, config.RuleConfig) and isinstance(was, config.RuleConfig):
            # Conditions have no order: all of them are asked, or any.
            was_sorted, now_sorted = (sorted(each.conditions, key=configtext.to_line) for each in (was, one))
            yield from _lines(mapping, f"{key} › condition", was_sorted, now_sorted)


def _attributes(mapping: str, place: str, old: object, new: object) -> Iterator[ConfigChange]:
    for field in dataclasses.fields(new):  # type: ignore[arg-type]
        was, now = getattr(old, field.name), getattr(new, field.name)
        if was != now and not isinstance(now, tuple):
            values = configtext.to_line(was), configtext.to_line(now)
            yield ConfigChange(ChangeKind.CHANGE, mapping, place + field.name, *values)


def _lines(mapping: str, place: str, old: Sequence[object], new: Sequence[object]) -> Iterator[ConfigChange]:
    """Parts that are nothing but their content; where only their order differs, that is the change."""
    before, after = [configtext.to_line(one) for one in old], [configtext.to_line(one) for one in new]
    gone, come = Counter(before) - Counter(after), Counter(after) - Counter(before)
    yield from (ConfigChange(ChangeKind.DELETE, mapping, place, before=line) for line in gone.elements())
    yield from (ConfigChange(ChangeKind.CREATE, mapping, place, after=line) for line in come.elements())
    yield from _order(mapping, f"order of: {place}", before, after)


def _order(mapping: str, place: str, before: list[str], after: list[str]) -> Iterator[ConfigChange]:
    """The order of what both have: the first that fits decides, so it is a change too."""
    was, now = [one for one in before if one in after], [one for one in after if one in before]
    if was != now:
        yield ConfigChange(ChangeKind.CHANGE, mapping, place, ", ".join(was), ", ".join(now))
