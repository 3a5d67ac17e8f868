"""RefusalError, the only exception of this room, and the bodies HubSpot refuses with."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

VALIDATION = "VALIDATION_ERROR"
MISSING = "OBJECT_NOT_FOUND"
INNER = {"itemContext", "whole"}  # what a refusal carries beside the fields of its body


class RefusalError(Exception):
    """A request the portal says no to: HTTP status and HubSpot's error body."""

    def __init__(
        self,
        status: int,
        message: str,
        category: str = "",
        *,
        details: Iterable[Mapping[str, Any]] = (),
        context: Mapping[str, list[str]] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.category = category
        self.details = list(details)
        self.context = dict(context or {})
        self.more = more
        self.headers: dict[str, str] = {}
        self.page = ""  # HTML for a browser, instead of the body

    def body(self, correlation_id: str) -> dict[str, Any]:
        out: dict[str, Any] = {"status": "error", "message": self.message, "correlationId": correlation_id}
        if self.details:
            out["errors"] = self.details
        if self.context:
            out["context"] = self.context
        if self.category:
            out["category"] = self.category
        return {**out, **self.more.get("whole", {}), **{n: v for n, v in self.more.items() if n not in INNER}}

    def item(self, trace_id: str | None = None) -> dict[str, Any]:
        """The same as one entry of a 207's ``errors``: there the details stay inside the message."""
        context = {} if trace_id is None else {"objectWriteTraceId": [trace_id]}
        more = {name: value for name, value in self.more.items() if name == "subCategory"}
        return {
            "status": "error",
            "category": self.category or VALIDATION,
            "message": self.message,
            "context": {**context, **self.context, **self.more.get("itemContext", {})},
            **more,
        }


class Problem(NamedTuple):
    """One property value that was refused."""

    name: str
    code: str
    message: str
    value: str


def bad_request(message: str, **more: Any) -> RefusalError:
    return RefusalError(400, message, VALIDATION, **more)


def bad_json(message: str) -> RefusalError:
    return RefusalError(400, message)


def wrong_type(wanted: str) -> RefusalError:
    return RefusalError(
        400, f"Invalid input JSON on line 1, column 1: Cannot deserialize value of type `{wanted}`", VALIDATION
    )


def too_many_inputs(count: int, most: int) -> RefusalError:
    return bad_request(f"Batch contains {count} inputs. The maximum number of inputs allowed is {most}.")


def invalid_values(problems: list[Problem], portal_id: int) -> RefusalError:
    """The captured form: a JSON list inside ``message`` and the same in ``errors``."""
    listed = [
        {
            "isValid": False,
            "message": problem.message,
            "error": problem.code,
            "name": problem.name,
            "localizedErrorMessage": problem.message,
            "propertyValue": problem.value,
            "portalId": portal_id,
        }
        for problem in problems
    ]
    text = json.dumps(listed, ensure_ascii=False, separators=(",", ":"))
    details = [
        {"message": problem.message, "code": problem.code, "context": {"propertyName": [problem.name]}}
        for problem in problems
    ]
    return bad_request(f"Property values were not valid: {text}", details=details)


def missing_required(singular: str, names: list[str], doing: str = "creating") -> RefusalError:
    return bad_request(
        f"Error {doing} {singular}. Some required properties were not set.", context={"properties": names}
    )


def nothing_to_update() -> RefusalError:
    return bad_request("No properties found to update, please provide at least one.")


def bad_grant(word: str, message: str, error: str = "invalid_grant") -> RefusalError:
    """The token endpoint's 400: ``status`` is a word such as BAD_REFRESH_TOKEN, not "error" (docs)."""
    return RefusalError(400, message, whole={"error": error, "error_description": message, "status": word})


def resource_not_found() -> RefusalError:
    return RefusalError(404, "resource not found")


def object_not_found(given: str) -> RefusalError:
    """A number nobody has says less than a text that can be no id."""
    if given.isdecimal():
        return resource_not_found()
    return RefusalError(404, "Object not found.  objectId are usually numeric.", MISSING, context={"id": [given]})


def objects_not_found(singular: str, ids: list[str]) -> RefusalError:
    return RefusalError(
        404,
        f"Could not get some {singular} objects, they may be deleted or not exist. Check that ids are valid.",
        MISSING,
        context={"ids": ids},
    )


def contact_exists(existing: int) -> RefusalError:
    return RefusalError(
        409,
        f"Contact already exists. Existing ID: {existing}",
        "CONFLICT",
        itemContext={"existingId": [str(existing)]},
    )


def taken_in_batch(name: str, value: str) -> RefusalError:
    """Two inputs of one batch want the same unique value: nobody has an id yet (unconfirmed)."""
    if name == "email":
        return RefusalError(409, "Contact already exists.", "CONFLICT")
    return duplicate_ids([value])


def value_taken(existing: int, name: str, value: str) -> RefusalError:
    """Status 400 and these fields are unconfirmed; the sentence is what clients parse."""
    message = f"{existing} already has that value."
    text = json.dumps(
        [{"isValid": False, "message": message, "error": "CONFLICTING_UNIQUE_VALUE", "name": name}],
        separators=(",", ":"),
    )
    details = [{"message": message, "code": "CONFLICTING_UNIQUE_VALUE", "context": {"propertyName": [name]}}]
    return bad_request(f"Property values were not valid: {text}", details=details)


def duplicate_ids(ids: list[str]) -> RefusalError:
    return bad_request(
        f"Duplicate IDs found in batch input: [{', '.join(ids)}]. IDs must be unique", context={"ids": ids}
    )


def not_unique(type_id: str, name: str) -> RefusalError:
    return bad_request(f"Unable to perform update/upsert by non-unique {type_id} property: {name}")
