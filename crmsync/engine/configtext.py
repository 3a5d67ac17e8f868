"""Configuration <-> the text of its file: JSON with sorted keys and a row a line; every wrong key is told at once."""

import dataclasses
import functools
import json
import types
import typing
from collections.abc import Hashable, Iterable, Mapping
from typing import Any, Final, TypeVar

from crmsync.engine import config, terms

# Lists of these are written with each of their things on a line (or more) of its own.
_ROWS: Final = {
    "mappings",
    "fields",
    "match_keys",
    "rules",
    "conditions",
    "value_map",
    "fixed_values",
    "associations",
}
_MARK: Final = "crmsync"
_REMEDY: Final = "Correct the file, or export it anew."
_MISSING: Final = object()
# Characters that the columns take; of numbers, the largest.
_MOST: Final[dict[object, dict[str, int]]] = {
    config.MappingConfig: {"name": 100, "model": 150, "object_type": 200},
    config.FieldConfig: {
        "local": 150,
        "remote": 200,
        "note": 300,
        "default_local": 200,
        "default_remote": 200,
        "throttle_minutes": 5_256_000,  # ten years
    },
    config.FixedConfig: {"field": 200, "value": 500},
    config.AssociationConfig: {"local": 150, "to": 100, "label": 200, "note": 300},
    config.MatchConfig: {"local": 150, "remote": 200},
    config.ValueConfig: {"local": 200, "remote": 200},
    config.RuleConfig: {"name": 100},
    config.ConditionConfig: {"field": 200, "value": 500, "group": 99},
}

T = TypeVar("T")


def to_text(mappings: Iterable[config.MappingConfig]) -> str:
    """The file; the same mappings give the same bytes. What has its default is left out."""
    rows = sorted(mappings, key=lambda one: one.name)
    return _pretty({_MARK: config.VERSION, "mappings": [to_plain(one) for one in rows]}, "") + "\n"


def to_line(one: object) -> str:
    """One part of a configuration on one line."""
    return json.dumps(to_plain(one), ensure_ascii=False, sort_keys=True)


def to_plain(one: object) -> Any:
    """A part of a configuration as JSON has it."""
    if isinstance(one, config.Named):
        named = {"pipeline": one.pipeline} if one.kind is config.NameKind.STAGE else {}
        return {**named, one.kind.value: one.name}
    if isinstance(one, tuple):
        return [to_plain(each) for each in one]
    if isinstance(one, terms.Term):
        return one.value
    if not dataclasses.is_dataclass(one):
        return one
    found = {field.name: (getattr(one, field.name), field.default) for field in dataclasses.fields(one)}
    return {
        name: to_plain(value)
        for name, (value, default) in found.items()
        if value != default or (isinstance(one, config.MappingConfig) and name == "fields")
    }


def _pretty(one: Any, indent: str) -> str:
    if not isinstance(one, dict) or not _ROWS & one.keys():
        return json.dumps(one, ensure_ascii=False, sort_keys=True)
    inner = indent + "  "
    lines = [f"{inner}{json.dumps(key)}: {_value(key, one[key], inner)}" for key in sorted(one)]
    return "{\n" + ",\n".join(lines) + f"\n{indent}}}"


def _value(key: str, value: Any, indent: str) -> str:
    if key not in _ROWS or not value:
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    rows = ",\n".join(f"{indent}  {_pretty(row, indent + '  ')}" for row in value)
    return f"[\n{rows}\n{indent}]"


# --- Text to values -----------------------------------------------------------------------------------------------


def from_text(text: str) -> tuple[config.MappingConfig, ...]:
    """The mappings of a file; ConfigError with everything that is wrong with it."""
    given = _load(text)
    reader = _Reader()
    mappings = reader.rows(given.get("mappings"), config.MappingConfig, "mappings")
    extra = sorted(given.keys() - {_MARK, "mappings"})
    reader.problems += [config.Problem(key, f"This key is not known. {_REMEDY}") for key in extra]
    if not reader.problems:
        reader.problems += config.find_problems(mappings)
    if reader.problems:
        raise config.ConfigError(reader.problems)
    return mappings


def _load(text: str) -> dict[str, Any]:
    try:
        given = json.loads(text.removeprefix("\ufeff"), object_pairs_hook=_pairs)
    except config.ConfigError:
        raise
    except (ValueError, RecursionError) as error:
        raise _refuse("", f"This is not JSON ({error}). {_REMEDY}") from error
    version = given.get(_MARK) if isinstance(given, dict) else None
    if not isinstance(given, dict) or not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise _refuse("", f'This is no configuration of crmsync: it has no "{_MARK}": {config.VERSION}. {_REMEDY}')
    if version > config.VERSION:
        text = f"The file has format {version}; this version of crmsync knows formats up to {config.VERSION}."
        raise _refuse(_MARK, f"{text} Update crmsync, or export the file with this version.")
    return given


def _refuse(place: str, sentence: str) -> config.ConfigError:
    return config.ConfigError([config.Problem(place, sentence)])


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """JSON takes a key twice and forgets the first: then half of an edit would be lost unseen."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise _refuse("", f"The key “{twice}” is there twice in {json.dumps(found)[:80]}. Take one of them out.")
    return found


@functools.cache
def _hints(kind: Hashable) -> dict[str, Any]:
    return typing.get_type_hints(kind)


class _Reader:
    """Reads parts by the annotations of their classes, and goes on behind each problem."""

    def __init__(self) -> None:
        self.problems: list[config.Problem] = []

    def refuse(self, place: str, sentence: str) -> Any:
        self.problems.append(config.Problem(place, sentence))
        return _MISSING

    def rows(self, given: Any, kind: type[T], place: str) -> tuple[T, ...]:
        if not isinstance(given, list):
            self.refuse(place, f"A list is wanted here. {_REMEDY}")
            return ()
        found = [self.part(one, kind, f"{place}[{number}]") for number, one in enumerate(given, 1)]
        return tuple(one for one in found if one is not _MISSING)

    def part(self, given: Any, kind: type[T], place: str) -> T | Any:
        if not isinstance(given, dict):
            return self.refuse(place, f"An object {{…}} is wanted here. {_REMEDY}")
        place = f"{place} “{given['name']}”" if isinstance(given.get("name"), str) else place
        fields = {one.name: one for one in dataclasses.fields(typing.cast(Any, kind))}
        for key in sorted(given.keys() - fields.keys()):
            self.refuse(f"{place}.{key}", f"This key is not known. Known are: {', '.join(fields)}.")
        values, hints = {}, _hints(typing.cast(Hashable, kind))
        for name, one in fields.items():
            if name in given:
                most = _MOST[kind].get(name, 0)
                is_needed = one.default is dataclasses.MISSING
                values[name] = self.value(given[name], hints[name], f"{place}.{name}", most=most, is_needed=is_needed)
            elif one.default is dataclasses.MISSING:
                values[name] = self.refuse(f"{place}.{name}", f"This key is missing. {_REMEDY}")
        return _MISSING if _MISSING in values.values() else kind(**values)

    def value(self, given: Any, hint: Any, place: str, *, most: int, is_needed: bool) -> Any:
        if hint is bool:
            return given if isinstance(given, bool) else self.refuse(place, "true or false is wanted here.")
        if hint is int:
            return self.number(given, most, place)
        if isinstance(hint, type) and issubclass(hint, terms.Term):
            return self.term(given, hint, place)
        if typing.get_origin(hint) is tuple:
            return self.rows(given, typing.get_args(hint)[0], place)
        if hint is str:
            return self.text(given, most, place, is_needed=is_needed)
        return self.named(given, hint, most, place, is_needed=is_needed)

    def term(self, given: Any, kind: type[terms.Term], place: str) -> Any:
        try:
            return kind._value2member_map_[given]
        except (KeyError, TypeError):
            return self.refuse(place, f"{json.dumps(given)[:80]} is not one of: {', '.join(kind)}.")

    def number(self, given: Any, most: int, place: str) -> Any:
        if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given <= most:
            return self.refuse(place, f"A whole number from 0 to {most} is wanted here.")
        return given

    def text(self, given: Any, most: int, place: str, *, is_needed: bool) -> Any:
        if not isinstance(given, str):
            return self.refuse(place, f"A text is wanted here, in quotes. {_REMEDY}")
        if is_needed and not given.strip():
            return self.refuse(place, "This must not be empty.")
        if len(given) > most or "\x00" in given:
            return self.refuse(place, f"At most {most} characters are possible here, and no NUL. Shorten it.")
        return given

    def named(self, given: Any, hint: Any, most: int, place: str, *, is_needed: bool) -> Any:
        """A text or a name; where the hint knows tuples, a list of them too."""
        takes_list = any(isinstance(one, types.GenericAlias) for one in typing.get_args(hint))
        if isinstance(given, list) and takes_list:
            found = [
                self.named(each, config.Value, most, f"{place}[{number}]", is_needed=True)
                for number, each in enumerate(given, 1)
            ]
            return _MISSING if any(one is _MISSING for one in found) else tuple(found)
        if not isinstance(given, dict):
            return self.text(given, most, place, is_needed=is_needed)
        return self.name(given, most, place)

    def name(self, given: Mapping[str, Any], most: int, place: str) -> Any:
        kind = _KINDS.get(frozenset(given))
        if kind is None:
            shapes = '{"pipeline", "stage"}, {"pipeline"}, {"owner"}, {"user"} or {"id"}'
            return self.refuse(place, f"These keys name nothing. Known are {shapes}.")
        most = most if kind is config.NameKind.ID else 300
        texts = {key: self.text(one, most, f"{place}.{key}", is_needed=True) for key, one in given.items()}
        if _MISSING in texts.values():
            return _MISSING
        return config.Named(kind, texts[kind], texts["pipeline"] if kind is config.NameKind.STAGE else "")


_KINDS: Final = {
    frozenset({one.value} | ({"pipeline"} if one is config.NameKind.STAGE else set())): one for one in config.NameKind
}
