"""Rows: fields, constraints and who they are; no sync logic."""

from crmsync.models.api_usage import ApiUsage
from crmsync.models.association import Association, Edge
from crmsync.models.canary import Canary, CanaryRecord
from crmsync.models.checklist import Tick
from crmsync.models.conflict import Conflict
from crmsync.models.credential import Credential
from crmsync.models.cursor import Cursor
from crmsync.models.heartbeat import Heartbeat
from crmsync.models.inbox import Delivery, InboxEvent
from crmsync.models.lifecycle import AcceptedProof, MappingStep
from crmsync.models.link import Link
from crmsync.models.mapping import FieldMapping, FixedValue, Mapping, MatchKey
from crmsync.models.outbox import OutboxEntry
from crmsync.models.portal import Portal, RateSlot
from crmsync.models.reader import Reader
from crmsync.models.rule import RuleCondition, SyncRule
from crmsync.models.run import LogEntry, Run
from crmsync.models.schema import RemoteLabel, RemoteObjectType, RemotePipeline, RemoteProperty, RemoteRule
from crmsync.models.slip import Slip
from crmsync.models.user_link import UserLink
from crmsync.models.value_map import ValueMapEntry

__all__ = [
    "AcceptedProof",
    "ApiUsage",
    "Association",
    "Canary",
    "CanaryRecord",
    "Conflict",
    "Credential",
    "Cursor",
    "Delivery",
    "Edge",
    "FieldMapping",
    "FixedValue",
    "Heartbeat",
    "InboxEvent",
    "Link",
    "LogEntry",
    "Mapping",
    "MappingStep",
    "MatchKey",
    "OutboxEntry",
    "Portal",
    "RateSlot",
    "Reader",
    "RemoteLabel",
    "RemoteObjectType",
    "RemotePipeline",
    "RemoteProperty",
    "RemoteRule",
    "RuleCondition",
    "Run",
    "Slip",
    "SyncRule",
    "Tick",
    "UserLink",
    "ValueMapEntry",
]
