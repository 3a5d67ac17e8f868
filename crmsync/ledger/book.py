"""Book: the discovered properties that one mapping uses, with stages and pipelines as their options."""

from collections.abc import Iterable

from crmsync.engine import across, combined, terms
from crmsync.ledger import specerror
from crmsync.models import Mapping, RemotePipeline, RemoteProperty

_PIPELINE_PROPERTIES = {"pipeline", "hs_pipeline"}
_STAGE_PROPERTIES = {"dealstage", "hs_pipeline_stage"}


class Book:
    """The discovered properties a mapping uses, with stages, pipelines and owners as their options."""

    def __init__(self, mapping: Mapping, names: Iterable[str]) -> None:
        self.mapping = mapping
        wanted = across.by_type(names)
        rows = RemoteProperty.objects.filter(portal_id=mapping.portal_id, object_type=mapping.object_type)
        self.properties = {row.name: row for row in rows.filter(name__in=wanted.pop("", []))}
        self.is_known = bool(self.properties) or rows.exists()
        self._add_others(wanted)

    def _add_others(self, wanted: dict[str, list[str]]) -> None:
        """The properties of associated records, by path; nobody writes them from here."""
        for object_type, names in wanted.items():
            rows = RemoteProperty.objects.filter(portal_id=self.mapping.portal_id, object_type=object_type)
            for row in rows.filter(name__in=names):
                row.is_read_only = True
                self.properties[across.join(object_type, row.name)] = row

    def get(self, name: str) -> RemoteProperty:
        if combined.is_combined(name):
            return self._combine(name)
        if name not in self.properties:
            remedy = (
                "Correct the name, or press “Refresh fields” on the portal if it was added just now."
                if self.is_known
                else "The portal's fields were not discovered yet: run crmsync_discover or press “Refresh fields”."
            )
            owners = across.split(name)[0] or self.mapping.object_type
            text = (
                f"Mapping “{self.mapping}” names the HubSpot property {name!r}, which {owners} of this portal do not"
                f" have. {remedy}"
            )
            if not self.is_known:
                raise specerror.SpecError(text)
            raise specerror.FieldError(terms.Problem.PROPERTY_GONE, text)
        if self.properties[name].is_archived:
            raise specerror.FieldError(
                terms.Problem.PROPERTY_GONE,
                f"Mapping “{self.mapping}” names the HubSpot property {name!r}, which was archived in HubSpot."
                " Restore it there and press “Refresh fields”, or switch the field mapping off.",
            )
        return self.properties[name]

    def _combine(self, name: str) -> RemoteProperty:
        """Several properties as one text, which nobody can write."""
        if fault := combined.find_fault(name):
            raise specerror.FieldError(terms.Problem.PROPERTY_GONE, f"Mapping “{self.mapping}”: {fault}")
        found = [self.get(one) for one in combined.parts(name)]
        choices = combined.find_choices([sorted(self.options(one)) for one in found])
        return RemoteProperty(
            portal_id=self.mapping.portal_id,
            object_type=self.mapping.object_type,
            name=name,
            type="string",
            options=[[text, text] for text in choices],
            is_read_only=True,
        )

    def has(self, name: str) -> bool:
        """Whether the property is there; before the first discovery nobody knows that it is not."""
        known = self.properties.get(name)
        return not known.is_archived if known is not None else not self.is_known

    def is_unique(self, name: str) -> bool:
        """Whether HubSpot enforces and looks up this property as a unique value."""
        if name == "email" and self.mapping.object_type == "contacts":
            return True
        return name in self.properties and self.properties[name].is_unique

    def options(self, row: RemoteProperty) -> frozenset[str]:
        if row.name in _PIPELINE_PROPERTIES | _STAGE_PROPERTIES:
            pipelines = RemotePipeline.objects.filter(portal_id=row.portal_id, object_type=row.object_type)
            if row.name in _PIPELINE_PROPERTIES:
                return frozenset(pipelines.values_list("pipeline_id", flat=True))
            return frozenset(stage[0] for stages in pipelines.values_list("stages", flat=True) for stage in stages)
        return frozenset(option[0] for option in row.options)


def remote_type(row: RemoteProperty) -> terms.RemoteType:
    """HubSpot's type and field type as the one type the engine converts by."""
    if row.name == "hubspot_owner_id" or row.referenced_object_type == "OWNER":
        return terms.RemoteType.OWNER
    if row.type == "enumeration" and row.field_type == "checkbox":
        return terms.RemoteType.CHECKBOXES
    try:
        return terms.RemoteType(row.type)
    except ValueError as error:
        raise specerror.FieldError(
            terms.Problem.RETYPED,
            f"The HubSpot property {row.name!r} has the type {row.type!r}, which cannot be synced."
            " Remove it from the mapping.",
        ) from error
