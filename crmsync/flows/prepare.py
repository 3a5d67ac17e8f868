"""Applies a configuration file to a portal, after the properties that it needs were created in HubSpot."""

import dataclasses
from collections.abc import Iterator

from crmsync.engine import config
from crmsync.flows import configure, provision
from crmsync.models import Portal


def apply(portal: Portal, text: str, options: configure.Options) -> configure.Plan:
    """As ``configure.apply``; what the plan says would be created is there before a mapping is changed.

    ConfigError also where a property could not be created: then no mapping is changed, and those that were created
    are used the next time.
    """
    plan = configure.make_plan(portal, text, options)
    problems = list(_create(portal, plan))
    if problems:
        raise config.ConfigError(problems)
    done = configure.apply(portal, text, dataclasses.replace(options, creates_properties=False))
    created = tuple(one.to_change() for one in plan.needed)
    return dataclasses.replace(done, changes=(*created, *done.changes), needed=plan.needed)


def _create(portal: Portal, plan: configure.Plan) -> Iterator[config.Problem]:
    places = {(one.object_type, one.draft.name): one.mapping for one in plan.needed}
    for object_type in dict.fromkeys(one.object_type for one in plan.needed):
        drafts = [one.draft for one in plan.needed if one.object_type == object_type]
        try:
            done = provision.create(portal, object_type, drafts)
        except provision.ProvisionError as error:
            yield config.Problem("", f"The properties of {object_type} were not created. {error}")
            continue
        for one in done:
            if one.outcome is provision.Outcome.REFUSED:
                draft = one.decision.draft
                yield config.Problem(f"{places[object_type, draft.name]} › {draft.local} ↔ {draft.name}", one.why)
