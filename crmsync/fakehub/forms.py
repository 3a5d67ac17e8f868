"""Form bodies, as the OAuth endpoints and the consent page take them: one value a name, nothing but UTF-8."""

import urllib.parse

from crmsync.fakehub import errors, exchange

FORM = "application/x-www-form-urlencoded"
MAX_FIELDS = 40


def read(call: exchange.Call) -> dict[str, str]:
    """The fields of a form body; 415 for another content type, 400 for a name that comes twice."""
    kind = call.header("content-type").partition(";")[0].strip().lower()
    if kind != FORM:
        raise errors.RefusalError(415, f"Unsupported media type: {kind or 'none'}. The body must be {FORM}.")
    try:
        pairs = urllib.parse.parse_qsl(
            call.body.decode("utf-8"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict"
        )
    except ValueError as bad:
        raise errors.bad_grant("BAD_REQUEST", "The form cannot be read", "invalid_request") from bad
    return single(pairs)


def single(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Pairs by name; a name that comes twice could mean one thing to us and another to HubSpot."""
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = sorted({name for name, _ in pairs if [other for other, _ in pairs].count(name) > 1})
        raise errors.bad_grant("BAD_REQUEST", f"Sent more than once: {', '.join(twice)}", "invalid_request")
    return found
