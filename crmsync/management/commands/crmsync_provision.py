"""``manage.py crmsync_provision``: creates HubSpot properties for fields of a mapping that have none yet."""

import json
import sys
from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crmsync.engine import provisioning
from crmsync.flows import obstacle, propose, provision
from crmsync.ledger import specs
from crmsync.models import Mapping

Step = provisioning.Step


class Command(BaseCommand):
    """Exit codes: 0 done or nothing to do, 1 error and nothing was created, 2 a field was refused, 3 with --dry-run
    where something would be created."""

    help = "Create HubSpot properties for fields of a mapping, and join them so that values go to HubSpot."

    def add_arguments(self, parser) -> None:
        parser.add_argument("mapping", help="The mapping's name or id.")
        which = parser.add_mutually_exclusive_group()
        which.add_argument(
            "--fields",
            help="Fields of the model, with commas between them; field=name gives its property another name.",
        )
        which.add_argument("--all", action="store_true", help="All the model's own fields that no row joins.")
        parser.add_argument(
            "--add-options", action="store_true", help="Also add new choices to the options of what crmsync made."
        )
        parser.add_argument("--dry-run", action="store_true", help="Only say what would be done.")
        parser.add_argument("--json", action="store_true", help="Print the result as JSON.")

    def handle(self, *args, **options) -> None:
        mapping = _mapping(options["mapping"])
        try:
            if why := obstacle.of_mapping(mapping):
                raise CommandError(why)
            wanted = _wanted(mapping, options)
            if options["dry_run"]:
                self._plan(mapping, wanted, options)
            else:
                self._carry_out(mapping, wanted, options)
        except (propose.ProposalError, provision.ProvisionError, specs.SpecError) as error:
            raise CommandError(str(error)) from error

    def _plan(self, mapping: Mapping, wanted: dict[str, str], options: dict) -> None:
        decisions = provision.plan(mapping, wanted) if wanted else ()
        self._print([(one, str(one.step), one.step.label, one.why) for one in decisions], options)
        if any(one.step is Step.REFUSE for one in decisions):
            sys.exit(2)
        if any(one.step in (Step.CREATE, Step.EXTEND) for one in decisions):
            sys.exit(3)

    def _carry_out(self, mapping: Mapping, wanted: dict[str, str], options: dict) -> None:
        extends = wanted if options["add_options"] else ()
        done = provision.carry_out(mapping, wanted, extends=extends) if wanted else ()
        self._print([(one.decision, str(one.outcome), _said(one), one.why) for one in done], options)
        if any(one.outcome is provision.Outcome.REFUSED for one in done):
            sys.exit(2)

    def _print(self, lines: Iterable[tuple[provisioning.Decision, str, str, str]], options: dict) -> None:
        lines = list(lines)
        if options["json"]:
            self.stdout.write(json.dumps([_as_json(one, word, why) for one, word, _said, why in lines], indent=1))
            return
        for one, _word, said, why in lines:
            self.stdout.write(f"{one.draft.local} → {one.draft.name} ({one.draft.kind}): {said}")
            self.stdout.write("".join(f"    {line}\n" for line in _more(one, why)), ending="")
        if not lines:
            self.stdout.write("Nothing to do: every field is joined with a property.")


def _mapping(name: str) -> Mapping:
    rows = Mapping.objects.select_related("portal")
    found = rows.filter(pk=name) if name.isdigit() else rows.filter(label=name)
    if mapping := found.first():
        return mapping
    known = ", ".join(repr(label) for label in rows.values_list("label", flat=True)) or "none yet"
    raise CommandError(f"There is no mapping {name!r}. Mappings: {known}.")


def _wanted(mapping: Mapping, options: dict) -> dict[str, str]:
    """Field -> the name of its property, "" for the proposed one."""
    if options["fields"]:
        pairs = (one.strip().partition("=") for one in options["fields"].split(",") if one.strip())
        return {local.strip(): name.strip() for local, _is, name in pairs}
    found = propose.find(mapping, section="", most=sys.maxsize).rows
    own = [one for one in found if not one.is_mapped or options["add_options"]]
    if options["all"]:
        return {one.decision.draft.local: "" for one in own}
    names = ", ".join(one.decision.draft.local for one in own) or "none is left"
    raise CommandError(f"Name the fields with --fields, or take --all. Fields without a property: {names}.")


def _said(one: provision.Done) -> str:
    return f"{one.outcome.label}{', joined with the field' if one.is_joined else ''}"


def _more(one: provisioning.Decision, why: str) -> list[str]:
    lines = [why] if why else []
    lines += [f"Free is: {one.other_name}"] if one.other_name else []
    return lines + ([f"Options: {', '.join(value for value, _label in one.added)}"] if one.added else [])


def _as_json(one: provisioning.Decision, word: str, why: str) -> dict[str, Any]:
    draft = one.draft
    return {
        "field": draft.local,
        "name": draft.name,
        "label": draft.label,
        "type": draft.type,
        "field_type": draft.field_type,
        "group": draft.group,
        "options": [list(option) for option in draft.options],
        "result": word,
        "why": why,
        "other_name": one.other_name,
        "added": [list(option) for option in one.added],
    }
