"""Object types: those that are not supported are said to be, with those that are."""

import pytest

from crmsync.engine import objecttypes


@pytest.mark.parametrize("name", [*objecttypes.STANDARD, "2-1", "2-123456"])
def test_what_can_be_synced_is_not_refused(name: str) -> None:
    assert objecttypes.refuse(name) == ""


@pytest.mark.parametrize("name", ["emails", "quotes", "0-1", "2-", "2-x", "2-٣", "x2-1", "2-1 ", ""])
def test_what_cannot_is_said_with_the_list(name: str) -> None:
    """C33."""
    said = objecttypes.refuse(name)
    assert f"“{name}” is not supported" in said
    assert all(one in said for one in objecttypes.STANDARD)


def test_no_type_is_both() -> None:
    assert not objecttypes.UNSUPPORTED & set(objecttypes.STANDARD)
