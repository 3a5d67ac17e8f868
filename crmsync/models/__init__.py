"""Rows: fields, constraints and who they are; no sync logic."""

from crmsync.models.conflict import Conflict
from crmsync.models.cursor import Cursor
from crmsync.models.inbox import Delivery, InboxEvent
from crmsync.models.link import Link
from crmsync.models.mapping import FieldMapping, Mapping, MatchKey
from crmsync.models.outbox import OutboxEntry
from crmsync.models.portal import Portal, RateSlot
from crmsync.models.rule import RuleCondition, SyncRule
from crmsync.models.run import LogEntry, Run
from crmsync.models.schema import RemotePipeline, RemoteProperty
from crmsync.models.user_link import UserLink
from crmsync.models.value_map import ValueMapEntry

__all__ = [
    "Conflict",
    "Cursor",
    "Delivery",
    "FieldMapping",
    "InboxEvent",
    "Link",
    "LogEntry",
    "Mapping",
    "MatchKey",
    "OutboxEntry",
    "Portal",
    "RateSlot",
    "RemotePipeline",
    "RemoteProperty",
    "RuleCondition",
    "Run",
    "SyncRule",
    "UserLink",
    "ValueMapEntry",
]
