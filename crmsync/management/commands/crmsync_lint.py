"""``manage.py crmsync_lint``: what is wrong between mappings and their portals, before a record fails."""

import dataclasses
import json
import sys
from collections.abc import Sequence

from django.core.management.base import BaseCommand, CommandError
from django.urls import NoReverseMatch, reverse

from crmsync.engine import findings
from crmsync.flows import discover, lint, meter
from crmsync.models import Mapping, Portal

_LEVELS = (findings.Severity.ERROR, findings.Severity.WARNING)
# Grows when a key of the JSON changes its meaning or goes; new keys may come at any time.
_FORMAT = 1


class Command(BaseCommand):
    """Exit codes: 0 nothing at or above the fail level, 1 it could not be found out, 2 something is."""

    help = "Hold mappings against the fields, options, pipelines, rules and scopes that their portals have."

    def add_arguments(self, parser) -> None:
        parser.add_argument("mapping", nargs="*", help="Names or ids of mappings; all of them unless told otherwise.")
        parser.add_argument("--json", action="store_true", help="Print the findings as JSON.")
        parser.add_argument(
            "--fail-level",
            choices=[str(one) for one in _LEVELS],
            default=str(_LEVELS[0]),
            help="From which level on the exit code is 2; error unless told otherwise.",
        )
        parser.add_argument(
            "--refresh",
            action="store_true",
            help="Read the portals' fields from HubSpot first; else nobody is called.",
        )

    def handle(self, *args, **options) -> None:
        mappings = _mappings(options["mapping"])
        if options["refresh"]:
            self._refresh({one.portal_id: one.portal for one in mappings}, options["verbosity"])
        found = lint.of_mappings(mappings)
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(mappings, found), indent=1))
        else:
            self._print(found)
        failing = _LEVELS[: _LEVELS.index(options["fail_level"]) + 1]
        if any(one.severity in failing for one in found):
            sys.exit(2)

    def _refresh(self, portals: dict[int, Portal], verbosity: int) -> None:
        try:
            for portal in portals.values():
                if verbosity:
                    self.stderr.write(f"Reading the fields of “{portal}” …")
                discover.discover(portal)
        except discover.DiscoveryError as error:
            raise CommandError(str(error)) from error
        finally:
            meter.write()  # this process ends, and what it counted with it

    def _print(self, found: Sequence[lint.Finding]) -> None:
        for one in found:
            about = f"{one.mapping}, {one.field}" if one.field else one.mapping
            self.stdout.write(f"{one.severity.upper()} {one.code}: {about}: {one.sentence}")
            for line in (one.effect, one.remedy, _link(one)):
                if line:
                    self.stdout.write(f"    {line}")
        counts = lint.count(found)
        self.stdout.write(", ".join(f"{number} {severity.value}" for severity, number in counts.items()))


def _mappings(names: Sequence[str]) -> list[Mapping]:
    rows = list(Mapping.objects.select_related("portal").order_by("label"))
    known = {key: one for one in rows for key in (str(one.pk), one.label)}
    unknown = [name for name in names if name not in known]
    if unknown:
        labels = ", ".join(repr(one.label) for one in rows) or "none"
        raise CommandError(f"There is no mapping {unknown[0]!r}. Mappings: {labels}.")
    return list(dict.fromkeys(known[name] for name in names)) if names else rows


def _as_json(mappings: Sequence[Mapping], found: Sequence[lint.Finding]) -> dict[str, object]:
    return {
        "format": _FORMAT,
        "mappings": [one.label for one in mappings],
        "counts": {severity.value: number for severity, number in lint.count(found).items()},
        "findings": [{**dataclasses.asdict(one), "link": _link(one)} for one in found],
    }


def _link(one: lint.Finding) -> str:
    """The page in the admin where it is mended, as a path; "" where the project has no admin."""
    name, pk = ("fieldmapping", one.field_id) if one.field_id is not None else ("mapping", one.mapping_id)
    try:
        return reverse(f"admin:crmsync_{name}_change", args=[pk])
    except NoReverseMatch:
        return ""
