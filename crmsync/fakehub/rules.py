"""What must be set: HubSpot's own demands on a create, and the rules an admin planted (enforced from 2026-09 on)."""

from collections.abc import Iterable, Mapping
from typing import Any

from crmsync.fakehub import errors, exchange, objecttypes, portal

ENFORCED_FROM = "2026-09"
# Rule types of the published shape; an admin sets them on a property.
PUBLISHED = {
    "AFTER_DATETIME_DURATION", "AFTER_DURATION", "ALPHANUMERIC", "BEFORE_DATETIME_DURATION",
    "BEFORE_DURATION", "DAYS_OF_WEEK", "DECIMAL", "DOMAIN", "EMAIL", "EMAIL_ALLOWED_DOMAINS",
    "EMAIL_BLOCKED_DOMAINS", "END_DATE", "END_DATETIME", "FORMAT", "MAX_LENGTH", "MAX_NUMBER", "MIN_LENGTH",
    "MIN_NUMBER", "PHONE_NUMBER_WITH_EXPLICIT_COUNTRY_CODE", "REGEX", "SPECIAL_CHARACTERS", "START_DATE",
    "START_DATETIME", "URL", "URL_ALLOWED_DOMAINS", "URL_BLOCKED_DOMAINS", "WHITESPACE",
}  # fmt: skip


def check_required(kind: objecttypes.ObjectType, draft: dict[str, str]) -> None:
    """HubSpot's own demands, the same in every version."""
    missing = [name for name in kind.required if not draft.get(name)]
    if kind.any_of and not any(draft.get(name) for name in kind.any_of):
        missing += kind.any_of
    if missing:
        raise errors.missing_required(kind.loud, missing)


def check_planted(
    home: portal.Portal, kind: objecttypes.ObjectType, version: str, held: dict[str, str], draft: dict[str, str]
) -> None:
    """The admin's rules over the record as it would be; an update is only asked about what it touches."""
    if version < ENFORCED_FROM or version.startswith("v"):
        return
    after = {**held, **draft}
    missing = [
        rule["property"]
        for rule in home.rules[kind.id]
        if "type" not in rule
        and _applies(rule, after)
        and not after.get(rule["property"])
        and _touches(rule, held, draft)
    ]
    if missing:
        details = [
            {"message": f"{name} is required", "code": "REQUIRED_PROPERTY", "context": {"propertyName": [name]}}
            for name in missing
        ]
        doing = "updating" if held else "creating"
        raise errors.bad_request(
            f"Error {doing} {kind.loud}. Some required properties were not set.",
            context={"properties": missing},
            details=details,
        )


def _applies(rule: dict[str, Any], after: dict[str, str]) -> bool:
    return all(after.get(name) in wanted for name, wanted in rule["when"].items())


def _touches(rule: dict[str, Any], held: dict[str, str], draft: dict[str, str]) -> bool:
    return not held or rule["property"] in draft or not draft.keys().isdisjoint(rule["when"])


def list_rules(call: exchange.Call) -> exchange.Response:
    """``GET /crm/property-validations/V/{type}``; that required properties show here, and how, is unconfirmed."""
    found: dict[str, list[dict[str, Any]]] = {}
    for rule in call.hub.portal.rules[call.kind.id]:
        if "type" in rule or call.version >= ENFORCED_FROM:
            found.setdefault(rule["property"], []).append(_show(rule))
    results = [{"propertyName": name, "propertyValidationRules": shown} for name, shown in found.items()]
    return exchange.answer({"results": results})


def _show(rule: dict[str, Any]) -> dict[str, Any]:
    if "type" in rule:
        return {"ruleType": rule["type"], "ruleArguments": rule["arguments"], "shouldApplyNormalization": False}
    arguments = [f"{name}={';'.join(wanted)}" for name, wanted in rule["when"].items()]
    return {"ruleType": "CONDITIONALLY_REQUIRED" if arguments else "REQUIRED", "ruleArguments": arguments}


def make(name: str, when: Mapping[str, Iterable[str]], rule_type: str, arguments: Iterable[str]) -> dict[str, Any]:
    """A rule as the portal keeps it: of a published type, or (none) that the property must be set."""
    if not rule_type:
        return {"property": name, "when": {other: list(wanted) for other, wanted in when.items()}}
    if rule_type not in PUBLISHED:
        raise ValueError(f"unknown type of rule: {rule_type}")
    return {"property": name, "when": {}, "type": rule_type, "arguments": [str(one) for one in arguments]}
