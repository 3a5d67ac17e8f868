"""Pipelines and stages."""

import pytest

PATH = "/crm/pipelines/2026-09/deals"
STAGE = {"label": "One", "displayOrder": 0, "metadata": {"probability": "0.5"}}


def test_the_default_pipeline_has_hubspots_stage_ids_and_text_metadata(api):
    (pipeline,) = api.get(PATH)["results"]
    assert pipeline["id"] == "default"
    assert [stage["id"] for stage in pipeline["stages"]] == [
        "appointmentscheduled", "qualifiedtobuy", "presentationscheduled", "decisionmakerboughtin", "contractsent",
        "closedwon", "closedlost",
    ]  # fmt: skip
    assert pipeline["stages"][5]["metadata"] == {"isClosed": "true", "probability": "1.0"}


@pytest.mark.parametrize(("kind", "first"), [("contacts", "contacts-lifecycle-pipeline"), ("tickets", "0")])
def test_other_types_have_pipelines_too(api, kind, first):
    assert api.get(f"/crm/pipelines/2026-03/{kind}")["results"][0]["id"] == first


def test_a_pipelines_life(api):
    made = api.post(PATH, {"label": "Second", "displayOrder": 1, "stages": [STAGE]}, 201)
    assert made["stages"][0]["metadata"] == {"probability": "0.5", "isClosed": "false"}
    path = f"{PATH}/{made['id']}"
    assert api("PATCH", path, {"label": "Renamed"})[1]["label"] == "Renamed"
    stage = api.post(f"{path}/stages", {**STAGE, "label": "Two", "displayOrder": 1}, 201)
    assert [one["label"] for one in api.get(f"{path}/stages")["results"]] == ["One", "Two"]
    status, body = api("PATCH", f"{path}/stages/{stage['id']}", {"metadata": {"probability": 0.7}})
    assert (status, body["metadata"]["probability"]) == (200, "0.7")
    assert api("DELETE", f"{path}/stages/{stage['id']}")[0] == 204
    assert api("GET", f"{path}/stages/{stage['id']}")[0] == 404
    assert api("PUT", path, {"label": "New", "displayOrder": 0, "stages": [STAGE]})[1]["label"] == "New"
    assert api("DELETE", path)[0] == 204
    assert api("GET", path)[0] == 404


def test_a_used_stage_is_kept_when_asked_to_check(api):
    api.create("deals", dealname="D", dealstage="contractsent")
    path = f"{PATH}/default/stages/contractsent"
    status, body = api("DELETE", f"{path}?validateReferencesBeforeDelete=true")
    assert (status, body["subCategory"]) == (400, "PipelineError.STAGE_ID_IN_USE")
    assert api("DELETE", f"{path}")[0] == 204
    assert api("POST", "deals", {"properties": {"dealname": "E", "dealstage": "contractsent"}})[0] == 400


@pytest.mark.parametrize(
    "body",
    [
        {"label": "x"},
        {"label": "x", "displayOrder": 0, "stages": [{"label": "One"}]},
        {"label": "x", "displayOrder": 0, "stages": [{**STAGE, "metadata": {}}]},
        {"label": "x", "displayOrder": 0, "stages": [STAGE] * 101},
    ],
)
def test_what_cannot_be_created(api, body):
    assert api("POST", PATH, body)[0] == 400
