"""Pipelines and their stages: list, read, create, replace, change, archive."""

from collections.abc import Iterable
from typing import Any

from crmsync.fakehub import clock, errors, exchange

MANY_STAGES = {"0-3", "0-5"}  # these and custom objects may have 100 stages, others 30
CHECKS = ("validateReferencesBeforeDelete", "validateDealStageUsagesBeforeDelete")


def _all(call: exchange.Call) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = call.hub.portal.pipelines[call.kind.id]
    return found


def _live(held: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted((one for one in held if not one["archived"]), key=lambda one: one["displayOrder"])


def _show(pipeline: dict[str, Any]) -> dict[str, Any]:
    return {**pipeline, "stages": _live(pipeline["stages"])}


def _pipeline(call: exchange.Call) -> dict[str, Any]:
    found = _all(call).get(call.params["pipeline"])
    if found is None or found["archived"]:
        raise errors.resource_not_found()
    return found


def _stage(call: exchange.Call) -> dict[str, Any]:
    for stage in _live(_pipeline(call)["stages"]):
        if stage["id"] == call.params["stage"]:
            return stage
    raise errors.resource_not_found()


def _settle(call: exchange.Call, one: dict[str, Any]) -> None:
    one["updatedAt"] = clock.iso(call.hub.clock.now_ms())
    call.hub.portal.changed()


def list_pipelines(call: exchange.Call) -> exchange.Response:
    return exchange.answer({"results": [_show(one) for one in _live(_all(call).values())]})


def get_pipeline(call: exchange.Call) -> exchange.Response:
    return exchange.answer(_show(_pipeline(call)))


def list_stages(call: exchange.Call) -> exchange.Response:
    return exchange.answer({"results": _live(_pipeline(call)["stages"])})


def get_stage(call: exchange.Call) -> exchange.Response:
    return exchange.answer(_stage(call))


def list_audits(_call: exchange.Call) -> exchange.Response:
    return exchange.answer({"results": []})


def create_pipeline(call: exchange.Call) -> exchange.Response:
    given = call.document("label", "displayOrder", "stages")
    pipeline_id = str(given.get("pipelineId") or call.hub.next_number())
    if pipeline_id in _all(call):
        raise errors.RefusalError(409, f"Pipeline {pipeline_id} already exists", "OBJECT_ALREADY_EXISTS")
    pipeline = {"id": pipeline_id, "label": given["label"], "displayOrder": given["displayOrder"]}
    pipeline["stages"] = [_make_stage(call, one) for one in given["stages"]]
    _check_count(call, pipeline["stages"])
    return exchange.answer(_show(call.hub.portal.add_pipeline(call.kind.id, pipeline)), 201)


def _make_stage(call: exchange.Call, given: dict[str, Any]) -> dict[str, Any]:
    missing = [name for name in ("label", "displayOrder", "metadata") if name not in given]
    if missing:
        raise errors.bad_json(
            f"Invalid input JSON on line 1, column 1: Some required fields were not set: [{', '.join(missing)}]"
        )
    metadata = {name: str(value) for name, value in given["metadata"].items()}
    if call.kind.id == "0-3":
        if "probability" not in metadata:
            raise errors.bad_request("The stage metadata must hold a probability")
        metadata.setdefault("isClosed", str(metadata["probability"] in {"1.0", "0.0"}).lower())
    at = clock.iso(call.hub.clock.now_ms())
    return {
        "id": str(given.get("stageId") or call.hub.next_number()),
        "label": given["label"],
        "displayOrder": given["displayOrder"],
        "metadata": metadata,
        "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
        "createdAt": at,
        "updatedAt": at,
        "archived": False,
    }


def _check_count(call: exchange.Call, stages: list[dict[str, Any]]) -> None:
    most = 100 if call.kind.id in MANY_STAGES or call.kind.is_custom else 30
    if len(_live(stages)) > most:
        raise errors.bad_request(f"A pipeline can have at most {most} stages")


def replace_pipeline(call: exchange.Call) -> exchange.Response:
    pipeline, given = _pipeline(call), call.document("label", "displayOrder", "stages")
    stages = [_make_stage(call, one) for one in given["stages"]]
    _check_count(call, stages)
    pipeline.update(label=given["label"], displayOrder=given["displayOrder"], stages=stages)
    _settle(call, pipeline)
    return exchange.answer(_show(pipeline))


def update_pipeline(call: exchange.Call) -> exchange.Response:
    pipeline, given = _pipeline(call), call.document()
    pipeline.update({name: given[name] for name in ("label", "displayOrder", "archived") if name in given})
    _settle(call, pipeline)
    return exchange.answer(_show(pipeline))


def archive_pipeline(call: exchange.Call) -> exchange.Response:
    pipeline = _pipeline(call)
    _refuse_if_used(call, call.kind.pipeline, pipeline["id"], "PipelineError.PIPELINE_ID_IN_USE")
    pipeline["archived"] = True
    _settle(call, pipeline)
    return exchange.nothing()


def create_stage(call: exchange.Call) -> exchange.Response:
    pipeline, stage = _pipeline(call), _make_stage(call, call.document())
    if any(one["id"] == stage["id"] for one in pipeline["stages"]):
        raise errors.RefusalError(409, f"Stage {stage['id']} already exists", "OBJECT_ALREADY_EXISTS")
    _check_count(call, [*pipeline["stages"], stage])
    pipeline["stages"].append(stage)
    _settle(call, pipeline)
    return exchange.answer(stage, 201)


def update_stage(call: exchange.Call) -> exchange.Response:
    stage, given = _stage(call), call.document()
    stage.update({name: given[name] for name in ("label", "displayOrder", "archived") if name in given})
    stage["metadata"] |= {name: str(value) for name, value in given.get("metadata", {}).items()}
    _settle(call, stage)
    return exchange.answer(stage)


def archive_stage(call: exchange.Call) -> exchange.Response:
    stage = _stage(call)
    _refuse_if_used(call, call.kind.stage, stage["id"], "PipelineError.STAGE_ID_IN_USE")
    stage["archived"] = True
    _settle(call, stage)
    return exchange.nothing()


def _refuse_if_used(call: exchange.Call, name: str, value: str, code: str) -> None:
    if not any(call.flag(check) for check in CHECKS):
        return
    table = call.hub.store.table(call.kind)
    users = [number for number in table.live if table.records[number].props.get(name) == value]
    if users:
        raise errors.bad_request(
            f"{value} is still used by {len(users)} records",
            context={"objectIds": [str(number) for number in users[:10]]},
            subCategory=code,
        )
