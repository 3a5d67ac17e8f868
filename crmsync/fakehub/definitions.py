"""What a property is: its definition as the API shows it, and the pairs of type and fieldType that exist."""

import re
from typing import Any

from crmsync.fakehub import errors

NAME = re.compile(r"^[a-z][a-z0-9_]*$")
MAX_UNIQUE = 10  # hasUniqueValue properties of one object type
FIELD_TYPES = {
    "bool": {"booleancheckbox"},
    "enumeration": {"booleancheckbox", "checkbox", "radio", "select"},
    "date": {"date"},
    "datetime": {"date"},
    "string": {"text", "textarea", "file", "html", "phonenumber"},
    "number": {"number"},
    "phone_number": {"phonenumber", "text"},
}
BOOL_OPTIONS = [{"label": "Yes", "value": "true"}, {"label": "No", "value": "false"}]
PATCHABLE = {
    "label", "type", "fieldType", "description", "groupName", "options", "displayOrder", "hidden", "formField",
    "calculationFormula", "numberDisplayHint", "showCurrencySymbol", "currencyPropertyName",
}  # fmt: skip


class Property:
    """One property of one object type; ``data`` is exactly what the properties API answers."""

    __slots__ = ("data", "external", "is_unique", "kind", "many", "name", "options", "read_only")

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
        self.name: str = data["name"]
        self.refresh()

    def refresh(self) -> None:
        """Derive the quick fields again after ``data`` was changed."""
        self.kind: str = self.data["type"]
        self.many = self.data["fieldType"] == "checkbox"
        self.external: bool = self.data["externalOptions"]
        self.is_unique: bool = self.data["hasUniqueValue"]
        self.read_only: bool = self.data["modificationMetadata"]["readOnlyValue"]
        self.options = {option["value"]: option["displayOrder"] for option in self.data["options"]}

    @property
    def archived(self) -> bool:
        return bool(self.data["archived"])


def make_options(given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if any("label" not in option or "value" not in option for option in given):
        raise errors.bad_json(
            "Invalid input JSON on line 1, column 1: Some required fields were not set: [label, value]"
        )
    return [
        {
            "label": option["label"],
            "value": option["value"],
            "description": option.get("description", ""),
            "displayOrder": option.get("displayOrder", order),
            "hidden": option.get("hidden", False),
        }
        for order, option in enumerate(given)
    ]


def make_property(given: dict[str, Any], at: str, *, defined: bool = False, read_only: bool = False) -> Property:
    """A property from the fields a create holds. ``defined``: it is HubSpot's own."""
    options = given.get("options") or (BOOL_OPTIONS if given["type"] == "bool" and defined else [])
    data = {
        "updatedAt": at,
        "createdAt": at,
        "name": given["name"],
        "label": given["label"],
        "type": given["type"],
        "fieldType": given["fieldType"],
        "description": given.get("description", ""),
        "groupName": given["groupName"],
        "options": make_options(options),
        "displayOrder": given.get("displayOrder", -1),
        "calculated": "calculationFormula" in given,
        "externalOptions": given.get("externalOptions", False),
        "archived": False,
        "hasUniqueValue": given.get("hasUniqueValue", False),
        "hidden": given.get("hidden", False),
        "hubspotDefined": defined,
        "modificationMetadata": {
            "archivable": not defined,
            "readOnlyDefinition": defined,
            "readOnlyValue": read_only or "calculationFormula" in given,
            "readOnlyOptions": False,
        },
        "formField": given.get("formField", False),
        "dataSensitivity": given.get("dataSensitivity", "non_sensitive"),
    }
    for extra in ("referencedObjectType", "numberDisplayHint", "calculationFormula", "showCurrencySymbol"):
        if extra in given:
            data[extra] = given[extra]
    return Property(data)


def check_pair(kind: str, field_type: str, options: list[Any]) -> None:
    """Refuse a type and fieldType that do not go together, or options that are missing."""
    if kind not in FIELD_TYPES:
        raise errors.bad_json(f"Invalid input JSON on line 1, column 1: Cannot deserialize value of type `{kind}`")
    if field_type != "calculation_equation" and field_type not in FIELD_TYPES[kind]:
        raise errors.bad_request(f"fieldType {field_type} is not valid for type {kind}")
    values = [option.get("value") for option in options if isinstance(option, dict)]
    if kind == "bool" and set(values) != {"true", "false"}:
        raise errors.bad_request("Boolean properties must have exactly two options: true and false")
    if kind == "enumeration" and len(set(values)) != len(values):
        raise errors.bad_request("Property option values must be unique")


def check_new(given: dict[str, Any]) -> None:
    """Refuse a create that lacks a field or whose name is no name."""
    missing = [name for name in ("groupName", "name", "label", "type", "fieldType") if not given.get(name)]
    if missing:
        raise errors.bad_json(
            f"Invalid input JSON on line 1, column 1: Some required fields were not set: [{', '.join(missing)}]"
        )
    if not NAME.match(given["name"]) or len(given["name"]) > 100:
        raise errors.bad_request(f"Property name must be lowercase letters, digits and _: {given['name']}")
    if given["fieldType"] == "calculation_equation" and not given.get("calculationFormula"):
        raise errors.bad_request("calculationFormula is required for calculation_equation")
    check_pair(given["type"], given["fieldType"], given.get("options") or [])
