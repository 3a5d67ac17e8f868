"""Search filters: does a record match, and in which order do the found ones come?"""

import re
from collections.abc import Callable
from typing import Any

from crmsync.fakehub import definitions, errors, values

Props = dict[str, str]
Test = Callable[[str], bool]
OPERATORS = {
    "EQ", "NEQ", "LT", "LTE", "GT", "GTE", "BETWEEN", "IN", "NOT_IN", "HAS_PROPERTY", "NOT_HAS_PROPERTY",
    "CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN",
}  # fmt: skip
NEGATED = {"NEQ": "EQ", "NOT_IN": "IN", "NOT_CONTAINS_TOKEN": "CONTAINS_TOKEN", "NOT_HAS_PROPERTY": "HAS_PROPERTY"}
COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "EQ": lambda held, given: held == given,
    "LT": lambda held, given: held < given,
    "LTE": lambda held, given: held <= given,
    "GT": lambda held, given: held > given,
    "GTE": lambda held, given: held >= given,
}
LINEAR = {"number", "date", "datetime"}
WORD = re.compile(r"[^\W_]+")


def make_filter(prop: definitions.Property, given: dict[str, Any]) -> Callable[[Props], bool]:
    """One filter as a test of a record's values; records without the value match only negated operators."""
    operator = str(given.get("operator"))
    if operator not in OPERATORS:
        raise errors.wrong_type("Operator")
    positive = NEGATED.get(operator, operator)
    test = _make_test(prop, positive, given)
    name, wanted = prop.name, positive == operator
    if name == "email":
        return lambda props: ("email" in props and (test(props["email"]) or _second(test, props))) is wanted
    return lambda props: (name in props and test(props[name])) is wanted


def _second(test: Test, props: Props) -> bool:
    """A contact is found by its secondary addresses, too."""
    return "hs_additional_emails" in props and any(test(one) for one in props["hs_additional_emails"].split(";"))


def _make_test(prop: definitions.Property, operator: str, given: dict[str, Any]) -> Test:
    if operator == "HAS_PROPERTY":
        return bool
    if operator == "IN":
        return _in(prop, given.get("values"))
    value = _text(given.get("value"), operator)
    if operator == "CONTAINS_TOKEN":
        return _token(value)
    if operator == "BETWEEN":
        low, high = _key(prop, value), _key(prop, _text(given.get("highValue"), operator))
        return lambda held: low <= _key(prop, held) <= high
    wanted = _key(prop, value)
    if operator == "EQ" and prop.kind not in LINEAR:
        return (lambda held: held == wanted) if prop.kind == "enumeration" else (lambda held: held.lower() == wanted)
    compare = COMPARED[operator]
    return lambda held: compare(_key(prop, held), wanted)


def _text(value: Any, operator: str) -> str:
    if value is None or value == "":
        raise errors.bad_request(f"operator {operator} requires a value")
    return str(value)


def _key(prop: definitions.Property, text: str) -> Any:
    """What is compared: a number, or the text, without case unless it is an option."""
    if prop.kind in LINEAR:
        number = values.as_number(prop.kind, text)
        if number is None:
            raise errors.bad_request(f"{text} is not a valid value of {prop.name}")
        return number
    return text if prop.kind == "enumeration" else text.lower()


def _in(prop: definitions.Property, given: Any) -> Test:
    if not given:
        raise errors.bad_request("operator IN requires values")
    wanted = {str(value) for value in given}
    if prop.kind in LINEAR:
        numbers = {_key(prop, value) for value in wanted}
        return lambda held: _key(prop, held) in numbers
    if prop.kind == "enumeration":
        return lambda held: held in wanted
    return lambda held: held.lower() in wanted  # given values are compared as they are: HubSpot wants lower case


def _token(value: str) -> Test:
    pattern = re.compile(re.escape(value.lower()).replace(r"\*", ".*"))
    if "*" in value:
        return lambda held: any(pattern.fullmatch(part) for part in (held.lower(), *words(held)))
    wanted = set(words(value))
    return lambda held: held.lower() == value.lower() or (bool(wanted) and wanted <= set(words(held)))


def words(text: str) -> list[str]:
    return WORD.findall(text.lower())


def matches_query(props: Props, searchable: tuple[str, ...], query: str) -> bool:
    """Full text: each word of the query starts some word of the searchable values."""
    held = [word for name in searchable if name in props for word in words(props[name])]
    return all(any(word.startswith(wanted) for word in held) for wanted in words(query))


def sort_key(prop: definitions.Property, text: str) -> Any:
    return values.as_number(prop.kind, text) or 0 if prop.kind in LINEAR else text.lower()
