"""Builders of mappings, records, links and pairs for the tests of plans."""

from datetime import UTC, datetime

from crmsync.engine import changes, plan, record, spec, terms

D = terms.Direction
OUT = terms.Outcome
LOCAL = terms.SideName.LOCAL
REMOTE = terms.SideName.REMOTE
NOW = datetime(2024, 5, 1, tzinfo=UTC)

EMAIL = spec.FieldSpec(1, "email", "email")
NAME = spec.FieldSpec(2, "name", "firstname")
AGE = spec.FieldSpec(3, "age", "age", local_type=terms.LocalType.INTEGER, remote_type=terms.RemoteType.NUMBER)
STAGE = spec.FieldSpec(4, "stage", "stage", D.PULL)
SCORE = spec.FieldSpec(5, "score", "score", D.PUSH)
FIELDS = (EMAIL, NAME, AGE, STAGE, SCORE)
MATCH = (spec.MatchSpec("email", "email", terms.Normaliser.EMAIL),)


def mapping(direction=D.BOTH, fields=FIELDS, **facts):
    return spec.MappingSpec(1, 7, 1, "demo.person", "contacts", direction, fields, match=MATCH, **facts)


def local(archived=False, **values):
    return record.Record(record.RecordKey("demo.person", "1"), values, archived=archived)


def remote(archived=False, **values):
    return record.Record(record.RecordKey("contacts", "501"), values, archived=archived)


def linked(creating=False, **base):
    ids = {"email": 1, "name": 2, "age": 3, "stage": 4, "score": 5}
    pairs = {key: value if isinstance(value, tuple) else (value, value) for key, value in base.items()}
    return changes.LinkState(9, {ids[key]: changes.BaseValue(*value) for key, value in pairs.items()}, creating)


def plan_one(one=None, **pair):
    facts = {"local": None, "remote": None, **pair}
    return plan.make_plan(one or mapping(), [changes.Pair(**facts)], NOW).pairs[0]


def rule(field, value, direction=D.BOTH, side=LOCAL, gates_updates=False):
    condition = spec.ConditionSpec(side, field, terms.Operator.EQUALS, value)
    return spec.RuleSpec(1, "ready", direction, terms.Join.ALL, (condition,), gates_updates)


PUSH_RULE = rule("email", "b@x", D.PUSH)
PULL_RULE = rule("email", "b@x", D.PULL, REMOTE)


def sent(planned):
    return {write.name: write.value for write in planned.remote_writes}


def stored(planned):
    return {write.name: write.value for write in planned.local_writes}
