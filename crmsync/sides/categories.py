"""Categories of one mapping: the values about to be written as rows of their tables, found for a batch at a time."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from django.db import models

from crmsync import adapters
from crmsync.engine import errors
from crmsync.paths import categories


class Categories:
    """The category paths of a mapping, by path; and the rows found for the batch under work."""

    def __init__(self, adapter: adapters.LocalAdapter, paths: Iterable[str]) -> None:
        self.adapter = adapter
        self.known = {path: one for path in paths if (one := adapter.find_category(path)) is not None}
        self._found: dict[tuple[str, str], models.Model | errors.ConvertError] = {}

    def is_several(self, path: str) -> bool:
        """Whether a path leads to many rows, and so is written after its own row is saved."""
        return path in self.known and self.known_field(path).many_to_many

    def known_field(self, path: str) -> models.Field:
        return self.adapter.model._meta.get_field(path)

    def lookups(self) -> list[models.Prefetch | str]:
        """The model's own categories as ``prefetch_related`` names them, for rows that cannot be read by a join."""
        own = [path for path in self.known if "__" not in path]
        single = [(path, self.known[path]) for path in own if not self.is_several(path)]
        return [*self.adapter.several(own), *(models.Prefetch(path, one.all_rows()) for path, one in single)]

    def find(self, several: Iterable[Mapping[str, object]]) -> None:
        """Find the rows of all values about to be written, in a query or two for each category."""
        self._found = {}
        wanted: dict[str, set[str]] = defaultdict(set)
        for values in several:
            for path in values.keys() & self.known.keys():
                wanted[path].update(_texts(values[path]))
        for path, texts in wanted.items():
            self._add(path, texts)

    def with_rows(self, values: Mapping[str, object]) -> dict[str, object]:
        """The values with categories as their rows; ConvertError for one that there is not."""
        result = dict(values)
        for path in values.keys() & self.known.keys():
            texts = _texts(values[path])
            self._add(path, texts)
            rows = [self._row(path, text) for text in texts]
            result[path] = rows if self.is_several(path) else next(iter(rows), None)
        return result

    def _row(self, path: str, text: str) -> models.Model:
        found = self._found[path, text]
        if isinstance(found, errors.ConvertError):
            raise found
        return found

    def _add(self, path: str, texts: Iterable[str]) -> None:
        missing = [text for text in texts if (path, text) not in self._found]
        if missing:
            found = categories.find_rows(self.known[path], missing)
            self._found |= {(path, text): row for text, row in found.items()}


def _texts(value: object) -> list[str]:
    if isinstance(value, list | tuple | set | frozenset):
        return [str(one) for one in value]
    return [] if value is None or value == "" else [str(value)]
