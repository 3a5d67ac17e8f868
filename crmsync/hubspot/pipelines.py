"""Pipelines and their stages. HubSpot: pipelines API."""

from crmsync.hubspot import shapes, types, wire


def list_all(client: wire.Sender, object_type: str) -> tuple[types.Pipeline, ...]:
    """Every pipeline of an object type ("deals", "tickets", "0-3"), in order, each with ordered stages."""
    page = shapes.to_page(client.send(wire.get(client.paths.pipelines(object_type))), _to_pipeline)
    return tuple(sorted(page.records, key=lambda pipeline: pipeline.display_order))


def _to_pipeline(raw: shapes.Json) -> types.Pipeline:
    stages = [_to_stage(stage) for stage in raw.get("stages") or []]
    return types.Pipeline(
        id=shapes.to_id(raw["id"]),
        label=shapes.word(raw, "label"),
        display_order=shapes.number(raw, "displayOrder") or 0,
        stages=tuple(sorted(stages, key=lambda stage: stage.display_order)),
        archived=shapes.flag(raw, "archived"),
    )


def _to_stage(raw: shapes.Json) -> types.Stage:
    metadata = raw.get("metadata") or {}
    return types.Stage(
        id=shapes.to_id(raw["id"]),
        label=shapes.word(raw, "label"),
        display_order=shapes.number(raw, "displayOrder") or 0,
        metadata={key: shapes.word(metadata, key) for key in metadata},
        archived=shapes.flag(raw, "archived"),
    )
