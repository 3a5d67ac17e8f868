"""Routes: the fields of a mapping that flow at all, and which way."""

from dataclasses import dataclass

from crmsync.engine import spec, terms


@dataclass(frozen=True, slots=True)
class Route:
    """A field and the ways it flows under its mapping; ``matches`` where its values find partners."""

    one: spec.FieldSpec
    pushes: bool
    pulls: bool
    matches: terms.Normaliser | None = None

    def flows_from(self, source: terms.SideName) -> bool:
        """Whether the field may be written with this side's values."""
        return self.pushes if source is terms.SideName.LOCAL else self.pulls


def make_routes(mapping: spec.MappingSpec) -> tuple[Route, ...]:
    """The fields that flow at all under the mapping's direction; the others are left alone."""
    matches = {(one.local, one.remote): one.normaliser for one in mapping.match}
    routes = (
        Route(one, mapping.pushes(one), mapping.pulls(one), matches.get((one.local, one.remote)))
        for one in mapping.fields
    )
    return tuple(route for route in routes if route.pushes or route.pulls)
