"""Roles: what the members of staff do with the sync, as the names of the permissions that this takes."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Role:
    """``group`` is what the group is called in Django; ``permissions`` are codenames of crmsync's own models."""

    name: str
    permissions: frozenset[str]

    @property
    def group(self) -> str:
        """With our name before it: a host may have a group of the role's name, for something else."""
        return f"crmsync: {self.name}"


def _view(*models: str) -> frozenset[str]:
    return frozenset(f"view_{model}" for model in models)


def _edit(models: Iterable[str]) -> frozenset[str]:
    return frozenset(f"{verb}_{model}" for model in models for verb in ("add", "change", "delete", "view"))


# The rows of which a mapping consists; the mapping itself is never deleted with a role, its links would go with it.
_PARTS: Final = (
    "fieldmapping",
    "valuemapentry",
    "matchkey",
    "fixedvalue",
    "association",
    "syncrule",
    "rulecondition",
)
_VIEWER: Final = _view("portal", "mapping", "link", "heartbeat")
_WORK: Final = _view("outboxentry", "inboxevent", "run", "logentry", "conflict", "edge", "cursor")
_OPERATOR: Final = _VIEWER | _WORK | {"operate_sync", "link_record"}
_MAPPER: Final = (
    _OPERATOR
    | _edit(_PARTS)
    | _view("remoteproperty", "remotepipeline", "userlink")
    | {"add_mapping", "change_mapping", "change_userlink"}
)
_CONNECTOR: Final = _VIEWER | _edit(("portal",)) | {"connect_portal", "unlock_portal"}
_AUDITOR: Final = _VIEWER | _WORK | _view(*_PARTS, "delivery", "userlink") | {"view_payload"}
# Apart from the mapper, so that two persons look at what goes live unless somebody is given both.
_APPROVER: Final = _VIEWER | _view(*_PARTS) | {"approve_mapping"}

ROLES: Final = (
    Role("Viewer", _VIEWER),
    Role("Operator", _OPERATOR),
    Role("Mapper", _MAPPER),
    Role("Connector", _CONNECTOR),
    Role("Auditor", _AUDITOR),
    Role("Approver", _APPROVER),
)
