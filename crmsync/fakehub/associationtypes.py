"""The types of associations: HubSpot's numbers for each direction of a pair, and labels of a portal's own.

One line is ``from to default reverse [primary reverse-primary]``; numbers as HubSpot documents them.
"""

from typing import NamedTuple

HUBSPOT = "HUBSPOT_DEFINED"
USER = "USER_DEFINED"
PRIMARY = "Primary"
FIRST_CUSTOM = 1001
TABLE = """
0-1 0-2 279 280 1 2
0-3 0-2 341 342 5 6
0-3 0-1 3 4
0-5 0-1 16 15
0-5 0-2 339 340 26 25
0-3 0-5 27 28
0-1 0-1 449 449
0-2 0-2 450 450
0-3 0-3 451 451
0-46 0-1 202 201
0-46 0-2 190 189
0-46 0-3 214 213
0-46 0-5 228 227
0-48 0-1 194 193
0-48 0-2 182 181
0-48 0-3 206 205
0-48 0-5 220 219
0-49 0-1 198 197
0-49 0-2 186 185
0-49 0-3 210 209
0-49 0-5 224 223
0-47 0-1 200 199
0-47 0-2 188 187
0-47 0-3 212 211
0-47 0-5 226 225
0-27 0-1 204 203
0-27 0-2 192 191
0-27 0-3 216 215
0-27 0-5 230 229
"""
LABELLED = (("0-2", "0-2", 13, 14, "Parent Company to Child Company", "Child Company to Parent Company"),)


class AssociationType(NamedTuple):
    """One direction of one type; ``inverse`` is the number seen from the other record."""

    source: str
    target: str
    number: int
    inverse: int
    category: str = HUBSPOT
    label: str | None = None


def standard_types() -> list[AssociationType]:
    found = []
    for line in TABLE.split("\n"):
        if not line:
            continue
        source, target, *numbers = line.split()
        there, back, *primary = (int(number) for number in numbers)
        found += _pair(source, target, there, back, None)
        if primary:
            found += _pair(source, target, primary[0], primary[1], PRIMARY)
    for source, target, there, back, label, other in LABELLED:
        found.append(AssociationType(source, target, there, back, HUBSPOT, label))
        found.append(AssociationType(target, source, back, there, HUBSPOT, other))
    return found


def _pair(source: str, target: str, there: int, back: int, label: str | None) -> list[AssociationType]:
    found = [AssociationType(source, target, there, back, HUBSPOT, label)]
    if source != target:
        found.append(AssociationType(target, source, back, there, HUBSPOT, label))
    return found


class Catalogue:
    """All association types of a portal, found by direction and number."""

    def __init__(self) -> None:
        self.rows: list[AssociationType] = []
        self._by_pair: dict[tuple[str, str], dict[int, AssociationType]] = {}
        self._last = FIRST_CUSTOM - 1  # a number is never given twice, even where its type is gone
        for row in standard_types():
            self.add(row)

    def add(self, row: AssociationType) -> None:
        self.rows.append(row)
        if row.category == USER:
            self._last = max(self._last, row.number)
        self._by_pair.setdefault((row.source, row.target), {})[row.number] = row

    def rename(self, source: str, target: str, number: int, label: str) -> None:
        """Another label for one direction of a type; its number stays."""
        row = self._by_pair[source, target][number]
        self.rows.remove(row)
        self.add(row._replace(label=label))

    def remove(self, source: str, target: str, number: int) -> None:
        """Forget a type in both directions."""
        row = self._by_pair[source, target].pop(number)
        self.rows.remove(row)
        back = self._by_pair[target, source].pop(row.inverse, None)
        if back is not None:
            self.rows.remove(back)

    def between(self, source: str, target: str) -> dict[int, AssociationType]:
        return self._by_pair.get((source, target), {})

    def default(self, source: str, target: str) -> AssociationType | None:
        """The unlabelled type of a pair."""
        return next((row for row in self.between(source, target).values() if row.label is None), None)

    def define(self, source: str, target: str, label: str | None = None, inverse: str | None = None) -> int:
        """Add a USER_DEFINED type in both directions; the number as seen from ``source``."""
        there = self._last + 1
        back = there if source == target and inverse is None else there + 1
        self.add(AssociationType(source, target, there, back, USER, label))
        if back != there:
            self.add(AssociationType(target, source, back, there, USER, inverse or label))
        return there
