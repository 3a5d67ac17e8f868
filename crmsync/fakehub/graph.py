"""Which records are associated with which, and by which types, seen from both ends."""

from crmsync.fakehub import associationtypes

Ends = tuple[str, int, str, int]  # from type, from id, to type, to id


class Graph:
    """Edges as from -> to -> set of type numbers. ``put`` and ``cut`` keep both directions in step."""

    def __init__(self, catalogue: associationtypes.Catalogue) -> None:
        self.catalogue = catalogue
        self._out: dict[tuple[str, int], dict[str, dict[int, tuple[int, ...]]]] = {}

    def of(self, source: str, number: int, target: str) -> dict[int, tuple[int, ...]]:
        """Neighbours of one type with the types of each edge."""
        return self._out.get((source, number), {}).get(target, {})

    def types(self, ends: Ends) -> tuple[int, ...]:
        source, number, target, other = ends
        return self.of(source, number, target).get(other, ())

    def neighbours(self, source: str, number: int) -> list[tuple[str, int, tuple[int, ...]]]:
        found = self._out.get((source, number), {})
        return [(target, other, types) for target, ends in found.items() for other, types in ends.items()]

    def set(self, ends: Ends, numbers: tuple[int, ...]) -> None:
        """Make ``numbers`` the types of an edge, and their inverses those of the way back; none removes it."""
        source, number, target, other = ends
        rows = self.catalogue.between(source, target)
        back = tuple(rows[one].inverse for one in numbers)
        self._store(ends, numbers)
        if (source, number) != (target, other):
            self._store((target, other, source, number), back)

    def strip(self, source: str, target: str, number: int) -> None:
        """Take one type off all edges; what is left of them stays."""
        for one, targets in list(self._out.items()):
            for other, types in list(targets.get(target, {}).items()) if one[0] == source else ():
                if number in types:
                    self.set((*one, target, other), tuple(each for each in types if each != number))

    def _store(self, ends: Ends, numbers: tuple[int, ...]) -> None:
        source, number, target, other = ends
        if numbers:
            self._out.setdefault((source, number), {}).setdefault(target, {})[other] = numbers
            return
        self._out.get((source, number), {}).get(target, {}).pop(other, None)

    def dump(self) -> list[list[object]]:
        """Every edge from one of its ends, for a snapshot."""
        return [
            [source, number, target, other, list(types)]
            for (source, number), targets in self._out.items()
            for target, ends in targets.items()
            for other, types in ends.items()
            if (source, number) <= (target, other)
        ]
