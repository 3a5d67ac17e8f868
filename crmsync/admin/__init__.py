"""The admin: a file a noun. Pages authenticate, ask a flow or the ledger, and show; they decide nothing."""

from crmsync.admin import (
    association,
    conflict,
    cursor,
    field_mapping,
    inbox,
    link,
    log_entry,
    mapping,
    outbox,
    portal,
    rule,
    run,
    schema,
    status,
    user_link,
)

__all__ = [
    "association",
    "conflict",
    "cursor",
    "field_mapping",
    "inbox",
    "link",
    "log_entry",
    "mapping",
    "outbox",
    "portal",
    "rule",
    "run",
    "schema",
    "status",
    "user_link",
]
