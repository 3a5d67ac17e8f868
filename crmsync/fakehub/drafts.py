"""May this be written, and what will then be kept? Nothing is changed here; refusals are raised.

A draft is ``{property: normalised text}``, "" for clearing. People in the UI may also set read-only values,
move a lifecycle stage back and leave required values out; everything else holds for them, too.
"""

from typing import Any

from crmsync.fakehub import definitions, errors, objecttypes, portal, records, rules, store, values

FORWARD_ONLY = {"0-1", "0-2"}
Draft = dict[str, str]


class Desk:
    """Drafts writes for one request: ``version`` decides which rules hold, ``ui`` who writes."""

    def __init__(self, home: portal.Portal, held: store.Store, version: str = "", *, ui: bool = False) -> None:
        self.portal = home
        self.store = held
        self.version = version
        self.ui = ui

    def create(self, kind: objecttypes.ObjectType, raw: Any) -> Draft:
        draft = {name: value for name, value in self._settle(kind, raw, {}).items() if value}
        self._fill_pipeline(kind, draft)
        if not self.ui:
            rules.check_required(kind, draft)
            rules.check_planted(self.portal, kind, self.version, {}, draft)
        self._check_stage(kind, draft, {})
        self._derive(kind, draft, {})
        self.check_unique(kind, draft, None)
        return draft

    def update(self, record: records.Record, raw: Any) -> Draft:
        draft = self._settle(record.kind, raw, record.props)
        if not self.ui:
            _keep_stage_order(self.portal, record, draft)
            rules.check_planted(self.portal, record.kind, self.version, record.props, draft)
        self._check_stage(record.kind, draft, record.props)
        self._derive(record.kind, draft, record.props)
        self.check_unique(record.kind, draft, record)
        return draft

    def check_unique(
        self, kind: objecttypes.ObjectType, draft: Draft, own: records.Record | None, pending: set[Any] | None = None
    ) -> None:
        """Refuse a value that another record has; ``pending`` are values of earlier inputs of one batch."""
        for name in self.portal.unique_names(kind):
            value = draft.get(name)
            if not value:
                continue
            holder = self.store.holder(kind, name, value)
            if holder is not None and holder is not own:
                email = kind.id == "0-1" and name == "email"
                raise errors.contact_exists(holder.id) if email else errors.value_taken(holder.id, name, value)
            if pending is not None:
                if (name, value) in pending:
                    raise errors.taken_in_batch(name, value)
                pending.add((name, value))

    def _settle(self, kind: objecttypes.ObjectType, raw: Any, held: dict[str, str]) -> Draft:
        if not isinstance(raw, dict):
            raise errors.wrong_type("map of properties")
        if not raw and held:
            raise errors.nothing_to_update()
        draft: Draft = {}
        problems = []
        for name, text in raw.items():
            if text is None:
                continue  # null is ignored, "" clears
            if not isinstance(text, str):
                raise errors.wrong_type("java.lang.String")
            try:
                draft[name] = self._value(kind, name, text, held)
            except values.ValueRefusedError as bad:
                problems.append(errors.Problem(name, bad.code, bad.message, text))
        if problems:
            raise errors.invalid_values(problems, self.portal.id)
        return draft

    def _value(self, kind: objecttypes.ObjectType, name: str, text: str, held: dict[str, str]) -> str:
        prop = self.portal.property(kind, name)
        if prop is None:
            raise values.ValueRefusedError("PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist')
        if prop.read_only and not self.ui:
            raise values.ValueRefusedError(
                "READ_ONLY_VALUE", f'"{name}" is a read only property; its value cannot be set.'
            )
        if text == "":
            return ""
        if prop.many and text.startswith(";"):
            text = f"{held.get(name, '')}{text}"
        settled = values.settle(prop, text)
        self._check_external(prop, settled)
        return settled

    def _check_external(self, prop: definitions.Property, text: str) -> None:
        if prop.name == "hubspot_owner_id":
            owner = self.portal.owners.get(text)
            if owner is None or owner["archived"]:
                raise values.ValueRefusedError("INVALID_OWNER_ID", f"Owner {text} does not exist")
        if prop.name == "email" and text in self.portal.blocked_emails:
            raise values.ValueRefusedError("INVALID_EMAIL", f"Email address {text} is blocklisted")

    def _fill_pipeline(self, kind: objecttypes.ObjectType, draft: Draft) -> None:
        """With one pipeline its name may be left out; with several it must be said."""
        if not kind.pipeline or kind.pipeline in draft:
            return
        live = [one["id"] for one in self.portal.pipelines[kind.id].values() if not one["archived"]]
        if len(live) == 1:
            draft[kind.pipeline] = live[0]
        elif not self.ui:
            raise errors.missing_required(kind.loud, [kind.pipeline])

    def _check_stage(self, kind: objecttypes.ObjectType, draft: Draft, held: dict[str, str]) -> None:
        """A stage belongs to one pipeline."""
        if not kind.stage or not (draft.get(kind.stage) or draft.get(kind.pipeline)):
            return
        pipeline = draft.get(kind.pipeline) or held.get(kind.pipeline, "")
        stage = draft.get(kind.stage) or held.get(kind.stage, "")
        if not stage:
            raise errors.missing_required(kind.loud, [kind.stage])
        known = self.portal.pipelines[kind.id].get(pipeline)
        if known is None or known["archived"]:
            raise self._bad_option(kind.pipeline, pipeline, list(self.portal.pipelines[kind.id]))
        if self.portal.stage(kind, pipeline, stage) is None:
            raise self._bad_option(kind.stage, stage, [one["id"] for one in known["stages"]])

    def _bad_option(self, name: str, value: str, allowed: list[str]) -> errors.RefusalError:
        message = f"{value} was not one of the allowed options: [{', '.join(allowed)}]"
        return errors.invalid_values([errors.Problem(name, "INVALID_OPTION", message, value)], self.portal.id)

    def _derive(self, kind: objecttypes.ObjectType, draft: Draft, held: dict[str, str]) -> None:
        """What the portal calculates itself: is a deal closed, and won?"""
        if kind.id != "0-3" or not draft.get("dealstage"):
            return
        pipeline = draft.get("pipeline") or held.get("pipeline", "")
        stage = self.portal.stage(kind, pipeline, draft["dealstage"]) or {"metadata": {}}
        closed = stage["metadata"].get("isClosed", "false")
        draft["hs_is_closed"] = closed
        draft["hs_is_closed_won"] = str(closed == "true" and stage["metadata"].get("probability") == "1.0").lower()


def _keep_stage_order(home: portal.Portal, record: records.Record, draft: Draft) -> None:
    """A lifecycle stage never goes back by API: such a value is dropped without a word."""
    wanted, held = draft.get("lifecyclestage"), record.props.get("lifecyclestage")
    prop = home.property(record.kind, "lifecyclestage")
    if record.kind.id not in FORWARD_ONLY or not wanted or not held or prop is None:
        return
    if prop.options.get(wanted, 0) < prop.options.get(held, 0):
        del draft["lifecyclestage"]
