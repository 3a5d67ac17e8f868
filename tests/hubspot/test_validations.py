"""The rules of an admin on property values."""

import pytest

from crmsync.hubspot import errors, validations

RULES = {
    "results": [
        {
            "propertyName": "zip",
            "propertyValidationRules": [
                {"ruleType": "MAX_LENGTH", "ruleArguments": ["10"], "shouldApplyNormalization": None},
                {"ruleType": "ALPHANUMERIC", "ruleArguments": []},
            ],
        },
        {"propertyName": "empty", "propertyValidationRules": []},
        {
            "propertyName": "phone",
            "propertyValidationRules": [
                {"ruleType": "FORMAT", "ruleArguments": ["a", "b"], "shouldApplyNormalization": True}
            ],
        },
    ]
}


@pytest.mark.parametrize(("given", "asked"), [("contacts", "0-1"), ("0-1", "0-1"), ("2-123", "2-123")])
def test_every_rule_with_its_property(fake, given, asked):
    """Fault 32: the rules that version 2026-09 enforces on writes are known before one is refused."""
    sender = fake([RULES])
    assert validations.list_rules(sender, given) == (
        validations.Rule("zip", "MAX_LENGTH", ("10",)),
        validations.Rule("zip", "ALPHANUMERIC"),
        validations.Rule("phone", "FORMAT", ("a", "b"), normalizes=True),
    )
    assert sender.requests[0].target == f"/crm/property-validations/2026-09/{asked}"


def test_a_kind_nobody_knows_is_kept(fake):
    """F22: what a newer version adds is shown, not lost."""
    rule = {"ruleType": "REQUIRED_WHEN", "ruleArguments": ["dealstage", 7], "more": {}}
    body = {"results": [{"propertyName": "amount", "propertyValidationRules": [rule]}]}
    assert validations.list_rules(fake([body]), "deals") == (
        validations.Rule("amount", "REQUIRED_WHEN", ("dealstage", "7")),
    )


def test_an_object_type_without_rules(fake):
    assert validations.list_rules(fake([{"results": []}]), "deals") == ()


@pytest.mark.parametrize(
    "body", [None, {}, {"results": [{}]}, {"results": [{"propertyName": "a", "propertyValidationRules": [{}]}]}]
)
def test_another_shape_is_not_the_absence_of_rules(fake, body):
    """Fault 14."""
    with pytest.raises(errors.UnknownOutcome):
        validations.list_rules(fake([body]), "deals")
