"""The properties that a configuration sends values to and its portal lacks, as they would be created."""

from collections.abc import Iterator
from dataclasses import dataclass

from crmsync import adapters
from crmsync.engine import config, configdiff, propertyname, provisioning
from crmsync.flows import propose
from crmsync.ledger import configs, naming
from crmsync.models import RemoteProperty


@dataclass(frozen=True, slots=True)
class Needed:
    """One property that would be created for a mapping of the configuration."""

    mapping: str
    object_type: str
    draft: provisioning.Draft

    def to_change(self) -> configdiff.ConfigChange:
        """Its line of a plan."""
        text = f"would create property {self.draft.name} ({self.draft.kind}) for {self.draft.local}"
        return configdiff.ConfigChange(configdiff.ChangeKind.CREATE, self.mapping, "HubSpot", after=text)


def expect(one: config.MappingConfig, names: naming.Names) -> Iterator[Needed]:
    """What a mapping (with ids) needs and no other needed before; from then on ``names`` knows it, so that all that
    names it is checked against the property it will be."""
    adapter, known = configs.adapter_of(one.model), names.properties(one.object_type)
    if adapter is None or not known or not one.direction.pushes:
        return
    for field in one.fields:
        if field.is_active and field.direction.pushes and field.remote not in known:
            draft = _draft(adapter, field)
            if draft is not None:
                known[field.remote] = _row(one.object_type, draft)
                yield Needed(one.name, one.object_type, draft)


def _draft(adapter: adapters.LocalAdapter, field: config.FieldConfig) -> provisioning.Draft | None:
    """None where the field or the name cannot be: that is for the checks of the configuration to say."""
    if propertyname.find_fault(field.remote):
        return None
    try:
        return propose.make_draft(adapter, adapter.describe(field.local), field.remote)
    except adapters.LocalFieldError:
        return None


def _row(object_type: str, draft: provisioning.Draft) -> RemoteProperty:
    return RemoteProperty(
        object_type=object_type,
        name=draft.name,
        label=draft.label,
        type=draft.type,
        field_type=draft.field_type,
        group=draft.group,
        options=[list(option) for option in draft.options],
        referenced_object_type="OWNER" if draft.is_owner else "",
    )
