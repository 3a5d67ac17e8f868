"""Records by the hundred: batch read, create, update, upsert and archive, all or nothing or in part."""

import collections
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from crmsync.fakehub import clock, edges, errors, exchange, objects, records

MAX_INPUTS = 100
MAX_WITH_HISTORY = 50


@dataclass(slots=True)
class Outcome:
    """What came of the inputs: answers to give, and entries for ``errors``."""

    results: list[dict[str, Any]] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def read(call: exchange.Call) -> exchange.Response:
    body = call.document("inputs")
    history = body.get("propertiesWithHistory")
    inputs = call.inputs(MAX_WITH_HISTORY if history else MAX_INPUTS)
    id_property = body.get("idProperty") or ""
    names = call.hub.portal.view(call.kind, body.get("properties"))
    found: dict[int, records.Record] = {}
    lost = []
    for given in _ids(call, inputs):
        record = _look_up(call, given, id_property, call.flag("archived"))
        if record is None:
            lost.append(given)
        else:
            found[record.id] = record
    shown = []
    for record in call.hub.shuffled(list(found.values())):
        if history:
            out = record.document(names)
            objects.with_history(call, record, history, out)
            shown.append(exchange.encode(out))
        else:
            shown.append(record.text(names))
    return _read_answer(call, shown, lost)


def _read_answer(call: exchange.Call, shown: list[str], lost: list[str]) -> exchange.Response:
    at = clock.iso(call.hub.clock.now_ms())
    failures = [errors.objects_not_found(call.kind.loud, lost).item()] if lost else []
    tail = f',"numErrors":1,"errors":{exchange.encode(failures)}' if lost else ""
    head = f'{{"status":"COMPLETE","results":[{",".join(shown)}]'
    return exchange.raw(f'{head},"startedAt":"{at}","completedAt":"{at}"{tail}}}', 207 if lost else 200)


def _look_up(call: exchange.Call, given: str, id_property: str, archived: bool = False) -> records.Record | None:
    if id_property and id_property != "hs_object_id":
        objects.require_unique(call, id_property)
        found: records.Record | None = call.hub.store.holder(
            call.kind, id_property, objects.settle_key(call, id_property, given)
        )
    else:
        found = call.hub.store.get(call.kind, int(given)) if given.isdecimal() else None
    if found is None or (found.archived_at is not None) is not archived:
        return None
    return found


def _ids(call: exchange.Call, inputs: list[dict[str, Any]]) -> list[str]:
    """The ids of the inputs; one given twice refuses them all."""
    if any("id" not in one for one in inputs):
        raise errors.bad_json("Invalid input JSON on line 1, column 1: Some required fields were not set: [id]")
    ids = [str(one["id"]) for one in inputs]
    twice = sorted(given for given, count in collections.Counter(ids).items() if count > 1)
    if twice:
        raise errors.duplicate_ids(twice)
    return ids


def archive(call: exchange.Call) -> exchange.Response:
    for given in _ids(call, call.inputs(MAX_INPUTS)):
        record = _look_up(call, given, "")
        if record is not None:
            call.hub.store.archive(record, call.source)
    return exchange.nothing()


def create(call: exchange.Call) -> exchange.Response:
    inputs = call.inputs(MAX_INPUTS)
    traced = [one.get("objectWriteTraceId") for one in inputs]
    twice = sorted({str(one) for one in traced if one is not None and traced.count(one) > 1})
    if twice:
        raise errors.bad_request(f"Duplicate objectWriteTraceId found in batch input: [{', '.join(twice)}]")
    return _run(call, inputs, _create_one, partial=True, status=201)


def _create_one(call: exchange.Call, one: dict[str, Any], pending: set[Any]) -> Callable[[], dict[str, Any]]:
    desk = objects.desk(call)
    draft = desk.create(call.kind, one.get("properties"))
    desk.check_unique(call.kind, draft, None, pending)
    ends = edges.read_inline(call, one.get("associations"))

    def apply() -> dict[str, Any]:
        record = call.hub.store.create(call.kind, draft, call.source)
        edges.put_inline(call, record, ends)
        call.hub.after_create(record, call.source)
        return objects.written(call, record, objects.created_names(record))

    return apply


def update(call: exchange.Call) -> exchange.Response:
    inputs = call.inputs(MAX_INPUTS)
    _ids(call, inputs)
    for one in inputs:
        name = one.get("idProperty")
        if name and (name in {"email", "hs_object_id"} or name not in call.hub.portal.unique_names(call.kind)):
            raise errors.not_unique(call.kind.id, name)
    return _run(call, inputs, _update_one, partial=call.hub.portal.partial_updates)


def _update_one(call: exchange.Call, one: dict[str, Any], pending: set[Any]) -> Callable[[], dict[str, Any]]:
    record = _look_up(call, str(one["id"]), one.get("idProperty") or "")
    if record is None:
        raise errors.objects_not_found(call.kind.loud, [str(one["id"])])
    return _write(call, record, one.get("properties"), pending)


def _write(
    call: exchange.Call, record: records.Record, raw: Any, pending: set[Any], new: bool | None = None
) -> Callable[[], dict[str, Any]]:
    desk = objects.desk(call)
    draft = desk.update(record, raw)
    desk.check_unique(call.kind, draft, record, pending)
    if ("record", record.id) in pending:
        raise errors.duplicate_ids([str(record.id)])
    pending.add(("record", record.id))

    def apply() -> dict[str, Any]:
        call.hub.store.update(record, draft, call.source)
        shown = objects.written(call, record, raw)
        return shown if new is None else {**shown, "new": new}

    return apply


def upsert(call: exchange.Call) -> exchange.Response:
    inputs = call.inputs(MAX_INPUTS)
    for one in inputs:
        if not one.get("idProperty"):
            raise errors.bad_request("idProperty is required for upsert")
        objects.require_unique(call, one["idProperty"])
    _ids(call, inputs)
    by_email = any(one["idProperty"] == "email" for one in inputs)
    return _run(call, inputs, _upsert_one, partial=call.hub.portal.partial_updates and not by_email)


def _upsert_one(call: exchange.Call, one: dict[str, Any], pending: set[Any]) -> Callable[[], dict[str, Any]]:
    name, key = one["idProperty"], str(one["id"])
    record = _look_up(call, key, name)
    raw = one.get("properties")
    if record is not None:
        return _write(call, record, raw, pending, new=False)
    if not isinstance(raw, dict):
        raise errors.wrong_type("map of properties")
    create_it = _create_one(call, {"properties": {name: key, **raw}}, pending)
    return lambda: {**create_it(), "new": True}


def _run(
    call: exchange.Call, inputs: list[dict[str, Any]], draft: Callable[..., Any], *, partial: bool, status: int = 200
) -> exchange.Response:
    """Draft every input, then apply. A bad input with a trace id fails alone where that is allowed."""
    outcome = Outcome()
    pending: set[Any] = set()
    ready = []
    for one in inputs:
        trace = one.get("objectWriteTraceId")
        failure = call.hub.faults.item_failure(call.fault, one)
        if failure is not None:
            outcome.failures.append(failure)
            continue
        try:
            ready.append((trace, draft(call, one, pending)))
        except errors.RefusalError as refusal:
            _file(outcome, refusal, trace, partial)
    for trace, apply in ready:
        result = apply()
        outcome.results.append(result if trace is None else {**result, "objectWriteTraceId": str(trace)})
    if outcome.missing:
        outcome.failures.append(errors.objects_not_found(call.kind.loud, outcome.missing).item())
    at = clock.iso(call.hub.clock.now_ms())
    return exchange.batch(call.hub.shuffled(outcome.results), at, outcome.failures, status)


def _file(outcome: Outcome, refusal: errors.RefusalError, trace: Any, partial: bool) -> None:
    """Unknown ids never refuse the others; anything else does, without a trace id."""
    if refusal.status == 404 and trace is None:
        outcome.missing += refusal.context.get("ids", [])
    elif trace is not None and (partial or refusal.status == 404):
        outcome.failures.append(refusal.item(str(trace)))
    else:
        raise refusal
